//! What this process did with jobs. Labels are kinds and outcomes: bounded by the code.

use domain::job::JobKind;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

use crate::ledger::Settled;

#[derive(Debug, Clone)]
pub struct Metrics {
    jobs: IntCounterVec,
    batch_rows: HistogramVec,
    run_seconds: HistogramVec,
    worker_restarts: IntCounterVec,
}

impl Metrics {
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let jobs = Opts::new("postcall_jobs_total", "Answers of handlers, by kind of job and outcome.");
        let batch = HistogramOpts::new("postcall_job_batch_rows", "Rows per claimed batch.")
            .buckets(vec![1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0]);
        let run = HistogramOpts::new("postcall_job_batch_duration_seconds", "Time a batch was worked on.")
            .buckets(vec![0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0]);
        let restarts =
            Opts::new("postcall_worker_restarts_total", "Times a worker ended and was started again.");
        let metrics = Self {
            jobs: IntCounterVec::new(jobs, &["kind", "outcome"])?,
            batch_rows: HistogramVec::new(batch, &["kind"])?,
            run_seconds: HistogramVec::new(run, &["kind"])?,
            worker_restarts: IntCounterVec::new(restarts, &["kind"])?,
        };
        registry.register(Box::new(metrics.jobs.clone()))?;
        registry.register(Box::new(metrics.batch_rows.clone()))?;
        registry.register(Box::new(metrics.run_seconds.clone()))?;
        registry.register(Box::new(metrics.worker_restarts.clone()))?;
        for kind in JobKind::ALL {
            // rate() must see a zero before the first event.
            for outcome in ["done", "retry", "wait", "dead", "lost"] {
                metrics.jobs.with_label_values(&[kind.word(), outcome]);
            }
            metrics.worker_restarts.with_label_values(&[kind.word()]);
        }
        Ok(metrics)
    }

    pub(crate) fn settled(&self, kind: JobKind, settled: &Settled) {
        let counts = [
            ("done", settled.done),
            ("retry", settled.retried),
            ("wait", settled.waiting),
            ("dead", settled.dead),
            ("lost", settled.lost),
        ];
        for (outcome, count) in counts {
            self.jobs.with_label_values(&[kind.word(), outcome]).inc_by(count);
        }
    }

    pub(crate) fn claimed(&self, kind: JobKind, rows: usize) {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        self.batch_rows.with_label_values(&[kind.word()]).observe(f64::from(rows));
    }

    pub(crate) fn ran(&self, kind: JobKind, took: std::time::Duration) {
        self.run_seconds.with_label_values(&[kind.word()]).observe(took.as_secs_f64());
    }

    pub(crate) fn restarted(&self, kind: JobKind) {
        self.worker_restarts.with_label_values(&[kind.word()]).inc();
    }
}
