//! A handler asks to be run again in two seconds, five times at most. Asked politely it runs about once every two
//! seconds.

use std::time::Duration;

use anyhow::Result;
use apalis::prelude::{TaskBuilder, TaskSink};

use crate::ledger::{Answers, Ours};
use crate::ready_made::{Behaviour, Job, LATER, Seen, watch, worker};
use crate::servers::Servers;
use crate::stores::{Postgres, Redis, Sqlite};

const SPAN: Duration = Duration::from_secs(12);
const ATTEMPTS_MAX: usize = 5;

pub async fn measure(servers: &Servers) -> Result<()> {
    println!(
        "one job, the handler asks for {LATER:?} each time, max_attempts {ATTEMPTS_MAX}, watched for {SPAN:?}"
    );
    let task = || {
        TaskBuilder::new(Job { number: 1 })
            .max_attempts(ATTEMPTS_MAX)
            .build()
    };

    let (store, seen) = (Sqlite::fresh().await?, Seen::new(Behaviour::RetryAfter));
    store.storage().push_task(task()).await?;
    let ended = watch(worker!(store.storage(), "one", seen), SPAN).await;
    let rows = store.texts("SELECT status || ', attempts ' || attempts || ', locked by ' || coalesce(lock_by, 'nobody') FROM Jobs").await?;
    println!(
        "apalis-sqlite: {} runs; worker {ended}; row: {}",
        seen.runs(),
        rows.join("; ")
    );

    let (store, seen) = (Postgres::fresh(servers).await?, Seen::new(Behaviour::RetryAfter));
    store.storage().push_task(task()).await?;
    let ended = watch(worker!(store.storage(), "one", seen), SPAN).await;
    let rows = store.texts("SELECT status || ', attempts ' || attempts || ', locked by ' || coalesce(lock_by, 'nobody') FROM apalis.jobs").await?;
    println!(
        "apalis-postgres: {} runs; worker {ended}; row: {}",
        seen.runs(),
        rows.join("; ")
    );

    let (store, seen) = (Redis::fresh(servers).await?, Seen::new(Behaviour::RetryAfter));
    store.storage().push_task(task()).await?;
    let ended = watch(worker!(store.storage(), "one", seen), SPAN).await;
    println!("apalis-redis: {} runs; worker {ended}", seen.runs());

    for ours in Ours::on_both(servers).await? {
        ours.enqueue([1]).await?;
        let answers = Answers::new(Behaviour::RetryAfter);
        let working = ours.work(&answers);
        tokio::time::sleep(SPAN).await;
        println!(
            "{}: {} runs; row: {}",
            ours.name,
            answers.runs(),
            ours.row().await?
        );
        working.stop().await?;
    }
    Ok(())
}
