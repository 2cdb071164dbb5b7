//! The ledger and its runtime on real stores: SQLite always, PostgreSQL when `POSTCALL_TEST_POSTGRES_URL` names one.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and reads its own environment"
)]

mod rules;
mod store;
mod trouble;
mod watch;
mod work;

macro_rules! on_every_store {
    ($($module:ident :: $story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $story() {
                super::$module::$story(super::store::Store::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $story() {
                let Some(store) = super::store::Store::postgres().await else { return };
                super::$module::$story(store).await;
            })+
        }
    };
}

on_every_store!(
    rules::a_job_and_its_cause_commit_together_or_not_at_all,
    rules::the_same_key_is_enqueued_once,
    rules::a_job_that_waits_is_not_due_before_its_time,
    rules::an_answer_with_an_old_fence_is_refused,
    rules::a_dead_job_is_listed_and_redriven,
    rules::a_retry_backs_off_and_ends_in_the_dead_list,
    work::a_panic_is_a_retry_and_spares_the_worker,
    work::a_batch_forms_by_itself_under_load,
    work::an_expired_lease_is_taken_over_alone,
    work::a_row_that_kills_its_process_ends_in_the_dead_list,
    work::two_runtimes_never_work_on_one_row,
    work::a_tick_runs_once_however_many_processes_there_are,
    work::shutdown_finishes_what_runs_and_gives_back_the_rest,
    work::a_row_that_was_taken_over_has_no_time_left,
    work::a_kind_nobody_knows_does_not_stop_the_others,
    trouble::a_row_that_spoils_its_batch_is_found_and_the_others_are_done_at_once,
    trouble::trouble_of_the_store_is_waited_out_and_not_counted,
    trouble::a_deadlock_and_a_busy_store_pass_and_a_wrong_statement_does_not,
    watch::open_jobs_are_counted_by_how_they_stand,
    watch::the_pulse_names_the_oldest_work_that_nobody_has_begun,
);
