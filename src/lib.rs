//! The composition: one binary that is the API, the workers, or both, and the demo.
//!
//! This crate must never hold a rule: it reads the configuration, connects the rooms of the house and starts them.

pub mod config;
pub mod demo;
mod disk;
pub mod doctor;
pub mod listener;
pub mod panics;
pub mod product;
pub mod secret_files;
pub mod simulate;
pub mod traces;
