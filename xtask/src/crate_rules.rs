//! Who may depend on whom, held against what the manifests say. `deny.toml` says the same to cargo-deny; this
//! check needs no tool, so it runs on every machine.

use anyhow::{Context, Result};
use serde_json::Value;

/// A crate of ours and those of ours it may use outside its tests.
const OURS: [(&str, &[&str]); 13] = [
    ("domain", &[]),
    ("migration", &[]),
    ("simulator", &[]),
    ("xtask", &[]),
    ("entities", &["domain"]),
    ("queue", &["domain"]),
    ("gateways", &["domain"]),
    ("templates", &["domain"]),
    ("workers", &["domain", "entities", "queue", "gateways", "templates"]),
    ("api", &["domain", "entities", "queue", "gateways", "templates"]),
    (
        "postcall",
        &["domain", "migration", "entities", "queue", "gateways", "templates", "workers", "api", "simulator"],
    ),
    ("faults", &["queue", "simulator", "xtask"]),
    ("bench", &["postcall", "api", "domain", "entities", "gateways", "queue", "simulator"]),
];

/// Tests may use any crate of ours, except across these lines.
const NOT_EVEN_IN_TESTS: [(&str, &str); 2] = [("api", "workers"), ("workers", "api")];

/// A foreign crate (a trailing `*` stands for any ending) and the only crates of ours that may name it.
const KEPT_BY: [(&str, &[&str]); 7] = [
    ("apalis*", &["queue"]),
    ("async-stripe*", &["gateways"]),
    ("lettre", &["gateways"]),
    ("opentelemetry*", &["queue", "postcall"]),
    ("handlebars", &["templates"]),
    ("sea-orm-migration", &["migration"]),
    ("sea-orm", &["entities", "queue", "workers", "api", "postcall"]),
];

/// `domain` is rules: nothing that waits, listens or rolls dice.
const NOT_IN_DOMAIN: [&str; 9] =
    ["tokio*", "futures*", "sqlx*", "sea-orm*", "redis", "reqwest", "axum", "rand", "tracing"];

/// One version each: two of these in one program are two pools, two TLS stacks or a link error.
const ONCE: [&str; 4] = ["sqlx-core", "libsqlite3-sys", "rustls", "redis"];

/// Nowhere in the tree: they need a system library or a C compiler's afternoon, and rustls with ring is enough.
const NOWHERE: [&str; 3] = ["openssl-sys", "native-tls", "aws-lc-sys"];

/// Every rule that is broken, as a sentence.
pub(crate) fn broken(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let members = metadata["workspace_members"].as_array().context("cargo metadata lists no members")?;
    let mut sentences = Vec::new();
    for package in packages.iter().filter(|package| members.contains(&package["id"])) {
        sentences.extend(broken_by(package));
    }
    sentences.extend(broken_by_the_tree(packages));
    Ok(sentences)
}

fn broken_by(package: &Value) -> Vec<String> {
    let name = text(&package["name"]);
    let Some((_, allowed)) = OURS.iter().find(|(crate_name, _)| *crate_name == name) else {
        return vec![format!("{name} is not in the table of crates in xtask/src/crate_rules.rs")];
    };
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut sentences = Vec::new();
    for dependency in dependencies {
        let used = text(&dependency["name"]);
        let in_tests = dependency["kind"] == "dev";
        if is_ours(used) {
            sentences.extend(wrong_neighbour(name, used, allowed, in_tests));
        } else {
            sentences.extend(wrong_import(name, used, in_tests));
        }
    }
    sentences
}

fn wrong_neighbour(name: &str, used: &str, allowed: &[&str], in_tests: bool) -> Option<String> {
    if in_tests {
        return NOT_EVEN_IN_TESTS
            .contains(&(name, used))
            .then(|| format!("{name} must not depend on {used}, not even in its tests"));
    }
    (!allowed.contains(&used)).then(|| format!("{name} must not depend on {used}"))
}

fn wrong_import(name: &str, used: &str, in_tests: bool) -> Vec<String> {
    let mut sentences = Vec::new();
    for (pattern, keepers) in KEPT_BY.iter().filter(|(pattern, _)| matches(pattern, used)).take(1) {
        // A test may reach into the store; nobody's test may reach around the queue or the Stripe gateway.
        let excused = in_tests && pattern.starts_with("sea-orm");
        if !keepers.contains(&name) && !excused {
            sentences.push(format!("{name} must not name {used}: only {} may", keepers.join(", ")));
        }
    }
    if name == "domain" && !in_tests && NOT_IN_DOMAIN.iter().any(|pattern| matches(pattern, used)) {
        sentences.push(format!("domain must not name {used}: it holds rules and does nothing"));
    }
    sentences
}

fn broken_by_the_tree(packages: &[Value]) -> Vec<String> {
    let copies = |name: &str| packages.iter().filter(|package| package["name"] == name).count();
    let twice = ONCE
        .iter()
        .filter(|name| copies(name) > 1)
        .map(|name| format!("{name} is in the tree {} times: it must be there once", copies(name)));
    let unwanted =
        NOWHERE.iter().filter(|name| copies(name) > 0).map(|name| format!("{name} must not be in the tree"));
    twice.chain(unwanted).collect()
}

fn is_ours(name: &str) -> bool {
    OURS.iter().any(|(crate_name, _)| *crate_name == name)
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |prefix| name.starts_with(prefix))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use serde_json::json;

    use super::*;

    fn workspace_of(name: &str, dependencies: &Value) -> Value {
        json!({
            "workspace_members": ["ours"],
            "packages": [
                {"id": "ours", "name": name, "dependencies": dependencies},
                {"id": "theirs", "name": "apalis", "dependencies": [{"name": "apalis-core", "kind": null}]},
            ],
        })
    }

    fn sentences(name: &str, dependencies: &Value) -> Vec<String> {
        broken(&workspace_of(name, dependencies)).unwrap()
    }

    #[test]
    fn the_workspace_as_it_is_breaks_no_rule() {
        let metadata = xtask::workspace::metadata().unwrap();
        assert_eq!(broken(&metadata).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn api_and_workers_never_see_each_other_not_even_in_tests() {
        assert_eq!(
            sentences("api", &json!([{"name": "workers", "kind": null}])),
            ["api must not depend on workers"]
        );
        assert_eq!(
            sentences("workers", &json!([{"name": "api", "kind": "dev"}])),
            ["workers must not depend on api, not even in its tests"]
        );
    }

    #[test]
    fn the_simulator_knows_us_only_in_its_tests() {
        assert_eq!(sentences("simulator", &json!([{"name": "domain", "kind": null}])).len(), 1);
        assert!(sentences("simulator", &json!([{"name": "domain", "kind": "dev"}])).is_empty());
    }

    #[test]
    fn a_build_dependency_is_held_to_the_same_rules() {
        assert_eq!(sentences("domain", &json!([{"name": "queue", "kind": "build"}])).len(), 1);
    }

    #[test]
    fn only_the_queue_names_apalis_and_only_gateways_name_stripe() {
        assert!(sentences("queue", &json!([{"name": "apalis-core", "kind": null}])).is_empty());
        assert_eq!(
            sentences("workers", &json!([{"name": "apalis-sqlite", "kind": null}])),
            ["workers must not name apalis-sqlite: only queue may"]
        );
        assert_eq!(sentences("postcall", &json!([{"name": "async-stripe-core", "kind": "dev"}])).len(), 1);
        assert!(sentences("gateways", &json!([{"name": "async-stripe-shared", "kind": null}])).is_empty());
    }

    #[test]
    fn the_domain_names_nothing_that_does_input_or_output() {
        assert_eq!(
            sentences("domain", &json!([{"name": "tokio", "kind": null}])),
            ["domain must not name tokio: it holds rules and does nothing"]
        );
        assert_eq!(sentences("domain", &json!([{"name": "sea-orm", "kind": null}])).len(), 2);
        assert!(sentences("domain", &json!([{"name": "serde", "kind": null}])).is_empty());
    }

    #[test]
    fn sea_orm_is_for_those_who_store_and_for_tests() {
        assert_eq!(
            sentences("templates", &json!([{"name": "sea-orm", "kind": null}])),
            ["templates must not name sea-orm: only entities, queue, workers, api, postcall may"]
        );
        assert!(sentences("simulator", &json!([{"name": "sea-orm", "kind": "dev"}])).is_empty());
        assert_eq!(sentences("entities", &json!([{"name": "sea-orm-migration", "kind": null}])).len(), 1);
    }

    #[test]
    fn a_crate_without_a_row_in_the_table_is_told() {
        assert_eq!(sentences("utils", &json!([])).len(), 1);
    }

    #[test]
    fn two_copies_and_unwanted_libraries_are_told() {
        let metadata = json!({
            "workspace_members": [],
            "packages": [
                {"id": "1", "name": "rustls"}, {"id": "2", "name": "rustls"}, {"id": "3", "name": "openssl-sys"},
            ],
        });
        assert_eq!(
            broken(&metadata).unwrap(),
            ["rustls is in the tree 2 times: it must be there once", "openssl-sys must not be in the tree"]
        );
    }
}
