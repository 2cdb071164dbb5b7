#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::reject::TWILIO_CODES;
use super::*;

fn answered(status: u16, body: AnswerBody) -> SendOutcome {
    classify(Observation::Answered { status, retry_after_ms: None, body })
}

fn problem(code: i32) -> AnswerBody {
    AnswerBody::Problem { code: Some(code) }
}

fn message(status: MessageStatus, code: Option<i32>) -> AnswerBody {
    AnswerBody::Message { provider_id: "SM1".to_owned(), status, code, segments: Some(2) }
}

fn class_of(outcome: SendOutcome) -> RejectClass {
    match outcome {
        SendOutcome::Rejected { class, .. } => class,
        other
        @ (SendOutcome::NotSent { .. } | SendOutcome::Accepted { .. } | SendOutcome::Unknown { .. }) => {
            panic!("not a rejection: {other:?}")
        }
    }
}

#[test]
fn a_message_never_handed_over_was_not_sent() {
    let outcome = classify(Observation::NotWritten { why: "connection refused" });
    assert_eq!(outcome, SendOutcome::not_sent("connection refused"));
}

#[test]
fn silence_after_the_hand_over_is_unknown() {
    let outcome = classify(Observation::NoAnswer { why: "timed out" });
    assert_eq!(outcome, SendOutcome::unknown("timed out"));
}

#[test]
fn a_named_message_is_accepted_with_its_segments() {
    for status in [200, 201] {
        assert_eq!(
            answered(status, message(MessageStatus::Queued, None)),
            SendOutcome::Accepted { provider_id: "SM1".to_owned(), segments: Some(2) }
        );
    }
}

#[test]
fn a_success_that_names_no_message_is_unknown() {
    for status in [200, 201, 202, 204] {
        assert_eq!(answered(status, AnswerBody::Unreadable).word(), "unknown", "{status}");
        assert_eq!(answered(status, AnswerBody::Problem { code: None }).word(), "unknown", "{status}");
    }
}

#[test]
fn a_message_that_failed_on_arrival_is_rejected_with_its_class() {
    let outcome = answered(201, message(MessageStatus::Failed, Some(30034)));
    assert_eq!(class_of(outcome), RejectClass::SenderNotRegistered);
}

#[test]
fn every_server_fault_is_unknown_even_with_a_wish_for_a_retry() {
    for status in 500..=599 {
        let observation =
            Observation::Answered { status, retry_after_ms: Some(1_000), body: AnswerBody::Unreadable };
        assert_eq!(classify(observation).word(), "unknown", "{status}");
    }
}

#[test]
fn redirects_and_oddities_are_unknown() {
    for status in [100, 301, 302, 303, 307, 308, 408, 409, 600, 999] {
        assert_eq!(answered(status, AnswerBody::Unreadable).word(), "unknown", "{status}");
    }
}

#[test]
fn being_told_to_slow_down_is_not_sent() {
    let body = problem(20429);
    let outcome = classify(Observation::Answered { status: 429, retry_after_ms: Some(3_000), body });
    assert!(matches!(outcome, SendOutcome::NotSent { retry_after_ms: Some(3_000), .. }));
    assert_eq!(answered(400, problem(20429)).word(), "not_sent");
}

#[test]
fn the_code_that_says_do_not_repeat_is_unknown_whatever_the_status() {
    for status in [400, 404, 500, 503] {
        for code in TWILIO_AMBIGUOUS_CODES {
            assert_eq!(answered(status, problem(*code)).word(), "unknown", "{status} {code}");
        }
    }
}

#[test]
fn refusals_are_classed_by_their_code() {
    for (code, class) in TWILIO_CODES {
        assert_eq!(class_of(answered(400, problem(*code))), *class, "{code}");
    }
    assert_eq!(class_of(answered(400, problem(99_999))), RejectClass::Other);
}

#[test]
fn refusals_without_a_code_are_classed_by_their_status() {
    assert_eq!(class_of(answered(401, AnswerBody::Unreadable)), RejectClass::Auth);
    assert_eq!(class_of(answered(403, AnswerBody::Unreadable)), RejectClass::Auth);
    assert_eq!(class_of(answered(404, AnswerBody::Unreadable)), RejectClass::Other);
}

#[test]
fn what_to_do_follows_from_the_code() {
    let table = [
        (21610, NextStep::SuppressNumber),
        (21211, NextStep::TryEmail),
        (21614, NextStep::TryEmail),
        (21635, NextStep::TryEmail),
        (30006, NextStep::TryEmail),
        (30003, NextStep::RetryLaterOnce),
        (30005, NextStep::TryEmail),
        (30004, NextStep::TryEmail),
        (30007, NextStep::TryEmail),
        (30008, NextStep::RetryLaterOnce),
        (30036, NextStep::TryEmail),
        (30500, NextStep::RetryLaterOnce),
        (30034, NextStep::ConfigError),
        (21408, NextStep::ConfigError),
        (21606, NextStep::ConfigError),
        (21608, NextStep::ConfigError),
        (21612, NextStep::ConfigError),
        (20003, NextStep::ConfigError),
    ];
    for (code, step) in table {
        assert_eq!(twilio_class(code).next_step(), step, "{code}");
    }
    assert_eq!(RejectClass::BadAddress.next_step(), NextStep::GiveUp);
}

#[test]
fn nothing_comes_after_email() {
    for class in RejectClass::ALL {
        let step = class.next_step_after_email();
        assert!(!matches!(step, NextStep::TryEmail | NextStep::SuppressNumber), "{class}");
        let is_config = class.next_step() == NextStep::ConfigError;
        assert_eq!(is_config, step == NextStep::ConfigError, "{class}");
    }
}

#[test]
fn the_code_table_names_no_code_twice() {
    for (i, (code, _)) in TWILIO_CODES.iter().enumerate() {
        assert!(TWILIO_CODES.iter().skip(i + 1).all(|(later, _)| later != code), "{code}");
    }
}

#[test]
fn only_landline_codes_say_that_the_line_takes_no_texts() {
    let landline: Vec<i32> =
        TWILIO_CODES.iter().filter(|(_, class)| class.line_takes_no_texts()).map(|(code, _)| *code).collect();
    assert_eq!(landline, [21614, 21635, 30006]);
}

#[test]
fn an_outcome_survives_storage() {
    let outcomes = [
        SendOutcome::NotSent { retry_after_ms: Some(5), why: "busy".to_owned() },
        SendOutcome::Accepted { provider_id: "SM1".to_owned(), segments: None },
        SendOutcome::Rejected { code: Some(21610), class: RejectClass::OptedOut, why: "stop".to_owned() },
        SendOutcome::unknown("silence"),
    ];
    for outcome in outcomes {
        let stored = serde_json::to_string(&outcome).unwrap();
        assert!(stored.contains(outcome.word()), "{stored}");
        assert_eq!(serde_json::from_str::<SendOutcome>(&stored).unwrap(), outcome);
    }
}

#[test]
fn words_of_the_provider_are_read_and_new_ones_end_nothing() {
    assert_eq!(MessageStatus::of_provider("undelivered"), MessageStatus::Undelivered);
    for word in ["receiving", "received", "teleported", "", "Delivered"] {
        let status = MessageStatus::of_provider(word);
        assert_eq!(status, MessageStatus::Unrecognized, "{word}");
        assert!(!status.is_final());
    }
}

#[test]
fn every_status_after_every_other_keeps_the_rule() {
    for before in MessageStatus::ALL {
        for heard in MessageStatus::ALL {
            let after = before.after(*heard);
            assert!(after == *before || after == *heard);
            assert!(after.rank() >= before.rank(), "{before} then {heard}");
            if before.is_known_failure() {
                assert_eq!(after, *before, "a known failure was acted on");
            }
            if before.is_final() && after != *before {
                assert_eq!((*before, after), (MessageStatus::Delivered, MessageStatus::Read));
            }
        }
        assert_eq!(before.after(MessageStatus::Unrecognized), *before);
        assert_eq!(MessageStatus::Unrecognized.after(*before), *before);
    }
}

#[test]
fn a_final_status_is_either_arrival_or_failure() {
    for status in MessageStatus::ALL {
        assert_eq!(status.is_final(), status.has_arrived() || status.is_known_failure(), "{status}");
    }
}

fn any_status() -> impl Strategy<Value = MessageStatus> {
    proptest::sample::select(MessageStatus::ALL)
}

fn any_body() -> impl Strategy<Value = AnswerBody> {
    prop_oneof![
        Just(AnswerBody::Unreadable),
        proptest::option::of(any::<i32>()).prop_map(|code| AnswerBody::Problem { code }),
        (any_status(), proptest::option::of(20_000..31_000_i32))
            .prop_map(|(status, code)| message(status, code)),
    ]
}

proptest! {
    #[test]
    fn repeats_and_reordering_before_the_end_do_not_matter(
        mut heard in proptest::collection::vec(any_status().prop_filter("not an end", |s| !s.is_final()), 1..12),
        end in any_status().prop_filter("an end", |s| s.is_final()),
        place in any::<prop::sample::Index>(),
    ) {
        let place = place.index(heard.len() + 1);
        heard.insert(place, end);
        let settled = heard.iter().fold(MessageStatus::Accepted, |status, next| status.after(*next));
        prop_assert_eq!(settled, end);
    }

    #[test]
    fn accepted_takes_a_success_with_a_name_and_nothing_else(status in 0_u16..1_000, body in any_body()) {
        let named = matches!(&body, AnswerBody::Message { status, .. } if !status.is_known_failure());
        let outcome = answered(status, body);
        prop_assert_eq!(outcome.word() == "accepted", named && (200..300).contains(&status));
    }

    #[test]
    fn only_a_clear_no_may_be_repeated(status in 0_u16..1_000, body in any_body()) {
        let rate = matches!(body, AnswerBody::Problem { code: Some(20429) } | AnswerBody::Message { code: Some(20429), .. });
        let outcome = answered(status, body);
        if outcome.word() == "not_sent" {
            prop_assert!(status == 429 || (rate && (400..500).contains(&status)));
        }
        if outcome.word() == "rejected" {
            prop_assert!((400..500).contains(&status) || (200..300).contains(&status));
        }
    }
}
