//! The dead list: jobs that gave up. They are listed, and redriven by a person; nothing revives them by itself.

use domain::id::MerchantId;
use domain::time::Timestamp;
use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use serde::Serialize;

use crate::Ledger;
use crate::ledger::execute;

const PAGE_MAX: u64 = 200;

/// A job that will not run again by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadJob {
    pub id: String,
    pub kind: String,
    pub subject: String,
    pub merchant_id: Option<String>,
    pub attempts: i64,
    pub crashes: i64,
    pub last_error: Option<String>,
    pub died_at: Timestamp,
}

impl Ledger {
    /// Dead jobs, oldest first, after the id `after`; of one merchant, or of everybody for the operator.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn dead(
        &self,
        merchant_id: Option<&MerchantId>,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Vec<DeadJob>, DbErr> {
        let limit = i64::try_from(limit.min(PAGE_MAX)).unwrap_or(0);
        let text = "SELECT id, kind, subject, merchant_id, attempts, crashes, last_error, finished_at_ms FROM jobs \
             WHERE status = 'dead' AND id > $1 AND ($2 = '' OR merchant_id = $2) ORDER BY id LIMIT $3";
        let merchant = merchant_id.map_or(String::new(), ToString::to_string);
        let values: [Value; 3] = [after.unwrap_or("").into(), merchant.into(), limit.into()];
        let rows =
            self.read.query_all_raw(Statement::from_sql_and_values(self.backend(), text, values)).await?;
        rows.iter()
            .map(|row| {
                Ok(DeadJob {
                    id: row.try_get("", "id")?,
                    kind: row.try_get("", "kind")?,
                    subject: row.try_get("", "subject")?,
                    merchant_id: row.try_get("", "merchant_id")?,
                    attempts: row.try_get("", "attempts")?,
                    crashes: row.try_get("", "crashes")?,
                    last_error: row.try_get("", "last_error")?,
                    died_at: Timestamp::from_millis(
                        row.try_get::<Option<i64>>("", "finished_at_ms")?.unwrap_or(0),
                    ),
                })
            })
            .collect()
    }

    /// Puts a dead job back to work with its counters cleared. `false` when there is no such dead job (of this merchant).
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn redrive(&self, id: &str, merchant_id: Option<&MerchantId>) -> Result<bool, DbErr> {
        let text = "UPDATE jobs SET status = 'waiting', attempts = 0, crashes = 0, due_at_ms = $3, finished_at_ms = NULL \
             WHERE id = $1 AND status = 'dead' AND ($2 = '' OR merchant_id = $2)";
        let merchant = merchant_id.map_or(String::new(), ToString::to_string);
        let now = self.clock().now().millis();
        let tx = self.begin().await?;
        let revived = execute(&tx, text, [id.into(), merchant.into(), now.into()]).await?;
        tx.commit().await?;
        if revived == 0 {
            return Ok(false);
        }
        self.wake().ring(domain::job::JobKind::ALL);
        Ok(true)
    }
}
