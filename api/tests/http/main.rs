//! The API as its callers meet it: the whole router in this process, on an embedded database of its own per test.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod bad_input;
mod calls;
mod closing;
mod credentials;
mod description;
mod events;
mod examples;
mod house;
mod import;
mod limits;
mod links;
mod lists;
mod matrix;
mod page_credentials;
mod repeats;
mod resources;
mod setup;
mod stream;
mod tenants;
mod watching;
