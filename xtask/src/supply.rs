//! What we ship that others wrote: its licences and where it came from, held against `deny.toml` without any tool.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;
use xtask::workspace;

use crate::sbom;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Every crate with another licence than `deny.toml` allows, or from elsewhere than crates.io, as a sentence.
pub(crate) fn broken(metadata: &Value, built: &BTreeSet<String>) -> Result<Vec<String>> {
    let allowed = allowed_licences()?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut sentences = Vec::new();
    for package in packages.iter().filter(|package| built.contains(&sbom::named(package))) {
        let (name, version) = (text(&package["name"]), text(&package["version"]));
        if !may_be_used(text(&package["license"]), &allowed) {
            let licence = package["license"].as_str().unwrap_or("none that is named");
            sentences
                .push(format!("{name} {version} has a licence that deny.toml does not allow: {licence}"));
        }
        if package["source"].as_str().is_some_and(|source| source != REGISTRY) {
            sentences.push(format!("{name} {version} comes from {}", package["source"]));
        }
    }
    Ok(sentences)
}

/// All that is built in this workspace, tests and tools included.
pub(crate) fn everything() -> Result<BTreeSet<String>> {
    sbom::tree(&["--workspace", "--edges", "all"])
}

/// The words between `allow = [` and `]` of deny.toml's licences.
fn allowed_licences() -> Result<Vec<String>> {
    let file = std::fs::read_to_string(workspace::root().join("deny.toml")).context("deny.toml")?;
    let (_, licences) = file.split_once("[licenses]").context("deny.toml has no [licenses]")?;
    let (_, list) = licences.split_once("allow = [").context("[licenses] allows none")?;
    let (list, _) = list.split_once(']').context("the list of licences has no end")?;
    Ok(list.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

/// Whether an SPDX expression can be met with these licences. A name that is not understood is not allowed.
fn may_be_used(expression: &str, allowed: &[String]) -> bool {
    let spaced = spdx(expression).replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let met = either(&mut words, allowed);
    met == Some(true) && words.next().is_none()
}

/// Old manifests say `MIT/Apache-2.0`.
pub(crate) fn spdx(expression: &str) -> String {
    expression.replace('/', " OR ")
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut met = both(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        met |= both(words, allowed)?;
    }
    Some(met)
}

fn both(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut met = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed)?;
    }
    Some(met)
}

/// `None` where the expression breaks off.
fn one(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    if words.next_if_eq(&"(").is_some() {
        let met = either(words, allowed)?;
        return words.next_if_eq(&")").map(|_| met);
    }
    let licence = words.next()?;
    if words.next_if_eq(&"WITH").is_some() {
        let excepted = format!("{licence} WITH {}", words.next()?);
        return Some(allowed.contains(&excepted));
    }
    Some(allowed.iter().any(|name| name == licence))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_we_build_on_has_an_allowed_licence_and_comes_from_the_registry() {
        assert_eq!(
            broken(&workspace::metadata().unwrap(), &everything().unwrap()).unwrap(),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_licence_is_met_by_one_of_its_choices_and_by_all_of_its_parts() {
        let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        for (expression, met) in [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0-only", false),
            ("MIT AND GPL-3.0-only", false),
            ("ISC AND (MIT OR GPL-3.0-only)", true),
            ("Apache-2.0", false),
            ("Apache-2.0 WITH LLVM-exception OR Apache-2.0", true),
            ("MIT OR", false),
            ("(MIT", false),
            ("MIT MIT", false),
            ("", false),
        ] {
            assert_eq!(may_be_used(expression, &allowed), met, "{expression}");
        }
    }

    #[test]
    fn a_crate_from_elsewhere_or_without_a_licence_is_told() {
        let built = BTreeSet::from(["a 1".to_owned()]);
        let told = |licence: Value, source: &str| {
            let package = json!({"name": "a", "version": "1", "license": licence, "source": source});
            broken(&json!({"packages": [package]}), &built).unwrap()
        };
        assert_eq!(told(json!("MIT"), "git+https://example.com/a").len(), 1);
        assert!(told(json!(null), REGISTRY)[0].contains("none that is named"));
        assert!(told(json!("MIT"), REGISTRY).is_empty());
    }
}
