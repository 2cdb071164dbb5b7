//! A hold and a payment of the same invoice.

use domain::hold::HoldReason;
use domain::id::HoldId;
use domain::job::{JobKind, Outbox};
use domain::payment::IntentStatus;

use super::house::{House, NOW, facts, invoice_id, new_payable};
use super::{jobs, run};
use crate::enrolment;
use crate::hold::{self, NewHold, Resolved};

async fn ask(house: &House) -> Outbox {
    let tx = house.db.begin().await.unwrap();
    let mut outbox = Outbox::default();
    let question = NewHold {
        merchant_id: new_payable().merchant_id,
        invoice_id: invoice_id(),
        reason: HoldReason::Question,
        source_ref: "question".to_owned(),
        words: Some("Why?".to_owned()),
        opened_by: "customer".to_owned(),
    };
    assert!(hold::open(&tx, question, NOW, &mut outbox).await.unwrap());
    tx.commit().await.unwrap();
    outbox
}

async fn answer(house: &House) {
    let id: HoldId = house.word("SELECT id AS word FROM holds").await.parse().unwrap();
    let merchant_id = new_payable().merchant_id;
    let tx = house.db.begin().await.unwrap();
    let mut outbox = Outbox::default();
    let resolved = hold::resolve(&tx, &merchant_id, &id, "merchant", None, NOW, &mut outbox).await.unwrap();
    assert_eq!(resolved, Resolved::Released);
    tx.commit().await.unwrap();
}

async fn stop(house: &House, reason: &str) -> Outbox {
    let tx = house.db.begin().await.unwrap();
    let mut outbox = Outbox::default();
    let merchant_id = new_payable().merchant_id;
    enrolment::pause_of_invoice(&tx, &merchant_id, &invoice_id(), reason, NOW, &mut outbox).await.unwrap();
    tx.commit().await.unwrap();
    outbox
}

async fn calls(house: &House) -> String {
    house.word("SELECT status || ' ' || COALESCE(pause_reason, '-') AS word FROM enrolments").await
}

#[tokio::test]
async fn calls_go_on_when_a_payment_fails_after_its_hold_was_resolved() {
    let house = House::new().await;
    let payable = house.payable("pi_1").await;
    ask(&house).await;
    run(&house, &payable, &facts("pi_1", IntentStatus::Processing)).await;
    assert_eq!(calls(&house).await, "paused question");
    answer(&house).await;
    assert_eq!(calls(&house).await, "paused payment_processing");
    run(&house, &payable, &facts("pi_1", IntentStatus::RequiresPaymentMethod)).await;
    assert_eq!(calls(&house).await, "active -");
}

#[tokio::test]
async fn a_stop_for_good_outlasts_the_hold_and_is_not_told_twice() {
    for reason in ["merchant", "opted_out", "wrong_number"] {
        let house = House::new().await;
        assert_eq!(jobs(&ask(&house).await), [JobKind::PauseCalls], "{reason}");
        assert_eq!(jobs(&stop(&house, reason).await), [], "{reason}");
        assert_eq!(calls(&house).await, format!("paused {reason}"));
        answer(&house).await;
        assert_eq!(calls(&house).await, format!("paused {reason}"));
    }
}

#[tokio::test]
async fn a_hold_calls_off_the_open_payment_where_the_merchant_takes_none_meanwhile() {
    let house = House::new().await;
    house.payable("pi_1").await;
    assert_eq!(jobs(&ask(&house).await), [JobKind::PauseCalls], "this merchant takes it");

    let house = House::new().await;
    house.change("UPDATE merchants SET payable_on_hold = FALSE").await;
    let payable = house.payable("pi_1").await;
    let outbox = ask(&house).await;
    assert_eq!(jobs(&outbox), [JobKind::PauseCalls, JobKind::CancelPayment]);
    assert_eq!(outbox.jobs[1].subject, payable.id.as_str());
}
