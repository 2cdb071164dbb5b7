//! Ten good jobs and one row whose id is no ULID; then a second worker under a fresh name, as a supervisor would start.

use std::time::Duration;

use anyhow::Result;
use apalis::prelude::TaskSink;
use sea_orm::{ConnectionTrait, Statement};

use crate::ledger::{Answers, Ours};
use crate::ready_made::{Behaviour, Job, Seen, watch, worker};
use crate::servers::Servers;
use crate::stores::{Postgres, QUEUE, Sqlite};

const SPAN: Duration = Duration::from_secs(4);
const BAD_ID: &str = "not-a-ulid";

pub async fn measure(servers: &Servers) -> Result<()> {
    println!(
        "10 good jobs and one row with the id {BAD_ID:?}; two workers one after the other, {SPAN:?} each"
    );
    let job = || serde_json::to_vec(&Job { number: 0 });
    let good = || (1..=10).map(|number| Job { number }).collect::<Vec<_>>();

    let (store, seen) = (Sqlite::fresh().await?, Seen::new(Behaviour::Succeed));
    store.storage().push_bulk(good()).await?;
    let insert = "INSERT INTO Jobs (job, id, job_type, status, attempts, max_attempts, run_at, priority, metadata) \
        VALUES (?, ?, ?, 'Pending', 0, 25, strftime('%s', 'now'), 0, '{}')";
    sqlx::query(insert)
        .bind(job()?)
        .bind(BAD_ID)
        .bind(QUEUE)
        .execute(&store.pool)
        .await?;
    let first = watch(worker!(store.storage(), "one", seen), SPAN).await;
    let second = watch(worker!(store.storage(), "two", seen), SPAN).await;
    println!(
        "apalis-sqlite: {} runs, {} done; first worker {first}; second worker {second}",
        seen.runs(),
        store.done().await?
    );

    let (store, seen) = (Postgres::fresh(servers).await?, Seen::new(Behaviour::Succeed));
    store.storage().push_bulk(good()).await?;
    let insert = "INSERT INTO apalis.jobs (job, id, job_type, status, attempts, max_attempts, run_at, priority, metadata) \
        VALUES ($1, $2, $3, 'Pending', 0, 25, now(), 0, ''::hstore)";
    sqlx::query(insert)
        .bind(job()?)
        .bind(BAD_ID)
        .bind(QUEUE)
        .execute(&store.pool)
        .await?;
    // `run_at < now()` in whole seconds: let the good ones become due.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let first = watch(worker!(store.storage(), "one", seen), SPAN).await;
    let second = watch(worker!(store.storage(), "two", seen), SPAN).await;
    println!(
        "apalis-postgres: {} runs, {} done; first worker {first}; second worker {second}",
        seen.runs(),
        store.done().await?
    );

    for ours in Ours::on_both(servers).await? {
        ours.enqueue(1..=11).await?;
        let malform = format!("UPDATE jobs SET id = '{BAD_ID}' WHERE subject = '11'");
        ours.write
            .execute_raw(Statement::from_string(ours.write.get_database_backend(), malform))
            .await?;
        let answers = Answers::new(Behaviour::Succeed);
        let working = ours.work(&answers);
        tokio::time::sleep(SPAN).await;
        println!(
            "{}: {} runs, {} done",
            ours.name,
            answers.runs(),
            ours.done().await?
        );
        working.stop().await?;
    }
    Ok(())
}
