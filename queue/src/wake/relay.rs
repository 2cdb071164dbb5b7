//! The exchange with other processes through Redis. It may fail at any moment and in any way: then it begins anew, and
//! meanwhile the other processes' work is found by the poll.
//!
//! Every second a beat goes out and must come back: that proves the whole way, whatever a server says of itself.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::job::JobKind;
use futures::StreamExt;
use redis::RedisError;
use redis::aio::{MultiplexedConnection, PubSub};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{CHANNEL_CHANGES, CHANNEL_JOBS, Wake};
use crate::redis_server::in_time;
use crate::{Live, Redis};

const BEAT_EVERY: Duration = Duration::from_secs(1);
/// So many beats that did not come back end a connection.
const UNHEARD_MAX: u32 = 3;
const RECONNECT: Duration = Duration::from_millis(500);
/// Announcements in one round trip.
const TOLD_AT_ONCE: usize = 256;

pub(super) struct Relay {
    pub(super) redis: Redis,
    pub(super) wake: Wake,
    pub(super) live: Live,
    pub(super) outgoing: mpsc::Receiver<(&'static str, String)>,
}

/// Why an exchange ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{0}")]
    Redis(#[from] RedisError),
    #[error("the connection was closed")]
    Closed,
    #[error("what is said does not come back")]
    Unheard,
}

impl Relay {
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let mut told_away = false;
        loop {
            let ended = tokio::select! {
                () = shutdown.cancelled() => return,
                ended = self.exchange() => ended,
            };
            // Said once each time it goes, not once a second while it is away.
            if self.redis.is_connected() || !told_away {
                tracing::warn!(reason = %ended, "Redis is away; work of other processes is found by a poll each second");
                told_away = true;
            }
            self.redis.set_connected(false);
            tokio::select! { () = shutdown.cancelled() => return, () = tokio::time::sleep(RECONNECT) => {} }
        }
    }

    /// Talks and listens until something fails.
    async fn exchange(&mut self) -> Ended {
        let (speaking, listening) = match self.redis.connect_both().await {
            Ok(both) => both,
            Err(error) => return error.into(),
        };
        let own_beat = format!("postcall:beat:{:016x}", rand::random::<u64>());
        let unheard = AtomicU32::new(0);
        let Self { redis, wake, live, outgoing } = self;
        let ended = tokio::select! {
            ended = speak(speaking, outgoing, &own_beat, &unheard) => ended,
            ended = listen(listening, redis, wake, live, &own_beat, &unheard) => ended,
        };
        match ended {
            Ok(never) => match never {},
            Err(ended) => ended,
        }
    }
}

type Never = std::convert::Infallible;

async fn speak(
    mut connection: MultiplexedConnection,
    outgoing: &mut mpsc::Receiver<(&'static str, String)>,
    own_beat: &str,
    unheard: &AtomicU32,
) -> Result<Never, Ended> {
    let mut beat = tokio::time::interval(BEAT_EVERY);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = Vec::new();
    loop {
        let mut pipeline = redis::pipe();
        tokio::select! {
            _ = beat.tick() => {
                if unheard.fetch_add(1, Ordering::Relaxed) >= UNHEARD_MAX {
                    return Err(Ended::Unheard);
                }
                pipeline.publish(own_beat, "").ignore();
            }
            count = outgoing.recv_many(&mut told, TOLD_AT_ONCE) => {
                if count == 0 {
                    // Every bell is gone: so is the process.
                    std::future::pending::<()>().await;
                }
                // Many rings of the same bells are one.
                told.sort_unstable();
                told.dedup();
                for (channel, text) in told.drain(..) {
                    pipeline.publish(channel, text).ignore();
                }
            }
        }
        in_time(pipeline.query_async::<()>(&mut connection)).await?;
    }
}

async fn listen(
    mut subscription: PubSub,
    redis: &Redis,
    wake: &Wake,
    live: &Live,
    own_beat: &str,
    unheard: &AtomicU32,
) -> Result<Never, Ended> {
    in_time(subscription.subscribe(&[CHANNEL_JOBS, CHANNEL_CHANGES, own_beat])).await?;
    let mut messages = subscription.on_message();
    while let Some(message) = messages.next().await {
        let channel = message.get_channel_name();
        if channel == own_beat {
            unheard.store(0, Ordering::Relaxed);
            if !redis.is_connected() {
                redis.set_connected(true);
                tracing::info!("wake-ups go through Redis");
                // Whatever was said while nobody listened is found at once.
                wake.ring_found(JobKind::ALL);
            }
            continue;
        }
        let Ok(text) = message.get_payload::<String>() else {
            continue;
        };
        if channel == CHANNEL_CHANGES {
            live.heard(&text);
            continue;
        }
        let kinds: Vec<JobKind> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
        wake.ring_found(&kinds);
    }
    Err(Ended::Closed)
}
