//! Stripe: payment intents on connected accounts, idempotency keys, signed webhooks, and a Stripe.js.

mod call;
mod calls;
mod cards;
mod charge;
mod create;
mod errors;
mod event;
mod form;
mod idempotency;
mod instrument;
mod intent;
mod listing;
mod lookups;
mod payments;
mod render;
mod routes;
mod view;
mod webhooks;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use serde_json::Value;

pub use call::{API_VERSION, Caller, StripeRequest};
pub use intent::IntentStatus;
pub use view::{ConfirmOverride, PaymentView};
pub use webhooks::{Delivery, Knobs, Mode, Order, Webhooks};

use errors::StripeError;
use event::{Cause, Change};
use idempotency::IdempotencyKeys;
use payments::Payments;

use crate::clock::Clock;
use crate::config::{ConnectedAccount, StripeConfig};
use crate::faults::{FaultRule, Faults};
use crate::ids::Ids;
use crate::journal::Journal;
use crate::server::Door;

/// Where the stand-in Stripe.js is served; the path names the release train, as Stripe's does.
pub const SCRIPT_PATH: &str = "/endive/stripe.js";

/// The payment provider.
#[derive(Clone, Debug)]
pub struct Stripe(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: StripeConfig,
    accounts: Mutex<Vec<ConnectedAccount>>,
    clock: Clock,
    ids: Ids,
    payments: Mutex<Payments>,
    keys: IdempotencyKeys,
    requests: Journal<StripeRequest>,
    webhooks: Webhooks,
    faults: Faults,
    overrides: Mutex<VecDeque<ConfirmOverride>>,
    door: Door,
}

/// The world asked for something that cannot be.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotPossible(String);

impl Stripe {
    pub(crate) fn new(config: StripeConfig, clock: Clock, seed: u64, client: reqwest::Client) -> Self {
        let webhooks = Webhooks::new(
            config.webhook_secret.clone(),
            config.webhook_url.clone(),
            config.webhook_retries_ms.clone(),
            clock.clone(),
            client,
        );
        Self(Arc::new(Inner {
            accounts: Mutex::new(config.accounts.clone()),
            config,
            clock,
            ids: Ids::new(seed, 1),
            payments: Mutex::default(),
            keys: IdempotencyKeys::default(),
            requests: Journal::new(),
            webhooks,
            faults: Faults::default(),
            overrides: Mutex::default(),
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

    /// Every request, in order.
    #[must_use]
    pub fn requests(&self) -> &Journal<StripeRequest> {
        &self.0.requests
    }

    /// Every request as one JSON object per line, for validators outside.
    #[must_use]
    pub fn requests_jsonl(&self) -> String {
        let lines = self.0.requests.all();
        lines.iter().filter_map(|line| serde_json::to_string(line).ok()).map(|line| line + "\n").collect()
    }

    /// The webhook sender and its knobs.
    #[must_use]
    pub fn webhooks(&self) -> &Webhooks {
        &self.0.webhooks
    }

    /// Adds a rule; its subject is `POST /v1/…`.
    pub fn fault(&self, rule: FaultRule) {
        self.0.faults.add(rule);
    }

    /// Ends all scripted misbehaviour of the API.
    pub fn clear_faults(&self) {
        self.0.faults.clear();
    }

    /// Connects another merchant.
    pub fn add_account(&self, account: ConnectedAccount) {
        self.0.accounts.lock().unwrap_or_else(PoisonError::into_inner).push(account);
    }

    /// Queues an ending for the next confirmation.
    pub fn override_next_confirm(&self, ending: ConfirmOverride) {
        self.0.overrides.lock().unwrap_or_else(PoisonError::into_inner).push_back(ending);
    }

    /// Ends a payment that is processing.
    ///
    /// # Errors
    /// When it is not processing.
    pub fn settle(&self, intent: &str, paid: bool) -> Result<(), NotPossible> {
        self.by_hand(|payments, change| payments.settle(intent, paid, change))
    }

    /// Answers the bank's question for the customer.
    ///
    /// # Errors
    /// When no question is open.
    pub fn authenticate(&self, intent: &str, passed: bool) -> Result<(), NotPossible> {
        self.by_hand(|payments, change| payments.authenticate(intent, passed, change))
    }

    /// A PaymentIntent as the API shows it.
    #[must_use]
    pub fn payment_intent(&self, id: &str) -> Option<Value> {
        let payments = self.payments();
        payments.intent_anywhere(id).map(|intent| render::intent(intent, &payments, &[]))
    }

    /// All events, oldest first, as sent.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        webhooks::as_json(&self.payments().events)
    }

    /// Sends an event again, whatever the knobs say.
    ///
    /// # Errors
    /// When there is no such event.
    pub fn resend_event(&self, id: &str) -> Result<(), NotPossible> {
        let found = self.payments().events.iter().find(|event| event.id == id).cloned();
        let event = found.ok_or_else(|| NotPossible(format!("there is no event {id}")))?;
        self.0.webhooks.send_again(event);
        Ok(())
    }

    pub(crate) fn config(&self) -> &StripeConfig {
        &self.0.config
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.0.ids
    }

    pub(crate) fn keys(&self) -> &IdempotencyKeys {
        &self.0.keys
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.0.faults
    }

    pub(crate) fn payments(&self) -> MutexGuard<'_, Payments> {
        self.0.payments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is kept, then announces the events that made.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Payments) -> R) -> R {
        let mut payments = self.payments();
        let result = change(&mut payments);
        let events = payments.unannounced();
        drop(payments);
        self.0.webhooks.announce(events);
        result
    }

    pub(crate) fn take_override(&self) -> Option<ConfirmOverride> {
        self.0.overrides.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(crate) fn was_delivered(&self, event: &str) -> bool {
        let arrived =
            |one: &Delivery| one.event == event && one.status.is_some_and(|s| (200..300).contains(&s));
        self.0.webhooks.deliveries().read(|all| all.iter().any(arrived))
    }

    /// The account, if this platform may act for it.
    pub(crate) fn account(&self, id: &str) -> Result<ConnectedAccount, StripeError> {
        let accounts = self.0.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = accounts.iter().find(|account| account.id == id).cloned();
        let tail = id.strip_prefix("acct_").unwrap_or_default();
        let well_formed =
            !tail.is_empty() && tail.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let assumed =
            (accounts.is_empty() && well_formed).then(|| ConnectedAccount::new(id, "Simulated business"));
        known.or(assumed).ok_or_else(|| {
            let message = format!(
                "The provided key does not have access to account '{id}' (or that account does not exist). \
                 Application access may have been revoked."
            );
            StripeError::request(403, &message).coded("account_invalid")
        })
    }

    fn by_hand(
        &self,
        change: impl FnOnce(&mut Payments, &Change<'_>) -> Result<(), StripeError>,
    ) -> Result<(), NotPossible> {
        let now = Change { now_s: self.0.clock.now_s(), ids: &self.0.ids, cause: Cause::default() };
        let changed = self.change(|payments| change(payments, &now));
        changed.map_err(|error| {
            NotPossible(error.body()["error"]["message"].as_str().unwrap_or_default().to_owned())
        })
    }
}
