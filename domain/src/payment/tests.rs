use super::*;
use proptest::prelude::*;

/// Every payable × every intent, the intents in the order of the words.
const TABLE: [(PayableStatus, [Advance; 8]); 4] = {
    use Advance::{Cancel, FailBack, Nothing, StartProcessing, Succeed};
    [
        // payment method, confirmation, action, processing, capture, succeeded, canceled, unknown
        (
            PayableStatus::Open,
            [Nothing, Nothing, Nothing, StartProcessing, Nothing, Succeed, Cancel, Nothing],
        ),
        (PayableStatus::Processing, [FailBack, Nothing, Nothing, Nothing, Nothing, Succeed, Cancel, Nothing]),
        (PayableStatus::Succeeded, [Nothing; 8]),
        (
            PayableStatus::Canceled,
            [Nothing, Nothing, Nothing, StartProcessing, Nothing, Succeed, Nothing, Nothing],
        ),
    ]
};

fn after(payable: PayableStatus, advance: Advance) -> PayableStatus {
    match advance {
        Advance::Nothing => payable,
        Advance::StartProcessing => PayableStatus::Processing,
        Advance::Succeed => PayableStatus::Succeeded,
        Advance::FailBack => PayableStatus::Open,
        Advance::Cancel => PayableStatus::Canceled,
    }
}

#[test]
fn every_payable_meets_every_intent_as_the_table_says() {
    assert_eq!(TABLE.len(), PayableStatus::ALL.len());
    for (payable, row) in TABLE {
        for (intent, expected) in IntentStatus::ALL.iter().zip(row) {
            assert_eq!(advance(payable, *intent), expected, "{payable} × {intent}");
        }
    }
}

#[test]
fn a_word_of_stripes_that_is_new_is_unknown_and_moves_nothing() {
    assert_eq!(IntentStatus::read("requires_blessing"), IntentStatus::Unknown);
    assert_eq!(IntentStatus::read("succeeded"), IntentStatus::Succeeded);
    for payable in PayableStatus::ALL {
        assert_eq!(advance(*payable, IntentStatus::Unknown), Advance::Nothing);
    }
}

#[test]
fn every_word_reads_back() {
    assert!(PayableStatus::ALL.iter().all(|status| status.word().parse() == Ok(*status)));
    assert!(PaymentStatus::ALL.iter().all(|status| status.word().parse() == Ok(*status)));
    assert!(SettlementStatus::ALL.iter().all(|status| status.word().parse() == Ok(*status)));
    assert!(IntentStatus::ALL.iter().all(|status| status.word().parse() == Ok(*status)));
}

proptest! {
    #[test]
    fn reports_in_any_order_and_number_end_where_the_last_truth_is(
        noise in proptest::collection::vec(proptest::sample::select(IntentStatus::ALL), 0..20),
        late in proptest::collection::vec(proptest::sample::select(IntentStatus::ALL), 0..20),
    ) {
        let step = |payable, intent| after(payable, advance(payable, intent));
        let start = noise.into_iter().fold(PayableStatus::Open, step);
        let paid = step(start, IntentStatus::Succeeded);
        prop_assert_eq!(paid, PayableStatus::Succeeded);
        prop_assert_eq!(late.into_iter().fold(paid, step), PayableStatus::Succeeded);
    }

    #[test]
    fn the_same_report_twice_is_the_same_as_once(
        payable in proptest::sample::select(PayableStatus::ALL), intent in proptest::sample::select(IntentStatus::ALL),
    ) {
        let once = after(payable, advance(payable, intent));
        prop_assert_eq!(advance(once, intent), Advance::Nothing);
    }
}
