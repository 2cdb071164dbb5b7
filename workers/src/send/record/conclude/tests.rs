#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Instant;

use domain::send::MessageStatus;
use gateways::sms::FindMessage;
use queue::Claimed;

use super::*;
use crate::send::errand::{Attempt, Earlier, Order};
use crate::send::examples::{Example, NOON};

/// An errand whose attempt's deadline is `NOON`, after so many look-ups.
fn errand(example: &Example, lookups: i64) -> Errand {
    errand_asked(example, lookups, NOON)
}

fn errand_asked(example: &Example, lookups: i64, asked_at: domain::time::Timestamp) -> Errand {
    let wanted = FindMessage {
        to: String::new(),
        from: String::new(),
        since_ms: 0,
        needle: String::new(),
        known_ids: Vec::new(),
    };
    Errand {
        job: Claimed {
            id: "job_1".to_owned(),
            subject: "msg_1".to_owned(),
            attempts: 0,
            crashes: 0,
            fence: 7,
        },
        message: example.message.clone(),
        attempt: Attempt {
            id: "att_00000000000000000000000001".parse().unwrap(),
            fence: 3,
            ordinal: 1,
            lookups,
            deadline: NOON,
        },
        earlier: Earlier { refused: false, first_started_at: NOON.plus_ms(-8_000) },
        order: Order::LookUp(Box::new(wanted)),
        deadline: Instant::now(),
        asked_at,
        wished_at: None,
    }
}

fn sent(example: &Example, outcome: SendOutcome) -> Conclusion {
    conclude(&errand(example, 0), Answer::Sent(outcome), NOON)
}

fn looked(lookups: i64, seen: Result<Sighting, FindError>, after_ms: i64) -> Conclusion {
    conclude(
        &errand_asked(&Example::text(), lookups, NOON.plus_ms(after_ms)),
        Answer::Looked(seen),
        NOON.plus_ms(after_ms),
    )
}

fn state(conclusion: &Conclusion) -> Option<AttemptState> {
    conclusion.verdict.as_ref().map(|verdict| verdict.state)
}

fn found(status: MessageStatus, code: Option<i32>) -> Result<Sighting, FindError> {
    Ok(Sighting::Found { provider_id: "SM1".to_owned(), status, code, segments: Some(1) })
}

#[test]
fn every_outcome_closes_the_attempt_of_whoever_made_it() {
    let text = Example::text();
    let table = [
        (SendOutcome::Accepted { provider_id: "SM1".to_owned(), segments: Some(1) }, AttemptState::Accepted),
        (SendOutcome::rejected(RejectClass::BadNumber, "no"), AttemptState::Rejected),
        (SendOutcome::not_sent("no connection"), AttemptState::NotSent),
        (SendOutcome::unknown("reset"), AttemptState::Unknown),
    ];
    for (outcome, expected) in table {
        let word = outcome.word();
        let conclusion = sent(&text, outcome);
        assert_eq!(state(&conclusion), Some(expected), "{word}");
        assert_eq!(
            conclusion.verdict.unwrap().fence,
            3,
            "the fence of the attempt, not of the job that looks at it"
        );
    }
}

#[test]
fn every_refusal_leads_somewhere_and_only_passing_ones_to_another_text() {
    for class in RejectClass::ALL {
        let effect = sent(&Example::text(), SendOutcome::rejected(*class, "no")).effect;
        let passing = matches!(class, RejectClass::Unreachable | RejectClass::ProviderFault);
        let expected = if passing { Effect::RetryLater } else { Effect::Refused { class: *class } };
        assert_eq!(effect, expected, "{class}");
    }
    let mut second = errand(&Example::text(), 0);
    second.earlier.refused = true;
    let answer = Answer::Sent(SendOutcome::rejected(RejectClass::Unreachable, "off"));
    assert_eq!(conclude(&second, answer, NOON).effect, Effect::Refused { class: RejectClass::Unreachable });
}

#[test]
fn what_was_not_sent_keeps_the_providers_wish_until_patience_ends() {
    let outcome = SendOutcome::NotSent { retry_after_ms: Some(5), why: "slow".to_owned() };
    let expected = Effect::NotSent { retry_after_ms: Some(5), why: "slow".to_owned() };
    assert_eq!(sent(&Example::text(), outcome.clone()).effect, expected);
    let later = NOON.plus_ms(schedule::PATIENCE_MS);
    let text = conclude(&errand(&Example::text(), 0), Answer::Sent(outcome.clone()), later);
    assert!(matches!(text.effect, Effect::Impatient { .. }));
    let email = conclude(&errand(&Example::email(), 0), Answer::Sent(outcome), later);
    assert_eq!(email.effect, expected, "an email has no further channel");
}

#[test]
fn an_unseen_text_is_looked_up_and_an_unseen_email_cannot_be() {
    let text = sent(&Example::text(), SendOutcome::unknown("reset"));
    assert_eq!(text.effect, Effect::Unseen { look_at: NOON.plus_ms(5_000) });
    let email = sent(&Example::email(), SendOutcome::unknown("reset"));
    assert_eq!(email.effect, Effect::Unseen { look_at: NOON });
}

#[test]
fn what_is_found_is_adopted_and_what_failed_there_is_refused() {
    let adopted = looked(0, found(MessageStatus::Queued, None), 5_000);
    assert_eq!(adopted.effect, Effect::Taken { segments: Some(1) });
    assert_eq!(adopted.verdict.unwrap().provider_id.as_deref(), Some("SM1"));
    let failed = looked(0, found(MessageStatus::Undelivered, Some(30006)), 5_000);
    assert_eq!(state(&failed), Some(AttemptState::Rejected));
    assert_eq!(failed.effect, Effect::Refused { class: RejectClass::NotTextable });
}

#[test]
fn not_listed_means_absent_two_minutes_after_the_deadline_and_not_a_moment_before() {
    let early = looked(4, Ok(Sighting::Absent), schedule::ABSENCE_AFTER_MS - 1);
    assert_eq!(state(&early), None);
    assert!(matches!(early.effect, Effect::LookAgain { .. }));
    let late = looked(4, Ok(Sighting::Absent), schedule::ABSENCE_AFTER_MS);
    assert_eq!(state(&late), Some(AttemptState::Absent));
    assert_eq!(late.effect, Effect::Absent);
}

#[test]
fn a_list_that_cannot_be_read_is_never_taken_for_absence() {
    let errors = [
        (FindError::Unreachable, false),
        (FindError::Refused { status: 503, retry_after_ms: None }, false),
        (FindError::Unreadable, false),
        (FindError::TooLong, true),
        (FindError::BodiesHidden, true),
    ];
    for (error, for_good) in errors {
        let after_two_minutes = looked(4, Err(error), schedule::ABSENCE_AFTER_MS);
        assert_eq!(state(&after_two_minutes), None, "{error}");
        assert_eq!(after_two_minutes.effect == Effect::Unknowable, for_good, "{error}");
        let at_last = looked(9, Err(error), schedule::GIVE_UP_AFTER_MS);
        assert_eq!(state(&at_last), None, "{error}");
        assert_eq!(at_last.effect, Effect::Unknowable, "{error}");
    }
}

#[test]
fn a_carrier_that_asks_for_time_gets_it() {
    let error = FindError::Refused { status: 429, retry_after_ms: Some(50_000) };
    assert_eq!(looked(0, Err(error), 5_000).effect, Effect::LookAgain { at: NOON.plus_ms(55_000) });
}
