//! Minutes of random faults under load: whatever comes to mind, one after the other and into each other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::Rng;
use rand::rngs::StdRng;
use simulator::carrier::Journey;
use simulator::{Fault, FaultRule};
use xtask::services::{Postgres, Redis};

use crate::machine::{Cache, Cluster, Machine};
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::{RECOVERY_MAX, Tally};
use crate::wishes::Load;

const REPORTERS: usize = 4;
const PER_SECOND: usize = 25;

/// What may be hurt.
struct Victims {
    site: Arc<Site>,
    cluster: Option<Cluster>,
    cache: Option<Cache>,
}

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let mut rng = machine.rng("soak");
    let span =
        if machine.short { Duration::from_secs(20) } else { Duration::from_secs(machine.minutes * 60) };
    let most = usize::try_from(span.as_secs())? * PER_SECOND;
    let (cluster, cache, store) = match kind {
        Kind::Sqlite => (None, None, Store::fresh(&machine, kind).await?),
        Kind::Postgres => {
            let cluster = machine.own_cluster().await?;
            let store = Store::on_server(&cluster.url).await?;
            (Some(cluster), Some(machine.own_cache().await?), store)
        }
    };
    let mut site = Site::lay(&machine, "soak", Plan { store: Some(store), ..Plan::default() }).await?;
    if let Some(cache) = &cache {
        site = site.with("REDIS_URL", &cache.url);
    }
    let victims = Victims { site: site.up(most).await?, cluster, cache };
    let site = &victims.site;
    let load = Load::start(site, 0..most, REPORTERS, Duration::from_millis(150));
    let mut tally = Tally::default();
    let begun = Instant::now();
    while begun.elapsed() < span {
        tokio::time::sleep(Duration::from_millis(rng.random_range(100..3_000))).await;
        let fault = hurt(&victims, &mut rng).await?;
        tally.fault(fault, 1);
    }
    site.next_text(RECOVERY_MAX).await;
    let wishes = load.stop().await;
    tally.surfaced += site.settle(wishes).await?;
    tally.judged(&site.judge(wishes).await?);
    site.stop().await?;
    Ok(tally)
}

async fn hurt(victims: &Victims, rng: &mut StdRng) -> Result<&'static str> {
    let site = &victims.site;
    let place = rng.random_range(0..8_usize);
    match rng.random_range(0..8_u32) {
        0 | 1 => {
            site.kill_and_replace(place).await?;
            Ok("SIGKILL")
        }
        2 => {
            let span = Duration::from_millis(rng.random_range(200..18_000));
            site.freeze_for(place, span).await?;
            Ok("SIGSTOP")
        }
        3 => {
            site.pass_time(0).await?;
            Ok("SIGTERM to all")
        }
        4 => match &victims.cluster {
            Some(cluster) => {
                cluster.order(Postgres::crash).await?;
                tokio::time::sleep(Duration::from_millis(rng.random_range(0..800))).await;
                cluster.order(Postgres::restart).await?;
                Ok("PostgreSQL stopped hard")
            }
            None => fault_of_the_carrier(site, rng),
        },
        5 => match &victims.cache {
            Some(cache) => {
                cache.order(Redis::crash).await?;
                tokio::time::sleep(Duration::from_millis(rng.random_range(0..800))).await;
                cache.order(Redis::restart).await?;
                Ok("Redis killed")
            }
            None => fault_of_the_carrier(site, rng),
        },
        6 => {
            let journey = Journey {
                callback_copies: rng.random_range(0..4),
                callback_first: rng.random_bool(0.5),
                callbacks_reversed: rng.random_bool(0.5),
                times: Some(20),
                ..Journey::default()
            };
            site.world.carrier().script(journey);
            Ok("odd callbacks")
        }
        _ => fault_of_the_carrier(site, rng),
    }
}

fn fault_of_the_carrier(site: &Site, rng: &mut StdRng) -> Result<&'static str> {
    let faults = [
        Fault::FailAfter { status: 500 },
        Fault::DropAfter,
        Fault::DropBefore,
        Fault::NeverAnswer,
        Fault::Truncate { bytes: rng.random_range(0..400) },
        Fault::Refuse { status: 429, retry_after_s: Some(1) },
        Fault::Delay { ms: rng.random_range(100..9_000) },
    ];
    let fault = faults[rng.random_range(0..faults.len())].clone();
    site.world.carrier().fault(FaultRule::times(fault, rng.random_range(1..15)));
    Ok("carrier misbehaving")
}
