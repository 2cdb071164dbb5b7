//! A stolen key: whatever way somebody takes, and however many processes send, no more texts go out than the caps allow.
//! The judge is the carrier's journal.

use entities::merchant::{self, Caps};
use futures::StreamExt;
use futures::future::join_all;
use postcall::product::{Product, Roles};
use serde_json::{Value, json};
use simulator::call::{Intent, Sender};
use simulator::people::Customer;

use crate::stage::{Invoice, Stage, Store, pay_link};

const CAP: usize = 12;
const PER_NUMBER: usize = 3;
/// Requests that are on their way at once.
const AT_ONCE: usize = 16;

/// A product and, where several can share a store, two more that only send.
async fn set(store: Store) -> (Stage, Vec<Product>) {
    let is_shared = store.url.starts_with("postgres");
    let stage = Stage::set(store).await;
    let caps = Caps {
        texts_per_day_max: Some(i64::try_from(CAP).unwrap()),
        texts_per_number_per_day_max: Some(i64::try_from(PER_NUMBER).unwrap()),
        ..Caps::default()
    };
    assert!(merchant::set_caps(&stage.db.write, &stage.merchant_id, &caps).await.unwrap());
    let mut others = Vec::new();
    for _ in 0..if is_shared { 2 } else { 0 } {
        others.push(Product::start(&stage.config, stage.clock.clone(), Roles::WORKERS).await.unwrap());
    }
    (stage, others)
}

async fn end(stage: Stage, others: Vec<Product>) {
    stage.rest().await;
    join_all(others.into_iter().map(Product::stop)).await;
    stage.finish().await;
}

async fn invoices(stage: &Stage, phones: impl Iterator<Item = String>) -> Vec<Invoice> {
    let made = phones.map(|phone| async move { stage.invoice(Some(&phone), None).await });
    futures::stream::iter(made).buffered(AT_ONCE).collect().await
}

async fn by_hand(stage: &Stage, invoices: &[Invoice]) -> Vec<u16> {
    let sent = invoices.iter().map(|invoice| async {
        let (status, _): (u16, Value) =
            stage.try_post(&format!("/v1/invoices/{}/links", invoice.id), &json!({})).await;
        status
    });
    futures::stream::iter(sent).buffered(AT_ONCE).collect().await
}

async fn by_events(stage: &Stage, invoices: &[Invoice]) {
    let thief = Sender::with_key(&format!("{}/v1/events", stage.config.public_url), &stage.key);
    let told = invoices.iter().enumerate().map(|(call, invoice)| {
        let event = stage.event(invoice, &format!("forged {call} {}", invoice.id), Intent::SendLink);
        let thief = &thief;
        async move {
            let receipt = stage.world.dialer().report(thief, &event).await.unwrap();
            assert!(receipt.status < 300, "an authentic event is kept: {}", receipt.body);
        }
    });
    futures::stream::iter(told).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

pub(crate) async fn a_stolen_key_sends_no_more_texts_than_the_cap_whatever_way_it_takes(store: Store) {
    let (stage, others) = set(store).await;
    let numbers = invoices(&stage, (0..40).map(|number| format!("+1415555{:04}", 2_000 + number))).await;
    let (heard, sent) = numbers.split_at(20);
    let ((), first) = futures::join!(by_events(&stage, heard), by_hand(&stage, sent));
    assert!(first.iter().all(|status| *status == 201), "{first:?}");
    stage.rest().await;
    assert_eq!(stage.world.carrier().accepted().len(), CAP, "events and links together");
    // Links that were sent expire, and their customers, or who calls himself so, ask for new ones.
    let past = stage.clock.now().millis() - 1;
    let expire = format!("UPDATE links SET expires_at_ms = {past} WHERE status = 'sent'");
    entities::sql::run(&stage.db.write, expire, []).await.unwrap();
    let texts = stage.world.carrier().accepted();
    for text in &texts {
        let renewed = Customer::new().unwrap().ask_for_new_link(&pay_link(&text.body)).await.unwrap();
        assert_eq!(renewed.status, 201);
    }
    // What lives is sent again, what does not begins anew; and there are always more events.
    by_hand(&stage, &numbers).await;
    by_hand(&stage, &numbers).await;
    by_events(&stage, sent).await;
    stage.rest().await;
    assert_eq!(stage.world.carrier().accepted().len(), CAP, "renewals, resends and more events");
    end(stage, others).await;
}

pub(crate) async fn a_stolen_key_cannot_flood_one_number(store: Store) {
    let (stage, others) = set(store).await;
    let victim = "+14155552999";
    let all = invoices(&stage, (0..20).map(|_| victim.to_owned())).await;
    let (heard, sent) = all.split_at(10);
    futures::join!(by_events(&stage, heard), by_hand(&stage, sent));
    by_hand(&stage, &all).await;
    stage.rest().await;
    assert_eq!(stage.world.carrier().accepted_to(victim).len(), PER_NUMBER);
    end(stage, others).await;
}
