//! The runtime: per kind a claimer, an apalis worker and a supervisor; for all kinds one poller, one lease keeper and
//! one ticker. Shutdown drains: what runs is finished, what was claimed and not begun is given back.

mod claimer;
mod keeper;
mod work;

use std::sync::Arc;
use std::time::{Duration, Instant};

use apalis_core::worker::builder::WorkerBuilder;
use domain::job::JobKind;
use futures::FutureExt;
use futures::future::BoxFuture;
use sea_orm::DbErr;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::backend::ClaimedBatches;
use crate::{Batch, Ledger, periodic};
use keeper::Keeper;
use work::work;

/// A worker that ended is started again after this long, doubled each time up to the cap.
const RESTART_FIRST: Duration = Duration::from_millis(100);
const RESTART_CAP: Duration = Duration::from_secs(5);

/// Works on batches of one kind.
///
/// It loads set-based, runs each row so that one row's failure is its own, and settles every row of the batch. A row it
/// leaves unsettled is retried; an error or a panic retries all that are left.
pub trait Handler: Send + Sync + 'static {
    const KIND: JobKind;

    fn run(&self, batch: &Batch) -> impl Future<Output = Result<(), DbErr>> + Send;
}

type Run = Arc<dyn Fn(Arc<Batch>) -> BoxFuture<'static, Result<(), DbErr>> + Send + Sync>;

/// The set of handlers this process runs.
pub struct Runtime {
    ledger: Ledger,
    process: String,
    handlers: Vec<(JobKind, Run)>,
}

impl Runtime {
    /// `process` names this process among others: make it unique per start.
    #[must_use]
    pub fn new(ledger: Ledger, process: impl Into<String>) -> Self {
        Self { ledger, process: process.into(), handlers: Vec::new() }
    }

    #[must_use]
    pub fn with<H: Handler>(mut self, handler: H) -> Self {
        let handler = Arc::new(handler);
        let run: Run = Arc::new(move |batch| {
            let handler = Arc::clone(&handler);
            async move { handler.run(&batch).await }.boxed()
        });
        self.handlers.push((H::KIND, run));
        self
    }

    /// Works until `shutdown`, then drains and returns. Call it on a runtime that lives longer.
    pub async fn run(self, shutdown: CancellationToken) {
        let kinds: Vec<JobKind> = self.handlers.iter().map(|(kind, _)| *kind).collect();
        let keeper = Keeper::default();
        // The keeper outlives the workers: leases are renewed while they drain.
        let drained = CancellationToken::new();
        let ledger = self.ledger.clone();
        let (keep, keep_until) = (keeper.clone(), drained.clone());
        let keep = move || keep.clone().run(ledger.clone(), keep_until.clone());
        let keeping = tokio::spawn(steadily("the lease keeper", keep, drained.clone()));
        let mut tasks = JoinSet::new();
        let (ledger, all, until) = (self.ledger.clone(), kinds.clone(), shutdown.clone());
        let poll = move || claimer::poll(ledger.clone(), all.clone(), until.clone());
        tasks.spawn(steadily("the poller", poll, shutdown.clone()));
        let (ledger, until) = (self.ledger.clone(), shutdown.clone());
        let tick = move || periodic::run(ledger.clone(), kinds.clone(), until.clone());
        tasks.spawn(steadily("the ticker", tick, shutdown.clone()));
        for (kind, run) in self.handlers {
            let worker = Worker {
                kind,
                run,
                ledger: self.ledger.clone(),
                keeper: keeper.clone(),
                process: self.process.clone(),
            };
            tasks.spawn(worker.supervise(shutdown.clone()));
        }
        while tasks.join_next().await.is_some() {}
        drained.cancel();
        let _ended = keeping.await;
    }
}

/// Starts a task again whenever it ends before it was told to: without it the process would go on, and half of it would
/// be dead.
async fn steadily<F>(name: &'static str, task: impl Fn() -> F, stop: CancellationToken)
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        let ended = tokio::spawn(task()).await;
        if stop.is_cancelled() {
            return;
        }
        tracing::error!(name, panicked = ended.is_err(), "a task of the runtime ended; it is started again");
        tokio::select! { () = stop.cancelled() => return, () = tokio::time::sleep(RESTART_CAP) => {} }
    }
}

#[derive(Clone)]
struct Worker {
    kind: JobKind,
    run: Run,
    ledger: Ledger,
    keeper: Keeper,
    process: String,
}

impl Worker {
    /// Starts the worker again whenever it ends, under a fresh name, until shutdown.
    async fn supervise(self, shutdown: CancellationToken) {
        let mut wait = RESTART_FIRST;
        let mut starts = 0_u64;
        loop {
            let begun = Instant::now();
            let name = format!("{}-{}-{starts}", self.kind, self.process);
            // A task of its own: a panic in there is an ended worker, not an ended supervisor.
            let ended = tokio::spawn(self.clone().once(name, shutdown.clone())).await;
            if shutdown.is_cancelled() {
                return;
            }
            let reason = match ended {
                Ok(Ok(())) => "it stopped".to_owned(),
                Ok(Err(error)) => error,
                Err(_) => "it panicked".to_owned(),
            };
            tracing::error!(kind = self.kind.word(), reason, "a worker ended; it is started again");
            self.ledger.metrics().restarted(self.kind);
            wait = if begun.elapsed() > RESTART_CAP { RESTART_FIRST } else { (wait * 2).min(RESTART_CAP) };
            starts += 1;
            tokio::select! { () = shutdown.cancelled() => return, () = tokio::time::sleep(wait) => {} }
        }
    }

    fn once(self, name: String, shutdown: CancellationToken) -> BoxFuture<'static, Result<(), String>> {
        let stop_claiming = shutdown.child_token();
        let (sender, receiver) = mpsc::channel(1);
        let claiming = claimer::claim(self.ledger, self.kind, name.clone(), sender, stop_claiming.clone());
        let claiming = tokio::spawn(claiming);
        let (run, keeper) = (self.run, self.keeper);
        let handle = move |batch: Arc<Batch>| work(batch, Arc::clone(&run), keeper.clone());
        let worker = WorkerBuilder::new(name)
            .backend(ClaimedBatches::new(receiver, stop_claiming.clone()))
            .build(handle);
        let signal = async move {
            shutdown.cancelled_owned().await;
            Ok::<(), std::io::Error>(())
        };
        let mut running = worker.run_until(signal).boxed();
        async move {
            let mut claiming = claiming;
            let ended = tokio::select! {
                ended = &mut running => ended,
                // It ends by itself only when it is told to; else the worker would wait for ever.
                _claimer = &mut claiming => {
                    if !stop_claiming.is_cancelled() {
                        return Err("its claimer ended".to_owned());
                    }
                    return running.await.map_err(|error| error.to_string());
                }
            };
            stop_claiming.cancel();
            let _claimer_ended = claiming.await;
            ended.map_err(|error| error.to_string())
        }
        .boxed()
    }
}
