//! What this process did with jobs, and what it saw happen. Labels are kinds and outcomes: bounded by the code.

use std::time::Duration;

use domain::job::{Change, JobKind};
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use prometheus::core::Collector;
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

use crate::ledger::Settled;

const OUTCOMES: [&str; 5] = ["done", "retry", "wait", "dead", "lost"];

#[derive(Debug, Clone)]
pub struct Metrics {
    jobs: IntCounterVec,
    batch_rows: HistogramVec,
    run_seconds: HistogramVec,
    worker_restarts: IntCounterVec,
    heartbeat: IntGauge,
    /// In the order of `TimelineKind::ALL`: one atomic per change.
    happened: Vec<IntCounter>,
}

impl Metrics {
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let happened = IntCounterVec::new(
            Opts::new("postcall_timeline_total", "Entries committed to invoices' timelines, by kind."),
            &["kind"],
        )?;
        let metrics = Self {
            jobs: jobs()?,
            batch_rows: histogram(
                "postcall_job_batch_rows",
                "Rows per claimed batch.",
                &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0],
            )?,
            run_seconds: histogram(
                "postcall_job_batch_duration_seconds",
                "Time a batch was worked on.",
                &[0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0],
            )?,
            worker_restarts: IntCounterVec::new(
                Opts::new("postcall_worker_restarts_total", "Times a worker ended and was started again."),
                &["kind"],
            )?,
            heartbeat: IntGauge::new(
                "postcall_worker_heartbeat_timestamp_seconds",
                "When this process last asked the ledger for work; 0 in one that runs no workers.",
            )?,
            happened: TimelineKind::ALL
                .iter()
                .map(|kind| happened.with_label_values(&[kind.word()]))
                .collect(),
        };
        for kind in JobKind::ALL {
            // rate() must see a zero before the first event.
            for outcome in OUTCOMES {
                metrics.jobs.with_label_values(&[kind.word(), outcome]);
            }
            metrics.batch_rows.with_label_values(&[kind.word()]);
            metrics.run_seconds.with_label_values(&[kind.word()]);
            metrics.worker_restarts.with_label_values(&[kind.word()]);
        }
        let collectors: [Box<dyn Collector>; 6] = [
            Box::new(metrics.jobs.clone()),
            Box::new(metrics.batch_rows.clone()),
            Box::new(metrics.run_seconds.clone()),
            Box::new(metrics.worker_restarts.clone()),
            Box::new(metrics.heartbeat.clone()),
            Box::new(happened),
        ];
        collectors.into_iter().try_for_each(|collector| registry.register(collector))?;
        Ok(metrics)
    }

    pub(crate) fn settled(&self, kind: JobKind, settled: &Settled) {
        let counts = [settled.done, settled.retried, settled.waiting, settled.dead, settled.lost];
        for (outcome, count) in OUTCOMES.iter().zip(counts) {
            self.jobs.with_label_values(&[kind.word(), *outcome]).inc_by(count);
        }
    }

    pub(crate) fn claimed(&self, kind: JobKind, rows: usize) {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        self.batch_rows.with_label_values(&[kind.word()]).observe(f64::from(rows));
    }

    pub(crate) fn ran(&self, kind: JobKind, took: Duration) {
        self.run_seconds.with_label_values(&[kind.word()]).observe(took.as_secs_f64());
    }

    pub(crate) fn restarted(&self, kind: JobKind) {
        self.worker_restarts.with_label_values(&[kind.word()]).inc();
    }

    /// The ledger answered the question for work at this moment of the machine's clock.
    pub(crate) fn alive(&self, at: Timestamp) {
        self.heartbeat.set(at.seconds());
    }

    /// Called once a transaction with these changes has committed.
    pub(crate) fn happened(&self, changes: &[Change]) {
        for change in changes {
            self.happened[change.kind as usize].inc();
        }
    }
}

fn jobs() -> Result<IntCounterVec, prometheus::Error> {
    let options = Opts::new("postcall_jobs_total", "Answers of handlers, by kind of job and outcome.");
    IntCounterVec::new(options, &["kind", "outcome"])
}

fn histogram(name: &str, help: &str, buckets: &[f64]) -> Result<HistogramVec, prometheus::Error> {
    HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), &["kind"])
}
