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
