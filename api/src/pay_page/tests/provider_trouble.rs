use gateways::stripe::StripeError;
use simulator::people::{AtTheBank, Attempt, Card};
use simulator::{Fault, FaultRule};

use super::house::House;
use super::paying::{begin, refusal};

const CREATE: &str = "POST /v1/payment_intents";

#[tokio::test]
async fn a_lost_answer_to_a_create_makes_no_second_payment_intent() {
    let lost = [
        Fault::DropAfter,
        Fault::Html { status: 200 },
        Fault::Truncate { bytes: 200 },
        Fault::FailAfter { status: 500 },
    ];
    for fault in lost {
        let house = House::new().await;
        let mut customer = house.customer();
        let page = customer.open(&house.link).await.unwrap();
        house.world.stripe().fault(FaultRule::once(fault.clone()).matching(CREATE));
        // What failed for good is looked for and found at once; what may be repeated is repeated by the next press.
        if customer.begin(&page).await.unwrap().is_err() {
            begin(&mut customer, &page).await;
        }
        let paid = customer.pay_on(&page, &Card::good(), AtTheBank::Complete).await.unwrap();
        assert!(matches!(paid, Attempt::Paid(_)), "{fault:?}: {paid:?}");
        assert_eq!((house.intents(), house.charges()), (1, 1), "{fault:?}");
        assert_eq!(house.standing().await, "paid 12345 used succeeded", "{fault:?}");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_is_told_and_the_next_press_pays() {
    for fault in [
        Fault::Refuse { status: 503, retry_after_s: None },
        Fault::Refuse { status: 429, retry_after_s: None },
        Fault::DropBefore,
    ] {
        let house = House::new().await;
        let mut customer = house.customer();
        let page = customer.open(&house.link).await.unwrap();
        house.world.stripe().fault(FaultRule::once(fault.clone()).matching(CREATE));
        assert_eq!(refusal(&mut customer, &page).await, "payment_provider_unavailable", "{fault:?}");
        let paid = customer.pay_on(&page, &Card::good(), AtTheBank::Complete).await.unwrap();
        assert!(matches!(paid, Attempt::Paid(_)), "{fault:?}: {paid:?}");
        assert_eq!((house.intents(), house.charges()), (1, 1), "{fault:?}");
    }
}

#[tokio::test]
async fn a_result_is_asked_of_stripe_and_never_believed() {
    let house = House::new().await;
    let mut customer = house.customer();
    let page = customer.open(&house.link).await.unwrap();
    assert_eq!(customer.report(&page).await.unwrap(), "requires_payment_method");
    let secret = begin(&mut customer, &page).await;
    assert_eq!(customer.report(&page).await.unwrap(), "requires_payment_method");
    customer.confirm(&page, &secret, &Card::good()).await.unwrap().unwrap();
    house.world.stripe().fault(FaultRule::once(Fault::DropBefore).matching("GET /v1/payment_intents"));
    assert!(customer.report(&page).await.is_err(), "Stripe could not be asked");
    assert_eq!(house.standing().await, "open 0 sent open");
    assert_eq!(customer.report(&page).await.unwrap(), "succeeded");
    assert_eq!(customer.report(&page).await.unwrap(), "succeeded");
    assert_eq!(house.standing().await, "paid 12345 used succeeded");
}

#[tokio::test]
async fn the_error_of_a_key_that_stripe_does_not_take_is_not_told_to_the_customer() {
    let house = House::new().await;
    let refused = house.api.stripe.retrieve_payment_intent("acct_alder", "pi_none").await;
    assert!(matches!(refused, Err(StripeError::Rejected { .. })));
    house.change("UPDATE merchants SET stripe_account = 'not an account'").await;
    let mut customer = house.customer();
    let page = customer.open(&house.link).await.unwrap();
    assert_eq!(refusal(&mut customer, &page).await, "payment_provider_unavailable");
}
