//! How much of what stands in the store right now: what an operator looks at. One statement, and a part of it for each
//! partial index, so that what is over and done with is never read.

use domain::time::Timestamp;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use crate::sql;

/// Rows of one table that stand alike.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Standing {
    /// `attention`, `hold`, `opt_out`, `enrolment`, `payable`, `link`, `message` or `send`.
    pub what: String,
    /// The rows' kind, reason or status.
    pub word: String,
    pub amount: i64,
    /// The moment of the oldest, in milliseconds of business time, where it matters.
    pub oldest_ms: Option<i64>,
}

const TEXT: &str = "\
    SELECT 'attention' AS what, kind AS word, count(*) AS amount, min(opened_at_ms) AS oldest_ms \
    FROM attention_items WHERE closed_at_ms IS NULL GROUP BY kind \
    UNION ALL SELECT 'hold', reason, count(*), min(opened_at_ms) \
    FROM holds WHERE resolved_at_ms IS NULL GROUP BY reason \
    UNION ALL SELECT 'opt_out', channel, count(*), CAST(NULL AS BIGINT) \
    FROM opt_outs WHERE lifted_at_ms IS NULL GROUP BY channel \
    UNION ALL SELECT 'enrolment', 'paused', count(*), CAST(NULL AS BIGINT) FROM enrolments WHERE status = 'paused' \
    UNION ALL SELECT 'payable', status, count(*), min(COALESCE(checked_at_ms, created_at_ms)) \
    FROM payables WHERE status IN ('open', 'processing') GROUP BY status \
    UNION ALL SELECT 'link', status, count(*), CAST(NULL AS BIGINT) FROM links WHERE ended_at_ms IS NULL GROUP BY status \
    UNION ALL SELECT 'message', 'abandoned', count(*), min(m.created_at_ms) \
    FROM jobs j JOIN messages m ON m.id = j.subject WHERE j.status = 'dead' AND m.status = 'queued' \
    UNION ALL SELECT 'send', 'unknown', count(*), min(a.started_at_ms) \
    FROM send_attempts a JOIN messages m ON m.id = a.message_id AND m.status = 'queued' \
    WHERE a.status IN ('sending', 'unknown') AND a.deadline_at_ms < $1";

/// Counts what stands. It takes as long as there is much of it: ask seldom.
///
/// # Errors
/// Whatever the store says.
pub async fn take<C: ConnectionTrait>(db: &C, now: Timestamp) -> Result<Vec<Standing>, DbErr> {
    sql::all(db, TEXT, [now.millis().into()]).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use migration::{Migrate, Migrator};

    use super::*;
    use crate::Db;

    #[derive(FromQueryResult)]
    struct Step {
        detail: String,
    }

    /// The tables grow for ever; these indexes hold what is open of them and no more.
    const PARTIAL: [&str; 11] = [
        "attention_open",
        "attention_page",
        "enrolments_paused",
        "holds_open",
        "jobs_dead",
        "links_expiry",
        "links_live",
        "opt_outs_standing",
        "payables_live",
        "payables_to_check",
        "send_attempts_open",
    ];

    #[tokio::test]
    async fn no_count_reads_what_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::connect(&format!("sqlite://{}", folder.path().join("test.db").display())).await.unwrap();
        Migrator::up(&db.write, None).await.unwrap();
        assert!(take(&db.read, Timestamp::from_millis(0)).await.unwrap().iter().all(|one| one.amount == 0));
        let text = format!("EXPLAIN QUERY PLAN {TEXT}");
        let steps: Vec<Step> = sql::all(&db.read, text, [0_i64.into()]).await.unwrap();
        let scans: Vec<&str> = steps
            .iter()
            .map(|step| step.detail.as_str())
            .filter(|detail| detail.starts_with("SCAN "))
            .collect();
        for scan in &scans {
            let is_partial = PARTIAL.iter().any(|index| scan.contains(&format!("INDEX {index}")));
            assert!(is_partial, "{scan} in {scans:#?}");
        }
        assert!(scans.len() >= 6, "{scans:#?}");
    }
}
