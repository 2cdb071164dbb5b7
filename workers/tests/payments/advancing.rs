use domain::job::JobKind;
use simulator::stripe::ConfirmOverride;
use simulator::{Fault, FaultRule};

use crate::house::{House, Store};

/// Payable, invoice, link and enrolment, in one line.
pub(crate) const STANDING: &str = "SELECT payables.status || ' ' || invoices.status || ' ' || links.status || ' ' || enrolments.status \
     AS cell FROM payables JOIN invoices ON invoices.id = payables.invoice_id JOIN links ON links.invoice_id = invoices.id \
     JOIN enrolments ON enrolments.invoice_id = invoices.id";

#[derive(Clone, Copy, Debug)]
enum Step {
    /// An event of Stripe's arrives.
    Hint(&'static str),
    /// The page asks for the result.
    Page,
    Confirm,
}

pub(crate) async fn hints_in_any_order_and_number_pay_once(store: Store) {
    use Step::{Confirm, Hint, Page};
    let orders: [&[Step]; 6] = [
        &[Confirm, Hint("evt_1"), Page],
        &[Confirm, Page, Hint("evt_1")],
        &[Confirm, Page],
        &[Confirm, Hint("evt_1")],
        &[Confirm, Hint("evt_1"), Hint("evt_2"), Hint("evt_1"), Page, Page],
        &[Hint("evt_1"), Page, Confirm, Page, Hint("evt_2")],
    ];
    for order in orders {
        let house = House::at_work(store).await;
        let (payable, intent_id) = house.pressed_pay().await;
        for step in order {
            match step {
                Confirm => house.confirm(&intent_id).await,
                Page => house.page_asks(&payable, &intent_id).await,
                Hint(event) => house.enqueue(JobKind::AdvancePayment, payable.id.as_str(), event).await,
            }
        }
        house.until(STANDING, &["succeeded paid used ended"]).await;
        house.until_idle().await;
        house.until("SELECT status AS cell FROM payments", &["succeeded"]).await;
        house.until("SELECT status AS cell FROM messages", &["sent"]).await;
        assert_eq!(house.said(), 1, "one receipt: {order:?}");
        house.until("SELECT kind AS cell FROM attention_items", &[]).await;
    }
}

pub(crate) async fn a_hint_about_nothing_is_done_with(store: Store) {
    let house = House::at_work(store).await;
    let unmade = house.unmade().await;
    house.enqueue(JobKind::AdvancePayment, unmade.id.as_str(), "evt_1").await;
    house.enqueue(JobKind::AdvancePayment, "pbl_00000000000000000000000009", "evt_2").await;
    let done = "SELECT status AS cell FROM jobs WHERE kind = 'advance_payment'";
    house.until(done, &["done", "done"]).await;
    house.until(STANDING, &["open open sent active"]).await;
}

pub(crate) async fn stripe_being_down_delays_the_truth_and_loses_nothing(store: Store) {
    let house = House::at_work(store).await;
    let (payable, intent_id) = house.pressed_pay().await;
    house.confirm(&intent_id).await;
    let rule = FaultRule::times(Fault::Refuse { status: 503, retry_after_s: None }, 1);
    house.world.stripe().fault(rule.matching("GET /v1/payment_intents"));
    house.enqueue(JobKind::AdvancePayment, payable.id.as_str(), "evt_1").await;
    house
        .until("SELECT CAST(attempts AS TEXT) AS cell FROM jobs WHERE kind = 'advance_payment'", &["1"])
        .await;
    house.until(STANDING, &["open open sent active"]).await;
    house.clock.advance_ms(60_000);
    house.until(STANDING, &["succeeded paid used ended"]).await;
}

pub(crate) async fn a_bank_payment_is_processing_until_the_bank_has_spoken(store: Store) {
    for (paid, expected) in [(true, "succeeded paid used ended"), (false, "open open sent active")] {
        let house = House::at_work(store).await;
        let (payable, intent_id) = house.pressed_pay().await;
        house.world.stripe().override_next_confirm(ConfirmOverride::Process);
        house.confirm(&intent_id).await;
        house.enqueue(JobKind::AdvancePayment, payable.id.as_str(), "evt_1").await;
        house.until(STANDING, &["processing payment_processing sent paused"]).await;
        house.world.stripe().settle(&intent_id, paid).unwrap();
        house.enqueue(JobKind::AdvancePayment, payable.id.as_str(), "evt_2").await;
        house.until(STANDING, &[expected]).await;
        house.until_idle().await;
        assert_eq!(house.said(), usize::from(paid), "a receipt only for money");
        let paused = house.world.dialer().enrolment_is_paused("enr_00000000000000000000000001");
        assert_eq!(paused, Some(paid));
    }
}
