//! The one home of time: business time with an offset that tests and the demo can move.
//!
//! Leases do not use it: they run on the database's own clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use domain::time::Timestamp;

/// Business time. Clones share one offset.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that runs `offset_ms` ahead of the machine's.
    #[must_use]
    pub fn ahead_by(offset_ms: i64) -> Self {
        Self { offset_ms: Arc::new(AtomicI64::new(offset_ms)) }
    }

    /// A clock on somebody else's offset, in milliseconds: the demo moves product and simulator together.
    #[must_use]
    pub fn sharing(offset_ms: Arc<AtomicI64>) -> Self {
        Self { offset_ms }
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.machine_now().plus_ms(self.offset_ms())
    }

    /// How far business time is ahead of the machine's, in milliseconds.
    #[must_use]
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Moves business time by `span_ms`; a negative span moves it back.
    pub fn advance_ms(&self, span_ms: i64) {
        self.offset_ms.fetch_add(span_ms, Ordering::Relaxed);
    }

    /// The machine's own time, which nobody moves: for traces, that other machines' spans stand beside.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub(crate) fn machine_time() -> SystemTime {
        SystemTime::now()
    }

    /// The machine's own time: for what is compared with other machines, never for a rule.
    #[must_use]
    pub fn machine_now(&self) -> Timestamp {
        let since = Self::machine_time().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
