//! Rate buckets that processes share without asking each other: every process decides by itself, at once, and tells
//! Redis afterwards what it took; what the others took comes back with the answer and counts from then on.
//!
//! So Redis is never waited for. Without it every process keeps its own buckets. With it, `n` processes can together
//! exceed a limit for a moment by what the others let through before they heard of each other: at most `n - 1` bursts
//! and `n - 1` times what the rate allows in a tenth of a second. It is paid back: the bucket stays overfull for as long.

mod shared;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::pace::Pace;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::Redis;

/// How often a process tells the others what it took, when it took something.
const TELL_EVERY: Duration = Duration::from_millis(100);
/// Buckets of one process. Empty ones are thrown away; beyond this, new names of a kind share one bucket.
const BUCKETS_MAX: usize = 100_000;
/// The farthest place in a line, so that everybody looks again now and then.
const LINE_MAX_US: i64 = 300_000_000;

/// The longest pause, and the most by which a shared bucket is overfull: neither a mistake nor a clock that steps back
/// holds anybody up for longer.
const PAUSE_MAX_US: i64 = 60_000_000;

/// What is limited: a kind and whose.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BucketName {
    pub kind: &'static str,
    pub of: String,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    pace: Pace,
    /// On this process's clock, in microseconds since it began.
    empty_at_us: i64,
    /// The last place that was given out in the line of those who have to wait.
    line_ends_us: i64,
    /// Taken here since the others were told.
    untold: i64,
    /// A pause that was asked for since the others were told: when it ends.
    untold_hold_us: i64,
}

impl Bucket {
    fn is_empty(&self, now_us: i64) -> bool {
        self.untold == 0 && self.untold_hold_us <= now_us && self.empty_at_us.max(self.line_ends_us) <= now_us
    }
}

/// Clones share the buckets.
#[derive(Debug, Clone)]
pub struct Buckets {
    shelf: Arc<Shelf>,
}

#[derive(Debug)]
struct Shelf {
    buckets: Mutex<HashMap<BucketName, Bucket>>,
    begun: Instant,
    /// Something was taken that the others do not know of.
    news: Notify,
}

impl Default for Buckets {
    /// For one process.
    fn default() -> Self {
        let shelf = Shelf { buckets: Mutex::default(), begun: Instant::now(), news: Notify::new() };
        Self { shelf: Arc::new(shelf) }
    }
}

impl Buckets {
    /// Also shares with other processes. Returns at once: Redis may come and go at any time.
    #[must_use]
    pub fn through(redis: Redis, shutdown: &CancellationToken) -> Self {
        let buckets = Self::default();
        tokio::spawn(shared::tell(redis, Arc::clone(&buckets.shelf), shutdown.clone()));
        buckets
    }

    /// One more.
    ///
    /// # Errors
    /// How long to wait when it is too soon.
    pub fn take(&self, name: BucketName, pace: Pace) -> Result<(), Duration> {
        self.shelf.with(name, Some(pace), |bucket, now_us| {
            let empty_at_us = pace.take(bucket.empty_at_us, now_us).map_err(span)?;
            bucket.empty_at_us = empty_at_us;
            bucket.untold += 1;
            Ok(())
        })
    }

    /// One more; whoever comes too soon gets a place in the line, so that those who wait do not all come back at once.
    ///
    /// # Errors
    /// When to come back. It is a good moment, not a promise: others may be faster.
    pub fn take_in_turn(&self, name: BucketName, pace: Pace) -> Result<(), Duration> {
        self.shelf.with(name, Some(pace), Bucket::take_in_turn)
    }

    /// Nobody may take any before this is over, here and, once they have heard of it, in other processes. A pause is a
    /// minute at most.
    pub fn hold(&self, name: BucketName, pause: Duration) {
        self.shelf.with(name, None, |bucket, now_us| {
            let until_us = now_us.saturating_add(us(pause).min(PAUSE_MAX_US));
            bucket.hold(until_us);
            bucket.untold_hold_us = bucket.untold_hold_us.max(until_us);
        });
    }
}

impl Bucket {
    fn take_in_turn(&mut self, now_us: i64) -> Result<(), Duration> {
        match self.pace.take(self.empty_at_us, now_us) {
            Ok(empty_at_us) => {
                self.empty_at_us = empty_at_us;
                self.untold += 1;
                Ok(())
            }
            Err(wait_us) => {
                let first = now_us.saturating_add(wait_us);
                let next = self.line_ends_us.saturating_add(self.pace.interval_us());
                // A long pause is waited for to its end; only the line behind it is cut.
                self.line_ends_us = next.clamp(first, first.saturating_add(LINE_MAX_US));
                Err(span(self.line_ends_us.saturating_sub(now_us)))
            }
        }
    }

    /// So full that the next one fits in when the pause is over.
    fn hold(&mut self, until_us: i64) {
        self.empty_at_us = self.empty_at_us.max(until_us.saturating_add(self.pace.tolerance_us()));
    }
}

impl Shelf {
    fn now_us(&self) -> i64 {
        us(self.begun.elapsed())
    }

    fn all(&self) -> MutexGuard<'_, HashMap<BucketName, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        mut name: BucketName,
        pace: Option<Pace>,
        act: impl FnOnce(&mut Bucket, i64) -> T,
    ) -> T {
        let now_us = self.now_us();
        let mut buckets = self.all();
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&name) {
            buckets.retain(|_, bucket| !bucket.is_empty(now_us));
            if buckets.len() >= BUCKETS_MAX {
                name.of = String::new();
            }
        }
        let fresh = Bucket {
            pace: Pace::UNLIMITED,
            empty_at_us: now_us,
            line_ends_us: now_us,
            untold: 0,
            untold_hold_us: 0,
        };
        let bucket = buckets.entry(name).or_insert(fresh);
        bucket.pace = pace.unwrap_or(bucket.pace);
        let acted = act(bucket, now_us);
        if bucket.untold > 0 || bucket.untold_hold_us > now_us {
            self.news.notify_one();
        }
        acted
    }
}

fn us(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

fn span(span_us: i64) -> Duration {
    Duration::from_micros(u64::try_from(span_us).unwrap_or(0))
}

#[cfg(test)]
mod tests;
