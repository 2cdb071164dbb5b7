//! Links from the wish to the customer, over real HTTP and SMTP: every outcome of a send, every crash between intention
//! and result, every rule checked at the last moment. On SQLite always, on PostgreSQL when `POSTCALL_TEST_POSTGRES_URL`
//! names one.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and reads its own environment"
)]

mod delivery;
mod doubt;
mod keeping;
mod pace;
mod rules;
mod sending;
mod support;
mod sweeps;
mod trouble;

macro_rules! on_every_store {
    ($($module:ident :: $story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $story() {
                super::$module::$story(super::support::Store::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test] async fn $story() {
                if super::support::Store::postgres_url().is_none() { return }
                super::$module::$story(super::support::Store::Postgres).await;
            })+
        }
    };
}

on_every_store!(
    delivery::a_delivery_is_recorded_and_a_late_report_takes_nothing_back,
    delivery::an_undelivered_text_is_followed_by_an_email_with_the_same_link_once,
    delivery::an_undelivered_text_without_an_address_needs_a_person,
    delivery::a_report_that_overtakes_the_answer_stands,
    delivery::two_texts_at_the_carrier_for_one_attempt_are_shown_to_a_person,
    delivery::a_paid_link_that_was_not_delivered_bothers_nobody,
    doubt::a_lost_answer_is_found_in_the_carriers_list_and_nothing_is_sent_again,
    doubt::absence_counts_only_after_two_minutes_and_leads_to_one_resend_of_the_same_link,
    doubt::a_text_that_was_never_taken_twice_goes_by_email,
    doubt::an_attempt_whose_process_died_after_the_text_left_is_found,
    doubt::an_attempt_whose_process_died_before_the_text_left_is_made_once_more,
    doubt::a_callback_proves_a_lost_answer,
    doubt::what_cannot_be_looked_up_is_listed_within_five_minutes_and_then_goes_by_email,
    doubt::an_email_whose_fate_nobody_saw_is_not_repeated_and_goes_to_a_person,
    pace::a_number_texts_no_faster_than_its_row_says_and_who_waits_holds_nothing,
    pace::a_carrier_that_asks_for_patience_gets_it_for_every_text_of_the_number,
    keeping::what_is_old_is_forgotten_and_what_is_needed_stays,
    keeping::a_year_of_traffic_leaves_no_more_behind_than_a_week_adds,
    rules::nothing_is_sent_at_night_until_eight_in_the_morning,
    rules::what_was_asked_for_on_a_call_just_now_goes_at_night_too,
    rules::a_merchant_may_want_no_exemption_from_the_hours,
    rules::an_opt_out_that_comes_before_the_send_is_honoured,
    rules::an_address_that_unsubscribed_is_no_way_out,
    rules::a_superseded_link_is_not_sent,
    rules::a_payment_or_a_question_before_the_send_stops_it,
    rules::a_question_before_the_link_is_issued_suppresses_the_event,
    rules::a_number_gets_only_so_many_texts_a_day_and_then_emails,
    rules::a_merchants_cap_stops_what_is_beyond_it_and_nothing_before,
    rules::the_customers_wish_and_language_decide,
    sending::a_call_becomes_one_text_with_a_link_of_seven_days,
    sending::the_same_call_told_in_two_events_makes_one_link,
    sending::two_calls_about_one_invoice_leave_one_living_link,
    sending::a_landline_gets_the_same_link_by_email_and_is_remembered,
    sending::the_carriers_opt_out_is_kept_and_nobody_is_emailed_without_consent,
    sending::who_said_stop_to_texts_and_yes_to_emails_gets_an_email,
    sending::what_was_not_sent_is_sent_later_as_a_new_attempt,
    sending::a_handset_that_is_off_gets_one_more_text_and_then_an_email,
    sending::a_carrier_out_of_reach_for_long_is_passed_by,
    sending::nobody_to_reach_is_somebody_for_the_merchant_to_find,
    sending::a_hundred_wishes_are_written_in_as_few_statements_as_one,
    sweeps::a_link_past_its_time_is_recorded_as_expired_and_its_payment_is_called_off,
    trouble::an_outcome_that_cannot_be_written_takes_no_other_with_it,
    trouble::an_outcome_the_store_refuses_for_a_moment_is_written_all_the_same,
    sweeps::a_message_whose_job_died_is_sent_all_the_same,
);
