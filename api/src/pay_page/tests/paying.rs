use simulator::people::{AtTheBank, Attempt, Card, Customer, Page};
use simulator::stripe::ConfirmOverride;

use super::house::House;

pub(super) async fn begin(customer: &mut Customer, page: &Page) -> String {
    customer.begin(page).await.unwrap().unwrap()
}

/// The code a press of Pay is refused with.
pub(super) async fn refusal(customer: &mut Customer, page: &Page) -> String {
    match customer.begin(page).await.unwrap() {
        Err(Attempt::Refused { code, .. }) => code,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn who_pays_sees_the_receipt_and_nobody_else_learns_anything() {
    let house = House::new().await;
    let mut customer = house.customer();
    let paid = customer.pay(&house.link, &Card::good()).await.unwrap();
    let Attempt::Paid(receipt) = paid else { panic!("not paid: {paid:?}") };
    assert!(receipt.body.contains("Paid, thank you") && receipt.body.contains("INV-1042"));
    assert!(receipt.body.contains("$123.45") && receipt.body.contains("4242"));
    assert_eq!(house.standing().await, "paid 12345 used succeeded");
    let again = customer.open(&house.link).await.unwrap();
    assert!(again.body.contains("Paid, thank you"));
    let stranger = house.customer().open(&house.link).await.unwrap();
    assert!(stranger.status == 200 && stranger.body.contains("This invoice is paid"));
    assert!(!stranger.body.contains("INV-1042") && !stranger.body.contains("123.45"));
    let payment = &house.world.stripe().payment_views()[0];
    assert_eq!(payment.application_fee_minor, Some(1_234));
    assert_eq!(payment.account.as_deref(), Some("acct_alder"));
    assert_eq!(house.count("jobs WHERE kind = 'send_receipt'").await, 1);
}

#[tokio::test]
async fn a_fee_of_nothing_is_left_out() {
    let house = House::new().await;
    house.change("UPDATE merchants SET fee_basis_points = 0").await;
    let paid = house.customer().pay(&house.link, &Card::good()).await.unwrap();
    assert!(matches!(paid, Attempt::Paid(_)));
    assert_eq!(house.world.stripe().payment_views()[0].application_fee_minor, None);
}

#[tokio::test]
async fn two_tabs_that_press_pay_at_once_share_one_payment() {
    let house = House::new().await;
    let (mut one, mut other) = (house.customer(), house.customer());
    let page = one.open(&house.link).await.unwrap();
    let (first, second) = tokio::join!(one.begin(&page), other.begin(&page));
    let secrets = [first.unwrap().unwrap(), second.unwrap().unwrap()];
    assert_eq!(secrets[0], secrets[1]);
    let card = Card::good();
    let (first, second) =
        tokio::join!(one.confirm(&page, &secrets[0], &card), other.confirm(&page, &secrets[1], &card));
    assert_eq!([first.unwrap().is_ok(), second.unwrap().is_ok()].iter().filter(|paid| **paid).count(), 1);
    let (first, second) = tokio::join!(one.report(&page), other.report(&page));
    assert_eq!((first.unwrap().as_str(), second.unwrap().as_str()), ("succeeded", "succeeded"));
    assert_eq!(house.standing().await, "paid 12345 used succeeded");
    assert_eq!((house.intents(), house.charges(), house.count("payments").await), (1, 1, 1));
    assert_eq!(house.count("jobs WHERE kind = 'send_receipt'").await, 1);
    assert_eq!(house.count("payables WHERE payer_hash IS NULL").await, 1, "these were two browsers");
    assert_eq!(refusal(&mut one, &page).await, "already_paid");
}

#[tokio::test]
async fn where_two_browsers_may_pay_neither_is_shown_the_others_receipt() {
    let house = House::new().await;
    let (mut one, mut other) = (house.customer(), house.customer());
    let page = one.open(&house.link).await.unwrap();
    let secret = begin(&mut one, &page).await;
    let in_another_tab = begin(&mut one, &page).await;
    assert_eq!(house.count("payables WHERE payer_hash IS NOT NULL").await, 1, "a tab is the same browser");
    begin(&mut other, &page).await;
    begin(&mut one, &page).await;
    assert_eq!((house.count("payables WHERE payer_hash IS NULL").await, &in_another_tab), (1, &secret));
    one.confirm(&page, &secret, &Card::good()).await.unwrap().unwrap();
    assert_eq!(other.report(&page).await.unwrap(), "succeeded");
    for browser in [&mut one, &mut other] {
        let after = browser.open(&house.link).await.unwrap();
        assert!(after.body.contains("This invoice is paid") && !after.body.contains("INV-1042"));
    }
    assert_eq!(house.count("jobs WHERE kind = 'send_receipt'").await, 1, "by email as ever");
}

#[tokio::test]
async fn an_amount_that_changed_since_the_page_was_shown_is_never_charged() {
    let house = House::new().await;
    let mut customer = house.customer();
    let page = customer.open(&house.link).await.unwrap();
    let secret = begin(&mut customer, &page).await;
    house.change("UPDATE invoices SET total_minor = 20000, revision = 2").await;
    assert_eq!(refusal(&mut customer, &page).await, "amount_changed");
    let anew = customer.open(&house.link).await.unwrap();
    assert_eq!(anew.pay_config().unwrap().amount_minor, 20_000);
    let paid = customer.pay_on(&anew, &Card::good(), AtTheBank::Complete).await.unwrap();
    assert!(matches!(paid, Attempt::Paid(_)));
    assert_eq!(house.standing().await, "paid 20000 used canceled+succeeded");
    let late = customer.confirm(&page, &secret, &Card::good()).await.unwrap();
    assert!(late.is_err(), "the older PaymentIntent is dead");
    assert_eq!(house.charges(), 1);
}

#[tokio::test]
async fn a_payment_that_is_on_its_way_beats_a_change_of_the_amount() {
    let house = House::new().await;
    let mut customer = house.customer();
    let page = customer.open(&house.link).await.unwrap();
    let secret = begin(&mut customer, &page).await;
    house.world.stripe().override_next_confirm(ConfirmOverride::Process);
    customer.confirm(&page, &secret, &Card::good()).await.unwrap().unwrap();
    house.change("UPDATE invoices SET total_minor = 20000, revision = 2").await;
    let anew = customer.open(&house.link).await.unwrap();
    assert_eq!(refusal(&mut customer, &anew).await, "payment_processing");
    assert_eq!(house.standing().await, "payment_processing 0 sent processing");
    let waiting = customer.open(&house.link).await.unwrap();
    assert!(waiting.pay_config().is_err() && waiting.body.contains("Payment in progress"));
    assert!(waiting.body.contains("INV-1042"), "it pays here");
    let stranger = house.customer().open(&house.link).await.unwrap();
    assert!(!stranger.body.contains("INV-1042"));
}

#[tokio::test]
async fn a_declined_card_says_so_and_another_pays_the_same_payment_intent() {
    let house = House::new().await;
    let mut customer = house.customer();
    let page = customer.open(&house.link).await.unwrap();
    let declined = customer.pay_on(&page, &Card::declined(), AtTheBank::Complete).await.unwrap();
    assert!(
        matches!(declined, Attempt::Declined { ref code, .. } if code == "card_declined"),
        "{declined:?}"
    );
    assert_eq!(house.standing().await, "open 0 sent open");
    let refused = customer.pay_on(&page, &Card::checked_by_bank(), AtTheBank::Fail).await.unwrap();
    assert!(matches!(refused, Attempt::Declined { .. }), "{refused:?}");
    let paid = customer.pay_on(&page, &Card::checked_by_bank(), AtTheBank::Complete).await.unwrap();
    assert!(matches!(paid, Attempt::Paid(_)), "{paid:?}");
    assert_eq!((house.intents(), house.charges()), (1, 1));
}

#[tokio::test]
async fn a_payment_intent_canceled_at_stripe_gets_a_successor() {
    let house = House::new().await;
    let mut customer = house.customer();
    let page = customer.open(&house.link).await.unwrap();
    let secret = begin(&mut customer, &page).await;
    let id = secret.split("_secret_").next().unwrap();
    house.api.stripe.cancel_payment_intent("acct_alder", id, "by-hand").await.unwrap();
    let paid = customer.pay_on(&page, &Card::good(), AtTheBank::Complete).await.unwrap();
    assert!(matches!(paid, Attempt::Paid(_)), "{paid:?}");
    assert_eq!(house.standing().await, "paid 12345 used canceled+succeeded");
    assert_eq!((house.intents(), house.charges()), (2, 1));
}

#[tokio::test]
async fn a_press_after_the_payment_brings_it_into_the_books() {
    let house = House::new().await;
    let mut customer = house.customer();
    let page = customer.open(&house.link).await.unwrap();
    let secret = begin(&mut customer, &page).await;
    customer.confirm(&page, &secret, &Card::good()).await.unwrap().unwrap();
    assert_eq!(house.standing().await, "open 0 sent open", "nobody has told us");
    assert_eq!(refusal(&mut customer, &page).await, "already_paid");
    assert_eq!(house.standing().await, "paid 12345 used succeeded");
}

#[tokio::test]
async fn a_dead_link_takes_no_payment_and_asks_stripe_nothing() {
    let house = House::new().await;
    let mut customer = house.customer();
    let page = customer.open(&house.link).await.unwrap();
    for (status, code) in [
        ("superseded", "link_dead"),
        ("revoked", "link_dead"),
        ("expired", "link_dead"),
        ("used", "already_paid"),
    ] {
        house.change(&format!("UPDATE links SET status = '{status}'")).await;
        assert_eq!(refusal(&mut customer, &page).await, code, "{status}");
    }
    house.change("UPDATE links SET status = 'sent'").await;
    for (status, code) in [
        ("canceled", "invoice_closed"),
        ("paid", "already_paid"),
        ("payment_processing", "payment_processing"),
    ] {
        house.change(&format!("UPDATE invoices SET status = '{status}'")).await;
        assert_eq!(refusal(&mut customer, &page).await, code, "{status}");
    }
    house.change("UPDATE invoices SET status = 'open', total_minor = 49").await;
    let small = customer.open(&house.link).await.unwrap();
    assert_eq!(refusal(&mut customer, &small).await, "not_chargeable");
    assert_eq!((house.count("payables").await, house.intents()), (0, 0));
}
