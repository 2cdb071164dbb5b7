//! What `cargo xtask` and the fault suite share: how programs are run, and a PostgreSQL and a Redis of one's own.
//! It must never touch a service, a database or a process that it did not start.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks to its user")]

mod postgres_binaries;
pub mod process;
pub mod services;
pub mod set_up;
pub mod workspace;
