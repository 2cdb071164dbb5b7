//! `cargo xtask sbom`: what is inside the binary, as CycloneDX 1.6. The same tree gives the same file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use xtask::{process, set_up, workspace};

use crate::supply;

const BINARY: &str = "postcall";

/// Writes the bill of materials to the path given, or to `target/postcall.cdx.json`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let metadata = workspace::metadata()?;
    let path = match arguments {
        [] => workspace::target_directory(&metadata)?.join("postcall.cdx.json"),
        [path] => PathBuf::from(path),
        _ => bail!("sbom takes one path at most"),
    };
    let bill = bill(&metadata, &checksums()?)?;
    std::fs::write(&path, serde_json::to_string_pretty(&bill)?)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    let count = bill["components"].as_array().map_or(0, Vec::len);
    println!("{count} components are in {}", path.display());
    Ok(ExitCode::SUCCESS)
}

/// The same, held against the published JSON schema by CycloneDX's own library.
pub(crate) fn check(target: &Path) -> Result<()> {
    let path = target.join("postcall.cdx.json");
    run(&[path.display().to_string()])?;
    let mut command = Command::new(set_up::python(target));
    command.current_dir(workspace::root()).arg("e2e/oracles/check_sbom.py").arg(path);
    ensure!(process::succeeds(&mut command), "the bill of materials does not fit CycloneDX's schema");
    Ok(())
}

fn bill(metadata: &Value, checksums: &BTreeMap<String, String>) -> Result<Value> {
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let by_id: BTreeMap<&str, &Value> =
        packages.iter().map(|package| (text(&package["id"]), package)).collect();
    let root =
        packages.iter().find(|package| package["name"] == BINARY).context("there is no such package")?;
    let built = tree(&["--package", BINARY, "--edges", "normal,build"])?;
    let uses = uses(metadata)?;
    let inside: BTreeSet<&str> = packages
        .iter()
        .filter(|package| built.contains(&named(package)))
        .map(|package| text(&package["id"]))
        .collect();
    let component = |id: &str| by_id.get(id).map(|package| component(package, checksums));
    let components: Vec<Value> =
        inside.iter().filter(|id| **id != text(&root["id"])).filter_map(|id| component(id)).collect();
    let mut dependencies = Vec::new();
    for id in &inside {
        let package = by_id.get(id).context("a dependency is no package")?;
        let on: BTreeSet<String> = uses
            .get(id)
            .into_iter()
            .flatten()
            .filter(|used| inside.contains(*used))
            .filter_map(|used| by_id.get(used))
            .map(|used| purl(used))
            .collect();
        dependencies.push(json!({"ref": purl(package), "dependsOn": on}));
    }
    let mut described = self::component(root, checksums);
    described["type"] = "application".into();
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"component": described},
        "components": components,
        "dependencies": dependencies,
    }))
}

/// What cargo would build for any target, each as `name version`. (`cargo metadata` also lists what a lock file names and
/// no feature asks for.)
pub(crate) fn tree(selection: &[&str]) -> Result<BTreeSet<String>> {
    let mut cargo = workspace::cargo();
    cargo.args(["tree", "--target", "all", "--prefix", "none", "--format", "{p}"]).args(selection);
    let printed = process::printed(&mut cargo).context("cargo tree failed")?;
    let name = |line: &str| {
        let mut words = line.split(' ');
        Some(format!("{} {}", words.next()?, words.next()?.strip_prefix('v')?))
    };
    Ok(printed.lines().filter_map(name).collect())
}

/// A package as `tree` names it.
pub(crate) fn named(package: &Value) -> String {
    format!("{} {}", text(&package["name"]), text(&package["version"]))
}

/// Who needs whom to be built, by package id; what only tests need is not in the binary.
fn uses(metadata: &Value) -> Result<BTreeMap<&str, BTreeSet<&str>>> {
    let nodes = metadata["resolve"]["nodes"].as_array().context("cargo metadata resolved nothing")?;
    let mut uses = BTreeMap::new();
    for node in nodes {
        let ships = |dependency: &&Value| {
            let kinds = dependency["dep_kinds"].as_array();
            kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"] != "dev"))
        };
        let on = node["deps"].as_array().into_iter().flatten().filter(ships);
        uses.insert(text(&node["id"]), on.map(|dependency| text(&dependency["pkg"])).collect());
    }
    Ok(uses)
}

fn component(package: &Value, checksums: &BTreeMap<String, String>) -> Value {
    let (name, version) = (text(&package["name"]), text(&package["version"]));
    let mut component = json!({
        "type": "library", "bom-ref": purl(package), "name": name, "version": version, "purl": purl(package),
    });
    if let Some(licence) = package["license"].as_str() {
        component["licenses"] = json!([{"expression": supply::spdx(licence)}]);
    }
    if let Some(checksum) = checksums.get(&named(package)) {
        component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
    }
    if let Some(repository) = package["repository"].as_str() {
        component["externalReferences"] = json!([{"type": "vcs", "url": repository}]);
    }
    component
}

fn purl(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(&package["name"]), text(&package["version"]).replace('+', "%2B"))
}

/// What Cargo.lock says of each crate from the registry, by `name version`.
fn checksums() -> Result<BTreeMap<String, String>> {
    let lock = std::fs::read_to_string(workspace::root().join("Cargo.lock")).context("Cargo.lock")?;
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")))?;
        Some(line.trim_end_matches('"').to_owned())
    };
    let blocks = lock.split("[[package]]").skip(1);
    let entry = |block: &str| {
        Some((format!("{} {}", field(block, "name")?, field(block, "version")?), field(block, "checksum")?))
    };
    Ok(blocks.filter_map(entry).collect())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn the_bill_names_what_ships_with_its_checksum_and_leaves_out_what_only_tests() {
        let bill = bill(&workspace::metadata().unwrap(), &checksums().unwrap()).unwrap();
        let components = bill["components"].as_array().unwrap();
        let find = |name: &str| components.iter().find(|component| component["name"] == name);
        let axum = find("axum").unwrap();
        assert_eq!(axum["hashes"][0]["content"].as_str().unwrap().len(), 64);
        assert_eq!(axum["licenses"][0]["expression"], "MIT");
        for missing in ["proptest", "standardwebhooks", "xtask", "postcall"] {
            assert!(find(missing).is_none(), "{missing}");
        }
        assert_eq!(bill["metadata"]["component"]["name"], BINARY);
        let dependencies = bill["dependencies"].as_array().unwrap();
        assert_eq!(dependencies.len(), components.len() + 1);
        let api = dependencies
            .iter()
            .find(|entry| entry["ref"].as_str().unwrap().starts_with("pkg:cargo/api@"))
            .unwrap();
        assert!(api["dependsOn"].to_string().contains("pkg:cargo/axum@"));
    }
}
