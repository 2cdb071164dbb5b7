//! Who is connected, what each connection waits for, and whom to hang up on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use prometheus::{IntCounter, IntGauge};
use tokio::sync::Notify;

use super::ListenerMetrics;

/// When all seats are taken, one of so many is freed at once: looking for the idlest costs a walk.
const FREED_AT_ONCE: usize = 64;

/// How long a client may keep us waiting.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Between requests.
    pub idle: Duration,
    /// From the first byte of a request's head to its last.
    pub head: Duration,
    /// Without a byte of a body that somebody waits for. How long a whole request may take is the router's business.
    pub body: Duration,
    /// With an answer that it does not take.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            // Longer than the 60 seconds for which proxies keep a connection, so that it is they who hang up: the other
            // way round they send a request into a connection that is just being closed.
            idle: Duration::from_secs(75),
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            answer: Duration::from_secs(30),
        }
    }
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// Nothing, or the last answer is on its way.
    Idle,
    /// A request's head has begun to arrive.
    Head,
    /// A handler waits for the body.
    Body,
    /// A handler works: the client waits for us.
    Working,
    /// A listener to changes: it is meant to stay.
    Streaming,
}

impl Phase {
    const ALL: [Self; 5] = [Self::Idle, Self::Head, Self::Body, Self::Working, Self::Streaming];

    fn of(number: u8) -> Self {
        Self::ALL.into_iter().find(|phase| *phase as u8 == number).unwrap_or(Self::Working)
    }

    /// How long it may last, and what to call it when it lasted longer; `None` where the client waits for us.
    const fn limit(self, patience: &Patience) -> Option<(Duration, &'static str)> {
        match self {
            Self::Idle => Some((patience.idle, "idle")),
            Self::Head => Some((patience.head, "slow_head")),
            Self::Body => Some((patience.body, "slow_body")),
            Self::Working | Self::Streaming => None,
        }
    }
}

/// One connection's place. Freed when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    number: u64,
    phase: AtomicU8,
    /// When the phase began or last made progress, in milliseconds of the house.
    since_ms: AtomicU64,
    /// Since when output waits for the client; zero while none does.
    stalled_ms: AtomicU64,
    leaving: AtomicBool,
    hung_up: Notify,
    house: Arc<Seats>,
}

impl Seat {
    fn phase(&self) -> Phase {
        Phase::of(self.phase.load(Ordering::Relaxed))
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.since_ms.store(self.house.now_ms(), Ordering::Relaxed);
    }

    /// Bytes came.
    pub(super) fn heard(&self) {
        if self.phase() == Phase::Idle {
            self.enter(Phase::Head);
        }
    }

    /// A whole head came.
    pub(super) fn works(&self) {
        self.enter(Phase::Working);
    }

    /// A handler wants more of a body than there is.
    pub(super) fn wants_body(&self) {
        if self.phase() == Phase::Working {
            self.enter(Phase::Body);
        }
    }

    /// It got it.
    pub(super) fn got_body(&self) {
        if self.phase() == Phase::Body {
            self.enter(Phase::Working);
        }
    }

    pub(super) fn answers(&self) {
        self.enter(Phase::Idle);
    }

    pub(super) fn streams(&self) {
        self.enter(Phase::Streaming);
    }

    /// The client does not take what is written.
    pub(super) fn stalls(&self) {
        let now_ms = self.house.now_ms().max(1);
        let _stalled_already =
            self.stalled_ms.compare_exchange(0, now_ms, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Everything that was written is on its way.
    pub(super) fn flushed(&self) {
        if self.stalled_ms.load(Ordering::Relaxed) != 0 {
            self.stalled_ms.store(0, Ordering::Relaxed);
            self.since_ms.store(self.house.now_ms(), Ordering::Relaxed);
        }
    }

    /// Waits until it is decided that this connection must go.
    pub(super) async fn hung_up(&self) {
        self.hung_up.notified().await;
    }

    /// Why it has to go, if it has.
    fn overdue(&self, now_ms: u64) -> Option<&'static str> {
        let stalled_ms = self.stalled_ms.load(Ordering::Relaxed);
        if stalled_ms != 0 {
            return (now_ms.saturating_sub(stalled_ms) > ms(self.house.patience.answer))
                .then_some("slow_reader");
        }
        let (limit, reason) = self.phase().limit(&self.house.patience)?;
        (now_ms.saturating_sub(self.since_ms.load(Ordering::Relaxed)) > ms(limit)).then_some(reason)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.house.all().remove(&self.number);
        self.house.open.dec();
    }
}

/// Everybody who is connected to one listener.
#[derive(Debug)]
pub(super) struct Seats {
    max: usize,
    patience: Patience,
    taken: Mutex<HashMap<u64, Weak<Seat>>>,
    next: AtomicU64,
    begun: Instant,
    open: IntGauge,
    hung_up: HashMap<&'static str, IntCounter>,
}

type Taken<'a> = std::sync::MutexGuard<'a, HashMap<u64, Weak<Seat>>>;

impl Seats {
    pub(super) fn new(
        listener: &'static str,
        max: usize,
        patience: Patience,
        metrics: &ListenerMetrics,
    ) -> Self {
        let reasons = ["idle", "slow_head", "slow_body", "slow_reader", "crowded_out", "no_seat"];
        let counter = |reason| metrics.hung_up.with_label_values(&[listener, reason]);
        metrics.refused.with_label_values(&[listener]);
        Self {
            max: max.max(1),
            patience,
            taken: Mutex::default(),
            next: AtomicU64::new(0),
            begun: Instant::now(),
            open: metrics.connections.with_label_values(&[listener]),
            hung_up: reasons.into_iter().map(|reason| (reason, counter(reason))).collect(),
        }
    }

    fn all(&self) -> Taken<'_> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        ms(self.begun.elapsed())
    }

    /// A seat for a new connection. When all are taken others have to go; `None` when nobody there can be asked to.
    pub(super) fn take(self: &Arc<Self>) -> Option<Arc<Seat>> {
        if self.all().len() >= self.max && !self.make_room() {
            self.count("no_seat");
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let seat = Arc::new(Seat {
            number,
            phase: AtomicU8::new(Phase::Idle as u8),
            since_ms: AtomicU64::new(self.now_ms()),
            stalled_ms: AtomicU64::new(0),
            leaving: AtomicBool::new(false),
            hung_up: Notify::new(),
            house: Arc::clone(self),
        });
        self.all().insert(number, Arc::downgrade(&seat));
        self.open.inc();
        Some(seat)
    }

    fn staying(&self) -> Vec<Arc<Seat>> {
        let all: Vec<Arc<Seat>> = self.all().values().filter_map(Weak::upgrade).collect();
        all.into_iter().filter(|seat| !seat.leaving.load(Ordering::Relaxed)).collect()
    }

    /// Hangs up on those who have kept us waiting longest; `false` when there is nobody. Whom we keep waiting stays.
    pub(super) fn make_room(&self) -> bool {
        let mut waiting: Vec<(u64, Arc<Seat>)> = self
            .staying()
            .into_iter()
            .filter(|seat| seat.phase().limit(&self.patience).is_some())
            .map(|seat| (seat.since_ms.load(Ordering::Relaxed), seat))
            .collect();
        let wanted = (self.max / FREED_AT_ONCE).max(1);
        if wanted < waiting.len() {
            waiting.select_nth_unstable_by_key(wanted, |(since_ms, seat)| (*since_ms, seat.number));
        }
        let found = !waiting.is_empty();
        for (_, seat) in waiting.into_iter().take(wanted) {
            self.hang_up(&seat, "crowded_out");
        }
        found
    }

    pub(super) fn hang_up_on_the_slow(&self) {
        let now_ms = self.now_ms();
        for seat in self.staying() {
            if let Some(reason) = seat.overdue(now_ms) {
                self.hang_up(&seat, reason);
            }
        }
    }

    fn hang_up(&self, seat: &Seat, reason: &'static str) {
        seat.leaving.store(true, Ordering::Relaxed);
        seat.hung_up.notify_one();
        self.count(reason);
    }

    fn count(&self, reason: &'static str) {
        if let Some(counter) = self.hung_up.get(reason) {
            counter.inc();
        }
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
