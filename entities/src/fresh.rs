//! Fresh row ids. The moment is the caller's; only the random part is drawn here.

use std::sync::{Mutex, PoisonError};

use domain::id::{Id, Kind, LinkId};
use domain::time::Timestamp;

/// The last id of this process: its millisecond and its random part, of which 80 bits are used.
static LAST: Mutex<(i64, u128)> = Mutex::new((i64::MIN, 0));

/// An id that sorts by age, also within one millisecond of one process: the random part then grows by one.
#[must_use]
pub fn id<K: Kind>(now: Timestamp) -> Id<K> {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    // The topmost bit stays free, so that growing cannot overflow.
    let tail = if last.0 == now.millis() { last.1 + 1 } else { rand::random::<u128>() >> 49 };
    *last = (now.millis(), tail);
    drop(last);
    let mut random = [0_u8; 10];
    random.copy_from_slice(&tail.to_be_bytes()[6..]);
    Id::ordered(now, random)
}

/// A link id: 128 random bits, because the link's token is derived from it.
#[must_use]
pub fn link_id() -> LinkId {
    LinkId::random(rand::random())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::TimelineEntryId;

    #[test]
    fn ids_of_one_millisecond_keep_their_order() {
        let now = Timestamp::from_millis(1_795_107_600_000);
        let ids: Vec<TimelineEntryId> = (0..1_000).map(|_| id(now)).collect();
        assert!(ids.is_sorted());
        let distinct: std::collections::HashSet<&TimelineEntryId> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }

    #[test]
    fn two_link_ids_have_nothing_in_common() {
        assert_ne!(link_id(), link_id());
    }
}
