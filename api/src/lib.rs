//! What is asked: parse, authorise, one transaction, answer. One file per resource.
//!
//! This crate must never call a provider while a transaction is open, do work that a job should do, or answer with a
//! row of another merchant.

mod state;

pub use state::{Api, Settings};
