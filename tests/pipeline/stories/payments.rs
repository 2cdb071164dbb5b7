//! Money: once, to the cent, whatever the webhooks do.

use domain::time::MINUTE_MS;
use serde_json::json;
use simulator::call::Intent;
use simulator::people::{Attempt, Card, Customer};
use simulator::stripe::{Knobs, Mode, Order};

use crate::stage::{Invoice, PATIENCE, Stage, Store};

const MAYA: &str = "+14155550101";

async fn invoice_with_link(stage: &Stage) -> (Invoice, String) {
    let invoice = stage.invoice(Some(MAYA), Some("maya@example.com")).await;
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    let link = stage.texted_link(&invoice, 1).await;
    (invoice, link)
}

/// Exactly one successful charge of the right size, one receipt, a closed invoice.
async fn paid_once(stage: &Stage, invoice: &Invoice) {
    stage.until_status(invoice, "paid").await;
    stage.world.mailbox().wait_for_emails("maya@example.com", 1, PATIENCE).await.unwrap();
    stage.rest().await;
    let payments = stage.world.stripe().payment_views();
    let charges: usize = payments.iter().map(|payment| payment.charges_succeeded).sum();
    assert_eq!(charges, 1);
    let payment = payments.iter().find(|payment| payment.charges_succeeded == 1).unwrap();
    assert_eq!((payment.amount_minor, payment.application_fee_minor), (18_500, Some(1_850)));
    assert_eq!(stage.world.mailbox().emails_to("maya@example.com").len(), 1, "one receipt");
    assert_eq!(stage.texts_of("SELECT status AS text FROM payments").await, ["succeeded"]);
    assert_eq!(stage.texts_of("SELECT status AS text FROM links").await, ["used"]);
}

pub(crate) async fn a_card_payment_closes_the_invoice_and_sends_one_receipt(store: Store) {
    let stage = Stage::set(store).await;
    let (invoice, link) = invoice_with_link(&stage).await;
    let mut customer = Customer::new().unwrap();
    let Attempt::Paid(receipt) = customer.pay(&link, &Card::good()).await.unwrap() else {
        panic!("not paid")
    };
    assert!(receipt.body.contains("185.00"), "the paying browser sees its receipt");
    paid_once(&stage, &invoice).await;
    let stranger = Customer::new().unwrap().open(&link).await.unwrap();
    assert_eq!(stranger.status, 200);
    assert!(
        !stranger.body.contains("185.00") && !stranger.body.contains("INV-"),
        "another browser sees no data"
    );
    let (decision, reasons) = stage.permission(&invoice).await;
    assert_eq!((decision.as_str(), reasons.contains(&"paid".to_owned())), ("deny", true), "{reasons:?}");
    stage.finish().await;
}

pub(crate) async fn a_payment_without_any_webhook_is_found(store: Store) {
    let stage = Stage::set(store).await;
    stage.world.stripe().webhooks().set_knobs(Knobs { mode: Mode::Drop, ..Knobs::default() });
    let (invoice, link) = invoice_with_link(&stage).await;
    let mut customer = Customer::new().unwrap();
    let page = customer.open(&link).await.unwrap();
    let secret = customer.begin(&page).await.unwrap().unwrap();
    // The customer confirms and closes the browser: nobody tells us.
    customer.confirm(&page, &secret, &Card::good()).await.unwrap().unwrap();
    assert_eq!(stage.status(&invoice).await, "open");
    for _ in 0..6 {
        stage.rest().await;
        stage.clock.advance_ms(5 * MINUTE_MS);
        tokio::task::yield_now().await;
        stage
            .until("the tick has run", async || {
                let waiting = stage
                    .texts_of(
                        "SELECT id AS text FROM jobs WHERE kind = 'reconcile_payments' AND status <> 'done'",
                    )
                    .await;
                waiting.is_empty()
            })
            .await;
    }
    paid_once(&stage, &invoice).await;
    stage.finish().await;
}

pub(crate) async fn webhooks_twice_and_in_any_order_change_nothing(store: Store) {
    let stage = Stage::set(store).await;
    stage.world.stripe().webhooks().set_knobs(Knobs { mode: Mode::Hold, copies: 3, ..Knobs::default() });
    let (invoice, link) = invoice_with_link(&stage).await;
    let mut customer = Customer::new().unwrap();
    customer.pay(&link, &Card::declined()).await.unwrap();
    let paid = customer.pay(&link, &Card::good()).await.unwrap();
    assert!(matches!(paid, Attempt::Paid(_)), "{paid:?}");
    paid_once(&stage, &invoice).await;
    let released = stage.world.stripe().webhooks().release(Order::Reversed);
    assert!(released >= 2, "{released} events were held");
    let events = stage.world.stripe().events().len();
    stage
        .until("every event was stored once", async || {
            stage.texts_of("SELECT id AS text FROM stripe_events").await.len() == events
        })
        .await;
    paid_once(&stage, &invoice).await;
    stage.finish().await;
}

pub(crate) async fn a_declined_card_can_be_retried(store: Store) {
    let stage = Stage::set(store).await;
    let (invoice, link) = invoice_with_link(&stage).await;
    let mut customer = Customer::new().unwrap();
    let declined = customer.pay(&link, &Card::without_funds()).await.unwrap();
    assert!(matches!(declined, Attempt::Declined { .. }), "{declined:?}");
    assert_eq!(stage.status(&invoice).await, "open");
    let paid = customer.pay(&link, &Card::good()).await.unwrap();
    assert!(matches!(paid, Attempt::Paid(_)), "{paid:?}");
    paid_once(&stage, &invoice).await;
    assert_eq!(stage.world.stripe().payment_views().len(), 1, "the same PaymentIntent");
    stage.finish().await;
}

pub(crate) async fn two_tabs_cannot_pay_twice(store: Store) {
    let stage = Stage::set(store).await;
    let (invoice, link) = invoice_with_link(&stage).await;
    let tabs = futures::future::join_all((0..4).map(|_| async {
        let mut customer = Customer::new().unwrap();
        let page = customer.open(&link).await.unwrap();
        (customer, page)
    }))
    .await;
    let attempts = futures::future::join_all(tabs.into_iter().map(|(mut customer, page)| async move {
        customer.pay_on(&page, &Card::good(), simulator::people::AtTheBank::Complete).await
    }))
    .await;
    assert!(attempts.iter().any(|attempt| matches!(attempt, Ok(Attempt::Paid(_)))), "{attempts:?}");
    paid_once(&stage, &invoice).await;
    stage.finish().await;
}

pub(crate) async fn a_canceled_invoice_cannot_be_paid_by_a_page_that_is_still_open(store: Store) {
    let stage = Stage::set(store).await;
    let (invoice, link) = invoice_with_link(&stage).await;
    let mut customer = Customer::new().unwrap();
    let page = customer.open(&link).await.unwrap();
    let secret = customer.begin(&page).await.unwrap().unwrap();
    stage.post(&format!("/v1/invoices/{}/cancel", invoice.id), &json!({})).await;
    let refused = customer.confirm(&page, &secret, &Card::good()).await.unwrap();
    assert!(refused.is_err(), "Stripe still took the money: {refused:?}");
    assert_eq!(stage.status(&invoice).await, "canceled");
    assert_eq!(customer.open(&link).await.unwrap().status, 410);
    assert_eq!(stage.permission(&invoice).await.0, "deny");
    stage.finish().await;
}
