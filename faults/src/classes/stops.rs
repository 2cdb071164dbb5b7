//! Processes frozen past their leases and thawed again, after others took over their work and time has passed. Nothing
//! may be said twice.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rand::Rng;

use crate::machine::Machine;
use crate::process::Process;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::Tally;
use crate::wishes::PROOF_MS;

const WISHES_PER_ROUND: usize = 240;
const FROZEN_AT_ONCE: usize = 4;
/// Longer than a lease.
const PAST_THE_LEASE: Duration = Duration::from_millis(16_500);

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let mut rng = machine.rng("stops");
    let rounds = machine.many(1, 10);
    let plan = Plan { store: Some(Store::fresh(&machine, kind).await?), ..Plan::default() };
    let site = Site::open(&machine, "stops", plan, rounds * WISHES_PER_ROUND).await?;
    let mut tally = Tally::default();
    for round in 0..rounds {
        let first = round * WISHES_PER_ROUND;
        let wishes = first..first + WISHES_PER_ROUND;
        match kind {
            Kind::Sqlite => alone(&site, wishes.clone(), rng.random_range(20..600)).await?,
            Kind::Postgres => {
                let waits: Vec<u64> = (0..FROZEN_AT_ONCE).map(|_| rng.random_range(0..500)).collect();
                among_others(&site, wishes.clone(), &waits).await?;
            }
        }
        let frozen = if kind == Kind::Sqlite { 1 } else { FROZEN_AT_ONCE };
        tally.fault("SIGSTOP past the lease", frozen);
    }
    let wishes = rounds * WISHES_PER_ROUND;
    site.settle(wishes).await?;
    tally.judged(&site.judge(wishes).await?);
    site.stop().await?;
    Ok(tally)
}

/// The only process there is sleeps through its own leases.
async fn alone(site: &Arc<Site>, wishes: std::ops::Range<usize>, wait_ms: u64) -> Result<()> {
    let reporting = {
        let site = Arc::clone(site);
        tokio::spawn(async move { site.insist_on(wishes, 40).await })
    };
    if wait_ms.is_multiple_of(2) {
        site.next_request().await;
    } else {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
    freeze_all(site, true).await?;
    tokio::time::sleep(PAST_THE_LEASE).await;
    freeze_all(site, false).await?;
    reporting.await?;
    Ok(())
}

async fn freeze_all(site: &Site, frozen: bool) -> Result<()> {
    for process in site.processes.lock().await.iter() {
        if frozen { process.freeze().await? } else { process.thaw().await? }
    }
    Ok(())
}

/// All workers freeze in the middle of their work; new ones take it over, prove absent what is absent, and say it
/// again. Then the frozen ones wake up.
async fn among_others(site: &Arc<Site>, wishes: std::ops::Range<usize>, waits_ms: &[u64]) -> Result<()> {
    let end = wishes.end;
    // The work piles up while nobody does it, so that those who will freeze have their hands full.
    stop_workers(site).await?;
    site.insist_on(wishes, 40).await;
    let mut sleepers: Vec<Process> = Vec::new();
    for (place, wait_ms) in waits_ms.iter().enumerate() {
        let sleeper = site.spawn("workers", &[])?;
        if place % 2 == 0 {
            // In the middle of a batch: some of its texts are written, some intended, some neither.
            site.next_request().await;
            tokio::time::sleep(Duration::from_millis(*wait_ms % 12)).await;
        } else {
            tokio::time::sleep(Duration::from_millis(*wait_ms)).await;
        }
        sleeper.freeze().await?;
        sleepers.push(sleeper);
    }
    tokio::time::sleep(PAST_THE_LEASE).await;
    site.pass_time(0).await?;
    site.said_or_still(end).await;
    site.pass_time(PROOF_MS).await?;
    site.said_or_still(end).await;
    for sleeper in &sleepers {
        sleeper.thaw().await?;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    for sleeper in &mut sleepers {
        sleeper.terminate().await?;
    }
    Ok(())
}

async fn stop_workers(site: &Site) -> Result<()> {
    for process in site.processes.lock().await.iter_mut().filter(|process| process.role == "workers") {
        process.terminate().await?;
    }
    Ok(())
}
