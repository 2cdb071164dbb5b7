//! The whole product over the real wire: HTTP and SMTP in, HTTP and SMTP out, on SQLite always and on PostgreSQL with
//! Redis when `POSTCALL_TEST_POSTGRES_URL` and `POSTCALL_TEST_REDIS_URL` name them. The judges are the journals of the
//! outside world, not our database.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test fails by panicking and reads its own environment"
)]

mod canary;
mod child;
mod stage;
mod stories;

macro_rules! on_every_store {
    ($($module:ident :: $story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $story() {
                crate::stories::$module::$story(crate::stage::Store::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $story() {
                let Some(store) = crate::stage::Store::postgres().await else { return };
                crate::stories::$module::$story(store).await;
            })+
        }
    };
}

on_every_store!(
    calls::a_wish_for_a_link_becomes_one_text,
    calls::an_event_delivered_fifty_times_at_once_is_one_text,
    calls::two_intents_of_one_call_are_one_text,
    calls::a_landline_gets_an_email,
    calls::a_customer_without_contact_is_put_on_the_attention_list,
    calls::voicemail_and_silence_send_nothing,
    calls::a_spoken_opt_out_stops_texts_and_calls,
    calls::a_second_call_supersedes_the_first_link,
    sends::an_accepted_send_with_a_broken_answer_is_found_and_not_repeated,
    sends::a_send_that_never_arrived_is_repeated_once_after_proof,
    sends::a_busy_carrier_is_waited_for,
    sends::an_undelivered_text_becomes_an_email_with_the_same_link,
    sends::a_stop_reply_suppresses_the_next_text,
    sends::a_text_at_night_waits_for_the_morning,
    sends::a_mail_relay_that_is_away_is_waited_for,
    sends::a_no_said_after_the_message_was_written_is_honoured,
    links::two_resends_at_once_make_one_live_link,
    links::a_link_lives_seven_days_and_the_customer_asks_for_a_new_one,
    links::twenty_scanners_use_nothing_up,
    payments::a_card_payment_closes_the_invoice_and_sends_one_receipt,
    payments::a_payment_without_any_webhook_is_found,
    payments::webhooks_twice_and_in_any_order_change_nothing,
    payments::a_declined_card_can_be_retried,
    payments::two_tabs_cannot_pay_twice,
    payments::a_canceled_invoice_cannot_be_paid_by_a_page_that_is_still_open,
    holds::a_question_stops_the_calls_about_that_invoice_only,
    holds::the_dialer_is_told_until_it_acknowledges,
    holds::resolving_a_question_does_not_undo_a_stop_for_another_reason,
    canaries::no_secret_and_no_customer_leaks,
    pressure::others_are_answered_while_somebody_pushes,
);

mod kills {
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_kill_at_every_step_ends_in_one_text_one_payment_and_one_receipt_on_sqlite() {
        crate::stories::kills::at_every_step(crate::stage::Store::sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_kill_at_every_step_ends_in_one_text_one_payment_and_one_receipt_on_postgres() {
        if crate::stage::Store::postgres().await.is_none() {
            return;
        }
        crate::stories::kills::at_every_step_on_postgres().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sigterm_ends_with_success_and_leaves_no_lease() {
        crate::stories::processes::sigterm_ends_with_success_and_leaves_no_lease().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn api_and_workers_in_two_processes_wake_each_other_through_redis() {
        crate::stories::processes::api_and_workers_in_two_processes_wake_each_other_through_redis().await;
    }
}

#[tokio::test]
async fn no_password_is_in_an_error_of_the_command_line() {
    stories::canaries::no_password_is_in_an_error_of_the_command_line().await;
}
