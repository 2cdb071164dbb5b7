//! Redis that forgets, dies, comes back, throws out keys, freezes, or was never there: nothing is lost, nothing is said
//! twice, and texts go on.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rand::Rng;
use xtask::services::Redis;

use crate::machine::{Cache, Machine};
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::{RECOVERY_MAX, Tally};
use crate::wishes::Load;

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let mut rng = machine.rng("redis");
    let rounds = machine.many(2, 25);
    let most = rounds * 600;
    let cache = machine.own_cache().await?;
    let plan = Plan { store: Some(Store::fresh(&machine, kind).await?), ..Plan::default() };
    let site = Site::lay(&machine, "redis", plan).await?.with("REDIS_URL", &cache.url).up(most).await?;
    let load = Load::start(&site, 0..most, 6, Duration::from_millis(60));
    let mut tally = Tally::default();
    let mut moments = Vec::new();
    for _ in 0..rounds {
        for (name, command) in COMMANDS {
            tokio::time::sleep(Duration::from_millis(rng.random_range(50..400))).await;
            moments.push(site.world.clock().monotonic_us());
            say(&cache, command).await?;
            tally.fault(name, 1);
        }
        cache.order(Redis::crash).await?;
        moments.push(site.world.clock().monotonic_us());
        tokio::time::sleep(Duration::from_millis(rng.random_range(100..2_000))).await;
        cache.order(Redis::restart).await?;
        tally.fault("killed and started again", 1);
    }
    // Absent from the start of every process, until the end.
    cache.order(Redis::crash).await?;
    site.pass_time(0).await?;
    moments.push(site.world.clock().monotonic_us());
    tokio::time::sleep(Duration::from_secs(2)).await;
    tally.fault("absent", 1);
    site.next_text(RECOVERY_MAX).await;
    let wishes = load.stop().await;
    tally.recoveries = site.recoveries(&moments);
    tally.recovered_in_time();
    tally.surfaced += site.settle(wishes).await?;
    tally.judged(&site.judge(wishes).await?);
    site.stop().await?;
    Ok(tally)
}

/// What is done to it while it runs. It freezes last: then it answers nobody for a while.
const COMMANDS: [(&str, &[&str]); 6] = [
    ("FLUSHALL", &["FLUSHALL"]),
    ("listeners cut off", &["CLIENT", "KILL", "TYPE", "pubsub"]),
    ("clients cut off", &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]),
    ("memory full, keys evicted", &["CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "allkeys-random"]),
    ("memory back", &["CONFIG", "SET", "maxmemory", "0"]),
    ("frozen", &["DEBUG", "SLEEP", "3"]),
];

async fn say(cache: &Cache, words: &[&str]) -> Result<()> {
    let client = redis::Client::open(cache.url.as_str())?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut command = redis::cmd(words.first().copied().unwrap_or_default());
    words.iter().skip(1).for_each(|word| {
        command.arg(*word);
    });
    // Frozen, it answers later than this client waits.
    let _answer: redis::RedisResult<redis::Value> = command.query_async(&mut connection).await;
    Ok(())
}
