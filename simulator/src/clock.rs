//! The world's clock: the wall clock plus an offset that tests and the demo can move.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A clock whose clones share one movable offset.
#[derive(Clone, Debug)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
    started: Instant,
}

impl Clock {
    /// A clock that starts at the wall clock's time.
    #[must_use]
    pub fn new() -> Self {
        Self::sharing(Arc::new(AtomicI64::new(0)))
    }

    /// A clock on somebody else's offset, so that the product and the world move together.
    #[must_use]
    pub fn sharing(offset_ms: Arc<AtomicI64>) -> Self {
        Self { offset_ms, started: Instant::now() }
    }

    /// The offset itself, to be shared.
    #[must_use]
    pub fn offset(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.offset_ms)
    }

    /// Business time, in milliseconds since the epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        wall_ms().saturating_add(self.offset_ms.load(Ordering::SeqCst))
    }

    /// Business time, in whole seconds since the epoch.
    #[must_use]
    pub fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// Moves business time; negative moves it back.
    pub fn advance(&self, ms: i64) {
        self.offset_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Microseconds since this clock was made; never moved, for measuring latencies.
    #[must_use]
    pub fn monotonic_us(&self) -> i64 {
        whole_i64(self.started.elapsed().as_micros())
    }

    /// When `monotonic_us` was zero.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(clippy::disallowed_methods, reason = "the simulator's only reading of the wall clock")]
fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    whole_i64(since.as_millis())
}

fn whole_i64(value: u128) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC with milliseconds, as JSON bodies carry it.
#[must_use]
pub fn rfc3339(ms: i64) -> String {
    timestamp(ms).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// RFC 2822 in UTC, as Twilio writes dates.
#[must_use]
pub fn rfc2822(ms: i64) -> String {
    timestamp(ms).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

fn timestamp(ms: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::{Clock, rfc2822, rfc3339};

    #[test]
    fn moving_one_clone_moves_them_all() {
        let clock = Clock::new();
        let twin = clock.clone();
        let before = twin.now_ms();
        clock.advance(7 * 86_400_000);
        assert!(twin.now_ms() >= before + 7 * 86_400_000);
    }

    #[test]
    fn the_monotonic_reading_ignores_the_offset() {
        let clock = Clock::new();
        clock.advance(86_400_000);
        assert!(clock.monotonic_us() < 60_000_000);
    }

    #[test]
    fn dates_are_written_as_the_wire_wants_them() {
        assert_eq!(rfc3339(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(rfc2822(1_700_000_000_000), "Tue, 14 Nov 2023 22:13:20 +0000");
    }
}
