//! Fresh row ids. The moment is the caller's; only the random part is drawn here.

use domain::id::{Id, Kind, LinkId};
use domain::time::Timestamp;

/// An id that sorts by age.
#[must_use]
pub fn id<K: Kind>(now: Timestamp) -> Id<K> {
    Id::ordered(now, rand::random())
}

/// A link id: 128 random bits, because the link's token is derived from it.
#[must_use]
pub fn link_id() -> LinkId {
    LinkId::random(rand::random())
}
