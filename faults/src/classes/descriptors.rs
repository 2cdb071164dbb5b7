//! Processes that may open hardly any file: what cannot be done now is done when the limit is lifted.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::machine::Machine;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::{RECOVERY_MAX, Tally};
use crate::wishes::Load;

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let rounds = machine.many(1, 6);
    let most = rounds * 2_000;
    let plan = Plan { store: Some(Store::fresh(&machine, kind).await?), ..Plan::default() };
    let site = Site::open(&machine, "descriptors", plan, most).await?;
    let load = Load::start(&site, 0..most, 24, Duration::from_millis(40));
    let mut tally = Tally::default();
    let mut moments = Vec::new();
    for _ in 0..rounds {
        for limit in ["--nofile=24:1048576", "--nofile=32:1048576", "--nofile=12:1048576"] {
            for process in site.processes.lock().await.iter() {
                process.limit(limit).await?;
            }
            tally.fault("file descriptors used up", site.processes.lock().await.len());
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        moments.push(site.world.clock().monotonic_us());
        for process in site.processes.lock().await.iter() {
            process.limit("--nofile=4096:1048576").await?;
        }
        site.next_text(RECOVERY_MAX).await;
    }
    let wishes = load.stop().await;
    tally.recoveries = site.recoveries(&moments);
    tally.recovered_in_time();
    tally.surfaced += site.settle(wishes).await?;
    tally.judged(&site.judge(wishes).await?);
    site.stop().await?;
    Ok(tally)
}
