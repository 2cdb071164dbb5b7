//! The same idempotency key three times.

use anyhow::Result;
use apalis::prelude::{Task, TaskBuilder, TaskSink};
use domain::job::Outbox;

use crate::ledger::{Ours, job};
use crate::ready_made::Job;
use crate::servers::Servers;
use crate::stores::{Postgres, Redis, Sqlite};

const KEY: &str = "once";

pub async fn measure(servers: &Servers) -> Result<()> {
    println!("three pushes with one idempotency key, configuration as it comes");

    let store = Sqlite::fresh().await?;
    let mut answers = Vec::new();
    for number in 0..3 {
        answers.push(said(store.storage().push_task(keyed(number)).await));
    }
    let rows = store.texts("SELECT id FROM Jobs").await?.len();
    println!("apalis-sqlite: {rows} job(s); answers: {}", answers.join(", "));

    let store = Postgres::fresh(servers).await?;
    let mut answers = Vec::new();
    for number in 0..3 {
        answers.push(said(store.storage().push_task(keyed(number)).await));
    }
    let rows = store.texts("SELECT id FROM apalis.jobs").await?.len();
    println!("apalis-postgres: {rows} job(s); answers: {}", answers.join(", "));

    let store = Redis::fresh(servers).await?;
    let mut answers = Vec::new();
    for number in 0..3 {
        answers.push(said(store.storage().push_task(keyed(number)).await));
    }
    println!(
        "apalis-redis: {} job(s); answers: {}",
        store.jobs().await?,
        answers.join(", ")
    );

    for ours in Ours::on_both(servers).await? {
        let mut new = Vec::new();
        for _ in 0..3 {
            let tx = ours.ledger.begin().await?;
            new.push(ours.ledger.enqueue(&tx, &[job(1)]).await?.to_string());
            ours.ledger.commit(tx, Outbox::default()).await?;
        }
        println!(
            "{}: {} job(s); new ones: {}",
            ours.name,
            ours.number("SELECT count(*) FROM jobs").await?,
            new.join(", ")
        );
    }
    Ok(())
}

fn keyed(number: u64) -> Task<Job> {
    TaskBuilder::new(Job { number }).idempotency_key(KEY).build()
}

fn said<E: std::fmt::Display>(answer: Result<(), E>) -> String {
    match answer {
        Ok(()) => "Ok".to_owned(),
        Err(error) => format!("Err({error})"),
    }
}
