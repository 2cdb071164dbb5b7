//! Links from the wish to the customer, over real HTTP and SMTP: every outcome of a send, every crash between intention
//! and result, every rule checked at the last moment.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod delivery;
mod doubt;
mod rules;
mod sending;
mod support;
mod sweeps;
