//! The threat model names the tests that prove it; each of them must be there.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use xtask::workspace;

/// What stands between back-ticks after "Proof:", up to the end of the line.
fn named(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|line| line.split_once("Proof:"));
    lines.flat_map(|(_, proofs)| proofs.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let model = std::fs::read_to_string(workspace::root().join("docs/threat-model.md")).unwrap();
    let named = named(&model);
    assert!(named.len() > 30, "only {} proofs are named", named.len());
    let mut files = Vec::new();
    sources(&workspace::root(), &mut files);
    let code: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let missing: Vec<&String> = named
        .iter()
        .filter(|proof| match proof.strip_prefix("xtask test ") {
            Some(step) => !crate::step::NAMES.contains(&step),
            None => !code.contains(&format!("fn {proof}(")),
        })
        .collect();
    assert!(missing.is_empty(), "these tests do not exist: {missing:?}");
}
