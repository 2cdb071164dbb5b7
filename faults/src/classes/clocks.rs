//! Clocks that disagree: hosts an hour ahead and behind, an hour's step forth and back under load.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rand::Rng;
use simulator::{Fault, FaultRule};

use crate::machine::Machine;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::Tally;
use crate::wishes::Load;

const HOUR_MS: i64 = 3_600_000;

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let mut rng = machine.rng("clocks");
    let rounds = machine.many(2, 12);
    let most = rounds * 800;
    let plan = Plan { store: Some(Store::fresh(&machine, kind).await?), ..Plan::default() };
    let site = Site::open(&machine, "clocks", plan, most).await?;
    // A few sends are in doubt all the time: what is done about them depends on clocks.
    for fault in
        [Fault::FailAfter { status: 500 }, Fault::DropAfter, Fault::Delay { ms: 9_000 }, Fault::DropBefore]
    {
        site.world.carrier().fault(FaultRule::times(fault, u32::try_from(rounds * 6)?));
    }
    let load = Load::start(&site, 0..most, 6, Duration::from_millis(60));
    let mut tally = Tally::default();
    for round in 0..rounds {
        let step = if round % 2 == 0 { HOUR_MS } else { -HOUR_MS };
        tokio::time::sleep(Duration::from_millis(rng.random_range(500..2_500))).await;
        match kind {
            Kind::Sqlite => {
                site.skew(0, step).await?;
                tally.fault("clock stepped by an hour", 1);
            }
            Kind::Postgres => {
                site.skew(1, step).await?;
                site.skew(2, -step).await?;
                tally.fault("hosts an hour off", 2);
            }
        }
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    let wishes = load.stop().await;
    // Whoever was an hour ahead has put its waits there.
    site.pass_time(HOUR_MS).await?;
    tally.surfaced += site.settle(wishes).await?;
    site.pass_time(HOUR_MS).await?;
    tally.surfaced += site.settle(wishes).await?;
    tally.judged(&site.judge(wishes).await?);
    site.stop().await?;
    Ok(tally)
}
