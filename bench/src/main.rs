//! Our own measurements: the product as it ships, in front of a simulated carrier, on the embedded store or on PostgreSQL.
//!
//! It must never measure anything but the release product with every rule on; only base URLs and caps differ.
//! `cargo xtask bench` runs it. `BENCH_DATABASE_URL` (and `BENCH_REDIS_URL`) choose another store.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod stage;

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use postcall::product::Roles;
use simulator::call::Intent;
use stage::Stage;

/// One after the other, so that each finds the product idle.
const IDLE_EVENTS: usize = 300;
const BACKLOG: usize = 20_000;
const CONNECTIONS: usize = 32;
const PATIENCE: Duration = Duration::from_secs(300);
/// Design section 6, promise 4: accepted → on the wire when idle.
const IDLE_P99_MAX_MS: u128 = 150;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    gateways::http::install_crypto();
    if cfg!(debug_assertions) {
        println!("a debug build: the figures mean nothing");
    }
    let idle = idle().await?;
    let (ingest, drain) = backlog().await?;
    println!("{idle}\n{ingest}\n{drain}");
    Ok(())
}

/// Event accepted → request at the carrier, one event at a time.
async fn idle() -> anyhow::Result<String> {
    let mut stage = Stage::set(IDLE_EVENTS).await?;
    stage.start(Roles::BOTH).await?;
    let before = stage.statements();
    let mut waits_us = Vec::with_capacity(IDLE_EVENTS);
    for n in 0..IDLE_EVENTS {
        let accepted_us = stage.report(n, Intent::SendLink).await?;
        let texts = stage.world.carrier().wait_for_texts(&stage.phone(n), 1, PATIENCE).await?;
        let arrived_us = texts.first().context("a text arrived")?.received_at_us;
        waits_us.push((arrived_us - accepted_us).max(0));
    }
    let statements = stage.statements() - before;
    stage.stop().await;
    waits_us.sort_unstable();
    let at = |per_mille: usize| waits_us[(waits_us.len() - 1) * per_mille / 1_000];
    let line = format!(
        "idle: accepted → carrier  p50 {} ms  p99 {} ms  max {} ms  ({IDLE_EVENTS} events, {} statements per event)",
        millis(at(500)),
        millis(at(990)),
        millis(at(1_000)),
        tenths(statements, IDLE_EVENTS),
    );
    let p99_ms = u128::try_from(at(990) / 1_000)?;
    ensure!(
        cfg!(debug_assertions) || p99_ms < IDLE_P99_MAX_MS,
        "{line}\nthe limit is {IDLE_P99_MAX_MS} ms at p99"
    );
    Ok(line)
}

/// Ingest with the workers stopped, then the drain of what waits.
async fn backlog() -> anyhow::Result<(String, String)> {
    let mut stage = Stage::set(BACKLOG).await?;
    stage.start(Roles::API).await?;
    let before = stage.statements();
    let begun = Instant::now();
    let workers = (0..CONNECTIONS).map(|worker| {
        let stage = &stage;
        async move {
            for n in (worker..BACKLOG).step_by(CONNECTIONS) {
                stage.report(n, Intent::SendLink).await?;
            }
            anyhow::Ok(())
        }
    });
    futures::future::try_join_all(workers).await?;
    let took = begun.elapsed();
    let ingest = format!(
        "ingest: {} events/s  ({BACKLOG} events, {CONNECTIONS} connections, {} statements per event)",
        per_second(BACKLOG, took),
        tenths(stage.statements() - before, BACKLOG),
    );
    stage.stop().await;
    stage.start(Roles::WORKERS).await?;
    let before = stage.statements();
    let begun = Instant::now();
    while stage.world.carrier().texts().len() < BACKLOG {
        ensure!(
            begun.elapsed() < PATIENCE,
            "{} of {BACKLOG} texts after {PATIENCE:?}",
            stage.world.carrier().texts().len()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = begun.elapsed();
    stage.settled().await?;
    let statements = stage.statements() - before;
    ensure!(stage.world.carrier().texts().len() == BACKLOG, "somebody was texted twice");
    let drain = format!(
        "drain: {} events/s  ({BACKLOG} waiting events, {} statements per event)",
        per_second(BACKLOG, took),
        tenths(statements, BACKLOG),
    );
    stage.stop().await;
    Ok((ingest, drain))
}

fn per_second(count: usize, took: Duration) -> u128 {
    u128::try_from(count).unwrap_or(0) * 1_000 / took.as_millis().max(1)
}

/// Milliseconds with one decimal.
fn millis(micros: i64) -> String {
    format!("{}.{}", micros / 1_000, micros % 1_000 / 100)
}

/// A ratio with two decimals.
fn tenths(total: u64, count: usize) -> String {
    let hundredths = total * 100 / u64::try_from(count.max(1)).unwrap_or(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
