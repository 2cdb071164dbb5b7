//! One worker for all three ready-made storages: the same handler, layers and polling.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use apalis::prelude::{BoxDynError, Data, RetryAfterError, WorkerError};
use serde::{Deserialize, Serialize};

pub const BATCH: usize = 64;
pub const CONCURRENCY: usize = 64;
pub const POLL_EVERY: Duration = Duration::from_millis(20);
/// What a handler that asks to be run later asks for.
pub const LATER: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    pub number: u64,
}

#[derive(Debug, Clone, Copy)]
pub enum Behaviour {
    Succeed,
    RetryAfter,
    Panic,
}

/// What the handler does and how often it was run.
#[derive(Debug, Clone)]
pub struct Seen {
    behaviour: Behaviour,
    runs: Arc<AtomicU64>,
}

impl Seen {
    pub fn new(behaviour: Behaviour) -> Self {
        Self {
            behaviour,
            runs: Arc::default(),
        }
    }

    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }
}

pub async fn handle(_job: Job, seen: Data<Seen>) -> Result<(), BoxDynError> {
    seen.runs.fetch_add(1, Ordering::Relaxed);
    match seen.behaviour {
        Behaviour::Succeed => Ok(()),
        Behaviour::RetryAfter => Err(RetryAfterError::new("not yet", LATER).into()),
        Behaviour::Panic => panic!("on purpose"),
    }
}

/// A worker's future: `worker!(storage, "its name", seen)`. A macro, because each storage has types of its own.
macro_rules! worker {
    ($storage:expr, $name:expr, $seen:expr) => {{
        use apalis::prelude::{BackendExt, WorkerBuilder, WorkerBuilderExt};
        WorkerBuilder::new($name)
            .backend($storage.poll_with_interval($crate::ready_made::POLL_EVERY))
            .data($seen.clone())
            .concurrency($crate::ready_made::CONCURRENCY)
            .catch_panic()
            .build($crate::ready_made::handle)
            .run()
    }};
}
pub(crate) use worker;

/// Lets a worker run for `span` and says whether it still does.
pub async fn watch(worker: impl Future<Output = Result<(), WorkerError>>, span: Duration) -> String {
    match tokio::time::timeout(span, worker).await {
        Err(_) => "still running".to_owned(),
        Ok(Ok(())) => "ended".to_owned(),
        Ok(Err(error)) => format!("ended: {error}"),
    }
}
