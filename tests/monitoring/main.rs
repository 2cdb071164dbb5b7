//! What an operator would look at, held against the real thing: a Prometheus from the system's packages scrapes the product
//! under load, and every query of every dashboard and rule is asked. An error or an empty answer fails.
//!
//! `cargo xtask test monitoring` runs it; by itself it is passed over, because it wants a minute and a Prometheus.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test fails by panicking, reads its own environment and says how far it is"
)]

mod ask;
mod load;
#[path = "../pipeline/pooler.rs"]
#[allow(dead_code, reason = "no pooler stands here")]
mod pooler;
mod prometheus;
#[path = "../pipeline/stage.rs"]
#[allow(dead_code, reason = "the stories of the pipeline need more of it")]
mod stage;

use std::path::PathBuf;
use std::process::Stdio;

use postcall::product::{Product, Roles};
use tokio::io::AsyncWriteExt;

use crate::prometheus::Prometheus;
use crate::stage::{Stage, Store};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "cargo xtask test monitoring"]
async fn every_panel_and_every_rule_has_an_answer_while_the_product_works() {
    let mut stage = Stage::set_without_product(store()).await;
    let product = Product::start(&stage.config, stage.clock.clone(), Roles::BOTH).await.unwrap();
    let private = product.private;
    stage.product = Some(product);
    stage.furnish().await;
    let prometheus = Prometheus::scraping(private).await;
    load::run(&stage).await;
    prometheus.has_caught_up().await;

    let mut faults = names_are_well_formed(&prometheus.text_of(private).await).await;
    let (figures, empty) = ask::dashboards(&prometheus).await;
    faults.extend(empty);
    faults.extend(ask::rules(&prometheus).await);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("monitoring");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("figures.json"), figures.to_string()).unwrap();
    eprintln!("what the dashboards showed is in {}", folder.join("figures.json").display());
    load::tidy_up(&stage).await;
    stage.finish().await;
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// The embedded database, which has a disk to watch, and a Redis to lose.
fn store() -> Store {
    let redis_url = std::env::var("POSTCALL_TEST_REDIS_URL").expect("POSTCALL_TEST_REDIS_URL names a Redis");
    let mut store = Store::sqlite();
    store.redis_url = Some(redis_url);
    store
}

/// `promtool check metrics` over what the product really says.
async fn names_are_well_formed(text: &str) -> Vec<String> {
    let mut check = tokio::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed");
    check.stdin.take().unwrap().write_all(text.as_bytes()).await.unwrap();
    let said = check.wait_with_output().await.unwrap();
    let lines = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    lines.lines().map(|line| format!("promtool check metrics: {line}")).collect()
}
