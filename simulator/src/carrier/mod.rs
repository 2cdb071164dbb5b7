//! A Twilio-shaped SMS carrier. Its journal of accepted texts is the judge of duplicates.

mod callbacks;
mod control;
mod errors;
mod inbound;
mod judge;
mod keywords;
mod listing;
mod requests;
mod routes;
mod script;
mod text;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::Router;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use callbacks::{Callback, SignedPost};
pub use inbound::Inbound;
pub use script::{Fate, Journey};
pub use text::{Direction, Text, TextStatus, segments};

use requests::Submission;
use script::Journeys;

use crate::clock::Clock;
use crate::config::CarrierConfig;
use crate::faults::Faults;
use crate::ids::Ids;
use crate::journal::Journal;
use crate::server::Door;

/// The longest a text may wait, which is also how long it may when nothing was said.
const FROM_THE_API_S: i64 = 36_000;

/// The SMS provider.
#[derive(Clone, Debug)]
pub struct Carrier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: CarrierConfig,
    clock: Clock,
    ids: Ids,
    client: reqwest::Client,
    inbound_url: RwLock<Option<String>>,
    texts: Journal<Text>,
    requests: Journal<Request>,
    callbacks: Journal<Callback>,
    posts: Journal<SignedPost>,
    faults: Faults,
    journeys: Journeys,
    listing_fault: Mutex<Option<u16>>,
    landlines: RwLock<HashSet<String>>,
    blocked: RwLock<HashSet<(String, String)>>,
    gates: watch::Sender<Gates>,
    door: Door,
}

/// What is held back, and whether everything is over.
#[derive(Clone, Copy, Debug, Default)]
struct Gates {
    queue_held: bool,
    callbacks_held: bool,
    stopped: bool,
}

/// One request to send, accepted or not.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    /// Business time.
    pub at_ms: i64,
    /// The same moment on [`Clock::monotonic_us`].
    pub at_us: i64,
    /// The form as sent.
    pub params: Vec<(String, String)>,
    /// The text it made; `None` when it was refused.
    pub sid: Option<String>,
    /// The status answered; `None` when the connection was cut or is silent.
    pub status: Option<u16>,
    /// The fault that struck.
    pub fault: Option<String>,
}

impl Carrier {
    pub(crate) fn new(config: CarrierConfig, clock: Clock, seed: u64, client: reqwest::Client) -> Self {
        Self(Arc::new(Inner {
            inbound_url: RwLock::new(config.inbound_url.clone()),
            config,
            clock,
            ids: Ids::new(seed, 2),
            client,
            texts: Journal::new(),
            requests: Journal::new(),
            callbacks: Journal::new(),
            posts: Journal::new(),
            faults: Faults::default(),
            journeys: Journeys::default(),
            listing_fault: Mutex::default(),
            landlines: RwLock::default(),
            blocked: RwLock::default(),
            gates: watch::channel(Gates::default()).0,
            door: Door::new(),
        }))
    }

    pub(crate) fn routes(&self) -> Router {
        routes::routes(self.clone())
    }

    /// Shuts or reopens the port.
    #[must_use]
    pub fn door(&self) -> Door {
        self.0.door.clone()
    }

    /// Every text there is: accepted ones, replies, notices and inbound ones.
    #[must_use]
    pub fn texts(&self) -> &Journal<Text> {
        &self.0.texts
    }

    /// Every request to send, accepted or not.
    #[must_use]
    pub fn requests(&self) -> &Journal<Request> {
        &self.0.requests
    }

    /// Every report about a text's status.
    #[must_use]
    pub fn callbacks(&self) -> &Journal<Callback> {
        &self.0.callbacks
    }

    /// Every form posted to the product.
    #[must_use]
    pub fn posts(&self) -> &Journal<SignedPost> {
        &self.0.posts
    }

    /// Whether the carrier itself stops texts from `number` to `phone`.
    #[must_use]
    pub fn is_blocked(&self, phone: &str, number: &str) -> bool {
        let pair = (phone.to_owned(), number.to_owned());
        self.0.blocked.read().unwrap_or_else(PoisonError::into_inner).contains(&pair)
    }

    pub(crate) fn block(&self, phone: &str, number: &str, blocked: bool) {
        let pair = (phone.to_owned(), number.to_owned());
        let mut all = self.0.blocked.write().unwrap_or_else(PoisonError::into_inner);
        if blocked {
            all.insert(pair);
        } else {
            all.remove(&pair);
        }
    }

    pub(crate) fn is_landline(&self, phone: &str) -> bool {
        self.0.landlines.read().unwrap_or_else(PoisonError::into_inner).contains(phone)
    }

    pub(crate) fn inbound_url(&self) -> Option<String> {
        self.0.inbound_url.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn listing_fault(&self) -> Option<u16> {
        *self.0.listing_fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts a text: from here on it counts.
    pub(crate) fn take_in(&self, submission: Submission) -> (usize, Text) {
        let text = Text {
            sid: self.0.ids.hexadecimal("SM"),
            direction: Direction::Outbound,
            to: submission.to,
            from: submission.from,
            body: submission.body,
            status: TextStatus::Queued,
            error_code: None,
            status_callback: submission.status_callback,
            validity_period_s: submission.validity_period_s,
            received_at_ms: self.0.clock.now_ms(),
            received_at_us: self.0.clock.monotonic_us(),
            sent_at_ms: None,
            ended_at_ms: None,
        };
        (self.0.texts.append(text.clone()), text)
    }

    pub(crate) fn send_on_its_way(&self, place: usize, journey: Journey) -> JoinHandle<()> {
        let carrier = self.clone();
        tokio::spawn(async move {
            let mut gates = carrier.0.gates.subscribe();
            tokio::select! {
                () = carrier.carry(place, journey) => {}
                _ = gates.wait_for(|gates| gates.stopped) => {}
            }
        })
    }

    pub(crate) fn stop_callbacks(&self) {
        self.0.gates.send_modify(|gates| gates.stopped = true);
    }

    pub(crate) async fn queue_open(&self) {
        let _ = self.0.gates.subscribe().wait_for(|gates| !gates.queue_held).await;
    }

    pub(crate) async fn callbacks_open(&self) {
        let _ = self.0.gates.subscribe().wait_for(|gates| !gates.callbacks_held).await;
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.0.ids
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.0.client
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.0.faults
    }

    pub(crate) fn journeys(&self) -> &Journeys {
        &self.0.journeys
    }

    pub(crate) fn account_sid(&self) -> &str {
        &self.0.config.account_sid
    }

    pub(crate) fn auth_token(&self) -> &str {
        &self.0.config.auth_token
    }

    pub(crate) fn number(&self) -> &str {
        &self.0.config.number
    }

    pub(crate) fn transit_ms(&self) -> u64 {
        self.0.config.transit_ms
    }
}
