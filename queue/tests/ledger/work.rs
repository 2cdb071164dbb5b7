//! What the runtime promises about many rows and many processes.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::job::JobKind;
use queue::{Batch, Claimed, Handler, Outcome, Runtime};
use sea_orm::DbErr;
use tokio::sync::Semaphore;

use crate::rules::{Answers, Running};
use crate::store::{Store, enqueue, job};

pub(crate) async fn a_panic_is_a_retry_and_spares_the_worker(store: Store) {
    struct Panics(AtomicUsize);
    impl Handler for Panics {
        const KIND: JobKind = JobKind::ResolveChannel;
        async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
            assert!(self.0.fetch_add(1, Ordering::Relaxed) > 0, "the first batch panics");
            batch.finish(batch.jobs().cloned().map(|job| (job, Outcome::Done)).collect()).await
        }
    }
    let ledger = store.ledger();
    enqueue(&ledger, vec![job(JobKind::ResolveChannel, "x")]).await;
    let running = Running::start(Runtime::new(ledger, "p").with(Panics(AtomicUsize::new(0))));
    store.until("done", 1).await;
    running.stop().await;
    assert_eq!(store.number("SELECT attempts FROM jobs").await, 1);
    assert_eq!(store.number("SELECT crashes FROM jobs").await, 0);
}

pub(crate) async fn a_batch_forms_by_itself_under_load(store: Store) {
    struct Counts(Arc<Mutex<Vec<usize>>>);
    impl Handler for Counts {
        const KIND: JobKind = JobKind::ResolveChannel;
        async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
            self.0.lock().unwrap().push(batch.jobs().count());
            batch.finish(batch.jobs().cloned().map(|job| (job, Outcome::Done)).collect()).await
        }
    }
    let ledger = store.ledger();
    enqueue(&ledger, (0..1_000).map(|n| job(JobKind::ResolveChannel, &n.to_string())).collect()).await;
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let running = Running::start(Runtime::new(ledger, "p").with(Counts(Arc::clone(&sizes))));
    store.until("done", 1_000).await;
    running.stop().await;
    let sizes = sizes.lock().unwrap();
    assert_eq!(sizes.iter().sum::<usize>(), 1_000);
    assert!(sizes.len() <= 8, "a thousand rows came in {} batches", sizes.len());
}

pub(crate) async fn an_expired_lease_is_taken_over_alone(store: Store) {
    let ledger = store.ledger();
    enqueue(&ledger, (0..3).map(|n| job(JobKind::ResolveChannel, &n.to_string())).collect()).await;
    // As a killed process leaves them: leased, and the lease is over.
    store.run("UPDATE jobs SET status = 'leased', fence = 1, lease_until_ms = 0, worker = 'killed'").await;
    let alone = Arc::new(Mutex::new(Vec::new()));
    struct Sizes(Arc<Mutex<Vec<(usize, i64)>>>);
    impl Handler for Sizes {
        const KIND: JobKind = JobKind::ResolveChannel;
        async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
            let jobs: Vec<Claimed> = batch.jobs().cloned().collect();
            self.0.lock().unwrap().push((jobs.len(), jobs[0].crashes));
            batch.finish(jobs.into_iter().map(|job| (job, Outcome::Done)).collect()).await
        }
    }
    let running = Running::start(Runtime::new(ledger, "p").with(Sizes(Arc::clone(&alone))));
    store.until("done", 3).await;
    running.stop().await;
    assert_eq!(*alone.lock().unwrap(), [(1, 1), (1, 1), (1, 1)]);
}

pub(crate) async fn a_row_that_kills_its_process_ends_in_the_dead_list(store: Store) {
    let ledger = store.ledger();
    enqueue(&ledger, vec![job(JobKind::ResolveChannel, "poison")]).await;
    let crashes_max = JobKind::ResolveChannel.policy().crashes_max;
    store
        .run(&format!("UPDATE jobs SET status = 'leased', lease_until_ms = 0, crashes = {}", crashes_max - 1))
        .await;
    let handler = Answers::with(|_| Outcome::Done);
    let running = Running::start(Runtime::new(ledger.clone(), "p").with(handler.clone()));
    store.until("dead", 1).await;
    running.stop().await;
    assert!(handler.seen.lock().unwrap().is_empty(), "it was not run again");
    let dead = ledger.dead(None, None, 10).await.unwrap();
    assert!(dead[0].last_error.as_deref().unwrap().contains("kill the process"));
}

pub(crate) async fn two_runtimes_never_work_on_one_row(store: Store) {
    let first = Answers::with(|_| Outcome::Done);
    let second = Answers::with(|_| Outcome::Done);
    let one = Running::start(Runtime::new(store.ledger(), "one").with(first.clone()));
    let two = Running::start(Runtime::new(store.ledger(), "two").with(second.clone()));
    let ledger = store.ledger();
    for round in 0..20 {
        enqueue(&ledger, (0..50).map(|n| job(JobKind::ResolveChannel, &format!("{round}-{n}"))).collect())
            .await;
    }
    store.until("done", 1_000).await;
    one.stop().await;
    two.stop().await;
    let seen: Vec<String> = first
        .seen
        .lock()
        .unwrap()
        .iter()
        .chain(second.seen.lock().unwrap().iter())
        .map(|job| job.id.clone())
        .collect();
    assert_eq!(seen.len(), 1_000);
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 1_000);
}

#[derive(Clone)]
struct Ticks(Arc<AtomicUsize>);

impl Handler for Ticks {
    const KIND: JobKind = JobKind::ExpireLinks;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        self.0.fetch_add(batch.jobs().count(), Ordering::Relaxed);
        batch.finish(batch.jobs().cloned().map(|job| (job, Outcome::Done)).collect()).await
    }
}

pub(crate) async fn a_tick_runs_once_however_many_processes_there_are(store: Store) {
    let ticks = Ticks(Arc::default());
    let running: Vec<Running> = (0..3)
        .map(|n| Running::start(Runtime::new(store.ledger(), format!("p{n}")).with(ticks.clone())))
        .collect();
    store.until("done", 1).await;
    let period_ms = JobKind::ExpireLinks.period_ms().unwrap();
    for round in 2..=5 {
        store.clock.advance_ms(period_ms);
        store.until("done", round).await;
    }
    for runtime in running {
        runtime.stop().await;
    }
    assert_eq!(ticks.0.load(Ordering::Relaxed), 5);
}

pub(crate) async fn shutdown_finishes_what_runs_and_gives_back_the_rest(store: Store) {
    #[derive(Clone)]
    struct Held {
        begun: Arc<Semaphore>,
        go_on: Arc<Semaphore>,
    }
    impl Handler for Held {
        const KIND: JobKind = JobKind::ReconcilePayments;
        async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
            self.begun.add_permits(1);
            let _go = self.go_on.acquire().await.unwrap();
            batch.finish(batch.jobs().cloned().map(|job| (job, Outcome::Done)).collect()).await
        }
    }
    let held = Held { begun: Arc::new(Semaphore::new(0)), go_on: Arc::new(Semaphore::new(0)) };
    let ledger = store.ledger();
    enqueue(&ledger, (0..4).map(|n| job(JobKind::ReconcilePayments, &format!("extra {n}"))).collect()).await;
    let running = Running::start(Runtime::new(ledger, "p").with(held.clone()));
    let _first = tokio::time::timeout(Duration::from_secs(10), held.begun.acquire()).await.unwrap().unwrap();
    let stopping = tokio::spawn(running.stop());
    held.go_on.add_permits(1);
    stopping.await.unwrap();
    assert_eq!(store.jobs("leased").await, 0, "nothing is left under a lease");
    assert_eq!(store.jobs("done").await, 1, "what ran was finished");
    assert!(store.jobs("waiting").await >= 3, "the rest was given back");
}

pub(crate) async fn a_kind_nobody_knows_does_not_stop_the_others(store: Store) {
    let ledger = store.ledger();
    enqueue(&ledger, vec![job(JobKind::ResolveChannel, "x"), job(JobKind::SendLink, "y")]).await;
    store.run("UPDATE jobs SET kind = 'from_a_newer_version' WHERE kind = 'send_link'").await;
    let running = Running::start(Runtime::new(ledger, "p").with(Answers::with(|_| Outcome::Done)));
    store.until("done", 1).await;
    running.stop().await;
    assert_eq!(store.jobs("waiting").await, 1);
}

pub(crate) async fn a_row_that_was_taken_over_has_no_time_left(store: Store) {
    struct Overtaken(Arc<Mutex<Vec<Duration>>>);
    impl Handler for Overtaken {
        const KIND: JobKind = JobKind::ResolveChannel;
        async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
            let job = batch.jobs().next().unwrap().clone();
            self.0.lock().unwrap().push(batch.remaining(&job));
            // Another worker has claimed the row meanwhile; the next renewal finds out.
            let tx = batch.ledger().begin().await?;
            let taken = "UPDATE jobs SET fence = fence + 1, status = 'done'";
            let statement =
                sea_orm::Statement::from_string(sea_orm::ConnectionTrait::get_database_backend(&tx), taken);
            sea_orm::ConnectionTrait::execute_raw(&tx, statement).await?;
            tx.commit().await?;
            let deadline = std::time::Instant::now() + Duration::from_secs(10);
            while !batch.remaining(&job).is_zero() {
                assert!(std::time::Instant::now() < deadline, "the row was lost and nobody noticed");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.0.lock().unwrap().push(batch.remaining(&job));
            Ok(())
        }
    }
    let ledger = store.ledger();
    enqueue(&ledger, vec![job(JobKind::ResolveChannel, "x")]).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let running = Running::start(Runtime::new(ledger, "p").with(Overtaken(Arc::clone(&seen))));
    store.until("done", 1).await;
    let deadline = std::time::Instant::now() + Duration::from_secs(15);
    while seen.lock().unwrap().len() < 2 {
        assert!(std::time::Instant::now() < deadline, "the handler never noticed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    running.stop().await;
    let seen = seen.lock().unwrap();
    assert!(seen[0] > Duration::from_secs(10) && seen[1].is_zero(), "{seen:?}");
}
