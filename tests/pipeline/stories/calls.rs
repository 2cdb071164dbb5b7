//! From the end of a call to a message, or to none.

use serde_json::json;
use simulator::call::{Intent, Reached};

use crate::stage::{PATIENCE, Stage, Store, pay_link};

const MAYA: &str = "+14155550101";

pub(crate) async fn a_wish_for_a_link_becomes_one_text(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), Some("maya@example.com")).await;
    let receipt = stage.call(&invoice, "call 1", Intent::SendLink).await;
    assert_eq!((receipt.status, receipt.disposition()), (202, Some("accepted")));
    let link = stage.texted_link(&invoice, 1).await;
    let text = stage.world.carrier().accepted_to(MAYA).remove(0);
    assert!(text.body.starts_with("Harbor Street Dental"), "{}", text.body);
    assert!(!text.body.contains("185"), "no amount in a text: {}", text.body);
    assert_eq!(simulator::carrier::segments(&text.body), 1, "{}", text.body);
    assert!(text.validity_period_s <= 3_600);
    let page = simulator::people::Customer::new().unwrap().open(&link).await.unwrap();
    assert_eq!(page.status, 200);
    stage
        .until("the delivery is known", async || {
            stage.texts_of("SELECT status AS text FROM messages").await == ["delivered"]
        })
        .await;
    assert!(stage.world.mailbox().emails().is_empty());
    stage.finish().await;
}

pub(crate) async fn an_event_delivered_fifty_times_at_once_is_one_text(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    let event = stage.event(&invoice, "call 1", Intent::SendLink);
    let receipts = futures::future::join_all((0..50).map(|_| stage.report(&event))).await;
    let accepted = receipts.iter().filter(|receipt| receipt.status == 202).count();
    assert_eq!(accepted, 1);
    assert!(receipts.iter().all(|receipt| receipt.id() == receipts[0].id()));
    assert!(
        receipts
            .iter()
            .filter(|receipt| receipt.status == 200)
            .all(|receipt| receipt.disposition() == Some("duplicate"))
    );
    stage.texted_link(&invoice, 1).await;
    stage.rest().await;
    assert_eq!(stage.world.carrier().accepted_to(MAYA).len(), 1);
    stage.finish().await;
}

pub(crate) async fn two_intents_of_one_call_are_one_text(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    let first = stage.call(&invoice, "call 1", Intent::PayOnline).await;
    let second = stage.call(&invoice, "call 1", Intent::SendLink).await;
    assert_eq!((first.status, second.status), (202, 202));
    assert_ne!(first.id(), second.id());
    stage.texted_link(&invoice, 1).await;
    stage.rest().await;
    assert_eq!(stage.world.carrier().accepted_to(MAYA).len(), 1);
    stage.finish().await;
}

pub(crate) async fn a_landline_gets_an_email(store: Store) {
    let stage = Stage::set(store).await;
    let customer = json!({"name": "Walter", "phone": "+12125550102", "line_type": "landline", "email": "walter@example.com"});
    let invoice = stage.invoice_of(&customer).await;
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    let link = stage.mailed_link(&invoice, 1).await;
    let email = stage.world.mailbox().emails_to("walter@example.com").remove(0);
    assert_eq!(email.shown_from, "Harbor Street Dental");
    assert!(email.html.as_deref().unwrap().contains(&link));
    assert!(email.message_id.is_some());
    stage.rest().await;
    assert!(stage.world.carrier().accepted().is_empty());
    stage.finish().await;
}

pub(crate) async fn a_customer_without_contact_is_put_on_the_attention_list(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(None, None).await;
    let receipt = stage.call(&invoice, "call 1", Intent::SendLink).await;
    assert_eq!(receipt.disposition(), Some("accepted"));
    stage
        .until("somebody is asked to look", async || {
            let list = stage.get("/v1/attention").await;
            list["data"]
                .as_array()
                .unwrap()
                .iter()
                .any(|item| item["kind"] == "needs_contact" && item["invoice_id"] == json!(invoice.id))
        })
        .await;
    stage.finish().await;
}

pub(crate) async fn voicemail_and_silence_send_nothing(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    for (call, reached) in
        [("call 1", Reached::Voicemail), ("call 2", Reached::NoAnswer), ("call 3", Reached::Busy)]
    {
        let event = stage.event(&invoice, call, Intent::SendLink).reached(reached);
        let receipt = stage.report(&event).await;
        assert_eq!((receipt.status, receipt.disposition()), (202, Some("ignored")), "{reached:?}");
    }
    stage.rest().await;
    assert!(stage.world.carrier().requests().is_empty());
    stage.finish().await;
}

pub(crate) async fn a_spoken_opt_out_stops_texts_and_calls(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    assert_eq!(stage.permission(&invoice).await.0, "allow");
    stage.call(&invoice, "call 1", Intent::OptOut).await;
    let (decision, reasons) = stage.permission(&invoice).await;
    assert_eq!((decision.as_str(), reasons.contains(&"opted_out".to_owned())), ("deny", true), "{reasons:?}");
    stage.try_post(&format!("/v1/invoices/{}/links", invoice.id), &json!({})).await;
    stage.rest().await;
    assert!(stage.world.carrier().accepted().is_empty());
    stage.finish().await;
}

pub(crate) async fn a_second_call_supersedes_the_first_link(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    let first = stage.texted_link(&invoice, 1).await;
    stage.call(&invoice, "call 2", Intent::SendLink).await;
    let texts = stage.world.carrier().wait_for_texts(MAYA, 2, PATIENCE).await.unwrap();
    let second = pay_link(&texts[1].body);
    assert_ne!(first, second);
    let mut customer = simulator::people::Customer::new().unwrap();
    assert_eq!(customer.open(&first).await.unwrap().status, 410);
    assert_eq!(customer.open(&second).await.unwrap().status, 200);
    stage.finish().await;
}
