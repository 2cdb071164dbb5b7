//! Events: signed, retried, and as unreliable as asked for.

use std::collections::BTreeSet;

use simulator::stripe::{Knobs, Mode, Order};
use simulator::{ProductEndpoints, World, signatures};

use crate::product::{Heard, Product};
use crate::stripe_calls::{ACCOUNT, confirm, create};
use crate::{PATIENCE, world};

async fn connected() -> (World, Product) {
    let (world, product) = (world().await, Product::start().await);
    world.connect(ProductEndpoints {
        stripe_webhook_url: Some(format!("{}/hooks/stripe", product.url)),
        ..ProductEndpoints::default()
    });
    (world, product)
}

async fn pay(world: &World) {
    let intent = create(world, "500").await;
    confirm(world, &intent, "4242424242424242").await;
}

fn kinds(heard: &[Heard]) -> Vec<String> {
    heard.iter().map(|one| one.json()["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_payment_is_told_in_signed_events_of_its_account() {
    let (world, product) = connected().await;
    pay(&world).await;
    let heard = product.hears(3).await;
    let expected = ["charge.succeeded", "payment_intent.created", "payment_intent.succeeded"];
    assert_eq!(kinds(&heard).into_iter().collect::<BTreeSet<_>>(), expected.map(String::from).into());
    for one in &heard {
        let signature = one.header("stripe-signature");
        let at = signature.split(',').next().unwrap().trim_start_matches("t=").parse().unwrap();
        assert_eq!(signature, signatures::stripe("whsec_simulated", at, &one.body));
        let event = one.json();
        assert_eq!((event["account"].as_str(), event["livemode"].as_bool()), (Some(ACCOUNT), Some(false)));
        assert_eq!(event["api_version"], "2026-09-30.endive");
        assert_eq!(event["pending_webhooks"], 1);
    }
}

#[tokio::test]
async fn an_event_that_is_not_taken_is_sent_again() {
    let (world, product) = connected().await;
    product.will_answer(500, "");
    product.will_answer(503, "");
    create(&world, "500").await;
    let heard = product.hears(3).await;
    assert_eq!(heard[0].json()["id"], heard[2].json()["id"]);
    let delivered = |all: &[simulator::stripe::Delivery]| (all.len() == 3).then(|| all.to_vec());
    let attempts = world.stripe().webhooks().deliveries().wait_until(PATIENCE, delivered).await.unwrap();
    assert_eq!(
        attempts.iter().map(|one| (one.attempt, one.status)).collect::<Vec<_>>(),
        [(1, Some(500)), (2, Some(503)), (3, Some(200))]
    );
}

#[tokio::test]
async fn events_can_be_dropped_and_are_still_listed() {
    let (world, product) = connected().await;
    world.stripe().webhooks().set_knobs(Knobs { mode: Mode::Drop, ..Knobs::default() });
    pay(&world).await;
    let events = world.stripe().events();
    assert_eq!((events.len(), product.heard().len()), (3, 0));
    world.stripe().resend_event(events[2]["id"].as_str().unwrap()).unwrap();
    assert_eq!(kinds(&product.hears(1).await), ["payment_intent.succeeded"]);
}

#[tokio::test]
async fn held_events_leave_in_the_order_asked_for() {
    let (world, product) = connected().await;
    world.stripe().webhooks().set_knobs(Knobs { mode: Mode::Hold, ..Knobs::default() });
    pay(&world).await;
    assert_eq!((world.stripe().webhooks().held(), product.heard().len()), (3, 0));
    assert_eq!(world.stripe().webhooks().release(Order::Reversed), 3);
    let heard = product.hears(3).await;
    assert_eq!(kinds(&heard), ["payment_intent.succeeded", "charge.succeeded", "payment_intent.created"]);
}

#[tokio::test]
async fn events_can_come_twice_and_with_a_bad_signature() {
    let (world, product) = connected().await;
    world.stripe().webhooks().set_knobs(Knobs { copies: 2, bad_signature: true, ..Knobs::default() });
    create(&world, "500").await;
    let heard = product.hears(2).await;
    assert_eq!(heard[0].json()["id"], heard[1].json()["id"]);
    let signature = heard[0].header("stripe-signature");
    let at = signature.split(',').next().unwrap().trim_start_matches("t=").parse().unwrap();
    assert_ne!(signature, signatures::stripe("whsec_simulated", at, &heard[0].body));
}
