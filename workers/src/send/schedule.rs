//! How long an attempt may take, and when the provider is asked about one whose outcome was not seen.

use domain::time::{MINUTE_MS, SECOND_MS, Timestamp};

/// From the intention on, the first byte is written within this, or never.
pub(super) const WRITE_WITHIN_MS: i64 = 4 * SECOND_MS;
/// From the intention on, the answer is waited for this long. Shorter than the lease of every job that sends.
pub(super) const DEADLINE_MS: i64 = 8 * SECOND_MS;

/// Look-ups, counted from the attempt's deadline.
const LOOKUPS_AFTER_MS: [i64; 5] =
    [5 * SECOND_MS, 15 * SECOND_MS, 30 * SECOND_MS, 60 * SECOND_MS, ABSENCE_AFTER_MS];
/// A carrier may work on a request long after we hung up: only from here on does "not listed" mean "not sent".
pub(super) const ABSENCE_AFTER_MS: i64 = 120 * SECOND_MS;
/// After the last look-up of the list, while the carrier cannot be asked.
const LOOKUP_EVERY_MS: i64 = 30 * SECOND_MS;
/// A carrier that cannot be asked for this long counts as one that cannot be asked at all.
pub(super) const GIVE_UP_AFTER_MS: i64 = 10 * MINUTE_MS;

/// After a refusal that may be gone later.
pub(super) const RETRY_LATER_MS: i64 = 5 * MINUTE_MS;
/// After this long without reaching the carrier, an email says the same.
pub(super) const PATIENCE_MS: i64 = 10 * MINUTE_MS;

/// When the next look-up of an attempt is due, after so many.
pub(super) fn lookup_due(deadline: Timestamp, lookups: i64) -> Timestamp {
    let planned = usize::try_from(lookups).ok().and_then(|done| LOOKUPS_AFTER_MS.get(done));
    let after_ms = planned.copied().unwrap_or_else(|| {
        let more = lookups.saturating_sub(4);
        ABSENCE_AFTER_MS.saturating_add(more.saturating_mul(LOOKUP_EVERY_MS))
    });
    deadline.plus_ms(after_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::job::JobKind;

    #[test]
    fn look_ups_come_at_their_times_and_then_steadily() {
        let deadline = Timestamp::from_millis(1_000_000);
        let after: Vec<i64> =
            (0..8).map(|done| lookup_due(deadline, done).since_ms(deadline) / SECOND_MS).collect();
        assert_eq!(after, [5, 15, 30, 60, 120, 150, 180, 210]);
    }

    #[test]
    fn an_attempt_ends_before_its_lease_and_is_written_well_before_its_end() {
        for kind in [JobKind::ResolveChannel, JobKind::SendLink, JobKind::SendReceipt] {
            assert!(kind.policy().lease_ms > DEADLINE_MS + 2_000, "{kind}");
        }
        const { assert!(WRITE_WITHIN_MS < DEADLINE_MS) };
    }
}
