//! A handler panics every time it is run.

use std::time::Duration;

use anyhow::Result;
use apalis::prelude::{TaskBuilder, TaskSink};

use crate::ledger::{Answers, Ours};
use crate::ready_made::{Behaviour, Job, Seen, watch, worker};
use crate::servers::Servers;
use crate::stores::{Postgres, Sqlite};

const SPAN: Duration = Duration::from_secs(10);

pub async fn measure(servers: &Servers) -> Result<()> {
    println!(
        "one job whose handler panics, catch_panic on, max_attempts 5, heartbeat 1 s x 2, watched for {SPAN:?}"
    );
    std::panic::set_hook(Box::new(|_| {}));
    let task = || TaskBuilder::new(Job { number: 1 }).max_attempts(5).build();

    let (store, seen) = (Sqlite::fresh().await?, Seen::new(Behaviour::Panic));
    store.storage().push_task(task()).await?;
    let ended = watch(worker!(store.storage(), "one", seen), SPAN).await;
    let rows = store.texts("SELECT status || ', attempts ' || attempts || ', result ' || coalesce(last_result, '') FROM Jobs").await?;
    println!(
        "apalis-sqlite: {} runs; worker {ended}; row: {}",
        seen.runs(),
        rows.join("; ")
    );

    let (store, seen) = (Postgres::fresh(servers).await?, Seen::new(Behaviour::Panic));
    store.storage().push_task(task()).await?;
    let ended = watch(worker!(store.storage(), "one", seen), SPAN).await;
    let rows = store.texts("SELECT status || ', attempts ' || attempts || ', result ' || coalesce(last_result::text, '') FROM apalis.jobs").await?;
    println!(
        "apalis-postgres: {} runs; worker {ended}; row: {}",
        seen.runs(),
        rows.join("; ")
    );

    for ours in Ours::on_both(servers).await? {
        ours.enqueue([1]).await?;
        let answers = Answers::new(Behaviour::Panic);
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
    let _quiet = std::panic::take_hook();
    Ok(())
}
