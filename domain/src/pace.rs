//! How often something may happen: a steady rate with room for a burst, by the generic cell rate algorithm (ITU-T I.371).
//! A bucket is one number, the moment at which it will be empty again. Moments are microseconds on any one clock.

/// So many per minute or hour, and so many of them at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Between two that come steadily, in microseconds.
    interval_us: i64,
    /// How many may come at once when none came for a while.
    burst: i64,
}

const MINUTE_US: i64 = 60_000_000;

impl Pace {
    /// A million a second: more than anybody does. Whoever has no limit of its own can still be told to pause.
    pub const UNLIMITED: Self = Self { interval_us: 1, burst: 1_000_000 };

    /// So many a minute, with a sixth of them at once; `None` for zero, which stands for no limit.
    #[must_use]
    pub fn per_minute(count: u32) -> Option<Self> {
        Self::per(MINUTE_US, count, 6)
    }

    /// So many a minute, with a second's worth at once: what somebody down the line has agreed to.
    #[must_use]
    pub fn steady_per_minute(count: u32) -> Option<Self> {
        Self::per(MINUTE_US, count, 60)
    }

    /// So many an hour, with a third of them at once.
    #[must_use]
    pub fn per_hour(count: u32) -> Option<Self> {
        Self::per(60 * MINUTE_US, count, 3)
    }

    fn per(span_us: i64, count: u32, part: u32) -> Option<Self> {
        let interval_us = span_us.checked_div(i64::from(count))?.max(1);
        Some(Self { interval_us, burst: i64::from((count / part).max(1)) })
    }

    #[must_use]
    pub const fn interval_us(self) -> i64 {
        self.interval_us
    }

    #[must_use]
    pub const fn burst(self) -> i64 {
        self.burst
    }

    /// How full a bucket may be and still take one more.
    #[must_use]
    pub const fn tolerance_us(self) -> i64 {
        self.interval_us.saturating_mul(self.burst.saturating_sub(1))
    }

    /// One more, in a bucket that is empty at `empty_at_us`.
    ///
    /// # Errors
    /// How long to wait, in microseconds, when it is too soon.
    pub fn take(self, empty_at_us: i64, now_us: i64) -> Result<i64, i64> {
        let begin = empty_at_us.max(now_us);
        let wait_us = begin.saturating_sub(now_us).saturating_sub(self.tolerance_us());
        if wait_us > 0 {
            return Err(wait_us);
        }
        Ok(begin.saturating_add(self.interval_us))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_goes_at_once_and_then_one_after_another() {
        let pace = Pace::per_minute(60).unwrap();
        assert_eq!((pace.burst(), pace.interval_us()), (10, 1_000_000));
        let mut bucket = 0;
        for _ in 0..10 {
            bucket = pace.take(bucket, 5_000).unwrap();
        }
        assert_eq!(pace.take(bucket, 5_000), Err(1_000_000));
        assert_eq!(pace.take(bucket, 904_999), Err(100_001));
        bucket = pace.take(bucket, 1_005_000).unwrap();
        assert_eq!(pace.take(bucket, 1_005_000), Err(1_000_000));
    }

    #[test]
    fn zero_is_no_limit_and_a_slow_sender_has_no_burst() {
        assert_eq!(Pace::per_minute(0), None);
        let slow = Pace::steady_per_minute(60).unwrap();
        assert_eq!(slow.take(0, 0), Ok(1_000_000));
        assert_eq!(slow.take(1_000_000, 1), Err(999_999));
        assert_eq!(Pace::per_hour(30).unwrap(), Pace { interval_us: 120_000_000, burst: 10 });
        assert_eq!(Pace::per_minute(u32::MAX).unwrap().interval_us(), 1);
    }

    proptest! {
        /// Whatever comes when: in no span are there more than its rate's worth and one burst.
        #[test]
        fn no_span_holds_more_than_its_share(
            count in 1_u32..100_000, gaps in prop::collection::vec(0_i64..2_000_000, 1..300)
        ) {
            let pace = Pace::per_minute(count).unwrap();
            let (mut now, mut bucket, mut taken) = (0, 0, Vec::new());
            for gap in gaps {
                now += gap;
                match pace.take(bucket, now) {
                    Ok(empty_at) => {
                        bucket = empty_at;
                        taken.push(now);
                    }
                    // Whoever waits as long as told is taken.
                    Err(wait_us) => prop_assert!(pace.take(bucket, now + wait_us).is_ok()),
                }
            }
            for (position, begin) in taken.iter().enumerate() {
                for (further, end) in taken[position..].iter().enumerate() {
                    let allowed = pace.burst() + (end - begin) / pace.interval_us();
                    prop_assert!(i64::try_from(further).unwrap() < allowed + 1);
                }
            }
        }
    }
}
