//! Death at every named step between an event and its text. The payment's steps are told in full by the pipeline tests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::StreamExt;

use crate::machine::Machine;
use crate::process::Process;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::Tally;

const WISHES: usize = 20;
const AT_ONCE: usize = 4;
/// A step that is not reached within this is not on the way.
const REACHED: Duration = Duration::from_secs(180);

/// Steps after which nothing was asked of the carrier, so that a lease is all there is to wait for.
const BEFORE_THE_CARRIER: [&str; 5] = [
    "event_before_commit",
    "event_committed",
    "resolve_before_commit",
    "resolve_committed",
    "send_before_intention",
];

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let on_the_way = |step: &&&str| {
        step.starts_with("event_") || step.starts_with("resolve_") || step.starts_with("send_")
    };
    let steps: Vec<&'static str> = queue::failpoint::STEPS.iter().filter(on_the_way).copied().collect();
    ensure!(steps.len() >= 8, "the steps have other names now: {steps:?}");
    // The pipeline tests walk over all of them as well.
    let steps: Vec<&'static str> = steps.into_iter().skip(machine.many(4, 0)).collect();
    let repeats = machine.many(1, 3);
    let mut stories: Vec<crate::classes::Run> = Vec::new();
    for step in std::iter::repeat_n(steps, repeats).flatten() {
        stories.push(Box::pin(story(Arc::clone(&machine), kind, step)));
    }
    let told: Vec<Result<Tally>> = futures::stream::iter(stories).buffer_unordered(AT_ONCE).collect().await;
    let mut whole = Tally::default();
    for tally in told {
        let tally = tally?;
        tally.faults.into_iter().for_each(|(name, count)| *whole.faults.entry(name).or_default() += count);
        whole.events += tally.events;
        whole.lost += tally.lost;
        whole.repeated += tally.repeated;
        whole.surfaced += tally.surfaced;
        whole.recoveries.extend(tally.recoveries);
        whole.broken.extend(tally.broken);
    }
    Ok(whole)
}

async fn story(machine: Arc<Machine>, kind: Kind, step: &'static str) -> Result<Tally> {
    let plan = Plan { store: Some(Store::fresh(&machine, kind).await?), ..Plan::default() };
    let site = Site::open(&machine, "steps", plan, WISHES).await?;
    let place = arm(&site, step).await?;
    let reporting = {
        let site = Arc::clone(&site);
        tokio::spawn(async move { site.insist_on(0..WISHES, WISHES).await })
    };
    let died_us = died(&site, place).await.with_context(|| format!("waiting for {step}"))?;
    site.kill_and_replace(place).await?;
    reporting.await?;
    let mut tally = Tally::default();
    tally.fault(step, 1);
    site.said_or_still(WISHES).await;
    if BEFORE_THE_CARRIER.contains(&step) {
        let last_us =
            site.world.carrier().texts().read(|all| all.iter().map(|text| text.received_at_us).max());
        let took_us = last_us.unwrap_or(died_us + 60_000_000) - died_us;
        tally.recoveries.push(Duration::from_micros(u64::try_from(took_us.max(0))?));
        tally.recovered_in_time();
    }
    site.settle(WISHES).await?;
    tally.judged(&site.judge(WISHES).await?);
    site.stop().await?;
    Ok(tally)
}

/// Replaces a process that will pass there by one that dies there. Where it stands.
async fn arm(site: &Site, step: &'static str) -> Result<usize> {
    let mut processes = site.processes.lock().await;
    let wanted = if step.starts_with("event_") { "api" } else { "workers" };
    // One that dies is enough, if no other does its work.
    let place = processes.iter().position(|process| process.role == wanted || process.role == "serve");
    let place = place.context("somebody passes there")?;
    for process in processes.iter_mut().filter(|process| process.role == wanted) {
        process.terminate().await?;
    }
    let process = processes.get_mut(place).context("somebody passes there")?;
    process.terminate().await?;
    *process = site.spawn(process.role, &[("POSTCALL_CRASH_AT", step)])?;
    drop(processes);
    site.listening().await?;
    Ok(place)
}

/// The moment of the death.
async fn died(site: &Site, place: usize) -> Result<i64> {
    let begun = Instant::now();
    loop {
        let mut processes = site.processes.lock().await;
        let ended = processes.get_mut(place).map(Process::ended).transpose()?.flatten();
        drop(processes);
        if ended.is_some() {
            return Ok(site.world.clock().monotonic_us());
        }
        ensure!(begun.elapsed() < REACHED, "nobody died");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
