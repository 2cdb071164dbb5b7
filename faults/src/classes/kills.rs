//! SIGKILL at random moments, under load, and the next process at once.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rand::Rng;

use crate::machine::Machine;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::{RECOVERY_MAX, Tally};
use crate::wishes::Load;

const REPORTERS: usize = 6;

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let mut rng = machine.rng("kills");
    let kills = machine.many(10, 500);
    let plan = Plan { store: Some(Store::fresh(&machine, kind).await?), ..Plan::default() };
    let site = Site::open(&machine, "kills", plan, kills * 40).await?;
    let mut tally = Tally::default();
    let load = Load::start(&site, 0..kills * 40, REPORTERS, Duration::from_millis(60));
    let mut moments = Vec::with_capacity(kills);
    for _ in 0..kills {
        // A moment of its work, not of its start: on a busy machine it would never get to work.
        load.goes_on().await;
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..500))).await;
        moments.push(site.world.clock().monotonic_us());
        site.kill_and_replace(rng.random_range(0..8)).await?;
    }
    site.listening().await?;
    site.next_text(RECOVERY_MAX).await;
    let wishes = load.stop().await;
    tally.fault("SIGKILL", kills);
    tally.recoveries = site.recoveries(&moments);
    tally.recovered_in_time();
    let buried = site.settle(wishes).await?;
    tally.surfaced += buried;
    tally.judged(&site.judge(wishes).await?);
    site.stop().await?;
    Ok(tally)
}
