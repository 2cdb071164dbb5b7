//! What this process was asked. Labels are routes, methods and words: bounded by the code.

use std::time::Duration;

use domain::call_event::{Disposition, Intent};
use domain::time::Timestamp;
use domain::words;
use prometheus::core::Collector;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};

use crate::problem::Problem;

const REQUEST_BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 10.0];
/// From a provider's own clock, in whole seconds.
const LAG_BUCKETS: [f64; 9] = [1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 3_600.0, 21_600.0, 86_400.0];
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];
/// The routes whose rates must be zero, and not absent, before anybody comes.
const PROMISED: [(&str, &str); 5] = [
    ("/v1/events", "POST"),
    ("/v1/call-permission", "POST"),
    ("/webhooks/stripe", "POST"),
    ("/webhooks/carrier/status/{attempt_id}", "POST"),
    ("/webhooks/carrier/inbound", "POST"),
];
/// Why events are refused, as far as a sender can do anything about it.
const REFUSALS: [&str; 15] = [
    "signature_missing",
    "signature_stale",
    "signature_invalid",
    "credentials_missing",
    "credentials_invalid",
    "scope_missing",
    "rate_limited",
    "not_json",
    "body_torn",
    "body_too_large",
    "malformed_request",
    "invalid_field",
    "shutting_down",
    "store_unavailable",
    "internal_error",
];
const LIMITS: [&str; 4] = ["key", "address", "events", "recipient"];
const OTHER: &str = "other";

words! {
    /// Whose webhooks come in.
    pub(crate) enum Source {
        Stripe = "stripe",
        CarrierStatus = "carrier_status",
        CarrierInbound = "carrier_inbound",
    }
}

words! {
    /// What became of a webhook.
    pub(crate) enum Arrival {
        Accepted = "accepted",
        Duplicate = "duplicate",
        Ignored = "ignored",
        InvalidSignature = "invalid_signature",
        Malformed = "malformed",
        Failed = "failed",
    }
}

impl Arrival {
    pub(crate) fn refused(problem: &Problem) -> Self {
        if problem.code() == "invalid_signature" {
            return Self::InvalidSignature;
        }
        if problem.status().is_server_error() { Self::Failed } else { Self::Malformed }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    requests: HistogramVec,
    pub(crate) events: IntCounterVec,
    pub(crate) limited: IntCounterVec,
    refused: IntCounterVec,
    webhooks: IntCounterVec,
    webhook_last: IntGaugeVec,
    webhook_lag: HistogramVec,
}

impl Metrics {
    /// # Errors
    /// When a metric of the same name is registered already.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let requests = HistogramOpts::new(
            "postcall_http_request_duration_seconds",
            "Time from a request's head to its answer's head, by route, method and class of status.",
        );
        let lag = HistogramOpts::new(
            "postcall_webhook_in_lag_seconds",
            "Time from a provider's event to its webhook here, by both clocks.",
        );
        let metrics = Self {
            requests: HistogramVec::new(
                requests.buckets(REQUEST_BUCKETS.to_vec()),
                &["route", "method", "status"],
            )?,
            events: counter(
                "postcall_events_total",
                "Post-call events answered 2xx, by intent and disposition.",
                &["intent", "disposition"],
            )?,
            limited: counter(
                "postcall_rate_limited_total",
                "Requests answered 429, by the limit they met.",
                &["limit"],
            )?,
            refused: counter(
                "postcall_events_rejected_total",
                "Post-call events not taken, by reason.",
                &["reason"],
            )?,
            webhooks: counter(
                "postcall_webhook_in_total",
                "Webhooks of providers, by source and what became of them.",
                &["source", "result"],
            )?,
            webhook_last: IntGaugeVec::new(
                Opts::new(
                    "postcall_webhook_in_last_timestamp_seconds",
                    "When the last authentic webhook came in; 0 before the first.",
                ),
                &["source"],
            )?,
            webhook_lag: HistogramVec::new(lag.buckets(LAG_BUCKETS.to_vec()), &["source"])?,
        };
        let collectors: [Box<dyn Collector>; 7] = [
            Box::new(metrics.requests.clone()),
            Box::new(metrics.events.clone()),
            Box::new(metrics.limited.clone()),
            Box::new(metrics.refused.clone()),
            Box::new(metrics.webhooks.clone()),
            Box::new(metrics.webhook_last.clone()),
            Box::new(metrics.webhook_lag.clone()),
        ];
        collectors.into_iter().try_for_each(|collector| registry.register(collector))?;
        metrics.show_zeros();
        Ok(metrics)
    }

    /// `rate()` must see a zero before the first event.
    fn show_zeros(&self) {
        for (route, method) in PROMISED {
            for class in CLASSES {
                self.requests.with_label_values(&[route, method, class]);
            }
        }
        for intent in Intent::ALL {
            for disposition in Disposition::ALL {
                self.events.with_label_values(&[intent.word(), disposition.word()]);
            }
        }
        for limit in LIMITS {
            self.limited.with_label_values(&[limit]);
        }
        for reason in REFUSALS.iter().chain([&OTHER]) {
            self.refused.with_label_values(&[*reason]);
        }
        for source in Source::ALL {
            for result in Arrival::ALL {
                self.webhooks.with_label_values(&[source.word(), result.word()]);
            }
            self.webhook_last.with_label_values(&[source.word()]);
        }
        self.webhook_lag.with_label_values(&[Source::Stripe.word()]);
    }

    pub(crate) fn answered(&self, route: &str, method: &str, status: u16, took: Duration) {
        let class = match status {
            100..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        self.requests.with_label_values(&[route, method, class]).observe(took.as_secs_f64());
    }

    pub(crate) fn refused(&self, problem: &Problem) {
        let known = REFUSALS.iter().find(|reason| **reason == problem.code());
        self.refused.with_label_values(&[*known.unwrap_or(&OTHER)]).inc();
    }

    /// A webhook was answered at this moment of the machine's clock.
    pub(crate) fn webhook(&self, source: Source, arrival: Arrival, at: Timestamp) {
        self.webhooks.with_label_values(&[source.word(), arrival.word()]).inc();
        match arrival {
            Arrival::Accepted | Arrival::Duplicate | Arrival::Ignored => {
                self.webhook_last.with_label_values(&[source.word()]).set(at.seconds());
            }
            Arrival::InvalidSignature | Arrival::Malformed | Arrival::Failed => {}
        }
    }

    /// Stripe's event of that second is here now.
    pub(crate) fn stripe_lag(&self, created_at_s: i64, now: Timestamp) {
        let lag_s = u64::try_from(now.seconds().saturating_sub(created_at_s)).unwrap_or(0);
        let lag = Duration::from_secs(lag_s).as_secs_f64();
        self.webhook_lag.with_label_values(&[Source::Stripe.word()]).observe(lag);
    }
}

fn counter(name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(Opts::new(name, help), labels)
}
