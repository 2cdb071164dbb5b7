//! What is stored: one file per table, its columns and its queries.
//!
//! This crate must never decide anything: rules live in `domain`, and a write that moves a state is guarded by the
//! state it moves from, its row count read by the caller.

pub mod api_key;
pub mod attention_item;
pub mod call_event;
pub mod campaign;
pub mod carrier_callback;
pub mod census;
pub mod consent;
pub mod customer;
pub mod db;
pub mod enrolment;
pub mod fresh;
pub mod hold;
pub mod idempotency_key;
pub mod inbound_text;
pub mod invoice;
pub mod invoice_line;
pub mod link;
pub mod link_open;
pub mod merchant;
pub mod message;
pub mod opt_out;
pub mod payable;
pub mod payment;
pub mod retention;
pub mod send_attempt;
pub mod sql;
pub mod store;
pub mod stored;
pub mod stripe_event;
pub mod timeline;

pub use db::{Db, Pool, unique_violation};
pub use stored::Stored;
