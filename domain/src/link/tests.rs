use super::*;
use crate::time::SECOND_MS;
use proptest::prelude::*;

/// Every status × every event: sent, used, expired, superseded, revoked.
const TABLE: [(LinkStatus, [Option<LinkStatus>; 5]); 6] = {
    use LinkStatus::{Expired, Queued, Revoked, Sent, Superseded, Used};
    [
        (Queued, [Some(Sent), Some(Used), None, Some(Superseded), Some(Revoked)]),
        (Sent, [Some(Sent), Some(Used), Some(Expired), Some(Superseded), Some(Revoked)]),
        (Used, [Some(Used), Some(Used), None, None, None]),
        (Expired, [Some(Expired), Some(Used), Some(Expired), None, None]),
        (Superseded, [Some(Superseded), Some(Used), None, Some(Superseded), None]),
        (Revoked, [Some(Revoked), Some(Used), None, None, Some(Revoked)]),
    ]
};

const NOW: Timestamp = Timestamp::from_millis(1_763_564_645_000);

#[test]
fn every_status_takes_every_event_as_the_table_says() {
    assert_eq!(TABLE.len(), LinkStatus::ALL.len());
    for (status, row) in TABLE {
        for (event, expected) in LinkEvent::ALL.iter().zip(row) {
            let refused = Refused { status, event: *event };
            assert_eq!(apply(status, *event), expected.ok_or(refused), "{status} × {event}");
        }
    }
}

#[test]
fn a_link_lives_until_it_is_used_or_ended() {
    let living: Vec<LinkStatus> = LinkStatus::ALL.iter().copied().filter(|status| live(*status)).collect();
    assert_eq!(living, [LinkStatus::Queued, LinkStatus::Sent]);
}

#[test]
fn expiry_holds_from_its_moment_on_without_the_sweep() {
    let end = expires_at(NOW);
    assert_eq!(end.since_ms(NOW), 604_800 * SECOND_MS);
    assert_eq!(standing(LinkStatus::Sent, Some(end), end.plus_ms(-1)), Standing::Live);
    assert_eq!(standing(LinkStatus::Sent, Some(end), end), Standing::Expired);
    assert_eq!(standing(LinkStatus::Queued, None, end.plus_ms(LIFETIME_MS)), Standing::Live);
}

#[test]
fn the_standing_of_every_status_is_clear() {
    let past = Some(NOW.plus_ms(-1));
    let expected = [
        (LinkStatus::Queued, Standing::Live, Standing::Expired),
        (LinkStatus::Sent, Standing::Live, Standing::Expired),
        (LinkStatus::Used, Standing::Used, Standing::Used),
        (LinkStatus::Expired, Standing::Expired, Standing::Expired),
        (LinkStatus::Superseded, Standing::Dead, Standing::Dead),
        (LinkStatus::Revoked, Standing::Dead, Standing::Dead),
    ];
    assert_eq!(expected.len(), LinkStatus::ALL.len());
    for (status, before, after) in expected {
        assert_eq!(standing(status, Some(NOW.plus_ms(1)), NOW), before, "{status}");
        assert_eq!(standing(status, past, NOW), after, "{status}");
    }
}

#[test]
fn a_manual_send_is_the_one_resend_while_a_link_lives() {
    assert_eq!(may_send_manually(None), ManualSend::NewChain);
    assert_eq!(may_send_manually(Some(&LiveLink { sequence: FIRST_SEQUENCE })), ManualSend::Resend);
    assert_eq!(may_send_manually(Some(&LiveLink { sequence: FIRST_SEQUENCE + 1 })), ManualSend::Refused);
}

#[test]
fn an_expired_page_renews_once_and_an_invoice_three_times() {
    let may = RenewalFacts {
        allowed_by_merchant: true,
        standing: Standing::Expired,
        renewed_before: false,
        renewals_in_window: 2,
        payable: true,
        another_lives: false,
    };
    assert_eq!(may_renew(&may), Ok(()));
    let refusals = [
        (RenewalFacts { allowed_by_merchant: false, ..may }, RenewalRefusal::SwitchedOff),
        (RenewalFacts { standing: Standing::Live, ..may }, RenewalRefusal::NotExpired),
        (RenewalFacts { standing: Standing::Used, ..may }, RenewalRefusal::NotExpired),
        (RenewalFacts { standing: Standing::Dead, ..may }, RenewalRefusal::NotExpired),
        (RenewalFacts { renewed_before: true, ..may }, RenewalRefusal::AlreadyRenewed),
        (RenewalFacts { renewals_in_window: 3, ..may }, RenewalRefusal::TooMany),
        (RenewalFacts { payable: false, ..may }, RenewalRefusal::NotPayable),
        (RenewalFacts { another_lives: true, ..may }, RenewalRefusal::AnotherLives),
    ];
    for (facts, refusal) in refusals {
        assert_eq!(may_renew(&facts), Err(refusal));
    }
}

#[test]
fn every_word_reads_back() {
    assert!(LinkStatus::ALL.iter().all(|status| status.word().parse() == Ok(*status)));
    assert!(LinkEvent::ALL.iter().all(|event| event.word().parse() == Ok(*event)));
    assert!(LinkCause::ALL.iter().all(|cause| cause.word().parse() == Ok(*cause)));
    assert!(RenewalRefusal::ALL.iter().all(|refusal| refusal.word().parse() == Ok(*refusal)));
}

proptest! {
    #[test]
    fn an_ended_link_never_lives_again_and_a_used_one_stays_used(
        story in proptest::collection::vec(proptest::sample::select(LinkEvent::ALL), 0..30),
    ) {
        let mut status = LinkStatus::Queued;
        for event in story {
            let after = apply(status, event).unwrap_or(status);
            prop_assert!(live(status) || !live(after), "{} came back to life by {}", status, event);
            prop_assert!(status != LinkStatus::Used || after == LinkStatus::Used);
            status = after;
        }
    }
}
