//! Stores in trouble, and rows that spoil it for others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::job::JobKind;
use queue::{Batch, Claimed, Handler, Outcome, Runtime, trouble};
use sea_orm::error::ConnAcquireErr;
use sea_orm::{ConnectionTrait, DbErr, Statement, TransactionTrait};

use crate::rules::Running;
use crate::store::{Store, enqueue, job};

/// How a row spoils its whole batch.
#[derive(Clone, Copy)]
enum Poison {
    Error,
    Panic,
}

struct Spoilt(Poison);

impl Handler for Spoilt {
    const KIND: JobKind = JobKind::ResolveChannel;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        let jobs: Vec<Claimed> = batch.jobs().cloned().collect();
        if jobs.iter().any(|job| job.subject == "poison") {
            match self.0 {
                Poison::Error => return Err(DbErr::Type("a stored value nobody can read".to_owned())),
                Poison::Panic => panic!("a row nobody can work on"),
            }
        }
        batch.finish(jobs.into_iter().map(|job| (job, Outcome::Done)).collect()).await
    }
}

pub(crate) async fn a_row_that_spoils_its_batch_is_found_and_the_others_are_done_at_once(store: Store) {
    for (poison, round) in [(Poison::Error, 1), (Poison::Panic, 2)] {
        let ledger = store.ledger();
        let others: Vec<String> = (0..20).map(|n| format!("{round}-{n}")).collect();
        let subjects = others.iter().map(String::as_str).chain(["poison"]);
        let jobs =
            subjects.map(|subject| job(JobKind::ResolveChannel, subject).keyed(format!("{round}-{subject}")));
        enqueue(&ledger, jobs.collect()).await;
        let running = Running::start(Runtime::new(ledger, "p").with(Spoilt(poison)));
        store.until("done", round * 20).await;
        running.stop().await;
        assert_eq!(
            store.number("SELECT CAST(sum(attempts) AS BIGINT) FROM jobs WHERE status = 'done'").await,
            0,
            "nobody else was counted"
        );
        assert_eq!(store.number("SELECT min(attempts) FROM jobs WHERE subject = 'poison'").await.min(1), 1);
        store.run("UPDATE jobs SET status = 'dead' WHERE subject = 'poison'").await;
    }
}

pub(crate) async fn trouble_of_the_store_is_waited_out_and_not_counted(store: Store) {
    struct Unlucky(Arc<AtomicU32>);
    impl Handler for Unlucky {
        const KIND: JobKind = JobKind::ResolveChannel;
        async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
            if self.0.fetch_add(1, Ordering::Relaxed) < 4 {
                return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout));
            }
            batch.finish(batch.jobs().cloned().map(|job| (job, Outcome::Done)).collect()).await
        }
    }
    let ledger = store.ledger();
    enqueue(&ledger, (0..3).map(|n| job(JobKind::ResolveChannel, &n.to_string())).collect()).await;
    let runs = Arc::new(AtomicU32::new(0));
    let running = Running::start(Runtime::new(ledger, "p").with(Unlucky(Arc::clone(&runs))));
    store.until("done", 3).await;
    running.stop().await;
    assert_eq!(runs.load(Ordering::Relaxed), 5);
    assert_eq!(store.number("SELECT CAST(sum(attempts + crashes) AS BIGINT) FROM jobs").await, 0);
}

/// Two transactions that want the same two rows in opposite orders; one of them is told to try again, in the words of
/// its store.
pub(crate) async fn a_deadlock_and_a_busy_store_pass_and_a_wrong_statement_does_not(store: Store) {
    enqueue(&store.ledger(), vec![job(JobKind::ResolveChannel, "a"), job(JobKind::ResolveChannel, "b")])
        .await;
    let db = store.connection();
    let touch = |subject: &str| {
        let text = format!("UPDATE jobs SET lane = lane WHERE subject = '{subject}'");
        Statement::from_string(db.get_database_backend(), text)
    };
    let wrong =
        db.execute_raw(Statement::from_string(db.get_database_backend(), "SELEC 1")).await.unwrap_err();
    assert!(!trouble::passes(&wrong), "{wrong}");
    let null = "UPDATE jobs SET kind = NULL";
    let broken = db.execute_raw(Statement::from_string(db.get_database_backend(), null)).await.unwrap_err();
    assert!(!trouble::passes(&broken), "{broken}");
    let other = store.another_connection().await;
    let (one, two) = (db.begin().await.unwrap(), other.begin().await.unwrap());
    one.execute_raw(touch("a")).await.unwrap();
    let second = two.execute_raw(touch("b")).await;
    let (first, second) = match second {
        // SQLite has one writer: the second is told at once.
        Err(busy) => (Ok(()), Err(busy)),
        Ok(_) => {
            let (first, second) =
                tokio::join!(async { one.execute_raw(touch("b")).await.map(drop) }, async {
                    two.execute_raw(touch("a")).await.map(drop)
                },);
            (first, second)
        }
    };
    let refused: Vec<DbErr> = [first.err(), second.err()].into_iter().flatten().collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(trouble::passes(&refused[0]), "{}", refused[0]);
}
