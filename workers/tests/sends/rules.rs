//! What forbids a message at the last moment, or makes it wait.

use domain::time::HOUR_MS;
use serde_json::json;

use crate::support::rows::{self, EMAIL, INVOICE, MERCHANT, PHONE};
use crate::support::{Store, World};

const MESSAGES: &str =
    "SELECT channel || ' ' || status || ' ' || coalesce(reason, '-') AS cell FROM messages ORDER BY id";

pub(crate) async fn nothing_is_sent_at_night_until_eight_in_the_morning(store: Store) {
    let world = World::new(store).await;
    world.clock.advance_ms(14 * HOUR_MS);
    rows::manual_link(&world).await;
    world.start();
    world.until("SELECT status AS cell FROM jobs WHERE kind = 'send_link' AND due_at_ms > enqueued_at_ms + 3600000", &["waiting"]).await;
    assert_eq!(world.carrier.requests(), 0);
    world.clock.advance_ms(7 * HOUR_MS);
    world.until(MESSAGES, &["sms sent -"]).await;
}

pub(crate) async fn what_was_asked_for_on_a_call_just_now_goes_at_night_too(store: Store) {
    let world = World::new(store).await;
    world.clock.advance_ms(14 * HOUR_MS);
    rows::call(&world, "call-1", INVOICE).await;
    world.start();
    world.until(MESSAGES, &["sms sent -"]).await;
    assert!(world.carrier.texts()[0].validity_s <= 900, "it must not leave the carrier after the exemption");
}

pub(crate) async fn a_merchant_may_want_no_exemption_from_the_hours(store: Store) {
    let world = World::new(store).await;
    world.run("UPDATE merchants SET asked_exempt_from_hours = FALSE", []).await;
    world.clock.advance_ms(14 * HOUR_MS);
    rows::call(&world, "call-1", INVOICE).await;
    world.start();
    world.until("SELECT status AS cell FROM jobs WHERE kind = 'send_link' AND due_at_ms > enqueued_at_ms + 3600000", &["waiting"]).await;
    assert_eq!(world.carrier.requests(), 0);
}

pub(crate) async fn an_opt_out_that_comes_before_the_send_is_honoured(store: Store) {
    let world = World::new(store).await;
    let link = rows::bare_link(&world, INVOICE).await;
    rows::text_of(&world, &link, INVOICE).await;
    world
        .run(
            "INSERT INTO opt_outs (id, merchant_id, recipient, channel, sender, source, opted_out_at_ms) \
             VALUES ('opt_1', $1, $2, '*', '*', 'spoken', 1)",
            [MERCHANT.into(), PHONE.into()],
        )
        .await;
    world.start();
    world.until(MESSAGES, &["sms suppressed opted_out"]).await;
    assert_eq!(world.carrier.requests(), 0);
    assert!(world.relay.letters().is_empty());
}

pub(crate) async fn an_address_that_unsubscribed_is_no_way_out(store: Store) {
    let world = World::new(store).await;
    world.run("UPDATE customers SET phone = NULL, email = 'Ann@Customer.Example'", []).await;
    world
        .run(
            "INSERT INTO opt_outs (id, merchant_id, recipient, channel, sender, source, opted_out_at_ms) \
             VALUES ('opt_1', $1, $2, 'email', '*', 'unsubscribe', 1)",
            [MERCHANT.into(), EMAIL.into()],
        )
        .await;
    rows::call(&world, "call-1", INVOICE).await;
    world.start();
    world.until("SELECT kind AS cell FROM attention_items", &["needs_contact"]).await;
    assert!(world.relay.letters().is_empty());
}

pub(crate) async fn a_superseded_link_is_not_sent(store: Store) {
    let world = World::new(store).await;
    let old = rows::bare_link(&world, INVOICE).await;
    rows::text_of(&world, &old, INVOICE).await;
    rows::bare_link(&world, INVOICE).await;
    world.start();
    world.until(MESSAGES, &["sms suppressed superseded"]).await;
    assert_eq!(world.carrier.requests(), 0);
}

pub(crate) async fn a_payment_or_a_question_before_the_send_stops_it(store: Store) {
    for (change, reason) in [
        ("status = 'paid'", "paid"),
        ("status = 'payment_processing'", "payment_processing"),
        ("on_hold = TRUE", "on_hold"),
    ] {
        let world = World::new(store).await;
        let link = rows::bare_link(&world, INVOICE).await;
        rows::text_of(&world, &link, INVOICE).await;
        world.run(&format!("UPDATE invoices SET {change}"), []).await;
        world.start();
        world.until(MESSAGES, &[&format!("sms suppressed {reason}")]).await;
        assert_eq!(world.carrier.requests(), 0);
        assert_eq!(world.column("SELECT status AS cell FROM links").await, ["revoked"]);
    }
}

pub(crate) async fn a_question_before_the_link_is_issued_suppresses_the_event(store: Store) {
    let world = World::new(store).await;
    rows::call(&world, "call-1", INVOICE).await;
    world.run("UPDATE invoices SET on_hold = TRUE", []).await;
    world.start();
    world
        .until("SELECT disposition || ' ' || reason AS cell FROM call_events", &["suppressed on_hold"])
        .await;
    world.until_idle().await;
    assert!(world.column("SELECT id AS cell FROM links").await.is_empty());
}

pub(crate) async fn a_number_gets_only_so_many_texts_a_day_and_then_emails(store: Store) {
    let world = World::new(store).await;
    world.run("UPDATE merchants SET texts_per_number_per_day_max = 1", []).await;
    let first = rows::bare_link(&world, INVOICE).await;
    rows::text_of(&world, &first, INVOICE).await;
    world.start();
    world.until(MESSAGES, &["sms sent -"]).await;
    rows::manual_link(&world).await;
    world.until(MESSAGES, &["sms sent -", "sms suppressed texts_to_number_capped", "email sent -"]).await;
    assert_eq!(world.carrier.texts().len(), 1);
}

pub(crate) async fn a_merchants_cap_stops_what_is_beyond_it_and_nothing_before(store: Store) {
    let world = World::new(store).await;
    world.run("UPDATE merchants SET texts_per_day_max = 2", []).await;
    rows::forget_email(&world).await;
    for number in 2..=4 {
        let invoice = format!("inv_{number:026}");
        rows::invoice(&world, &invoice, &format!("INV-{number}")).await;
        let link = rows::bare_link(&world, &invoice).await;
        rows::text_of(&world, &link, &invoice).await;
    }
    world.start();
    world.until(MESSAGES, &["sms sent -", "sms sent -", "sms suppressed texts_of_merchant_capped"]).await;
    assert_eq!(world.carrier.texts().len(), 2);
    assert_eq!(world.column("SELECT kind AS cell FROM attention_items").await, ["needs_contact"]);
}

pub(crate) async fn the_customers_wish_and_language_decide(store: Store) {
    let world = World::new(store).await;
    world.run("UPDATE customers SET locale = 'es-US'", []).await;
    rows::call_saying(
        &world,
        "call-1",
        INVOICE,
        json!({"intent": "pay_online", "preferred_channel": "email"}),
    )
    .await;
    world.start();
    world.until(MESSAGES, &["email sent -"]).await;
    assert_eq!(world.column("SELECT locale AS cell FROM messages").await, ["es"]);
    assert_eq!(world.carrier.requests(), 0);
}
