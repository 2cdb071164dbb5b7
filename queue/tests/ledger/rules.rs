//! What the ledger promises about one row.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::job::JobKind;
use queue::{Batch, Claimed, Handler, Outcome, Runtime};
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use crate::store::{Store, enqueue, job};

/// Answers as it is told and remembers what it saw.
#[derive(Clone)]
pub(crate) struct Answers {
    pub(crate) seen: Arc<Mutex<Vec<Claimed>>>,
    answer: Arc<dyn Fn(&Claimed) -> Outcome + Send + Sync>,
}

impl Answers {
    pub(crate) fn with(answer: impl Fn(&Claimed) -> Outcome + Send + Sync + 'static) -> Self {
        Self { seen: Arc::default(), answer: Arc::new(answer) }
    }
}

impl Handler for Answers {
    const KIND: JobKind = JobKind::ResolveChannel;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        let jobs: Vec<Claimed> = batch.jobs().cloned().collect();
        self.seen.lock().unwrap().extend(jobs.iter().cloned());
        let outcomes = jobs
            .into_iter()
            .map(|job| {
                let outcome = (self.answer)(&job);
                (job, outcome)
            })
            .collect();
        batch.finish(outcomes).await
    }
}

/// A runtime that stops when dropped.
pub(crate) struct Running {
    stop: CancellationToken,
    ended: tokio::task::JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(runtime: Runtime) -> Self {
        let stop = CancellationToken::new();
        Self { ended: tokio::spawn(runtime.run(stop.clone())), stop }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(20), self.ended)
            .await
            .expect("the runtime drains in time")
            .unwrap();
    }
}

pub(crate) async fn a_job_and_its_cause_commit_together_or_not_at_all(store: Store) {
    let ledger = store.ledger();
    let tx = ledger.begin().await.unwrap();
    ledger.enqueue(&tx, &[job(JobKind::ResolveChannel, "rolled back")]).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(store.jobs("waiting").await, 0);
    enqueue(&ledger, vec![job(JobKind::ResolveChannel, "kept")]).await;
    assert_eq!(store.jobs("waiting").await, 1);
}

pub(crate) async fn the_same_key_is_enqueued_once(store: Store) {
    let ledger = store.ledger();
    let twins =
        vec![job(JobKind::SendLink, "a"), job(JobKind::SendLink, "a"), job(JobKind::SendReceipt, "a")];
    enqueue(&ledger, twins.clone()).await;
    enqueue(&ledger, twins).await;
    assert_eq!(store.jobs("waiting").await, 2, "one for each kind");
}

pub(crate) async fn a_job_that_waits_is_not_due_before_its_time(store: Store) {
    let ledger = store.ledger();
    enqueue(
        &ledger,
        vec![
            job(JobKind::ResolveChannel, "tomorrow").after_ms(86_400_000),
            job(JobKind::ResolveChannel, "now"),
        ],
    )
    .await;
    let handler = Answers::with(|_| Outcome::Done);
    let running = Running::start(Runtime::new(ledger, "p").with(handler.clone()));
    store.until("done", 1).await;
    assert_eq!(store.jobs("waiting").await, 1);
    store.clock.advance_ms(86_400_001);
    store.until("done", 2).await;
    running.stop().await;
    let subjects: Vec<String> = handler.seen.lock().unwrap().iter().map(|job| job.subject.clone()).collect();
    assert_eq!(subjects, ["now", "tomorrow"]);
}

pub(crate) async fn an_answer_with_an_old_fence_is_refused(store: Store) {
    struct Overtaken;
    impl Handler for Overtaken {
        const KIND: JobKind = JobKind::ResolveChannel;
        async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
            let jobs: Vec<Claimed> = batch.jobs().cloned().collect();
            // As if another worker had taken the row over meanwhile.
            let older = jobs
                .into_iter()
                .map(|job| (Claimed { fence: job.fence - 1, ..job }, Outcome::Done))
                .collect();
            let tx = batch.ledger().begin().await?;
            let settled = batch.settle(&tx, older).await?;
            assert_eq!((settled.lost, settled.done), (1, 0));
            tx.commit().await?;
            let current =
                batch.jobs().cloned().map(|job| (job, Outcome::GiveUp("checked".to_owned()))).collect();
            batch.finish(current).await
        }
    }
    let ledger = store.ledger();
    enqueue(&ledger, vec![job(JobKind::ResolveChannel, "x")]).await;
    let running = Running::start(Runtime::new(ledger, "p").with(Overtaken));
    store.until("dead", 1).await;
    running.stop().await;
    assert_eq!(store.jobs("done").await, 0);
}

pub(crate) async fn a_dead_job_is_listed_and_redriven(store: Store) {
    let ledger = store.ledger();
    enqueue(&ledger, vec![job(JobKind::ResolveChannel, "x")]).await;
    let handler = Answers::with(|_| Outcome::GiveUp("no such thing".to_owned()));
    let running = Running::start(Runtime::new(ledger.clone(), "p").with(handler));
    store.until("dead", 1).await;
    running.stop().await;
    let dead = ledger.dead(None, None, 10).await.unwrap();
    assert_eq!(
        (dead.len(), dead[0].last_error.as_deref(), dead[0].subject.as_str()),
        (1, Some("no such thing"), "x")
    );
    let owner = domain::id::MerchantId::random([1; 16]);
    let stranger = domain::id::MerchantId::random([2; 16]);
    assert!(ledger.dead(Some(&stranger), None, 10).await.unwrap().is_empty());
    assert!(!ledger.redrive(&dead[0].id, Some(&stranger)).await.unwrap());
    assert!(ledger.redrive(&dead[0].id, Some(&owner)).await.unwrap());
    assert!(!ledger.redrive(&dead[0].id, None).await.unwrap(), "it is no longer dead");
    let running = Running::start(Runtime::new(ledger, "p").with(Answers::with(|_| Outcome::Done)));
    store.until("done", 1).await;
    running.stop().await;
}

pub(crate) async fn a_retry_backs_off_and_ends_in_the_dead_list(store: Store) {
    let ledger = store.ledger();
    enqueue(&ledger, vec![job(JobKind::ResolveChannel, "x")]).await;
    let handler = Answers::with(|_| Outcome::Retry("still broken".to_owned()));
    let running = Running::start(Runtime::new(ledger, "p").with(handler.clone()));
    let attempts_max = JobKind::ResolveChannel.policy().attempts_max;
    for attempt in 1..=3 {
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while store.number("SELECT attempts FROM jobs").await < attempt {
            assert!(std::time::Instant::now() < deadline, "attempt {attempt} never came");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let wait = store.number("SELECT due_at_ms - enqueued_at_ms FROM jobs").await;
        assert!(wait > 0, "it is due later than it was");
        store.clock.advance_ms(JobKind::ResolveChannel.policy().backoff.cap_ms);
    }
    store.run(&format!("UPDATE jobs SET attempts = {}", attempts_max - 1)).await;
    store.clock.advance_ms(JobKind::ResolveChannel.policy().backoff.cap_ms);
    store.until("dead", 1).await;
    running.stop().await;
    assert!(handler.seen.lock().unwrap().len() >= 4);
}
