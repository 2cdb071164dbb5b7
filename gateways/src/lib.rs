//! Who we talk to: Stripe, the SMS carrier, the mail relay and the merchant's dialer, each behind one type and one
//! base URL.
//!
//! This crate must never decide what an answer means for an invoice, repeat a request by itself, take business time
//! from a clock, or let a secret, a number, an address or a provider's own words into a log or an outcome.

mod calls;
pub mod dialer;
pub mod email;
mod hand_over;
pub mod http;
pub mod signature;
pub mod sms;
pub mod stripe;

#[cfg(test)]
mod scripted_server;

pub use calls::Calls;
