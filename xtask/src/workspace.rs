//! Where this checkout is, and how cargo is called in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Cargo, as if it had been typed in a shell.
pub fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root());
    // `cargo run` describes this crate in the environment. Build scripts (ring's is one) watch those variables,
    // and would rebuild half the tree each time a command is typed with and without `xtask`.
    for (name, _) in std::env::vars_os() {
        if describes_this_crate(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    command
}

fn describes_this_crate(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
        .iter()
        .any(|prefix| variable.starts_with(prefix))
}

/// What cargo knows of this workspace and all it depends on.
pub fn metadata() -> Result<Value> {
    let output =
        cargo().args(["metadata", "--format-version", "1"]).output().context("cargo could not be started")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")
}

pub fn target_directory(metadata: &Value) -> Result<PathBuf> {
    let text = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(PathBuf::from(text))
}
