//! A few open connections to the relay, used again while they are warm.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lettre::transport::smtp::client::AsyncSmtpConnection;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::outcome::{Fault, Stage};
use super::relay::Relay;

/// Relays hang up on idle callers after a minute or more.
const IDLE_MAX: Duration = Duration::from_secs(30);

pub(super) struct Pool {
    relay: Relay,
    places: Semaphore,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

/// A connection in use, and the place in the pool that it takes.
pub(super) struct Line<'a> {
    connection: AsyncSmtpConnection,
    pool: &'a Pool,
    _place: SemaphorePermit<'a>,
}

impl Pool {
    pub(super) fn new(relay: Relay, size: usize) -> Self {
        Self { relay, places: Semaphore::new(size), idle: Mutex::default() }
    }

    /// A connection that answers, new or used. Waits while all places are taken.
    pub(super) async fn take(&self) -> Result<Line<'_>, Fault> {
        let place = self.places.acquire().await.map_err(|_| Fault::Broken { stage: Stage::Connect })?;
        while let Some(mut connection) = self.pop_idle() {
            if connection.test_connected().await {
                return Ok(Line { connection, pool: self, _place: place });
            }
        }
        let connection = self.relay.connect().await?;
        Ok(Line { connection, pool: self, _place: place })
    }

    fn pop_idle(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE_MAX);
        idle.pop().map(|(connection, _)| connection)
    }
}

impl Line<'_> {
    pub(super) fn connection(&mut self) -> &mut AsyncSmtpConnection {
        &mut self.connection
    }

    /// Only for a connection whose last command was answered well.
    pub(super) fn put_back(self) {
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((self.connection, Instant::now()));
    }
}
