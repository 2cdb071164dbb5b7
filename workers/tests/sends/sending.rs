//! Wishes that become messages, and what providers say to them.

use std::sync::{Arc, Mutex};

use domain::link::LIFETIME_MS;
use serde_json::json;

use crate::support::carrier::Fate;
use crate::support::rows::{self, EMAIL, INVOICE, PHONE, SENDER};
use crate::support::{Store, World};

const MESSAGES: &str = "SELECT channel || ' ' || status AS cell FROM messages ORDER BY id";
const ATTEMPTS: &str = "SELECT status AS cell FROM send_attempts ORDER BY id";
const LINKS: &str = "SELECT status AS cell FROM links ORDER BY created_at_ms, id";

pub(crate) async fn a_call_becomes_one_text_with_a_link_of_seven_days(store: Store) {
    let world = World::new(store).await;
    rows::call(&world, "call-1", INVOICE).await;
    world.start();
    world.until(MESSAGES, &["sms sent"]).await;
    let texts = world.carrier.texts();
    assert_eq!(texts.len(), 1);
    assert_eq!((texts[0].to.as_str(), texts[0].from.as_str()), (PHONE, SENDER));
    assert!(texts[0].callback.starts_with("https://pay.example/webhooks/carrier/status/att_"));
    assert!((30..=3_600).contains(&texts[0].validity_s));
    let token =
        texts[0].body.split("https://pay.example/p/").nth(1).unwrap().split_whitespace().next().unwrap();
    let hashes = world.column("SELECT token_hash AS cell FROM links").await;
    assert_eq!(hashes, [domain::keyring::token_hash(token)]);
    let life = "SELECT CAST(l.expires_at_ms - m.accepted_at_ms AS TEXT) AS cell FROM links l JOIN messages m ON m.purpose_ref = l.id";
    assert_eq!(world.column(life).await, [LIFETIME_MS.to_string()]);
    assert_eq!(
        world.column("SELECT kind AS cell FROM timeline ORDER BY id").await,
        ["link_issued", "message_sent"]
    );
}

pub(crate) async fn the_same_call_told_in_two_events_makes_one_link(store: Store) {
    let world = World::new(store).await;
    rows::call_saying(&world, "call-1", INVOICE, json!({"intent": "pay_online"})).await;
    world.run("UPDATE call_events SET dedupe_key = 'told before'", []).await;
    rows::call_saying(&world, "call-1", INVOICE, json!({"intent": "send_link"})).await;
    world.start();
    world.until(MESSAGES, &["sms sent"]).await;
    world.until_idle().await;
    assert_eq!(world.carrier.texts().len(), 1);
    assert_eq!(world.column(LINKS).await, ["sent"]);
}

pub(crate) async fn two_calls_about_one_invoice_leave_one_living_link(store: Store) {
    let world = World::new(store).await;
    rows::call(&world, "call-1", INVOICE).await;
    rows::call(&world, "call-2", INVOICE).await;
    world.start();
    world.until(LINKS, &["superseded", "sent"]).await;
    world.until_idle().await;
    assert!(world.carrier.texts().len() <= 2);
}

pub(crate) async fn a_landline_gets_the_same_link_by_email_and_is_remembered(store: Store) {
    let world = World::new(store).await;
    world.carrier.script(&[Fate::Refuse(21614)]);
    let link = rows::manual_link(&world).await;
    world.start();
    world.until(MESSAGES, &["sms failed", "email sent"]).await;
    assert_eq!(world.column("SELECT line_type AS cell FROM customers").await, ["landline"]);
    assert_eq!(world.column(LINKS).await, ["sent"]);
    let letters = world.relay.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].to, EMAIL);
    let token = world.context.keyring.link_token("k1", &link).unwrap();
    let joined = letters[0].raw.replace("=\n", "");
    assert!(joined.contains(token.expose()), "the email carries the link");
    assert!(joined.contains("List-Unsubscribe:") && joined.contains("Message-ID: <msg_"));
}

pub(crate) async fn the_carriers_opt_out_is_kept_and_nobody_is_emailed_without_consent(store: Store) {
    let world = World::new(store).await;
    world.carrier.script(&[Fate::Refuse(21610)]);
    rows::manual_link(&world).await;
    world.start();
    world.until(MESSAGES, &["sms failed"]).await;
    let kept = "SELECT recipient || ' ' || channel || ' ' || sender || ' ' || source AS cell FROM opt_outs";
    assert_eq!(world.column(kept).await, [format!("{PHONE} sms {SENDER} carrier")]);
    assert_eq!(world.column("SELECT kind AS cell FROM attention_items").await, ["needs_contact"]);
    assert_eq!(world.column(LINKS).await, ["revoked"]);
    assert!(world.relay.letters().is_empty());
}

pub(crate) async fn who_said_stop_to_texts_and_yes_to_emails_gets_an_email(store: Store) {
    let world = World::new(store).await;
    world.carrier.script(&[Fate::Refuse(21610)]);
    let outcome =
        json!({"intent": "pay_online", "preferred_channel": "sms", "contact_consent": {"email": true}});
    rows::call_saying(&world, "call-1", INVOICE, outcome).await;
    world.start();
    world.until(MESSAGES, &["sms failed", "email sent"]).await;
}

pub(crate) async fn what_was_not_sent_is_sent_later_as_a_new_attempt(store: Store) {
    let world = World::new(store).await;
    world.carrier.script(&[Fate::SlowDown]);
    rows::manual_link(&world).await;
    world.start();
    world.until(ATTEMPTS, &["not_sent", "accepted"]).await;
    world.until(MESSAGES, &["sms sent"]).await;
    assert_eq!(world.carrier.texts().len(), 1);
}

pub(crate) async fn a_handset_that_is_off_gets_one_more_text_and_then_an_email(store: Store) {
    let world = World::new(store).await;
    world.carrier.script(&[Fate::Refuse(30003), Fate::Refuse(30003)]);
    rows::manual_link(&world).await;
    world.start();
    world.until(ATTEMPTS, &["rejected"]).await;
    world.clock.advance_ms(6 * 60_000);
    world.until(MESSAGES, &["sms failed", "email sent"]).await;
    assert_eq!(world.carrier.requests(), 2);
}

pub(crate) async fn a_carrier_out_of_reach_for_long_is_passed_by(store: Store) {
    let world = World::new(store).await;
    world.carrier.script(&[Fate::SlowDown, Fate::SlowDown]);
    rows::manual_link(&world).await;
    world.start();
    world.until(ATTEMPTS, &["not_sent"]).await;
    world.clock.advance_ms(11 * 60_000);
    world.until(MESSAGES, &["sms failed", "email sent"]).await;
}

pub(crate) async fn nobody_to_reach_is_somebody_for_the_merchant_to_find(store: Store) {
    let world = World::new(store).await;
    world.run("UPDATE customers SET phone = NULL, email = NULL", []).await;
    rows::call(&world, "call-1", INVOICE).await;
    world.start();
    world.until("SELECT kind AS cell FROM attention_items", &["needs_contact"]).await;
    world.until(LINKS, &["revoked"]).await;
    assert!(world.column(MESSAGES).await.is_empty());
    world.run("UPDATE customers SET email = 'ann@customer.example'", []).await;
    rows::manual_link(&world).await;
    world.until(MESSAGES, &["email sent"]).await;
    assert_eq!(
        world.column("SELECT kind AS cell FROM attention_items WHERE closed_at_ms IS NULL").await.len(),
        0
    );
}

pub(crate) async fn a_hundred_wishes_are_written_in_as_few_statements_as_one(store: Store) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let world = World::watched(store, move |text| log.lock().unwrap().push(text.to_owned())).await;
    for number in 0..100 {
        let invoice = format!("inv_{number:026}");
        if invoice != INVOICE {
            rows::invoice(&world, &invoice, &format!("INV-{invoice}")).await;
        }
        rows::call(&world, &format!("call-{number}"), &invoice).await;
    }
    seen.lock().unwrap().clear();
    world.start();
    let states = "SELECT status || ' ' || count(*) AS cell FROM messages GROUP BY status";
    world.until(states, &["sent 100"]).await;
    assert_eq!(world.carrier.texts().len(), 100);
    let statements = seen.lock().unwrap().clone();
    let times = |beginning: &str| statements.iter().filter(|text| text.starts_with(beginning)).count();
    assert_eq!((times("INSERT INTO links"), times("INSERT INTO messages")), (1, 1));
    assert_eq!(times("INSERT INTO send_attempts"), 1, "with the intention to send them");
    assert_eq!(times("SELECT * FROM customers"), 1, "one load for the channel and the sends");
}
