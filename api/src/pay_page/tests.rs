#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asking;
pub(crate) mod house;
mod paying;
mod provider_trouble;
mod renewing;
mod visiting;
