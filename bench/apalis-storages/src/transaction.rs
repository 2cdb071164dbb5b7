//! Whether a job can be part of the caller's transaction: jobs left after a rollback, and after a commit.

use anyhow::Result;
use apalis::prelude::{TaskBuilder, TaskSink};

use crate::ledger::{Ours, job};
use crate::ready_made::Job;
use crate::servers::Servers;
use crate::stores::{Postgres, QUEUE, Redis, Sqlite};

pub async fn measure(servers: &Servers) -> Result<()> {
    println!("enqueue inside a transaction that is rolled back, then inside one that is committed");
    let task =
        || Ok::<_, serde_json::Error>(TaskBuilder::new(serde_json::to_vec(&Job { number: 1 })?).build());

    let store = Sqlite::fresh().await?;
    let mut tx = store.pool.begin().await?;
    apalis_sqlite::queries::push_tasks(&mut *tx, QUEUE, &[task()?]).await?;
    tx.rollback().await?;
    let rolled_back = store.texts("SELECT id FROM Jobs").await?.len();
    let mut tx = store.pool.begin().await?;
    apalis_sqlite::queries::push_tasks(&mut *tx, QUEUE, &[task()?]).await?;
    tx.commit().await?;
    let committed = store.texts("SELECT id FROM Jobs").await?.len();
    println!(
        "apalis-sqlite, sqlx transaction: {rolled_back} after the rollback, {committed} after the commit"
    );

    let store = Postgres::fresh(servers).await?;
    let mut tx = store.pool.begin().await?;
    apalis_postgres::queries::push_tasks(&mut *tx, QUEUE, vec![task()?]).await?;
    tx.rollback().await?;
    let rolled_back = store.texts("SELECT id FROM apalis.jobs").await?.len();
    let mut tx = store.pool.begin().await?;
    apalis_postgres::queries::push_tasks(&mut *tx, QUEUE, vec![task()?]).await?;
    tx.commit().await?;
    let committed = store.texts("SELECT id FROM apalis.jobs").await?.len();
    println!(
        "apalis-postgres, sqlx transaction: {rolled_back} after the rollback, {committed} after the commit"
    );

    let (business, store) = (Sqlite::fresh().await?, Redis::fresh(servers).await?);
    let tx = business.pool.begin().await?;
    store.storage().push(Job { number: 1 }).await?;
    tx.rollback().await?;
    println!(
        "apalis-redis, pushed while a SQLite transaction was open: {} after its rollback",
        store.jobs().await?
    );

    for ours in Ours::on_both(servers).await? {
        let tx = ours.ledger.begin().await?;
        ours.ledger.enqueue(&tx, &[job(1)]).await?;
        tx.rollback().await?;
        let rolled_back = ours.number("SELECT count(*) FROM jobs").await?;
        let tx = ours.ledger.begin().await?;
        ours.ledger.enqueue(&tx, &[job(1)]).await?;
        tx.commit().await?;
        let committed = ours.number("SELECT count(*) FROM jobs").await?;
        println!(
            "{}: {rolled_back} after the rollback, {committed} after the commit",
            ours.name
        );
    }
    Ok(())
}
