//! What an operator asks the ledger. Every statement reads partial indexes of living jobs alone, so that ten million
//! done ones cost nothing.

use std::str::FromStr;

use domain::job::JobKind;
use domain::words;
use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::{Ledger, json_text, sql};

words! {
    /// How an open job stands.
    pub enum Standing {
        /// It may run now and nobody has begun it.
        Due = "due",
        /// Its time has not come: it waits for the morning, or for its next attempt.
        Scheduled = "scheduled",
        Leased = "leased",
        /// Its lease ended and nobody took it over yet.
        Orphaned = "orphaned",
        Dead = "dead",
    }
}

/// Open jobs of one kind that stand alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    pub kind: JobKind,
    pub standing: Standing,
    pub jobs: i64,
}

/// What can be asked every few seconds, whatever the backlog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulse {
    /// Per kind with work that nobody has begun: when the oldest became due, in milliseconds of the machine's clock.
    pub oldest_due_ms: Vec<(JobKind, i64)>,
    /// How far the database's clock is from this machine's, in milliseconds, whichever is ahead.
    pub clock_skew_ms: u64,
}

impl Ledger {
    /// When the oldest due job of each kind became due. A look at the first entry of an index per kind.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn pulse(&self) -> Result<Pulse, DbErr> {
        let kinds: Vec<serde_json::Value> =
            JobKind::ALL.iter().map(|kind| serde_json::json!({"kind": kind})).collect();
        let backend = self.backend();
        let statement = Statement::from_sql_and_values(backend, sql::pulse(backend), [json_text(&kinds)]);
        let asked = self.clock.machine_now();
        let rows = self.read.query_all_raw(statement).await?;
        let answered = self.clock.machine_now();
        let mut pulse = Pulse { oldest_due_ms: Vec::new(), clock_skew_ms: 0 };
        for row in rows {
            let now_ms: i64 = row.try_get("", "now_ms")?;
            // Between asking and answering nothing is wrong.
            let inside = now_ms.clamp(asked.millis(), answered.millis());
            pulse.clock_skew_ms = pulse.clock_skew_ms.max(now_ms.abs_diff(inside));
            let waiting: Option<i64> = row.try_get("", "waiting")?;
            let orphaned: Option<i64> = row.try_get("", "orphaned")?;
            let due = [waiting, orphaned].into_iter().flatten().min();
            // Business time, as the machine's clock would have said it.
            let due = due.map(|due_ms| due_ms.saturating_sub(self.clock.offset_ms()));
            if let Some(due_ms) = due.filter(|due_ms| *due_ms <= now_ms) {
                pulse.oldest_due_ms.push((word(&row.try_get::<String>("", "kind")?)?, due_ms));
            }
        }
        Ok(pulse)
    }

    /// Open jobs by kind and standing. Counts them, so it takes as long as the backlog is deep.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn depth(&self) -> Result<Vec<Depth>, DbErr> {
        let values = [self.clock.offset_ms().into()];
        let statement = Statement::from_sql_and_values(self.backend(), sql::depth(self.backend()), values);
        let rows = self.read.query_all_raw(statement).await?;
        rows.iter()
            .map(|row| {
                Ok(Depth {
                    kind: word(&row.try_get::<String>("", "kind")?)?,
                    standing: word(&row.try_get::<String>("", "standing")?)?,
                    jobs: row.try_get("", "jobs")?,
                })
            })
            .collect()
    }
}

fn word<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, DbErr> {
    text.parse().map_err(|error: T::Err| DbErr::Type(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use migration::{Migrate, Migrator};
    use sea_orm::{DatabaseBackend, SqlxSqliteConnector};

    use super::*;

    #[tokio::test]
    async fn no_question_of_an_operator_reads_jobs_that_are_done() {
        let pool = sqlx::sqlite::SqlitePoolOptions::new()
            .max_connections(1)
            .connect("sqlite::memory:")
            .await
            .unwrap();
        let db = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
        Migrator::up(&db, None).await.unwrap();
        let backend = DatabaseBackend::Sqlite;
        for text in [sql::pulse(backend), sql::depth(backend)] {
            let plan = Statement::from_string(backend, format!("EXPLAIN QUERY PLAN {text}"));
            let steps: Vec<String> = db
                .query_all_raw(plan)
                .await
                .unwrap()
                .iter()
                .map(|row| row.try_get("", "detail").unwrap())
                .collect();
            let over_jobs: Vec<&String> = steps.iter().filter(|step| step.contains(" jobs ")).collect();
            let living = ["INDEX jobs_due", "INDEX jobs_suspect", "INDEX jobs_leased", "INDEX jobs_dead"];
            let strays: Vec<&&String> =
                over_jobs.iter().filter(|step| !living.iter().any(|index| step.contains(index))).collect();
            assert!(over_jobs.len() >= 2 && strays.is_empty(), "{strays:?} in {steps:#?}");
        }
    }
}
