#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conflicts;
mod holds;
mod house;

use domain::job::{JobKind, Outbox};
use domain::payment::IntentStatus;

use super::{Advanced, IntentFacts, Model, advance};
use house::{House, NOW, OWED_MINOR, facts, invoice_id, new_payable};

async fn run(house: &House, payable: &Model, intent: &IntentFacts) -> (Advanced, Outbox) {
    let tx = house.db.begin().await.unwrap();
    let mut outbox = Outbox::default();
    let advanced = advance(&tx, payable, intent, NOW, &mut outbox).await.unwrap();
    tx.commit().await.unwrap();
    (advanced, outbox)
}

fn jobs(outbox: &Outbox) -> Vec<JobKind> {
    outbox.jobs.iter().map(|job| job.kind).collect()
}

#[tokio::test]
async fn a_payment_pays_the_invoice_uses_the_link_and_ends_the_calls() {
    let house = House::new().await;
    let payable = house.payable("pi_1").await;
    let (advanced, outbox) = run(&house, &payable, &facts("pi_1", IntentStatus::Succeeded)).await;
    assert_eq!(advanced, Advanced::Succeeded);
    assert_eq!(house.standing().await, "succeeded paid 12500 used ended succeeded");
    assert_eq!(jobs(&outbox), [JobKind::PauseCalls, JobKind::SendReceipt]);
    assert_eq!(house.count("attention_items").await, 0);
}

#[tokio::test]
async fn saying_the_same_again_changes_nothing() {
    let house = House::new().await;
    let payable = house.payable("pi_1").await;
    for status in [IntentStatus::Processing, IntentStatus::Succeeded] {
        run(&house, &payable, &facts("pi_1", status)).await;
        let (before, entries) = (house.standing().await, house.count("timeline").await);
        let (advanced, outbox) = run(&house, &payable, &facts("pi_1", status)).await;
        assert_eq!(advanced, Advanced::Unchanged, "{status}");
        assert!(outbox.jobs.is_empty() && outbox.changes.is_empty(), "{status}");
        assert_eq!((house.standing().await, house.count("timeline").await), (before, entries), "{status}");
    }
}

#[tokio::test]
async fn every_order_of_reports_ends_paid_once() {
    use IntentStatus::{Processing, RequiresPaymentMethod, Succeeded};
    let orders = [
        vec![Succeeded, Processing],
        vec![Processing, Succeeded, RequiresPaymentMethod],
        vec![RequiresPaymentMethod, Succeeded],
        vec![Processing, RequiresPaymentMethod, Processing, Succeeded, Succeeded],
        vec![Succeeded, RequiresPaymentMethod, Processing, Succeeded],
    ];
    for order in orders {
        let house = House::new().await;
        let payable = house.payable("pi_1").await;
        let mut receipts = 0;
        for status in &order {
            let (_, outbox) = run(&house, &payable, &facts("pi_1", *status)).await;
            receipts += jobs(&outbox).iter().filter(|kind| **kind == JobKind::SendReceipt).count();
        }
        assert_eq!(house.standing().await, "succeeded paid 12500 used ended succeeded", "{order:?}");
        assert_eq!(receipts, 1, "{order:?}");
        assert_eq!(house.count("payments").await, 1, "{order:?}");
        assert_eq!(house.count("attention_items").await, 0, "{order:?}");
    }
}

#[tokio::test]
async fn a_bank_payment_stops_the_calls_while_it_is_on_its_way_and_lets_them_go_on_when_it_fails() {
    let house = House::new().await;
    let payable = house.payable("pi_1").await;
    run(&house, &payable, &facts("pi_1", IntentStatus::Processing)).await;
    assert_eq!(house.standing().await, "processing payment_processing 0 sent paused processing");
    let (advanced, outbox) = run(&house, &payable, &facts("pi_1", IntentStatus::RequiresPaymentMethod)).await;
    assert_eq!(advanced, Advanced::FailedBack);
    assert_eq!(house.standing().await, "open open 0 sent active failed");
    assert_eq!(jobs(&outbox), [JobKind::ResumeCalls, JobKind::CancelPayment]);
}

#[tokio::test]
async fn calls_that_stopped_for_another_reason_stay_stopped_when_a_payment_fails() {
    let house = House::new().await;
    let payable = house.payable("pi_1").await;
    run(&house, &payable, &facts("pi_1", IntentStatus::Processing)).await;
    house.change("UPDATE invoices SET on_hold = TRUE").await;
    run(&house, &payable, &facts("pi_1", IntentStatus::RequiresPaymentMethod)).await;
    assert_eq!(house.standing().await, "open open 0 sent paused failed");

    let house = House::new().await;
    let payable = house.payable("pi_1").await;
    house.change("UPDATE enrolments SET status = 'paused', pause_reason = 'opted_out'").await;
    run(&house, &payable, &facts("pi_1", IntentStatus::Processing)).await;
    run(&house, &payable, &facts("pi_1", IntentStatus::RequiresPaymentMethod)).await;
    assert_eq!(house.standing().await, "open open 0 sent paused failed");
}

#[tokio::test]
async fn a_payment_confirmed_in_time_wins_over_a_link_that_was_written_down_as_expired() {
    let house = House::new().await;
    let payable = house.payable("pi_1").await;
    house.change("UPDATE links SET status = 'expired', ended_at_ms = 5").await;
    run(&house, &payable, &facts("pi_1", IntentStatus::Succeeded)).await;
    assert_eq!(house.standing().await, "succeeded paid 12500 used ended succeeded");
}

#[tokio::test]
async fn a_superseded_link_is_not_the_one_that_was_used() {
    let house = House::new().await;
    let payable = house.payable("pi_1").await;
    house.change("UPDATE links SET status = 'superseded', ended_at_ms = 1").await;
    run(&house, &payable, &facts("pi_1", IntentStatus::Succeeded)).await;
    assert_eq!(house.standing().await, "succeeded paid 12500 superseded ended succeeded");
}

#[tokio::test]
async fn a_canceled_payment_intent_makes_room_for_a_successor() {
    let house = House::new().await;
    let payable = house.payable("pi_1").await;
    let tx = house.db.begin().await.unwrap();
    assert_eq!(super::open(&tx, &new_payable(), NOW).await.unwrap(), None);
    tx.commit().await.unwrap();
    let (advanced, outbox) = run(&house, &payable, &facts("pi_1", IntentStatus::Canceled)).await;
    assert_eq!((advanced, outbox.jobs.len()), (Advanced::Canceled, 0));
    let successor = house.payable("pi_2").await;
    assert_eq!(house.standing().await, "canceled+open open 0 sent active -");

    // Money beats bookkeeping: the first was paid after all, so the second must die.
    let (advanced, outbox) = run(&house, &payable, &facts("pi_1", IntentStatus::Succeeded)).await;
    assert_eq!(advanced, Advanced::Succeeded);
    assert!(
        outbox
            .jobs
            .iter()
            .any(|job| job.kind == JobKind::CancelPayment && job.subject == successor.id.as_str())
    );
}

#[tokio::test]
async fn a_lost_answer_is_made_good_by_the_first_fetch() {
    let house = House::new().await;
    let tx = house.db.begin().await.unwrap();
    let payable = super::open(&tx, &new_payable(), NOW).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    run(&house, &payable, &facts("pi_1", IntentStatus::RequiresPaymentMethod)).await;
    assert_eq!(house.word("SELECT payment_intent_id AS word FROM payables").await, "pi_1");
    let tx = house.db.begin().await.unwrap();
    assert!(!super::abandon(&tx, &payable.id, NOW).await.unwrap(), "it has a PaymentIntent now");
}

#[tokio::test]
async fn the_browser_that_paid_cannot_be_replaced() {
    let house = House::new().await;
    let tx = house.db.begin().await.unwrap();
    let payable = super::open(&tx, &new_payable(), NOW).await.unwrap().unwrap();
    assert!(super::set_payer(&tx, &payable.id, "second").await.unwrap(), "nobody can have paid yet");
    assert!(super::bind_intent(&tx, &payable.id, "pi_1").await.unwrap());
    assert!(super::set_payer(&tx, &payable.id, "second").await.unwrap(), "the same browser again");
    tx.commit().await.unwrap();
    run(&house, &payable, &facts("pi_1", IntentStatus::Succeeded)).await;
    let tx = house.db.begin().await.unwrap();
    assert!(!super::set_payer(&tx, &payable.id, "third").await.unwrap());
    tx.commit().await.unwrap();
    let made = crate::payment::made_by(&house.db.read, &invoice_id(), "second").await.unwrap().unwrap();
    assert_eq!((made.amount_minor, made.last4.as_deref()), (OWED_MINOR, Some("4242")));
    assert_eq!(crate::payment::made_by(&house.db.read, &invoice_id(), "third").await.unwrap(), None);
}

#[tokio::test]
async fn two_browsers_that_may_both_pay_leave_nobody_the_payer() {
    let house = House::new().await;
    let payable = house.payable("pi_1").await;
    let tx = house.db.begin().await.unwrap();
    for pressed in ["second", "payer", "payer"] {
        super::set_payer(&tx, &payable.id, pressed).await.unwrap();
        let now_is = super::by_id(&tx, &payable.id).await.unwrap().unwrap();
        assert_eq!(now_is.payer_hash, None, "{pressed}");
    }
}

#[tokio::test]
async fn what_nobody_looked_at_is_found_and_what_was_looked_at_is_not() {
    let house = House::new().await;
    let payable = house.payable("pi_1").await;
    let later = super::Unchecked { open_before: NOW.plus_ms(1), processing_before: NOW, limit: 10 };
    let found = super::unchecked(&house.db.read, later).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&payable));
    let tx = house.db.begin().await.unwrap();
    super::mark_checked(&tx, std::slice::from_ref(&payable.id.as_str()), NOW.plus_ms(5)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(super::unchecked(&house.db.read, later).await.unwrap().is_empty());
}
