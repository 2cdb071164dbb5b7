//! The fault suite: the real binary as processes on both stores, real faults, and the journals of the outside world as
//! the judge. It must never ask our own database whether something was said.
//!
//! `cargo xtask faults` runs it. Lost is a call that was answered 2xx and led to nothing a person could see; repeated
//! is a second text or mail for one wish.
#![expect(clippy::print_stdout, reason = "a suite prints its report")]

mod classes;
mod machine;
mod process;
mod proxy;
mod scripts;
mod site;
mod store;
mod tally;
mod wishes;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Parser;
use futures::StreamExt;

use classes::{ALL, Class};
use machine::Machine;
use store::Kind;
use tally::{HEADER, Row, Tally};

#[derive(Parser)]
#[command(about = "The fault suite")]
struct Options {
    /// The product.
    #[arg(long, default_value = "target/debug/postcall")]
    postcall: PathBuf,
    /// Makes the same choices again. Processes and wires have a will of their own.
    #[arg(long)]
    seed: Option<u64>,
    /// A few of each, in minutes.
    #[arg(long)]
    short: bool,
    /// Of random faults under load.
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// Keeps what the products log in this directory.
    #[arg(long)]
    logs: Option<PathBuf>,
    /// One store only.
    #[arg(long, value_parser = ["sqlite", "postgres"])]
    store: Option<String>,
    /// Classes at the same time: most of their time is waiting.
    #[arg(long, default_value_t = 4)]
    at_once: usize,
    /// Classes; all of them by default.
    classes: Vec<String>,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    // Refused when another part of the process was first: then there is a provider, which is all we need.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    runtime.block_on(run(options))
}

async fn run(options: Options) -> Result<ExitCode> {
    let chosen = chosen(&options)?;
    ensure!(options.postcall.is_file(), "{} is not there", options.postcall.display());
    if let Some(logs) = &options.logs {
        std::fs::create_dir_all(logs)?;
    }
    let seed = options.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    println!("seed {seed}");
    let binary = std::fs::canonicalize(&options.postcall)?;
    let machine =
        Arc::new(Machine::start(binary, options.logs.clone(), seed, options.short, options.minutes).await?);
    let begun = Instant::now();
    let rows: Vec<Row> = futures::stream::iter(chosen)
        .map(|(class, kind)| told(Arc::clone(&machine), class, kind))
        .buffer_unordered(options.at_once)
        .collect()
        .await;
    Ok(close(rows, seed, begun.elapsed()))
}

fn chosen(options: &Options) -> Result<Vec<(&'static Class, Kind)>> {
    for name in &options.classes {
        let names: Vec<String> =
            ALL.iter().map(|class| format!("  {}: {}", class.name, class.about)).collect();
        ensure!(
            ALL.iter().any(|class| class.name == name),
            "there is no class {name:?}:\n{}",
            names.join("\n")
        );
    }
    let wanted =
        |class: &&Class| options.classes.is_empty() || options.classes.iter().any(|name| name == class.name);
    let on_store = |kind: &Kind| options.store.as_deref().is_none_or(|word| word == kind.word());
    let pairs =
        |class: &'static Class| class.kinds.iter().copied().filter(on_store).map(move |kind| (class, kind));
    Ok(ALL.iter().filter(wanted).flat_map(pairs).collect())
}

async fn told(machine: Arc<Machine>, class: &'static Class, kind: Kind) -> Row {
    let begun = Instant::now();
    println!("begins {:<13} {:<8} {}", class.name, kind.word(), class.about);
    let outcome = tokio::spawn((class.run)(machine, kind)).await;
    let tally = match outcome {
        Ok(Ok(tally)) => tally,
        Ok(Err(error)) => Tally { broken: vec![format!("{error:#}")], ..Tally::default() },
        Err(panic) => Tally { broken: vec![format!("{panic}")], ..Tally::default() },
    };
    let row = Row { class: class.name, kind, tally, took: begun.elapsed() };
    println!("{row}");
    row
}

/// The table, the sums and the last line.
fn close(mut rows: Vec<Row>, seed: u64, took: Duration) -> ExitCode {
    rows.sort_by_key(|row| ALL.iter().position(|class| class.name == row.class));
    println!("\n{HEADER}");
    rows.iter().for_each(|row| println!("{row}"));
    let sum = |of: fn(&Tally) -> usize| rows.iter().map(|row| of(&row.tally)).sum::<usize>();
    let faults: u64 = rows.iter().map(|row| row.tally.injected()).sum();
    println!(
        "\nseed {seed}: {faults} faults, {} events, {} lost, {} said twice, {} surfaced, in {} s",
        sum(|tally| tally.events),
        sum(|tally| tally.lost),
        sum(|tally| tally.repeated),
        sum(|tally| tally.surfaced),
        took.as_secs(),
    );
    let failed = rows.iter().filter(|row| !row.tally.passed()).count();
    println!("{} passed, {failed} failed", rows.len() - failed);
    if failed == 0 && !rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
