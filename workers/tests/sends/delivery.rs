//! What the carrier reports after it took a text.

use crate::support::carrier::Fate;
use crate::support::rows;
use crate::support::{Store, World};

const MESSAGES: &str = "SELECT channel || ' ' || status AS cell FROM messages ORDER BY id";
const HEARD: &str = "SELECT delivery_status AS cell FROM send_attempts";

async fn sent(store: Store) -> (World, String) {
    let world = World::new(store).await;
    rows::manual_link(&world).await;
    world.start();
    world.until(MESSAGES, &["sms sent"]).await;
    let sid = world.carrier.texts()[0].sid.clone();
    (world, sid)
}

pub(crate) async fn a_delivery_is_recorded_and_a_late_report_takes_nothing_back(store: Store) {
    let (world, sid) = sent(store).await;
    rows::report(&world, &sid, "delivered", None).await;
    world.until(MESSAGES, &["sms delivered"]).await;
    rows::report(&world, &sid, "sent", None).await;
    world.until_idle().await;
    assert_eq!(world.column(HEARD).await, ["delivered"]);
    assert_eq!(world.column(MESSAGES).await, ["sms delivered"]);
    let told = "SELECT kind AS cell FROM timeline WHERE kind LIKE 'message_%' ORDER BY id";
    assert_eq!(world.column(told).await, ["message_sent", "message_delivered"]);
}

pub(crate) async fn an_undelivered_text_is_followed_by_an_email_with_the_same_link_once(store: Store) {
    let (world, sid) = sent(store).await;
    rows::report(&world, &sid, "undelivered", Some(30006)).await;
    world.until(MESSAGES, &["sms failed", "email sent"]).await;
    rows::report(&world, &sid, "failed", Some(30006)).await;
    world.until_idle().await;
    assert_eq!(world.relay.letters().len(), 1);
    assert_eq!(world.column("SELECT line_type AS cell FROM customers").await, ["landline"]);
    assert_eq!(world.column("SELECT count(*) || '' AS cell FROM links").await, ["1"]);
}

pub(crate) async fn an_undelivered_text_without_an_address_needs_a_person(store: Store) {
    let (world, sid) = sent(store).await;
    rows::forget_email(&world).await;
    rows::report(&world, &sid, "undelivered", Some(30003)).await;
    world.until("SELECT kind AS cell FROM attention_items", &["needs_contact"]).await;
    assert_eq!(world.column(MESSAGES).await, ["sms failed"]);
    // It was handed over once, so it is the merchant's to send it again.
    assert_eq!(world.column("SELECT status AS cell FROM links").await, ["sent"]);
}

pub(crate) async fn a_paid_link_that_was_not_delivered_bothers_nobody(store: Store) {
    let (world, sid) = sent(store).await;
    world.run("UPDATE links SET status = 'used'", []).await;
    rows::report(&world, &sid, "undelivered", Some(30005)).await;
    world.until(MESSAGES, &["sms failed"]).await;
    world.until_idle().await;
    assert!(world.relay.letters().is_empty());
    assert!(world.column("SELECT kind AS cell FROM attention_items").await.is_empty());
}

pub(crate) async fn a_report_that_overtakes_the_answer_stands(store: Store) {
    let world = World::new(store).await;
    world.carrier.script(&[Fate::TakeAndHold]);
    rows::manual_link(&world).await;
    world.start();
    world.until("SELECT status AS cell FROM send_attempts", &["sending"]).await;
    world.until_taken(1).await;
    let sid = world.carrier.texts()[0].sid.clone();
    rows::report(&world, &sid, "delivered", None).await;
    world.until(MESSAGES, &["sms delivered"]).await;
    world.carrier.answer();
    world.until("SELECT status AS cell FROM jobs WHERE kind = 'send_link'", &["done"]).await;
    assert_eq!(world.column(MESSAGES).await, ["sms delivered"]);
    assert_eq!(world.column("SELECT status AS cell FROM send_attempts").await, ["accepted"]);
    assert_eq!(world.carrier.requests(), 1);
}

pub(crate) async fn two_texts_at_the_carrier_for_one_attempt_are_shown_to_a_person(store: Store) {
    let (world, sid) = sent(store).await;
    rows::report(&world, &sid, "delivered", None).await;
    rows::report(&world, "SM99", "delivered", None).await;
    world.until("SELECT kind AS cell FROM attention_items", &["unknown_send"]).await;
    assert_eq!(world.column("SELECT provider_id AS cell FROM send_attempts").await, [sid]);
}
