//! An append-only record that tests can read and wait on: the judge of what the product really did.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::error::Error;

/// What happened, in order.
#[derive(Debug)]
pub struct Journal<T> {
    entries: Mutex<Vec<T>>,
    changed: watch::Sender<u64>,
}

impl<T: Clone> Journal<T> {
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::new(Vec::new()), changed: watch::channel(0).0 }
    }

    /// Appends and returns the entry's place.
    pub(crate) fn append(&self, entry: T) -> usize {
        let mut entries = self.lock();
        entries.push(entry);
        let place = entries.len() - 1;
        drop(entries);
        self.announce();
        place
    }

    /// Rewrites one entry, for outcomes that are known only later.
    pub(crate) fn amend(&self, place: usize, change: impl FnOnce(&mut T)) {
        if let Some(entry) = self.lock().get_mut(place) {
            change(entry);
        }
        self.announce();
    }

    /// A copy of everything so far.
    #[must_use]
    pub fn all(&self) -> Vec<T> {
        self.lock().clone()
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether nothing has happened yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Reads without copying.
    pub fn read<R>(&self, look: impl FnOnce(&[T]) -> R) -> R {
        look(&self.lock())
    }

    /// Waits until `found` sees what it looks for.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when it does not within `patience`.
    pub async fn wait_until<R>(
        &self,
        patience: Duration,
        mut found: impl FnMut(&[T]) -> Option<R>,
    ) -> Result<R, Error> {
        let mut changed = self.changed.subscribe();
        let search = async {
            loop {
                if let Some(result) = self.read(&mut found) {
                    return result;
                }
                if changed.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(patience, search).await.map_err(|_| Error::TimedOut(patience))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self) {
        self.changed.send_modify(|version| *version = version.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::sync::Arc;
    use std::time::Duration;

    use super::Journal;
    use crate::error::Error;

    #[tokio::test]
    async fn a_waiter_sees_an_entry_that_comes_later() {
        let journal = Arc::new(Journal::new());
        let writer = Arc::clone(&journal);
        let waiting = journal.wait_until(Duration::from_secs(5), |all| all.first().copied());
        let (seen, ()) = tokio::join!(waiting, async move {
            writer.append(42);
        });
        assert_eq!(seen.unwrap(), 42);
    }

    #[tokio::test]
    async fn a_waiter_gives_up_at_its_deadline() {
        let journal: Journal<u8> = Journal::new();
        let seen = journal.wait_until(Duration::from_millis(5), |all| all.first().copied()).await;
        assert!(matches!(seen, Err(Error::TimedOut(_))));
    }
}
