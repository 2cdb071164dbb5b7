//! A question stops the calls at once, and only about that invoice.

use domain::time::MINUTE_MS;
use serde_json::json;
use simulator::call::Intent;
use simulator::dialer::CommandKind;
use simulator::people::Customer;
use simulator::{Fault, FaultRule};

use crate::stage::{PATIENCE, Stage, Store};

const MAYA: &str = "+14155550101";

pub(crate) async fn a_question_stops_the_calls_about_that_invoice_only(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    let other = stage.invoice(Some("+14155550102"), None).await;
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    let link = stage.texted_link(&invoice, 1).await;
    let mut customer = Customer::new().unwrap();
    let empty = customer.ask_question(&link, "  \n ").await.unwrap();
    assert_eq!(empty.status, 422);
    assert_eq!(stage.permission(&invoice).await.0, "allow");
    let thanks = customer.ask_question(&link, "Was this not paid in September?").await.unwrap();
    assert_eq!(thanks.status, 201);
    let (decision, reasons) = stage.permission(&invoice).await;
    assert_eq!((decision.as_str(), reasons.contains(&"on_hold".to_owned())), ("deny", true), "{reasons:?}");
    assert_eq!(stage.permission(&other).await.0, "allow");
    stage.world.dialer().wait_for_command(CommandKind::Pause, &invoice.id, PATIENCE).await.unwrap();
    // Asked twice by an impatient thumb, it is one question.
    customer.ask_question(&link, "Was this not paid in September?").await.unwrap();
    let holds = stage.get(&format!("/v1/holds?invoice_id={}", invoice.id)).await;
    assert_eq!(holds["data"].as_array().unwrap().len(), 1, "{holds}");
    // It stays payable meanwhile.
    assert!(customer.open(&link).await.unwrap().pay_config().is_ok());
    let hold = holds["data"][0]["id"].as_str().unwrap();
    stage.post(&format!("/v1/holds/{hold}/resolve"), &json!({"note": "explained"})).await;
    stage.world.dialer().wait_for_command(CommandKind::Resume, &invoice.id, PATIENCE).await.unwrap();
    assert_eq!(stage.permission(&invoice).await.0, "allow");
    // The same question again after it was answered is a new one.
    let again = customer.ask_question(&link, "Was this not paid in September?").await.unwrap();
    assert_eq!(again.status, 201);
    assert_eq!(stage.permission(&invoice).await.0, "deny", "a question asked again stops the calls again");
    stage.rest().await;
    assert!(stage.world.dialer().obeyed().iter().all(|command| command.invoice_id == invoice.id));
    stage.finish().await;
}

pub(crate) async fn the_dialer_is_told_until_it_acknowledges(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    let link = stage.texted_link(&invoice, 1).await;
    stage.world.dialer().fault(FaultRule::times(Fault::Refuse { status: 503, retry_after_s: None }, 4));
    Customer::new().unwrap().ask_question(&link, "Why so much?").await.unwrap();
    assert_eq!(stage.permission(&invoice).await.0, "deny", "the permission does not wait for the dialer");
    for _ in 0..60 {
        if stage.world.dialer().is_paused(&invoice.id) {
            break;
        }
        stage.rest().await;
        stage.clock.advance_ms(MINUTE_MS);
        stage.until("the ledger has looked", async || {
            let due = format!("SELECT id AS text FROM jobs WHERE kind = 'pause_calls' AND status = 'waiting' AND due_at_ms <= {}", stage.clock.now().millis());
            stage.texts_of(&due).await.is_empty()
        }).await;
    }
    assert!(stage.world.dialer().is_paused(&invoice.id));
    stage.until("the acknowledgement is kept", async || {
        stage.texts_of("SELECT id AS text FROM enrolments WHERE acknowledged_revision = told_revision AND told_revision > 0").await.len() == 1
    }).await;
    stage.finish().await;
}

pub(crate) async fn resolving_a_question_does_not_undo_a_stop_for_another_reason(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    let link = stage.texted_link(&invoice, 1).await;
    Customer::new().unwrap().ask_question(&link, "Whose invoice is this?").await.unwrap();
    stage.call(&invoice, "call 2", Intent::WrongNumber).await;
    let holds = stage.get(&format!("/v1/holds?invoice_id={}", invoice.id)).await;
    let hold = holds["data"][0]["id"].as_str().unwrap();
    stage.post(&format!("/v1/holds/{hold}/resolve"), &json!({})).await;
    stage.rest().await;
    let (decision, reasons) = stage.permission(&invoice).await;
    assert_eq!(decision, "deny", "{reasons:?}");
    assert_eq!(stage.texts_of("SELECT pause_reason AS text FROM enrolments").await, ["wrong_number"]);
    stage.finish().await;
}
