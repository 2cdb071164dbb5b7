use super::*;
use crate::call_event::decide as decided;
use proptest::prelude::*;

fn says(intent: Intent) -> CallEvent {
    let mut said = with("/outcome/intent", json!(intent.word()));
    if intent == Intent::PromiseToPay {
        said["outcome"]["promise_to_pay"] = json!({"date": "2026-12-01"});
    }
    read(&said).unwrap()
}

fn answer(event: &CallEvent, invoice: &InvoiceFacts) -> (Disposition, &'static str) {
    let decision = decided(event, invoice);
    (decision.disposition, decision.reason)
}

fn acts(event: &CallEvent, status: InvoiceStatus) -> Vec<Act> {
    decided(event, &facts(status)).acts
}

fn promise() -> Act {
    Act::RecordPromise { day: "2026-12-01".parse().unwrap() }
}

fn hold() -> Act {
    Act::OpenHold { reason: "\"just text me the link\"".to_owned() }
}

#[test]
fn every_intent_about_an_open_invoice_leads_to_its_act() {
    let table = [
        (Intent::PayOnline, Disposition::Accepted, vec![Act::IssueLink]),
        (Intent::SendLink, Disposition::Accepted, vec![Act::IssueLink]),
        (Intent::Dispute, Disposition::Accepted, vec![hold()]),
        (Intent::PromiseToPay, Disposition::Accepted, vec![promise()]),
        (Intent::OptOut, Disposition::Accepted, vec![Act::OptOut]),
        (Intent::WrongNumber, Disposition::Accepted, vec![Act::ForgetNumber]),
        (Intent::Callback, Disposition::Accepted, vec![Act::RequestCallback]),
        (Intent::None, Disposition::Ignored, vec![]),
        (Intent::Unknown, Disposition::Ignored, vec![]),
    ];
    assert_eq!(table.len(), Intent::ALL.len());
    for (intent, disposition, acts) in table {
        let decision = decided(&says(intent), &facts(InvoiceStatus::Open));
        assert_eq!((decision.disposition, decision.acts), (disposition, acts), "{intent}");
    }
}

#[test]
fn every_intent_meets_every_status_of_the_invoice() {
    for status in InvoiceStatus::ALL {
        let closed = matches!(status, InvoiceStatus::Paid | InvoiceStatus::Canceled);
        let sendable = matches!(status, InvoiceStatus::Open | InvoiceStatus::PartiallyPaid);
        for intent in Intent::ALL {
            let expected = match intent {
                Intent::PayOnline | Intent::SendLink if sendable => vec![Act::IssueLink],
                Intent::Callback if sendable => vec![Act::RequestCallback],
                Intent::Dispute if !closed => vec![hold()],
                Intent::PromiseToPay if !closed => vec![promise()],
                Intent::OptOut => vec![Act::OptOut],
                Intent::WrongNumber => vec![Act::ForgetNumber],
                Intent::PayOnline
                | Intent::SendLink
                | Intent::Callback
                | Intent::Dispute
                | Intent::PromiseToPay
                | Intent::None
                | Intent::Unknown => vec![],
            };
            assert_eq!(acts(&says(*intent), *status), expected, "{intent} × {status}");
        }
    }
}

#[test]
fn what_a_state_forbids_is_suppressed_with_the_state_as_reason() {
    for status in [InvoiceStatus::Paid, InvoiceStatus::Canceled, InvoiceStatus::PaymentProcessing] {
        for intent in [Intent::SendLink, Intent::PayOnline, Intent::Callback] {
            let answered = answer(&says(intent), &facts(status));
            assert_eq!(answered, (Disposition::Suppressed, status.word()), "{intent}");
        }
    }
    let held = InvoiceFacts { on_hold: true, ..facts(InvoiceStatus::Open) };
    assert_eq!(answer(&says(Intent::SendLink), &held), (Disposition::Suppressed, "on_hold"));
    assert_eq!(
        answer(&says(Intent::Dispute), &facts(InvoiceStatus::Paid)),
        (Disposition::Suppressed, "paid")
    );
}

#[test]
fn what_stops_calls_passes_a_hold() {
    let held = InvoiceFacts { on_hold: true, ..facts(InvoiceStatus::Open) };
    for intent in [Intent::Dispute, Intent::PromiseToPay, Intent::OptOut, Intent::WrongNumber] {
        let decision = decided(&says(intent), &held);
        assert_eq!((decision.disposition, decision.acts.len()), (Disposition::Accepted, 1), "{intent}");
    }
}

#[test]
fn a_call_that_reached_nobody_sends_nothing() {
    let nobody = [
        (Reached::Voicemail, "voicemail"),
        (Reached::NoAnswer, "no_answer"),
        (Reached::Busy, "busy"),
        (Reached::Failed, "call_failed"),
    ];
    for (reached, reason) in nobody {
        for intent in Intent::ALL.iter().filter(|intent| **intent != Intent::OptOut) {
            let mut event = says(*intent);
            event.outcome.reached = reached;
            assert_eq!(
                answer(&event, &facts(InvoiceStatus::Open)),
                (Disposition::Ignored, reason),
                "{intent}"
            );
            assert_eq!(acts(&event, InvoiceStatus::Open), []);
        }
    }
    for reached in [Reached::Human, Reached::Unknown] {
        let mut event = says(Intent::SendLink);
        event.outcome.reached = reached;
        assert_eq!(acts(&event, InvoiceStatus::Open), [Act::IssueLink]);
    }
}

#[test]
fn leave_me_alone_is_honoured_whatever_else_is_said() {
    for intent in Intent::ALL {
        for reached in Reached::ALL {
            for status in InvoiceStatus::ALL {
                for known in [true, false] {
                    let mut event = says(*intent);
                    event.outcome.opt_out = true;
                    event.outcome.reached = *reached;
                    let decision = decided(&event, &InvoiceFacts { known, ..facts(*status) });
                    assert_eq!(decision.acts.first(), Some(&Act::OptOut), "{intent} {reached} {status}");
                    assert!(!decision.acts.contains(&Act::IssueLink));
                    assert_ne!(decision.disposition, Disposition::Ignored);
                }
            }
        }
    }
}

#[test]
fn an_unknown_invoice_is_unmatched_unless_nothing_is_asked() {
    let unmatched = (Disposition::Unmatched, "unknown_invoice");
    for intent in [Intent::SendLink, Intent::Dispute, Intent::WrongNumber, Intent::Callback] {
        assert_eq!(answer(&says(intent), &InvoiceFacts::UNKNOWN), unmatched, "{intent}");
        assert_eq!(decided(&says(intent), &InvoiceFacts::UNKNOWN).acts, []);
    }
    assert_eq!(answer(&says(Intent::OptOut), &InvoiceFacts::UNKNOWN), unmatched);
    assert_eq!(answer(&says(Intent::None), &InvoiceFacts::UNKNOWN), (Disposition::Ignored, "no_intent"));
}

#[test]
fn another_type_of_event_is_ignored_by_name() {
    let event = event("/type", json!("call.started"));
    assert_eq!(answer(&event, &facts(InvoiceStatus::Open)), (Disposition::Ignored, "unknown_event_type"));
}

#[test]
fn a_promise_beside_a_wish_for_a_link_does_both() {
    let event = event("/outcome/promise_to_pay", json!({"date": "2026-12-01", "amount_minor": 5}));
    assert_eq!(acts(&event, InvoiceStatus::Open), [promise(), Act::IssueLink]);
}

#[test]
fn a_promise_without_a_day_is_ignored() {
    let event = event("/outcome/intent", json!("promise_to_pay"));
    assert_eq!(answer(&event, &facts(InvoiceStatus::Open)), (Disposition::Ignored, "promise_without_day"));
}

#[test]
fn an_objection_beside_a_wish_for_a_link_holds_and_sends_nothing() {
    let event = event("/outcome/dispute", json!({"reason": "quality", "text": "the roof still leaks"}));
    let decision = decided(&event, &facts(InvoiceStatus::Open));
    assert_eq!(decision.acts, [Act::OpenHold { reason: "the roof still leaks".to_owned() }]);
    assert_eq!((decision.disposition, decision.reason), (Disposition::Accepted, "dispute"));
}

#[test]
fn an_objection_counts_though_the_intent_is_a_word_we_do_not_know() {
    let mut said = with("/outcome/intent", json!("complain"));
    said["outcome"]["dispute"] = json!({"reason": "quality"});
    let event = read(&said).unwrap();
    assert_eq!(acts(&event, InvoiceStatus::Open), [Act::OpenHold { reason: "quality".to_owned() }]);
}

proptest! {
    #[test]
    fn a_link_is_issued_only_where_it_can_be_paid_and_nobody_objected(
        intent in proptest::sample::select(Intent::ALL),
        reached in proptest::sample::select(Reached::ALL),
        status in proptest::sample::select(InvoiceStatus::ALL),
        (known, on_hold, opt_out, disputes) in any::<(bool, bool, bool, bool)>(),
    ) {
        let mut event = says(intent);
        event.outcome.reached = reached;
        event.outcome.opt_out = opt_out;
        event.outcome.dispute = disputes.then(|| Dispute { reason: Some("x".to_owned()), text: None });
        let decision = decided(&event, &InvoiceFacts { known, status, on_hold });
        if decision.acts.contains(&Act::IssueLink) {
            prop_assert!(known && crate::invoice::payable(status) && !on_hold && !opt_out && !disputes);
        }
        prop_assert!(!decision.reason.is_empty());
        prop_assert_ne!(decision.disposition, Disposition::Duplicate);
        let accepted = decision.disposition == Disposition::Accepted;
        prop_assert!(!accepted || !decision.acts.is_empty());
    }
}
