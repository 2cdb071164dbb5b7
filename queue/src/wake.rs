//! Wake-ups: in one process a `Notify` per kind, across processes Redis pub/sub. A lost one costs a poll interval.

use std::sync::Arc;

use domain::job::JobKind;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::Live;

const CHANNEL_JOBS: &str = "postcall:jobs";
const CHANNEL_CHANGES: &str = "postcall:changes";
/// Announcements waiting for a slow Redis; more are dropped, because they are only hints.
const OUTGOING_MAX: usize = 4_096;

#[derive(Debug, thiserror::Error)]
pub enum WakeError {
    #[error("the Redis address cannot be read: {0}")]
    Unreadable(#[source] redis::RedisError),
}

struct Bell {
    kind: JobKind,
    notify: Notify,
}

/// Rings workers. Clones share the bells.
#[derive(Clone)]
pub struct Wake {
    bells: Arc<Vec<Bell>>,
    outgoing: Option<mpsc::Sender<(&'static str, String)>>,
}

impl std::fmt::Debug for Wake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wake").field("across_processes", &self.outgoing.is_some()).finish()
    }
}

impl Wake {
    /// For one process: no Redis.
    #[must_use]
    pub fn local() -> Self {
        let bells = JobKind::ALL.iter().map(|kind| Bell { kind: *kind, notify: Notify::new() });
        Self { bells: Arc::new(bells.collect()), outgoing: None }
    }

    /// Also tells, and hears from, other processes through Redis. Returns at once: Redis may come and go at any time,
    /// and its absence only means that other processes notice by their poll.
    ///
    /// # Errors
    /// When the address cannot be read.
    pub fn through_redis(url: &str, live: &Live, shutdown: &CancellationToken) -> Result<Self, WakeError> {
        let client = redis::Client::open(url).map_err(WakeError::Unreadable)?;
        let (sender, receiver) = mpsc::channel(OUTGOING_MAX);
        let wake = Self { outgoing: Some(sender.clone()), ..Self::local() };
        live.forward_to(CHANNEL_CHANGES, sender);
        tokio::spawn(relay::publish(client.clone(), receiver, shutdown.clone()));
        tokio::spawn(relay::listen(client, wake.clone(), live.clone(), shutdown.clone()));
        Ok(wake)
    }

    /// Wakes whoever works on these kinds, here and elsewhere.
    pub fn ring(&self, kinds: &[JobKind]) {
        if kinds.is_empty() {
            return;
        }
        self.ring_here(kinds);
        let Some(outgoing) = &self.outgoing else { return };
        let words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
        let _dropped_when_full = outgoing.try_send((CHANNEL_JOBS, words.join(" ")));
    }

    fn ring_here(&self, kinds: &[JobKind]) {
        for bell in self.bells.iter().filter(|bell| kinds.contains(&bell.kind)) {
            bell.notify.notify_one();
        }
    }

    /// Rings only in this process: for work that this process found by itself.
    pub(crate) fn ring_found(&self, kinds: &[JobKind]) {
        self.ring_here(kinds);
    }

    pub(crate) async fn rung(&self, kind: JobKind) {
        match self.bells.iter().find(|bell| bell.kind == kind) {
            Some(bell) => bell.notify.notified().await,
            None => std::future::pending().await,
        }
    }
}

mod relay {
    use std::time::Duration;

    use futures::StreamExt;

    use super::{CHANNEL_CHANGES, CHANNEL_JOBS, CancellationToken, JobKind, Live, Wake, mpsc};

    const RECONNECT: Duration = Duration::from_secs(1);
    const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

    pub(super) async fn publish(
        client: redis::Client,
        mut outgoing: mpsc::Receiver<(&'static str, String)>,
        shutdown: CancellationToken,
    ) {
        let mut connection: Option<redis::aio::MultiplexedConnection> = None;
        loop {
            let (channel, text) = tokio::select! {
                () = shutdown.cancelled() => return,
                next = outgoing.recv() => match next { Some(next) => next, None => return },
            };
            if connection.is_none() {
                connection = tokio::time::timeout(ANSWER_TIMEOUT, client.get_multiplexed_async_connection())
                    .await
                    .ok()
                    .and_then(Result::ok);
            }
            let Some(open) = connection.as_mut() else {
                tokio::select! { () = shutdown.cancelled() => return, () = tokio::time::sleep(RECONNECT) => continue }
            };
            let mut command = redis::cmd("PUBLISH");
            command.arg(channel).arg(text);
            let sent = tokio::time::timeout(ANSWER_TIMEOUT, command.query_async::<i64>(open)).await;
            if !matches!(sent, Ok(Ok(_))) {
                tracing::warn!("Redis did not take a wake-up; other processes notice by their poll");
                connection = None;
            }
        }
    }

    pub(super) async fn listen(client: redis::Client, wake: Wake, live: Live, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = hear(&client, &wake, &live) => {}
            }
            tokio::select! { () = shutdown.cancelled() => return, () = tokio::time::sleep(RECONNECT) => {} }
        }
    }

    /// Listens until the connection ends.
    async fn hear(client: &redis::Client, wake: &Wake, live: &Live) {
        let Ok(Ok(mut subscription)) = tokio::time::timeout(ANSWER_TIMEOUT, client.get_async_pubsub()).await
        else {
            return;
        };
        let subscribed = subscription.subscribe(&[CHANNEL_JOBS, CHANNEL_CHANGES]).await;
        if subscribed.is_err() {
            return;
        }
        // Whatever was said while nobody listened is found at once.
        wake.ring_found(JobKind::ALL);
        let mut messages = subscription.on_message();
        while let Some(message) = messages.next().await {
            let Ok(text) = message.get_payload::<String>() else {
                continue;
            };
            if message.get_channel_name() == CHANNEL_CHANGES {
                live.heard(&text);
                continue;
            }
            let kinds: Vec<JobKind> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
            wake.ring_found(&kinds);
        }
    }
}
