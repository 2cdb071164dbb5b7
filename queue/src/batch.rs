//! A claimed batch: rows of one kind that this process alone may work on until their lease ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::job::JobKind;
use sea_orm::{ConnectionTrait, DbErr};
use tokio::sync::OwnedSemaphorePermit;

use crate::ledger::Settled;
use crate::{Ledger, trouble};

/// What a handler says about one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// It failed and may succeed later: counted, with back-off, dead after the kind's last attempt.
    Retry(String),
    /// Nothing failed, it is just not time yet: not counted.
    Wait(Duration),
    /// It will never succeed: dead at once, with the reason.
    GiveUp(String),
}

/// One leased row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub id: String,
    pub subject: String,
    /// `Retry`s so far.
    pub attempts: i64,
    /// Leases that expired so far.
    pub crashes: i64,
    /// Grows with every claim: a write that carries an older fence is refused.
    pub fence: i64,
}

struct Row {
    job: Claimed,
    settled: AtomicBool,
    lost: AtomicBool,
}

/// Rows of one kind under one lease.
pub struct Batch {
    kind: JobKind,
    rows: Vec<Row>,
    ledger: Ledger,
    /// Milliseconds after `claimed_at` at which the lease ends, on this process's monotonic clock: taken before the
    /// claiming statement was sent, so it is never later than the database's own.
    lease_ends_ms: AtomicU64,
    claimed_at: Instant,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Batch {
    pub(crate) fn new(
        ledger: Ledger,
        kind: JobKind,
        jobs: Vec<Claimed>,
        claimed_at: Instant,
        slot: Option<OwnedSemaphorePermit>,
    ) -> Arc<Self> {
        let rows = jobs.into_iter().map(|job| Row {
            job,
            settled: AtomicBool::new(false),
            lost: AtomicBool::new(false),
        });
        let lease_ms = u64::try_from(kind.policy().lease_ms).unwrap_or(0);
        Arc::new(Self {
            kind,
            rows: rows.collect(),
            ledger,
            lease_ends_ms: AtomicU64::new(lease_ms),
            claimed_at,
            _slot: slot,
        })
    }

    #[must_use]
    pub fn kind(&self) -> JobKind {
        self.kind
    }

    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The rows that still want an answer.
    pub fn jobs(&self) -> impl Iterator<Item = &Claimed> {
        self.rows.iter().filter(|row| !row.settled.load(Ordering::Relaxed)).map(|row| &row.job)
    }

    /// Subjects of the rows that still want an answer.
    #[must_use]
    pub fn subjects(&self) -> Vec<String> {
        self.jobs().map(|job| job.subject.clone()).collect()
    }

    /// How long the lease holds, judged by this process alone: zero once it may have ended or the row was lost.
    /// Ask right before bytes leave that cannot be called back.
    #[must_use]
    pub fn remaining(&self, job: &Claimed) -> Duration {
        let lost = self.rows.iter().any(|row| row.job.id == job.id && row.lost.load(Ordering::Relaxed));
        if lost {
            return Duration::ZERO;
        }
        let ends = Duration::from_millis(self.lease_ends_ms.load(Ordering::Relaxed));
        ends.saturating_sub(self.claimed_at.elapsed())
    }

    /// Writes answers in the caller's transaction, guarded by the fences. Rows whose lease was lost are not written;
    /// they are named in the result, and what the caller wrote about them must be guarded by its own states.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn settle<C: ConnectionTrait>(
        &self,
        tx: &C,
        outcomes: Vec<(Claimed, Outcome)>,
    ) -> Result<Settled, DbErr> {
        let settled = self.ledger.settle(tx, self.kind, &outcomes).await?;
        Ok(settled)
    }

    /// Marks rows as answered; call it after the transaction of [`Batch::settle`] committed.
    pub fn committed(&self, settled: &Settled) {
        for row in &self.rows {
            if settled.answered.contains(&row.job.id) {
                row.settled.store(true, Ordering::Relaxed);
            }
        }
        self.ledger.metrics().settled(self.kind, settled);
    }

    /// Settles in a transaction of its own.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn finish(&self, outcomes: Vec<(Claimed, Outcome)>) -> Result<(), DbErr> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let tx = self.ledger.begin().await?;
        let settled = self.settle(&tx, outcomes).await?;
        tx.commit().await?;
        self.committed(&settled);
        Ok(())
    }

    /// Repeats a transaction that met passing trouble of the store, while the lease holds. The work must be one
    /// transaction that may be repeated even when its commit succeeded unseen: guarded by states and fences.
    ///
    /// # Errors
    /// What the store said last.
    pub async fn persist<T, F>(&self, work: impl Fn() -> F + Send + Sync) -> Result<T, DbErr>
    where
        F: Future<Output = Result<T, DbErr>> + Send,
    {
        let mut troubles = 0;
        loop {
            match work().await {
                Err(error) if trouble::passes(&error) && self.pause(troubles).await => {
                    tracing::warn!(kind = self.kind.word(), %error, "the store is in trouble; a write is tried again");
                    troubles += 1;
                }
                ended => return ended,
            }
        }
    }

    /// Pauses after so many troubles in a row; `false` at once when the lease would be over by then.
    pub(crate) async fn pause(&self, troubles: u32) -> bool {
        let pause = trouble::pause(troubles);
        let held = self.jobs().any(|job| self.remaining(job) > pause);
        if held {
            tokio::time::sleep(pause).await;
        }
        held
    }

    /// Hands what is left over to batches of one row each, under the same leases.
    pub(crate) fn split(&self) -> Vec<Arc<Self>> {
        let unsettled = self.rows.iter().filter(|row| !row.settled.swap(true, Ordering::Relaxed));
        let alone = unsettled.map(|row| Row {
            job: row.job.clone(),
            settled: AtomicBool::new(false),
            lost: AtomicBool::new(row.lost.load(Ordering::Relaxed)),
        });
        alone
            .map(|row| {
                Arc::new(Self {
                    kind: self.kind,
                    rows: vec![row],
                    ledger: self.ledger.clone(),
                    lease_ends_ms: AtomicU64::new(self.lease_ends_ms.load(Ordering::Relaxed)),
                    claimed_at: self.claimed_at,
                    _slot: None,
                })
            })
            .collect()
    }

    pub(crate) fn leases(&self) -> Vec<(String, i64)> {
        self.jobs().map(|job| (job.id.clone(), job.fence)).collect()
    }

    pub(crate) fn renewed(&self, asked_at: Instant, still_ours: &[String]) {
        let lease = Duration::from_millis(u64::try_from(self.kind.policy().lease_ms).unwrap_or(0));
        let ends = asked_at.duration_since(self.claimed_at).saturating_add(lease);
        self.lease_ends_ms.store(u64::try_from(ends.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        for row in &self.rows {
            if !row.settled.load(Ordering::Relaxed) && !still_ours.contains(&row.job.id) {
                row.lost.store(true, Ordering::Relaxed);
            }
        }
    }
}
