//! The ledger: every statement on the `jobs` table. Works the same on SQLite and PostgreSQL; a list of rows travels
//! as one JSON parameter, so a statement's text is constant and stays prepared.

mod sql;
mod watch;

use std::time::Duration;

use domain::id::JobId;
use domain::job::{JobKind, NewJob, Outbox};
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
};
use serde_json::json;

use crate::batch::{Claimed, Outcome};
use crate::{Clock, Live, Metrics, Wake, trace};

pub(crate) use sql::expired_leases;
pub use watch::{Depth, Pulse, Standing};

/// The longest error text kept in a row.
const ERROR_CHARS_MAX: usize = 500;

/// What a settlement wrote.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Ids of the rows whose answer now stands.
    pub answered: Vec<String>,
    pub done: u64,
    pub retried: u64,
    pub waiting: u64,
    pub dead: u64,
    /// Rows somebody else holds by now.
    pub lost: u64,
}

/// The job ledger and what announces its work. Clones share everything.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub(crate) write: DatabaseConnection,
    pub(crate) read: DatabaseConnection,
    clock: Clock,
    wake: Wake,
    live: Live,
    metrics: Metrics,
    through_pooler: bool,
}

impl Ledger {
    #[must_use]
    pub fn new(
        read: DatabaseConnection,
        write: DatabaseConnection,
        clock: Clock,
        wake: Wake,
        live: Live,
        metrics: Metrics,
    ) -> Self {
        Self { write, read, clock, wake, live, metrics, through_pooler: false }
    }

    /// For a connection through a pooler, which takes statements only between `BEGIN` and `COMMIT`.
    #[must_use]
    pub fn through_pooler(self, through_pooler: bool) -> Self {
        Self { through_pooler, ..self }
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    #[must_use]
    pub fn live(&self) -> &Live {
        &self.live
    }

    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    #[must_use]
    pub fn wake(&self) -> &Wake {
        &self.wake
    }

    /// Begins a write transaction (`BEGIN IMMEDIATE` on SQLite).
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.write.begin_with_options(options).await
    }

    /// Writes jobs in the caller's transaction; a job whose key already exists is left as it is. Says how many are new.
    /// Prefer [`Ledger::commit`], which also wakes the workers.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn enqueue<C: ConnectionTrait>(&self, tx: &C, jobs: &[NewJob]) -> Result<u64, DbErr> {
        if jobs.is_empty() {
            return Ok(0);
        }
        let now = self.clock.now();
        let rows: Vec<serde_json::Value> = jobs
            .iter()
            .map(|job| {
                json!({
                    "id": JobId::ordered(now, rand::random()), "kind": job.kind, "subject": job.subject,
                    "unique_key": job.unique_key, "merchant_id": job.merchant_id, "lane": job.kind.lane(),
                    "delay_ms": job.delay_ms,
                })
            })
            .collect();
        let backend = tx.get_database_backend();
        let values = [json_text(&rows), self.clock.offset_ms().into()];
        execute(tx, sql::enqueue(backend), values).await
    }

    /// Enqueues what the transaction causes, commits it, then wakes the workers and tells the listeners.
    ///
    /// # Errors
    /// Whatever the store says; then nothing of it happened.
    pub async fn commit(&self, tx: DatabaseTransaction, outbox: Outbox) -> Result<(), DbErr> {
        self.enqueue(&tx, &outbox.jobs).await?;
        tx.commit().await?;
        self.announce(&outbox);
        Ok(())
    }

    /// Wakes the workers and tells the listeners about something that has been committed.
    pub fn announce(&self, outbox: &Outbox) {
        self.metrics.happened(&outbox.changes);
        let mut kinds: Vec<JobKind> =
            outbox.jobs.iter().filter(|job| job.delay_ms <= 0).map(|job| job.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        self.wake.ring(&kinds);
        self.live.publish(&outbox.changes);
        trace::tell(&outbox.changes);
    }

    /// Leases up to `limit` due rows that never took a process down.
    pub(crate) async fn claim(&self, kind: JobKind, worker: &str, limit: u32) -> Result<Vec<Claimed>, DbErr> {
        let values: [Value; 5] = [
            kind.word().into(),
            self.clock.offset_ms().into(),
            kind.policy().lease_ms.into(),
            worker.into(),
            i64::from(limit).into(),
        ];
        self.claim_with(sql::claim(self.backend()), values).await
    }

    /// Leases one row whose last lease expired: alone, so that a row that kills its process takes no other with it.
    pub(crate) async fn claim_suspect(&self, kind: JobKind, worker: &str) -> Result<Option<Claimed>, DbErr> {
        let values: [Value; 4] =
            [kind.word().into(), self.clock.offset_ms().into(), kind.policy().lease_ms.into(), worker.into()];
        Ok(self.claim_with(sql::claim_suspect(self.backend()), values).await?.pop())
    }

    async fn claim_with<const N: usize>(
        &self,
        text: String,
        values: [Value; N],
    ) -> Result<Vec<Claimed>, DbErr> {
        let statement = Statement::from_sql_and_values(self.backend(), text, values);
        let rows = in_time(self.ask_alone(statement)).await?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            claimed.push(Claimed {
                id: row.try_get("", "id")?,
                subject: row.try_get("", "subject")?,
                attempts: row.try_get("", "attempts")?,
                crashes: row.try_get("", "crashes")?,
                fence: row.try_get("", "fence")?,
            });
        }
        // RETURNING promises no order; ids sort by age.
        claimed.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(claimed)
    }

    /// One statement that is a transaction of its own.
    async fn ask_alone(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        if !self.through_pooler {
            return self.write.query_all_raw(statement).await;
        }
        let tx = self.begin().await?;
        let rows = tx.query_all_raw(statement).await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// Extends leases; returns the ids that are still ours.
    pub(crate) async fn renew(&self, leases: &[(String, i64)], lease_ms: i64) -> Result<Vec<String>, DbErr> {
        let rows: Vec<serde_json::Value> =
            leases.iter().map(|(id, fence)| json!({"id": id, "fence": fence})).collect();
        let statement = Statement::from_sql_and_values(
            self.backend(),
            sql::renew(self.backend()),
            [json_text(&rows), lease_ms.into()],
        );
        let rows = in_time(self.ask_alone(statement)).await?;
        rows.iter().map(|row| row.try_get("", "id")).collect()
    }

    /// Gives rows back that were claimed and not begun.
    pub(crate) async fn release(&self, leases: &[(String, i64)]) -> Result<u64, DbErr> {
        let rows: Vec<serde_json::Value> =
            leases.iter().map(|(id, fence)| json!({"id": id, "fence": fence})).collect();
        let tx = self.begin().await?;
        let released = execute(&tx, sql::release(self.backend()), [json_text(&rows)]).await?;
        tx.commit().await?;
        Ok(released)
    }

    /// Which kinds have work that is due or whose lease expired.
    pub(crate) async fn due_kinds(&self, kinds: &[JobKind]) -> Result<Vec<JobKind>, DbErr> {
        let words: Vec<serde_json::Value> = kinds.iter().map(|kind| json!({"kind": kind})).collect();
        let values = [json_text(&words), self.clock.offset_ms().into()];
        let statement =
            Statement::from_sql_and_values(self.backend(), sql::due_kinds(self.backend()), values);
        let rows = in_time(self.read.query_all_raw(statement)).await?;
        let words: Vec<String> = rows.iter().map(|row| row.try_get("", "kind")).collect::<Result<_, _>>()?;
        Ok(words.iter().filter_map(|word| word.parse().ok()).collect())
    }

    pub(crate) async fn settle<C: ConnectionTrait>(
        &self,
        tx: &C,
        kind: JobKind,
        outcomes: &[(Claimed, Outcome)],
    ) -> Result<Settled, DbErr> {
        let mut settled = Settled::default();
        if outcomes.is_empty() {
            return Ok(settled);
        }
        // In one order everywhere, renewals included: two statements on the same rows must not wait for each other.
        let mut ordered: Vec<&(Claimed, Outcome)> = outcomes.iter().collect();
        ordered.sort_unstable_by(|a, b| a.0.id.cmp(&b.0.id));
        let rows: Vec<serde_json::Value> =
            ordered.iter().map(|(job, outcome)| verdict(kind, job, outcome)).collect();
        let backend = tx.get_database_backend();
        let values = [json_text(&rows), self.clock.offset_ms().into()];
        let statement = Statement::from_sql_and_values(backend, sql::settle(backend), values);
        for row in tx.query_all_raw(statement).await? {
            settled.answered.push(row.try_get("", "id")?);
        }
        for (job, outcome) in outcomes {
            if !settled.answered.contains(&job.id) {
                settled.lost += 1;
                continue;
            }
            match outcome {
                Outcome::Done => settled.done += 1,
                Outcome::Wait(_) => settled.waiting += 1,
                Outcome::GiveUp(_) => settled.dead += 1,
                Outcome::Retry(_) if job.attempts + 1 >= kind.policy().attempts_max => settled.dead += 1,
                Outcome::Retry(_) => settled.retried += 1,
            }
        }
        Ok(settled)
    }

    pub(crate) fn backend(&self) -> DatabaseBackend {
        self.write.get_database_backend()
    }
}

/// A connection that hangs must not stop a worker: who waits longer than a lease lasts has lost it anyway. The statement
/// may still have been carried out; then its leases expire.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

async fn in_time<T>(asked: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    let late = |_| Err(DbErr::Custom("the store did not answer in time".to_owned()));
    tokio::time::timeout(ANSWER_WITHIN, asked).await.unwrap_or_else(late)
}

pub(crate) async fn execute<C: ConnectionTrait>(
    db: &C,
    text: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), text, values);
    Ok(db.execute_raw(statement).await?.rows_affected())
}

fn json_text(rows: &[serde_json::Value]) -> Value {
    Value::from(serde_json::Value::from(rows).to_string())
}

/// One row of a settlement: the next status, the wait before it is due again, the error to keep.
fn verdict(kind: JobKind, job: &Claimed, outcome: &Outcome) -> serde_json::Value {
    let policy = kind.policy();
    let (status, wait_ms, failed, error) = match outcome {
        Outcome::Done => ("done", 0, 0, None),
        Outcome::Wait(span) => ("waiting", i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 2), 0, None),
        Outcome::GiveUp(reason) => ("dead", 0, 1, Some(reason)),
        Outcome::Retry(error) if job.attempts + 1 >= policy.attempts_max => ("dead", 0, 1, Some(error)),
        Outcome::Retry(error) => {
            ("waiting", policy.backoff.wait_ms(job.attempts, rand::random()), 1, Some(error))
        }
    };
    let error: Option<String> = error.map(|text| text.chars().take(ERROR_CHARS_MAX).collect());
    json!({"id": job.id, "fence": job.fence, "status": status, "wait_ms": wait_ms, "failed": failed, "error": error})
}
