//! More than one process, and the end of one.

use futures::StreamExt;
use simulator::call::Intent;
use simulator::{Fault, FaultRule};

use crate::child::ChildProduct;
use crate::stage::{PATIENCE, Stage, Store};

const MAYA: &str = "+14155550101";

pub(crate) async fn sigterm_ends_with_success_and_leaves_no_lease() {
    let mut stage = Stage::set_without_product(Store::sqlite()).await;
    let mut child = ChildProduct::start("serve", &stage.config, stage.clock.offset_ms(), None);
    child.listening(&stage.config.listen).await;
    stage.furnish().await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    stage.world.carrier().fault(FaultRule::once(Fault::SlowAnswer { ms: 1_500 }));
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    stage.until("the carrier has the request", async || !stage.world.carrier().requests().is_empty()).await;
    assert!(child.terminate().await.success(), "it exits 0");
    assert_eq!(
        stage.texts_of("SELECT status AS text FROM messages").await,
        ["sent"],
        "what ran was finished"
    );
    assert!(stage.texts_of("SELECT id AS text FROM jobs WHERE status = 'leased'").await.is_empty());
    // The delivery's callback found nobody; it does not matter for this story.
    let mut child = ChildProduct::start("serve", &stage.config, stage.clock.offset_ms(), None);
    child.listening(&stage.config.listen).await;
    stage.rest().await;
    assert_eq!(stage.world.carrier().accepted_to(MAYA).len(), 1);
    assert!(child.terminate().await.success());
    stage.finish().await;
}

pub(crate) async fn api_and_workers_in_two_processes_wake_each_other_through_redis() {
    let Some(store) = Store::postgres().await else {
        return;
    };
    let Some(redis_url) = store.redis_url.clone() else {
        return;
    };
    let mut stage = Stage::set_without_product(store).await;
    let subscriber = redis::Client::open(redis_url).unwrap();
    let mut heard = subscriber.get_async_pubsub().await.unwrap();
    heard.subscribe("postcall:jobs").await.unwrap();
    let mut api = ChildProduct::start("api", &stage.config, stage.clock.offset_ms(), None);
    api.listening(&stage.config.listen).await;
    let mut other = stage.config.clone();
    other.private_listen = "127.0.0.1:0".to_owned();
    let workers = ChildProduct::start("workers", &other, stage.clock.offset_ms(), None);
    stage.furnish().await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    stage.texted_link(&invoice, 1).await;
    let mut messages = heard.on_message();
    let rung = async {
        loop {
            let message = messages.next().await.expect("Redis goes on talking");
            if message.get_payload::<String>().is_ok_and(|kinds| kinds.contains("resolve_channel")) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, rung).await.expect("the API rang for its event through Redis");
    stage.quiet().await;
    assert!(workers.terminate().await.success());
    assert!(api.terminate().await.success());
    stage.finish().await;
}

/// Four processes, two of them on hosts whose clocks are ten seconds off, through the end of a minute.
pub(crate) async fn periodic_jobs_run_once_a_tick_in_four_processes_whose_clocks_differ() {
    const MINUTE_MS: i64 = 60_000;
    const SKEW_MS: i64 = 10_000;
    let Some(store) = Store::postgres().await else {
        return;
    };
    let stage = Stage::set_without_product(store).await;
    // Three seconds before a minute of business time ends.
    let into_minute = stage.clock.now().millis().rem_euclid(MINUTE_MS);
    stage.clock.advance_ms(MINUTE_MS - 3_000 - into_minute);
    let begun_in = stage.clock.now().millis().div_euclid(MINUTE_MS);
    let mut workers = Vec::new();
    for skew_ms in [0, 0, SKEW_MS, -SKEW_MS] {
        let mut config = stage.config.clone();
        config.private_listen = "127.0.0.1:0".to_owned();
        workers.push(ChildProduct::start("workers", &config, stage.clock.offset_ms() + skew_ms, None));
    }
    let ticks = "SELECT kind || ' ' || unique_key || ' ' || status || ' ' || fence || ' ' || attempts || ' ' || crashes AS text \
         FROM jobs WHERE lane = 'scheduled' ORDER BY kind, unique_key";
    let done_in = |tick: i64| format!("{tick} done 1 0 0");
    // Every process has proposed this minute and the next when the slowest clock has passed into it.
    stage
        .until("the next minute's ticks are done", async || {
            let rows = stage.texts_of(ticks).await;
            let slowest = stage.clock.now().millis() - SKEW_MS;
            let passed = slowest.div_euclid(MINUTE_MS) > begun_in && slowest.rem_euclid(MINUTE_MS) > 2_000;
            passed && rows.iter().filter(|row| row.ends_with(&done_in(begun_in + 1))).count() == 3
        })
        .await;
    let rows = stage.texts_of(ticks).await;
    for kind in ["expire_links", "forget_old", "review_sends"] {
        for tick in [begun_in, begun_in + 1] {
            let expected = format!("{kind} {}", done_in(tick));
            assert_eq!(rows.iter().filter(|row| **row == expected).count(), 1, "{expected} in {rows:?}");
        }
    }
    assert!(
        rows.iter().all(|row| row.ends_with(" done 1 0 0")),
        "each was claimed once and ran once: {rows:?}"
    );
    for worker in workers {
        assert!(worker.terminate().await.success());
    }
    stage.finish().await;
}

pub(crate) async fn processes_that_start_at_once_on_an_empty_database_all_start() {
    let Some(store) = Store::postgres().await else {
        return;
    };
    let mut connecting = Vec::new();
    for _ in 0..6 {
        let url = store.url.clone();
        connecting.push(tokio::spawn(async move {
            let db = entities::Db::connect(&url).await.unwrap();
            migration::bring_up_to_date(&db.write).await
        }));
    }
    for started in connecting {
        started.await.unwrap().unwrap();
    }
}

pub(crate) async fn a_pooler_without_limits_is_refused_with_the_remedy() {
    let Some(store) = Store::pooled().await else {
        return;
    };
    let direct = Store::postgres().await.unwrap();
    let fresh = direct.url.rsplit_once('/').unwrap().1.to_owned();
    let (pooler, _) = store.url.rsplit_once('/').unwrap();
    let refused =
        entities::Db::connect(&format!("{pooler}/{fresh}?pgbouncer=true")).await.unwrap_err().to_string();
    assert!(refused.contains("ALTER ROLE") && refused.contains("_timeout"), "{refused}");
}
