//! What happens: one file per job, named as the job.
//!
//! This crate must never answer a request, never repeat a send whose outcome is unknown, and never keep a promise in
//! memory: everything a job needs to go on after a crash is committed before it acts.

mod context;

pub use context::Context;
