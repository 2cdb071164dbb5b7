//! Where Stripe and our books disagree: nothing is lost, and a person is told.

use domain::payment::IntentStatus;

use super::house::{House, facts};
use super::run;
use crate::payable::{Advanced, IntentFacts};

#[tokio::test]
async fn a_payable_that_was_given_up_does_not_come_back_beside_its_successor() {
    let house = House::new().await;
    let payable = house.payable("pi_1").await;
    run(&house, &payable, &facts("pi_1", IntentStatus::Canceled)).await;
    house.payable("pi_2").await;
    let (advanced, _) = run(&house, &payable, &facts("pi_1", IntentStatus::Processing)).await;
    assert_eq!(advanced, Advanced::Conflict);
    assert_eq!(house.standing().await, "canceled+open open 0 sent active -");
    assert_eq!(house.word("SELECT kind AS word FROM attention_items").await, "payment_conflict");
}

#[tokio::test]
async fn a_second_payment_of_a_paid_invoice_is_kept_and_shown_to_a_person() {
    let house = House::new().await;
    let first = house.payable("pi_1").await;
    run(&house, &first, &facts("pi_1", IntentStatus::Canceled)).await;
    let second = house.payable("pi_2").await;
    run(&house, &second, &facts("pi_2", IntentStatus::Succeeded)).await;
    run(&house, &first, &facts("pi_1", IntentStatus::Succeeded)).await;
    assert_eq!(house.standing().await, "succeeded+succeeded paid 12500 used ended succeeded+succeeded");
    assert_eq!(house.word("SELECT subject AS word FROM attention_items").await, "pi_1");
}

#[tokio::test]
async fn an_amount_that_differs_is_booked_as_it_came_and_shown_to_a_person() {
    let house = House::new().await;
    let payable = house.payable("pi_1").await;
    let intent = IntentFacts { received_minor: 500, ..facts("pi_1", IntentStatus::Succeeded) };
    run(&house, &payable, &intent).await;
    assert_eq!(house.standing().await, "succeeded partially_paid 500 sent active succeeded");
    assert_eq!(house.word("SELECT kind AS word FROM attention_items").await, "payment_conflict");
}

#[tokio::test]
async fn another_payment_intent_or_currency_never_moves_a_payable() {
    let house = House::new().await;
    let payable = house.payable("pi_1").await;
    let stray = facts("pi_9", IntentStatus::Succeeded);
    assert_eq!(run(&house, &payable, &stray).await.0, Advanced::Conflict);
    let euros = IntentFacts { currency: "EUR".to_owned(), ..facts("pi_1", IntentStatus::Succeeded) };
    assert_eq!(run(&house, &payable, &euros).await.0, Advanced::Conflict);
    let unpaid_stray = facts("pi_8", IntentStatus::RequiresAction);
    assert_eq!(run(&house, &payable, &unpaid_stray).await.0, Advanced::Conflict);
    assert_eq!(house.standing().await, "open open 0 sent active -");
    assert_eq!(house.count("attention_items").await, 2);
}
