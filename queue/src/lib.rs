//! What travels: the job ledger and the runtime that works it. The only crate that names apalis.
//!
//! This crate must never lose a job, never run one without a lease, and never hold a promise anywhere but in the
//! database: Redis only wakes sleepers sooner.

mod backend;
mod batch;
mod buckets;
mod clock;
mod dead;
pub mod failpoint;
mod ledger;
mod live;
mod metrics;
mod periodic;
mod redis_server;
mod runtime;
mod stuck;
pub mod trace;
pub mod trouble;
mod wake;

pub use batch::{Batch, Claimed, Outcome};
pub use buckets::{BucketName, Buckets};
pub use clock::Clock;
pub use dead::DeadJob;
pub use ledger::{Depth, Ledger, Pulse, Settled, Standing};
pub use live::Live;
pub use metrics::Metrics;
pub use redis_server::{Redis, RedisAddressError};
pub use runtime::{Handler, Runtime};
pub use stuck::redis_now_ms;
pub use wake::Wake;
