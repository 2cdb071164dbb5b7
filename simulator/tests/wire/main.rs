//! The stand-ins over the wire, as the product meets them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod carrier;
mod carrier_faults;
mod customer;
mod dialer;
mod mailbox;
mod phone;
mod product;
mod stripe_access;
mod stripe_calls;
mod stripe_faults;
mod stripe_webhooks;

use std::time::Duration;

use simulator::{World, WorldConfig};

/// Long enough for a busy machine; nothing waits this long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn world() -> World {
    let mut config = WorldConfig { seed: 42, ..WorldConfig::default() };
    config.stripe.webhook_retries_ms = vec![10, 10, 10];
    config.carrier.transit_ms = 1;
    World::start(config).await.unwrap()
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap()
}

pub(crate) fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
