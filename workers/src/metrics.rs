//! What this process did in the outside world. Labels are providers, outcomes and reasons: bounded by the code.

use std::time::Duration;

use domain::channel::Channel;
use domain::send::{MessageStatus, RejectClass, SendOutcome};
use domain::time::Timestamp;
use entities::payable::Advanced;
use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

const DISPATCH_BUCKETS: [f64; 12] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0];
const PAUSE_BUCKETS: [f64; 9] = [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 30.0, 300.0, 3_600.0];
const OUTCOMES: [&str; 4] = ["accepted", "rejected", "not_sent", "unknown"];
/// Reasons of `send::rule`.
const SUPPRESSIONS: [&str; 13] = [
    "opted_out",
    "on_hold",
    "texts_to_number_capped",
    "texts_of_merchant_capped",
    "link_missing",
    "link_expired",
    "link_used",
    "superseded",
    "revoked",
    "payment_processing",
    "paid",
    "canceled",
    "other",
];
const NO_CLASS: &str = "none";
/// What asking Stripe again led to.
const FOUND: [&str; 7] =
    ["unchanged", "processing", "succeeded", "failed_back", "canceled", "conflict", "unanswered"];

/// One set per registry; see [`Metrics::register`].
#[derive(Debug)]
pub struct Metrics {
    dispatch_seconds: Histogram,
    attempts: IntCounterVec,
    rejections: IntCounterVec,
    deliveries: IntCounterVec,
    suppressed: IntCounterVec,
    duplicate_risks: IntCounter,
    pause_seconds: Histogram,
    reconcile_runs: IntCounterVec,
    reconcile_last_success: IntGauge,
    reconciled: IntCounterVec,
}

impl Default for Metrics {
    /// Seen by nobody until it is registered.
    fn default() -> Self {
        let metrics = Self {
            dispatch_seconds: histogram(
                "postcall_dispatch_latency_seconds",
                "Time from accepting a wish for a link to the first byte at a provider, where the hour allowed it.",
                &DISPATCH_BUCKETS,
            ),
            attempts: counters(
                "postcall_attempts_total",
                "Attempts to hand a message to a provider, by how they ended.",
                &["provider", "channel", "outcome"],
            ),
            rejections: counters(
                "postcall_attempts_rejected_total",
                "Attempts that a provider refused, by the meaning of its code.",
                &["channel", "class"],
            ),
            deliveries: counters(
                "postcall_delivery_total",
                "Reports of the carrier about texts, by status and, for failures, the meaning of its code.",
                &["status", "class"],
            ),
            suppressed: counters(
                "postcall_suppressed_total",
                "Messages that a rule forbade at the moment of sending, by reason.",
                &["reason"],
            ),
            duplicate_risks: IntCounter::new(
                "postcall_duplicate_risk_total",
                "Wishes for which a customer may have got two texts. Each is on the attention list.",
            )
            .expect(WELL_FORMED),
            pause_seconds: histogram(
                "postcall_pause_propagation_seconds",
                "Time from a question, dispute or payment to the dialer's acknowledged pause.",
                &PAUSE_BUCKETS,
            ),
            reconcile_runs: counters(
                "postcall_reconcile_runs_total",
                "Sweeps that ask Stripe about payments nobody has looked at for a while, by result.",
                &["result"],
            ),
            reconcile_last_success: IntGauge::new(
                "postcall_reconcile_last_success_timestamp_seconds",
                "When this process last finished such a sweep; 0 before the first.",
            )
            .expect(WELL_FORMED),
            reconciled: counters(
                "postcall_reconcile_payables_total",
                "Payables that such a sweep asked about, by what that led to: anything but `unchanged` is news that no \
                 webhook had brought.",
                &["result"],
            ),
        };
        metrics.show_zeros();
        metrics
    }
}

impl Metrics {
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self::default();
        let collectors: [Box<dyn Collector>; 10] = [
            Box::new(metrics.dispatch_seconds.clone()),
            Box::new(metrics.attempts.clone()),
            Box::new(metrics.rejections.clone()),
            Box::new(metrics.deliveries.clone()),
            Box::new(metrics.suppressed.clone()),
            Box::new(metrics.duplicate_risks.clone()),
            Box::new(metrics.pause_seconds.clone()),
            Box::new(metrics.reconcile_runs.clone()),
            Box::new(metrics.reconcile_last_success.clone()),
            Box::new(metrics.reconciled.clone()),
        ];
        collectors.into_iter().try_for_each(|collector| registry.register(collector))?;
        Ok(metrics)
    }

    /// `rate()` must see a zero before the first event.
    fn show_zeros(&self) {
        for channel in Channel::ALL {
            for outcome in OUTCOMES {
                self.attempts.with_label_values(&[provider(*channel), channel.word(), outcome]);
            }
            for class in RejectClass::ALL {
                self.rejections.with_label_values(&[channel.word(), class.word()]);
            }
        }
        for status in MessageStatus::ALL {
            if !status.is_known_failure() {
                self.deliveries.with_label_values(&[status.word(), NO_CLASS]);
                continue;
            }
            for class in RejectClass::ALL {
                self.deliveries.with_label_values(&[status.word(), class.word()]);
            }
        }
        for reason in SUPPRESSIONS {
            self.suppressed.with_label_values(&[reason]);
        }
        for result in ["succeeded", "failed"] {
            self.reconcile_runs.with_label_values(&[result]);
        }
        for result in FOUND {
            self.reconciled.with_label_values(&[result]);
        }
    }

    pub(crate) fn attempted(&self, channel: Channel, outcome: &SendOutcome) {
        self.attempts.with_label_values(&[provider(channel), channel.word(), outcome.word()]).inc();
        if let SendOutcome::Rejected { class, .. } = outcome {
            self.rejections.with_label_values(&[channel.word(), class.word()]).inc();
        }
    }

    pub(crate) fn dispatched(&self, wished_at: Timestamp, now: Timestamp) {
        self.dispatch_seconds.observe(seconds(now.since_ms(wished_at)));
    }

    /// `class` says why a failure failed.
    pub(crate) fn delivered(&self, status: MessageStatus, class: RejectClass) {
        let class = if status.is_known_failure() { class.word() } else { NO_CLASS };
        self.deliveries.with_label_values(&[status.word(), class]).inc();
    }

    pub(crate) fn suppressed(&self, reason: &str) {
        let known = SUPPRESSIONS.iter().find(|known| **known == reason);
        self.suppressed.with_label_values(&[*known.unwrap_or(&"other")]).inc();
    }

    pub(crate) fn may_have_doubled(&self, wishes: u64) {
        self.duplicate_risks.inc_by(wishes);
    }

    pub(crate) fn paused(&self, wished_at: Timestamp, now: Timestamp) {
        self.pause_seconds.observe(seconds(now.since_ms(wished_at)));
    }

    /// `at` is the machine's own time.
    pub(crate) fn swept(&self, succeeded: bool, at: Timestamp) {
        if succeeded {
            self.reconcile_last_success.set(at.seconds());
        }
        self.reconcile_runs.with_label_values(&[if succeeded { "succeeded" } else { "failed" }]).inc();
    }

    /// `None` when Stripe did not answer.
    pub(crate) fn reconciled(&self, advanced: Option<Advanced>) {
        let result = match advanced {
            Some(Advanced::Unchanged) => "unchanged",
            Some(Advanced::Processing) => "processing",
            Some(Advanced::Succeeded) => "succeeded",
            Some(Advanced::FailedBack) => "failed_back",
            Some(Advanced::Canceled) => "canceled",
            Some(Advanced::Conflict) => "conflict",
            None => "unanswered",
        };
        self.reconciled.with_label_values(&[result]).inc();
    }
}

const WELL_FORMED: &str = "a constant name and constant labels are well-formed";

const fn provider(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "twilio",
        Channel::Email => "smtp",
    }
}

fn seconds(span_ms: i64) -> f64 {
    Duration::from_millis(u64::try_from(span_ms).unwrap_or(0)).as_secs_f64()
}

fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), labels).expect(WELL_FORMED)
}

fn histogram(name: &str, help: &str, buckets: &[f64]) -> Histogram {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    Histogram::with_opts(options).expect(WELL_FORMED)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use domain::invoice::{InvoiceStatus, payable};
    use domain::link::LinkStatus;

    use super::*;

    #[test]
    fn the_state_of_an_invoice_or_link_that_forbids_a_message_is_a_reason_of_its_own() {
        let closed =
            InvoiceStatus::ALL.iter().filter(|status| !payable(**status)).map(|status| status.word());
        let dead = [LinkStatus::Superseded, LinkStatus::Revoked].map(LinkStatus::word);
        for reason in closed.chain(dead) {
            assert!(SUPPRESSIONS.contains(&reason), "{reason}");
        }
    }

    #[test]
    fn every_outcome_has_its_series_before_it_happens_and_no_new_one_after() {
        let registry = Registry::new();
        let metrics = Metrics::register(&registry).unwrap();
        let series = || -> usize { registry.gather().iter().map(|family| family.get_metric().len()).sum() };
        let before = series();
        for outcome in [
            SendOutcome::not_sent("x"),
            SendOutcome::unknown("x"),
            SendOutcome::rejected(RejectClass::Auth, "x"),
            SendOutcome::Accepted { provider_id: "SM1".to_owned(), segments: None },
        ] {
            metrics.attempted(Channel::Sms, &outcome);
            metrics.attempted(Channel::Email, &outcome);
        }
        for status in MessageStatus::ALL {
            metrics.delivered(*status, RejectClass::Other);
        }
        metrics.suppressed("on_hold");
        metrics.suppressed("+14155550100 said so");
        metrics.swept(true, Timestamp::from_millis(5_000));
        metrics.reconciled(None);
        assert_eq!(series(), before);
    }
}
