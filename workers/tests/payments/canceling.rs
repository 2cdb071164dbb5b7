use domain::job::JobKind;
use simulator::stripe::{ConfirmOverride, IntentStatus};

use crate::house::{House, Store};

const PAYABLES: &str = "SELECT status AS cell FROM payables";
const DONE: &str = "SELECT status AS cell FROM jobs WHERE kind = 'cancel_payment'";

fn at_stripe(house: &House) -> IntentStatus {
    house.world.stripe().payment_views()[0].status
}

pub(crate) async fn a_payment_of_an_ended_link_dies_at_stripe(store: Store) {
    let ends = [
        "UPDATE links SET status = 'expired'",
        "UPDATE links SET expires_at_ms = 1",
        "UPDATE links SET status = 'revoked'",
        "UPDATE invoices SET revision = 2",
        "UPDATE invoices SET total_minor = 9900",
        "UPDATE invoices SET status = 'canceled'",
    ];
    for end in ends {
        let house = House::new(store).await;
        let (payable, _) = house.pressed_pay().await;
        house.change(end).await;
        house.enqueue(JobKind::CancelPayment, payable.id.as_str(), "end").await;
        house.start();
        house.until(PAYABLES, &["canceled"]).await;
        house
            .until(
                "SELECT status AS cell FROM jobs WHERE kind = 'cancel_payment' AND unique_key = 'end'",
                &["done"],
            )
            .await;
        assert_eq!(at_stripe(&house), IntentStatus::Canceled, "{end}");
    }
}

pub(crate) async fn a_payment_that_is_on_its_way_stands(store: Store) {
    for (processing, expected) in [(true, "processing"), (false, "succeeded")] {
        let house = House::new(store).await;
        let (payable, intent_id) = house.pressed_pay().await;
        if processing {
            house.world.stripe().override_next_confirm(ConfirmOverride::Process);
        }
        house.confirm(&intent_id).await;
        house.change("UPDATE links SET status = 'expired'").await;
        house.enqueue(JobKind::CancelPayment, payable.id.as_str(), "end").await;
        house.start();
        house.until(PAYABLES, &[expected]).await;
        house.until(DONE, &["done"]).await;
        house.until("SELECT status AS cell FROM payments", &[expected]).await;
    }
}

pub(crate) async fn what_may_still_be_paid_lives(store: Store) {
    let house = House::at_work(store).await;
    let (payable, _) = house.pressed_pay().await;
    house.enqueue(JobKind::CancelPayment, payable.id.as_str(), "end").await;
    house.until(DONE, &["done"]).await;
    house.until(PAYABLES, &["open"]).await;
    assert_eq!(at_stripe(&house), IntentStatus::RequiresPaymentMethod);
}

pub(crate) async fn a_payable_that_stripe_never_heard_of_is_given_up(store: Store) {
    let house = House::at_work(store).await;
    let payable = house.unmade().await;
    house.change("UPDATE links SET status = 'revoked'").await;
    house.enqueue(JobKind::CancelPayment, payable.id.as_str(), "end").await;
    house.until(PAYABLES, &["canceled"]).await;
    house.until(DONE, &["done"]).await;
    assert!(house.world.stripe().payment_views().is_empty());
}
