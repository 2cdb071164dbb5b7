//! PostgreSQL stopped without a checkpoint and started again, under load, on a cluster of its own.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rand::Rng;
use xtask::services::Postgres;

use crate::machine::Machine;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::{RECOVERY_MAX, Tally};
use crate::wishes::Load;

pub(crate) async fn run(machine: Arc<Machine>, _kind: Kind) -> Result<Tally> {
    let mut rng = machine.rng("restarts");
    let restarts = machine.many(6, 200);
    let cluster = machine.own_cluster().await?;
    let plan = Plan { store: Some(Store::on_server(&cluster.url).await?), ..Plan::default() };
    let most = restarts * 60;
    let site = Site::open(&machine, "restarts", plan, most).await?;
    let load = Load::start(&site, 0..most, 6, Duration::from_millis(60));
    let mut tally = Tally::default();
    let mut moments = Vec::with_capacity(restarts);
    for _ in 0..restarts {
        tokio::time::sleep(Duration::from_millis(rng.random_range(100..1_200))).await;
        let away = Duration::from_millis(rng.random_range(0..400));
        cluster.order(Postgres::crash).await?;
        tokio::time::sleep(away).await;
        cluster.order(Postgres::restart).await?;
        moments.push(site.world.clock().monotonic_us());
        tally.fault("immediate stop and start", 1);
    }
    site.next_text(RECOVERY_MAX).await;
    let wishes = load.stop().await;
    tally.recoveries = site.recoveries(&moments);
    tally.recovered_in_time();
    tally.surfaced += site.settle(wishes).await?;
    tally.judged(&site.judge(wishes).await?);
    site.stop().await?;
    Ok(tally)
}
