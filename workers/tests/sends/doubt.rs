//! Outcomes that nobody saw: looked up, proven, and never repeated before.

use std::sync::atomic::Ordering;

use crate::support::carrier::Fate;
use crate::support::rows::{self, INVOICE, PHONE, SENDER};
use crate::support::{Store, World};

const MESSAGES: &str = "SELECT channel || ' ' || status AS cell FROM messages ORDER BY id";
const ATTEMPTS: &str = "SELECT status AS cell FROM send_attempts ORDER BY ordinal";
const OPEN_ITEMS: &str = "SELECT kind AS cell FROM attention_items WHERE closed_at_ms IS NULL ORDER BY kind";

pub(crate) async fn a_lost_answer_is_found_in_the_carriers_list_and_nothing_is_sent_again(store: Store) {
    let world = World::new(store).await;
    world.carrier.script(&[Fate::TakeAndStumble]);
    rows::manual_link(&world).await;
    world.start();
    world.until(ATTEMPTS, &["unknown"]).await;
    world.until(MESSAGES, &["sms queued"]).await;
    world.clock.advance_ms(20_000);
    world.until(ATTEMPTS, &["accepted"]).await;
    world.until(MESSAGES, &["sms sent"]).await;
    assert_eq!(world.carrier.requests(), 1);
    assert_eq!(world.column("SELECT status AS cell FROM links").await, ["sent"]);
}

pub(crate) async fn absence_counts_only_after_two_minutes_and_leads_to_one_resend_of_the_same_link(
    store: Store,
) {
    let world = World::new(store).await;
    world.carrier.script(&[Fate::Stumble]);
    let link = rows::manual_link(&world).await;
    world.start();
    world.until(ATTEMPTS, &["unknown"]).await;
    world.clock.advance_ms(100_000);
    world.until("SELECT CAST(lookups AS TEXT) AS cell FROM send_attempts", &["1"]).await;
    assert_eq!(world.column(ATTEMPTS).await, ["unknown"], "too early to tell");
    world.clock.advance_ms(60_000);
    world.until(ATTEMPTS, &["absent", "accepted"]).await;
    let texts = world.carrier.texts();
    assert_eq!(texts.len(), 1);
    let token = world.context.keyring.link_token("k1", &link).unwrap();
    assert!(texts[0].body.contains(token.expose()));
}

pub(crate) async fn a_text_that_was_never_taken_twice_goes_by_email(store: Store) {
    let world = World::new(store).await;
    world.carrier.script(&[Fate::Stumble, Fate::Stumble]);
    rows::manual_link(&world).await;
    world.start();
    world.until(ATTEMPTS, &["unknown"]).await;
    world.clock.advance_ms(140_000);
    world.until(ATTEMPTS, &["absent", "unknown"]).await;
    world.clock.advance_ms(140_000);
    world.until(MESSAGES, &["sms failed", "email sent"]).await;
    assert_eq!(world.carrier.requests(), 2, "one resend and no more");
}

pub(crate) async fn an_attempt_whose_process_died_after_the_text_left_is_found(store: Store) {
    let world = World::new(store).await;
    let link = rows::bare_link(&world, INVOICE).await;
    let message = rows::text_of(&world, &link, INVOICE).await;
    rows::abandoned_attempt(&world, &message).await;
    let token = world.context.keyring.link_token("k1", &link).unwrap();
    let text = gateways::sms::SmsSend {
        to: PHONE.to_owned(),
        from: SENDER.to_owned(),
        body: format!("https://pay.example/p/{}", token.expose()),
        status_callback: "https://pay.example/x".to_owned(),
        validity_s: 60,
        deadline: std::time::Instant::now() + std::time::Duration::from_secs(30),
    };
    assert_eq!(world.context.sms.send(&text).await.word(), "accepted");
    world.start();
    world.until(ATTEMPTS, &["accepted"]).await;
    world.until(MESSAGES, &["sms sent"]).await;
    assert_eq!(world.carrier.requests(), 1);
}

pub(crate) async fn an_attempt_whose_process_died_before_the_text_left_is_made_once_more(store: Store) {
    let world = World::new(store).await;
    let link = rows::bare_link(&world, INVOICE).await;
    let message = rows::text_of(&world, &link, INVOICE).await;
    rows::abandoned_attempt(&world, &message).await;
    world.start();
    world.until(ATTEMPTS, &["unknown"]).await;
    assert_eq!(world.carrier.requests(), 0);
    world.clock.advance_ms(150_000);
    world.until(ATTEMPTS, &["absent", "accepted"]).await;
    assert_eq!(world.carrier.requests(), 1);
}

pub(crate) async fn a_callback_proves_a_lost_answer(store: Store) {
    let world = World::new(store).await;
    world.carrier.script(&[Fate::TakeAndStumble]);
    world.carrier.break_listing(true);
    rows::manual_link(&world).await;
    world.start();
    world.until(ATTEMPTS, &["unknown"]).await;
    let sid = world.carrier.texts()[0].sid.clone();
    rows::report(&world, &sid, "sent", None).await;
    world.until(ATTEMPTS, &["accepted"]).await;
    world.until(MESSAGES, &["sms sent"]).await;
    assert_eq!(world.column("SELECT provider_id AS cell FROM send_attempts").await, [sid]);
    world.clock.advance_ms(10_000);
    world.until("SELECT status AS cell FROM jobs WHERE kind = 'send_link'", &["done"]).await;
    assert_eq!(world.carrier.requests(), 1);
}

pub(crate) async fn what_cannot_be_looked_up_is_listed_within_five_minutes_and_then_goes_by_email(
    store: Store,
) {
    let world = World::new(store).await;
    world.carrier.script(&[Fate::TakeAndStumble]);
    world.carrier.break_listing(true);
    rows::manual_link(&world).await;
    world.start();
    world.until(ATTEMPTS, &["unknown"]).await;
    world.clock.advance_ms(5 * 60_000);
    world.until(OPEN_ITEMS, &["unknown_send"]).await;
    assert_eq!(world.column(MESSAGES).await, ["sms queued"]);
    world.clock.advance_ms(6 * 60_000);
    world.until(MESSAGES, &["sms unknown", "email sent"]).await;
    assert_eq!(world.carrier.requests(), 1);
    assert_eq!(world.column(OPEN_ITEMS).await, ["unknown_send"]);
    let sid = world.carrier.texts()[0].sid.clone();
    rows::report(&world, &sid, "delivered", None).await;
    world.until(MESSAGES, &["sms delivered", "email sent"]).await;
    world.until(OPEN_ITEMS, &[]).await;
}

pub(crate) async fn an_email_whose_fate_nobody_saw_is_not_repeated_and_goes_to_a_person(store: Store) {
    let world = World::new(store).await;
    world.run("UPDATE customers SET phone = NULL", []).await;
    world.relay.hangs_up.store(true, Ordering::SeqCst);
    rows::manual_link(&world).await;
    world.start();
    world.until(MESSAGES, &["email unknown"]).await;
    assert_eq!(world.column(OPEN_ITEMS).await, ["unknown_send"]);
    assert_eq!(world.relay.letters().len(), 1);
    // The customer may hold it, so its seven days run.
    assert_eq!(world.column("SELECT status AS cell FROM links").await, ["sent"]);
}
