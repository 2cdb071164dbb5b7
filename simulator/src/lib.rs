//! The outside world, faked: Stripe, an SMS carrier, a mailbox, a dialer, customers and link scanners.
//! It must never share a line of code with the product: it only knows what crosses the wire.
//!
//! ```no_run
//! # async fn story() -> Result<(), simulator::Error> {
//! use simulator::{ProductEndpoints, World, WorldConfig};
//!
//! let world = World::start(WorldConfig::default()).await?;
//! // … start the product against world.stripe_url(), world.sms_url(), world.smtp_addr() …
//! world.connect(ProductEndpoints {
//!     stripe_webhook_url: Some("http://127.0.0.1:8080/hooks/stripe".into()),
//!     ..ProductEndpoints::default()
//! });
//! world.shutdown().await;
//! # Ok(())
//! # }
//! ```

// Stripe's objects are long, and `json!` takes them one key at a time.
#![recursion_limit = "256"]

pub mod bots;
pub mod call;
pub mod carrier;
pub mod clock;
pub mod config;
pub mod dialer;
mod error;
pub mod faults;
mod ids;
pub mod journal;
pub mod mailbox;
mod outbound;
pub mod people;
pub mod phone;
pub mod server;
pub mod signatures;
pub mod stripe;
mod world;

pub use clock::Clock;
pub use config::{
    CarrierConfig, ConnectedAccount, DialerConfig, Ports, ProductEndpoints, StripeConfig, WorldConfig,
};
pub use error::Error;
pub use faults::{Fault, FaultRule};
pub use world::World;
