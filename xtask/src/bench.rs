//! `cargo xtask bench`

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use xtask::workspace;

/// Builds with `--workspace`, as everything here is built, then runs the figures.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    ensure!(arguments.is_empty(), "bench takes no argument");
    let build = workspace::cargo()
        .args(["build", "--release", "--workspace"])
        .status()
        .context("cargo cannot be run")?;
    ensure!(build.success(), "the release build failed");
    let measured = Command::new(workspace::root().join("target/release/bench"))
        .status()
        .context("the benchmark cannot be run")?;
    Ok(if measured.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
