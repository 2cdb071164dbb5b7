//! Money from Stripe to the invoice, the receipt and the dialer, against the simulated world: every order of hints, every
//! lost answer, and what two jobs at once must not do. On SQLite always, on PostgreSQL when `POSTCALL_TEST_POSTGRES_URL`
//! names one.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and reads its own environment"
)]

mod advancing;
mod calls;
mod canceling;
mod ground;
mod house;
mod receipts;
mod reconciling;

macro_rules! on_every_store {
    ($($module:ident :: $story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $story() {
                super::$module::$story(super::house::Store::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test] async fn $story() {
                if super::house::Store::postgres_url().is_none() { return }
                super::$module::$story(super::house::Store::Postgres).await;
            })+
        }
    };
}

on_every_store!(
    advancing::hints_in_any_order_and_number_pay_once,
    advancing::a_hint_about_nothing_is_done_with,
    advancing::stripe_being_down_delays_the_truth_and_loses_nothing,
    advancing::a_bank_payment_is_processing_until_the_bank_has_spoken,
    calls::the_dialer_is_told_to_stop_and_to_go_on,
    calls::a_dialer_that_is_down_hears_what_holds_when_it_is_back,
    calls::a_stop_that_was_overtaken_on_its_way_does_not_win,
    calls::without_a_dialer_there_is_nobody_to_tell,
    calls::what_changed_about_one_invoice_is_told_about_no_other,
    canceling::a_payment_of_an_ended_link_dies_at_stripe,
    canceling::a_payment_that_is_on_its_way_stands,
    canceling::what_may_still_be_paid_lives,
    canceling::a_payable_that_stripe_never_heard_of_is_given_up,
    receipts::a_receipt_goes_by_email_where_there_is_an_address,
    receipts::with_nothing_but_a_number_it_goes_by_text,
    receipts::who_cannot_be_reached_gets_none_and_it_is_written_down,
    receipts::a_payment_has_one_receipt_however_often_it_is_asked_for,
    reconciling::a_payment_that_nobody_told_of_is_found,
    reconciling::a_payment_intent_whose_answer_was_lost_is_adopted,
    reconciling::a_payable_whose_create_never_arrived_is_given_up,
    reconciling::an_open_payment_that_nobody_called_off_is_called_off,
);
