//! One live link, one resend, seven days, and no bot that uses it up.

use domain::time::{DAY_MS, MINUTE_MS};
use serde_json::json;
use simulator::bots::Scanner;
use simulator::call::Intent;
use simulator::people::{Attempt, Card, Customer};

use crate::stage::{PATIENCE, Stage, Store, pay_link};

const MAYA: &str = "+14155550101";

pub(crate) async fn two_resends_at_once_make_one_live_link(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    let first = stage.texted_link(&invoice, 1).await;
    let path = format!("/v1/invoices/{}/links", invoice.id);
    let body = json!({});
    let answers = futures::future::join_all((0..6).map(|_| stage.try_post(&path, &body))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409], "{answers:?}");
    let second = stage.texted_link(&invoice, 2).await;
    assert_ne!(first, second);
    stage.rest().await;
    assert_eq!(stage.world.carrier().accepted_to(MAYA).len(), 2);
    let live = stage.texts_of("SELECT id AS text FROM links WHERE status IN ('queued', 'sent')").await;
    assert_eq!(live.len(), 1);
    assert_eq!(Customer::new().unwrap().open(&first).await.unwrap().status, 410);
    stage.finish().await;
}

pub(crate) async fn a_link_lives_seven_days_and_the_customer_asks_for_a_new_one(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    let first = stage.texted_link(&invoice, 1).await;
    stage.rest().await;
    let mut customer = Customer::new().unwrap();
    stage.clock.advance_ms(7 * DAY_MS - 5 * MINUTE_MS);
    assert_eq!(customer.open(&first).await.unwrap().status, 200, "five minutes before the end");
    stage.clock.advance_ms(10 * MINUTE_MS);
    let expired = customer.open(&first).await.unwrap();
    assert_eq!(expired.status, 410, "at read time, whether or not the sweep ran");
    assert!(!expired.body.contains("INV-"), "an expired page shows no invoice data");
    stage
        .until("the sweep records it", async || {
            stage.texts_of("SELECT status AS text FROM links").await == ["expired"]
        })
        .await;
    let renewed = customer.ask_for_new_link(&first).await.unwrap();
    assert_eq!(renewed.status, 201);
    assert!(!renewed.body.contains(MAYA), "the contact is never shown");
    let texts = stage.world.carrier().wait_for_texts(MAYA, 2, PATIENCE).await.unwrap();
    let second = pay_link(&texts[1].body);
    assert_eq!(customer.open(&second).await.unwrap().status, 200);
    let again = customer.open(&first).await.unwrap();
    assert!(again.form("/p/renew").is_err(), "once per link");
    stage.finish().await;
}

pub(crate) async fn twenty_scanners_use_nothing_up(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    let link = stage.texted_link(&invoice, 1).await;
    stage.rest().await;
    let scans = (0..21).map(|n| Scanner::ALL[n % Scanner::ALL.len()].scan(&link));
    for scan in futures::future::join_all(scans).await {
        for page in scan.unwrap() {
            assert!(page.status < 500, "a scanner was answered {}", page.status);
        }
    }
    stage.rest().await;
    assert!(stage.world.stripe().requests().is_empty(), "a scanner reached Stripe");
    assert!(stage.texts_of("SELECT id AS text FROM holds").await.is_empty(), "a scanner filed a question");
    assert!(
        stage.texts_of("SELECT id AS text FROM link_opens").await.is_empty(),
        "a scanner counted as a person"
    );
    assert_eq!(stage.world.carrier().accepted_to(MAYA).len(), 1);
    let paid = Customer::new().unwrap().pay(&link, &Card::good()).await.unwrap();
    assert!(matches!(paid, Attempt::Paid(_)), "{paid:?}");
    stage.until_status(&invoice, "paid").await;
    stage.finish().await;
}
