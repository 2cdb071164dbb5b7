//! Sends signed events to the product, as unreliably as the test asks for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use super::event::Event;
use super::render;
use crate::clock::Clock;
use crate::journal::Journal;
use crate::signatures;

/// What becomes of events from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Sent at once.
    #[default]
    Deliver,
    /// Never sent; they can still be listed.
    Drop,
    /// Kept until [`Webhooks::release`].
    Hold,
}

/// In which order held events leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// As they happened.
    #[default]
    AsHappened,
    /// Newest first.
    Reversed,
}

/// How webhooks misbehave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Knobs {
    /// Send, drop or hold.
    pub mode: Mode,
    /// How often each event is sent; 2 duplicates it.
    pub copies: u32,
    /// Waits so long before each first delivery.
    pub delay_ms: u64,
    /// Signs with the wrong secret.
    pub bad_signature: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self { mode: Mode::Deliver, copies: 1, delay_ms: 0, bad_signature: false }
    }
}

/// One attempt to deliver one event.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// Business time.
    pub at_ms: i64,
    /// `evt_…`
    pub event: String,
    /// `payment_intent.succeeded`, …
    pub kind: String,
    /// The connected account.
    pub account: Option<String>,
    /// Counts from 1 within one copy.
    pub attempt: u32,
    /// What the product answered; `None` when it did not.
    pub status: Option<u16>,
}

/// The sender and its knobs.
#[derive(Clone, Debug)]
pub struct Webhooks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    secret: String,
    retries_ms: Vec<u64>,
    clock: Clock,
    client: reqwest::Client,
    url: watch::Sender<Option<String>>,
    knobs: Mutex<Knobs>,
    held: Mutex<Vec<Event>>,
    deliveries: Journal<Delivery>,
    stopped: watch::Sender<bool>,
}

impl Webhooks {
    pub(crate) fn new(
        secret: String,
        url: Option<String>,
        retries_ms: Vec<u64>,
        clock: Clock,
        client: reqwest::Client,
    ) -> Self {
        Self(Arc::new(Inner {
            secret,
            retries_ms,
            clock,
            client,
            url: watch::channel(url).0,
            knobs: Mutex::default(),
            held: Mutex::default(),
            deliveries: Journal::new(),
            stopped: watch::channel(false).0,
        }))
    }

    /// Where events go; those that happened while nothing was set were not sent.
    pub fn set_url(&self, url: &str) {
        self.0.url.send_replace(Some(url.to_owned()));
    }

    /// Turns the knobs, for events from now on.
    pub fn set_knobs(&self, knobs: Knobs) {
        *self.0.knobs.lock().unwrap_or_else(PoisonError::into_inner) = knobs;
    }

    /// How the knobs stand.
    #[must_use]
    pub fn knobs(&self) -> Knobs {
        self.0.knobs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every attempt to deliver.
    #[must_use]
    pub fn deliveries(&self) -> &Journal<Delivery> {
        &self.0.deliveries
    }

    /// How many events are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Lets held events go, one after another in the order asked for. Returns how many.
    pub fn release(&self, order: Order) -> usize {
        let mut held = std::mem::take(&mut *self.0.held.lock().unwrap_or_else(PoisonError::into_inner));
        match order {
            Order::AsHappened => {}
            Order::Reversed => held.reverse(),
        }
        let count = held.len();
        let (inner, knobs) = (Arc::clone(&self.0), self.knobs());
        self.spawn(async move {
            for event in &held {
                inner.deliver(event, &knobs).await;
            }
        });
        count
    }

    /// Sends one event again, as the "resend" button of Stripe's dashboard does.
    pub(crate) fn send_again(&self, event: Event) {
        let (inner, knobs) = (Arc::clone(&self.0), Knobs::default());
        self.spawn(async move { inner.deliver(&event, &knobs).await });
    }

    /// Takes events that just happened.
    pub(crate) fn announce(&self, events: Vec<Event>) {
        let knobs = self.knobs();
        match knobs.mode {
            Mode::Drop => {}
            Mode::Hold => self.0.held.lock().unwrap_or_else(PoisonError::into_inner).extend(events),
            // Each on its own: the order of arrival is not promised, here as at Stripe.
            Mode::Deliver => {
                for event in events {
                    for _ in 0..knobs.copies {
                        let (inner, knobs, event) = (Arc::clone(&self.0), knobs.clone(), event.clone());
                        self.spawn(async move { inner.deliver(&event, &knobs).await });
                    }
                }
            }
        }
    }

    /// Ends all deliveries.
    pub(crate) fn stop(&self) {
        self.0.stopped.send_replace(true);
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut stopped = self.0.stopped.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                () = work => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        });
    }
}

impl Inner {
    async fn deliver(&self, event: &Event, knobs: &Knobs) {
        let Some(url) = self.url.borrow().clone() else {
            return;
        };
        tokio::time::sleep(Duration::from_millis(knobs.delay_ms)).await;
        let body = render::event(event).to_string();
        let waits = self.retries_ms.iter().copied().map(Some).chain([None]);
        for (attempt, wait) in (1..).zip(waits) {
            let status = self.post(&url, &body, knobs.bad_signature).await;
            self.deliveries.append(Delivery {
                at_ms: self.clock.now_ms(),
                event: event.id.clone(),
                kind: event.kind.to_owned(),
                account: event.account.clone(),
                attempt,
                status,
            });
            let Some(wait_ms) = wait.filter(|_| !status.is_some_and(|status| (200..300).contains(&status)))
            else {
                return;
            };
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
    }

    async fn post(&self, url: &str, body: &str, bad_signature: bool) -> Option<u16> {
        let secret = if bad_signature { "whsec_of_somebody_else" } else { &self.secret };
        let answer = self
            .client
            .post(url)
            .header("content-type", "application/json; charset=utf-8")
            .header("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
            .header("stripe-signature", signatures::stripe(secret, self.clock.now_s(), body))
            .body(body.to_owned())
            .send()
            .await;
        answer.ok().map(|answer| answer.status().as_u16())
    }
}

/// An event as it is listed and sent.
pub(crate) fn as_json(events: &[Event]) -> Vec<Value> {
    events.iter().map(render::event).collect()
}
