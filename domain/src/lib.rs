//! What is true: the rules of invoices, links, payments and people who may be called, as pure functions.
//!
//! This crate must never do I/O, read a clock, draw a random number or know how anything is stored:
//! time and randomness are arguments. It depends on nothing of ours.

pub mod attention;
pub mod call_event;
pub mod campaign;
pub mod card_number;
pub mod channel;
pub mod email_address;
pub mod fee;
pub mod hold;
pub mod id;
pub mod inbound;
pub mod invoice;
pub mod job;
pub mod keyring;
pub mod link;
pub mod message;
pub mod money;
pub mod pace;
pub mod payment;
pub mod permission;
pub mod phone;
pub mod quiet_hours;
pub mod retention;
pub mod scope;
pub mod send;
pub mod strict_json;
pub mod time;
pub mod timeline;
pub mod word;
