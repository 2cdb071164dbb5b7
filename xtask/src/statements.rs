//! `cargo xtask statements`: what this release says to its stores, recorded for the test of the next one.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use xtask::services::Services;
use xtask::{set_up, workspace};

/// Plays the pipeline stories on both stores and writes down every statement the product made.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    ensure!(arguments.is_empty(), "statements takes no argument");
    set_up::servers()?;
    let services = Services::start()?;
    let raw = workspace::root().join("target/statements");
    if raw.exists() {
        std::fs::remove_dir_all(&raw)?;
    }
    std::fs::create_dir_all(&raw)?;
    let stories = workspace::cargo()
        .args(["test", "-p", "postcall", "--test", "pipeline", "--", "--test-threads", "2"])
        .envs(services.variables())
        .env("POSTCALL_TEST_RECORD_STATEMENTS", &raw)
        .status()
        .context("cargo cannot be run")?;
    ensure!(stories.success(), "a story failed; nothing was recorded");
    let folder = workspace::root().join("migration/recorded");
    let shape = last_migration()?;
    for store in ["sqlite", "postgres"] {
        let lines = distinct(&raw.join(format!("{store}.jsonl")))?;
        let file = folder.join(format!("{shape}.{store}.jsonl"));
        std::fs::write(&file, lines.join("\n") + "\n")?;
        println!("{} statements in {}", lines.len(), file.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn distinct(file: &Path) -> Result<Vec<String>> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("{} was not written", file.display()))?;
    let lines: BTreeSet<&str> = text.lines().collect();
    Ok(lines.into_iter().map(ToOwned::to_owned).collect())
}

/// Its number names the shape that the statements were made for.
fn last_migration() -> Result<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(workspace::root().join("migration/sql"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let last = names.pop().context("there is no migration")?;
    Ok(last.chars().take_while(char::is_ascii_digit).collect())
}
