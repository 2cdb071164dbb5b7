//! How often somebody may ask. Whom a limit holds back gets 429 and `Retry-After`. Webhooks of the carrier and of Stripe
//! are never held back, and neither is a question or a "no more emails" on a link that is known: what they say must be
//! heard.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use domain::id::{ApiKeyId, CustomerId, MerchantId};
use domain::pace::Pace;
use ipnet::IpNet;
use prometheus::IntCounterVec;
use queue::{BucketName, Buckets};

use crate::address;
use crate::problem::Problem;
use crate::state::Api;

/// Zero stands for no limit.
#[derive(Debug, Clone)]
pub struct LimitSettings {
    /// Requests a minute of one API key; a sixth of them at once. Events have a limit of their own.
    pub key_per_minute: u32,
    /// Requests a minute of one address to pages, and its failed attempts to sign in.
    pub address_per_minute: u32,
    /// Events a minute of one merchant: nothing a business does, but an end to a loop gone wild.
    pub events_per_minute: u32,
    /// Links and payments an hour asked for by hand or button for one customer; a third of them at once.
    pub recipient_per_hour: u32,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            key_per_minute: 6_000,
            address_per_minute: 600,
            events_per_minute: 600_000,
            recipient_per_hour: 30,
            trusted_proxies: Vec::new(),
        }
    }
}

/// Clones share the buckets.
#[derive(Clone)]
pub(crate) struct Limits {
    buckets: Buckets,
    key: Option<Pace>,
    address: Option<Pace>,
    events: Option<Pace>,
    recipient: Option<Pace>,
    trusted_proxies: Vec<IpNet>,
    limited: IntCounterVec,
}

impl Limits {
    pub(crate) fn new(buckets: Buckets, settings: &LimitSettings, limited: IntCounterVec) -> Self {
        Self {
            buckets,
            key: Pace::per_minute(settings.key_per_minute),
            address: Pace::per_minute(settings.address_per_minute),
            events: Pace::per_minute(settings.events_per_minute),
            recipient: Pace::per_hour(settings.recipient_per_hour),
            trusted_proxies: settings.trusted_proxies.clone(),
            limited,
        }
    }

    pub(crate) fn key(&self, id: &ApiKeyId) -> Result<(), Problem> {
        self.take("key", self.key, id.as_str()).map_err(too_many("This API key asks too often."))
    }

    pub(crate) fn events(&self, merchant: &MerchantId) -> Result<(), Problem> {
        let problem =
            too_many("More events come for this merchant than this server takes. Send this one again.");
        self.take("events", self.events, merchant.as_str()).map_err(problem)
    }

    /// Something is about to be asked of, or sent to, one customer.
    pub(crate) fn recipient(&self, customer: &CustomerId) -> Result<(), Duration> {
        self.take("recipient", self.recipient, customer.as_str())
    }

    /// A request that did not show who asks: whoever keeps trying is told to stop.
    pub(crate) fn unauthorized(&self, parts: &Parts, problem: Problem) -> Problem {
        if problem.status() != StatusCode::UNAUTHORIZED {
            return problem;
        }
        match self.address(&parts.extensions, &parts.headers) {
            Ok(()) => problem,
            Err(wait) => {
                too_many("Too many requests without a valid credential came from this address.")(wait)
            }
        }
    }

    fn address(&self, extensions: &Extensions, headers: &HeaderMap) -> Result<(), Duration> {
        if self.address.is_none() {
            return Ok(());
        }
        let address = address::client(extensions, headers, &self.trusted_proxies);
        self.take("address", self.address, &address::block(address))
    }

    fn take(&self, kind: &'static str, pace: Option<Pace>, of: &str) -> Result<(), Duration> {
        let Some(pace) = pace else { return Ok(()) };
        let taken = self.buckets.take(BucketName { kind, of: of.to_owned() }, pace);
        if taken.is_err() {
            self.limited.with_label_values(&[kind]).inc();
        }
        taken
    }
}

pub(crate) fn too_many(detail: &'static str) -> impl FnOnce(Duration) -> Problem {
    move |wait| Problem::too_many(detail, wait)
}

/// Holds an address back that asks for pages too often.
pub(crate) async fn per_address(State(api): State<Api>, request: Request, next: Next) -> Response {
    match api.limits.address(request.extensions(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(wait) => held_back(&api, request.headers(), wait),
    }
}

/// Holds an address back that guesses at links. Whoever has one is always heard.
pub(crate) async fn per_miss(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (extensions, headers) = (request.extensions().clone(), request.headers().clone());
    let answer = next.run(request).await;
    if answer.status() != StatusCode::NOT_FOUND {
        return answer;
    }
    match api.limits.address(&extensions, &headers) {
        Ok(()) => answer,
        Err(wait) => held_back(&api, &headers, wait),
    }
}

fn held_back(api: &Api, headers: &HeaderMap, wait: Duration) -> Response {
    let problem = too_many("Too many requests came from this address.")(wait);
    crate::pay_page::held_back(api, headers, problem)
}
