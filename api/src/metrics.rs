//! What this process was asked. Labels are routes, methods and words: bounded by the code.

use std::time::Duration;

use domain::call_event::{Disposition, Intent};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};
use queue::Depth;

const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

#[derive(Debug, Clone)]
pub(crate) struct HttpMetrics {
    requests: HistogramVec,
    pub(crate) events: IntCounterVec,
    pub(crate) limited: IntCounterVec,
}

impl HttpMetrics {
    /// # Errors
    /// When a metric of the same name is registered already.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let requests = HistogramOpts::new(
            "postcall_http_request_duration_seconds",
            "Time from a request's head to its answer's head, by route, method and class of status.",
        );
        let events =
            Opts::new("postcall_events_total", "Post-call events answered 2xx, by intent and disposition.");
        let limited =
            Opts::new("postcall_rate_limited_total", "Requests answered 429, by the limit they met.");
        let metrics = Self {
            requests: HistogramVec::new(requests.buckets(BUCKETS.to_vec()), &["route", "method", "status"])?,
            events: IntCounterVec::new(events, &["intent", "disposition"])?,
            limited: IntCounterVec::new(limited, &["limit"])?,
        };
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.events.clone()))?;
        registry.register(Box::new(metrics.limited.clone()))?;
        for limit in ["key", "address", "events", "recipient"] {
            metrics.limited.with_label_values(&[limit]);
        }
        for intent in Intent::ALL {
            // rate() must see a zero before the first event.
            for disposition in Disposition::ALL {
                metrics.events.with_label_values(&[intent.word(), disposition.word()]);
            }
        }
        Ok(metrics)
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
}

/// What the database says, asked when somebody scrapes.
#[derive(Debug, Clone)]
pub(crate) struct LedgerGauges {
    jobs: IntGaugeVec,
    overdue_seconds: IntGaugeVec,
}

impl LedgerGauges {
    /// # Errors
    /// When a metric of the same name is registered already.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let jobs = Opts::new("postcall_jobs", "Jobs in the ledger that are not done, by kind and status.");
        let overdue = Opts::new(
            "postcall_job_overdue_seconds",
            "How long the job that waits longest is overdue, by kind.",
        );
        let gauges = Self {
            jobs: IntGaugeVec::new(jobs, &["kind", "status"])?,
            overdue_seconds: IntGaugeVec::new(overdue, &["kind"])?,
        };
        registry.register(Box::new(gauges.jobs.clone()))?;
        registry.register(Box::new(gauges.overdue_seconds.clone()))?;
        Ok(gauges)
    }

    pub(crate) fn show(&self, depths: &[Depth], now_ms: i64) {
        self.jobs.reset();
        self.overdue_seconds.reset();
        for depth in depths {
            self.jobs.with_label_values(&[depth.kind.as_str(), depth.status.as_str()]).set(depth.count);
            if depth.status == "waiting" {
                let overdue_ms = now_ms.saturating_sub(depth.oldest_due_at_ms).max(0);
                self.overdue_seconds.with_label_values(&[depth.kind.as_str()]).set(overdue_ms / 1_000);
            }
        }
    }
}
