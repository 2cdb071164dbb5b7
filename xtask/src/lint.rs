//! `cargo xtask lint`

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::report::{self, Row};
use crate::step;
use xtask::set_up;

pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    ensure!(arguments.is_empty(), "lint takes no argument");
    set_up::rust_components()?;
    let rows: Vec<Row> = step::lints().into_iter().map(step::Step::take).collect();
    Ok(if report::close(&rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
