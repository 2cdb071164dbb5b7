//! Wake-ups and live updates between processes while Redis dies, freezes, loads, fails over and forgets: what was lost
//! is only a hint, and the way is found again within seconds. Real servers and sentinels, started and killed here, when
//! `POSTCALL_TEST_REDIS_URL` says that Redis is installed.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test fails by panicking and reads its own environment"
)]

mod processes;
mod servers;

use std::time::Duration;

use processes::Pair;
use servers::{Server, free_port, redis_is_installed, sentinel};

/// After this, a connection that died is known to be dead, and one that can be had is had.
const WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_killed_and_started_again_is_found_again() {
    if !redis_is_installed() {
        return;
    }
    let mut server = Server::start(&[]).await;
    let mut pair = Pair::through(&server.url()).await;
    pair.until_heard(WITHIN).await;
    for _ in 0..2 {
        server.kill().await;
        pair.until_connected(false, WITHIN).await;
        server.start_again(&[]).await;
        let took = pair.until_heard(WITHIN).await;
        eprintln!("heard again {took:?} after the restart");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_later_is_found() {
    if !redis_is_installed() {
        return;
    }
    let mut server = Server::at(free_port());
    let mut pair = Pair::through(&server.url()).await;
    pair.until_connected(false, WITHIN).await;
    server.start_again(&[]).await;
    pair.until_heard(WITHIN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_freezes_is_noticed_by_its_silence() {
    if !redis_is_installed() {
        return;
    }
    let server = Server::start(&[]).await;
    let mut pair = Pair::through(&server.url()).await;
    pair.until_heard(WITHIN).await;
    server.signal("STOP").await;
    let took = pair.until_connected(false, WITHIN).await;
    eprintln!("noticed {took:?} after it froze");
    server.signal("CONT").await;
    pair.until_heard(WITHIN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_loads_its_data_set_is_waited_for() {
    const DEBUG: [&str; 2] = ["--enable-debug-command", "yes"];
    if !redis_is_installed() {
        return;
    }
    let mut server = Server::start(&DEBUG).await;
    let mut pair = Pair::through(&server.url()).await;
    pair.until_heard(WITHIN).await;
    server.told(&["DEBUG", "POPULATE", "40000"]).await.unwrap();
    server.told(&["SAVE"]).await.unwrap();
    server.kill().await;
    // 40,000 keys at 100 µs: four seconds, in which every other command is refused.
    server
        .start_loading(&["--key-load-delay", "100", "--loading-process-events-interval-bytes", "1024"])
        .await;
    let refused = server.told(&["GET", "key:1"]).await.unwrap_err().to_string();
    assert!(refused.to_lowercase().contains("loading"), "{refused}");
    pair.until_heard(WITHIN * 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_is_followed_through_the_sentinels() {
    if !redis_is_installed() {
        return;
    }
    let mut master = Server::start(&[]).await;
    let master_port = master.port.to_string();
    let replica = Server::start(&["--replicaof", &format!("127.0.0.1 {master_port}")]).await;
    let sentinel = sentinel(master.port).await;
    sentinel.until_says("slaves", &replica.port.to_string()).await;
    // The first address answers to nobody.
    let url = format!("redis+sentinel://127.0.0.1:{},127.0.0.1:{}/postcall", free_port(), sentinel.port);
    let mut pair = Pair::through(&url).await;
    pair.until_heard(WITHIN).await;
    master.kill().await;
    pair.until_connected(false, WITHIN).await;
    let took = pair.until_heard(Duration::from_secs(30)).await;
    eprintln!("heard again through the promoted replica {took:?} after the master's death was noticed");
    let role = replica.told(&["ROLE"]).await.unwrap();
    assert!(role.contains("master"), "{role}");
    // The old master comes back as a replica and disturbs nobody.
    master.start_again(&[]).await;
    sentinel.until_says("slaves", &master_port).await;
    pair.until_heard(WITHIN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_forgets_everything_or_is_full_still_carries_wake_ups() {
    if !redis_is_installed() {
        return;
    }
    let server = Server::start(&["--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru"]).await;
    let mut pair = Pair::through(&server.url()).await;
    pair.until_heard(WITHIN).await;
    server.told(&["FLUSHALL"]).await.unwrap();
    pair.until_heard(WITHIN).await;
    for n in 0..60 {
        server.told(&["SET", &format!("filler:{n}"), &"x".repeat(100_000)]).await.unwrap();
    }
    let evicted = server.told(&["INFO", "stats"]).await.unwrap();
    assert!(!evicted.contains("evicted_keys:0\r"), "{evicted}");
    pair.until_heard(WITHIN).await;
    server.told(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]).await.unwrap();
    pair.until_heard(WITHIN).await;
    server.told(&["CLIENT", "KILL", "TYPE", "pubsub"]).await.unwrap();
    pair.until_heard(WITHIN).await;
}
