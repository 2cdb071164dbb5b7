//! Wake-ups: in one process a `Notify` per kind, across processes Redis pub/sub. A lost one costs a poll interval.

use std::sync::Arc;

use domain::job::JobKind;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::{Live, Redis};
use relay::Relay;

mod relay;

const CHANNEL_JOBS: &str = "postcall:jobs";
const CHANNEL_CHANGES: &str = "postcall:changes";
/// Announcements waiting for a slow Redis; more are dropped, because they are only hints.
const OUTGOING_MAX: usize = 4_096;

struct Bell {
    kind: JobKind,
    notify: Notify,
}

/// Rings workers. Clones share the bells.
#[derive(Clone)]
pub struct Wake {
    bells: Arc<Vec<Bell>>,
    outgoing: Option<mpsc::Sender<(&'static str, String)>>,
    redis: Option<Redis>,
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
        Self { bells: Arc::new(bells.collect()), outgoing: None, redis: None }
    }

    /// Also tells, and hears from, other processes through Redis. Returns at once: Redis may come and go at any time,
    /// and its absence only means that other processes notice by their poll.
    #[must_use]
    pub fn through(redis: Redis, live: &Live, shutdown: &CancellationToken) -> Self {
        let (sender, outgoing) = mpsc::channel(OUTGOING_MAX);
        let wake = Self { outgoing: Some(sender.clone()), redis: Some(redis.clone()), ..Self::local() };
        live.forward_to(CHANNEL_CHANGES, sender);
        let relay = Relay { redis, wake: wake.clone(), live: live.clone(), outgoing };
        tokio::spawn(relay.run(shutdown.clone()));
        wake
    }

    /// Whether wake-ups go through Redis right now; `None` when there is none.
    #[must_use]
    pub fn redis_connected(&self) -> Option<bool> {
        self.redis.as_ref().map(Redis::is_connected)
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
