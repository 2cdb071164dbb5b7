//! `postcall doctor`: looks at everything an operator can get wrong, says what it saw and what to do about it. It changes
//! nothing: it makes no database, runs no migration, sends nothing.

mod configuration;
mod connections;
mod finding;
mod store;
mod work;

use clap::Args;
use serde_json::json;

use crate::config::Config;
pub use finding::{Finding, Verdict};

#[derive(Debug, Clone, Args)]
pub struct DoctorOptions {
    #[command(flatten)]
    pub config: Config,

    /// Prints one JSON object instead of the table.
    #[arg(long)]
    pub json: bool,
}

/// Examines and prints; the worst verdict is the answer.
pub async fn run(options: &DoctorOptions) -> Verdict {
    let variables: Vec<String> =
        std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    let findings = examine(&options.config, &variables).await;
    let verdict = worst(&findings);
    if options.json {
        print(&json!({"verdict": verdict, "findings": findings}).to_string());
    } else {
        print(&finding::table(&findings));
    }
    verdict
}

/// Every finding, good ones too. `variables` are the names in the environment.
pub async fn examine(config: &Config, variables: &[String]) -> Vec<Finding> {
    let mut findings = configuration::examine(config, variables);
    let (stored, connected) = tokio::join!(store_and_work(config), connections::examine(config));
    findings.extend(stored);
    findings.extend(connected);
    findings
}

/// What lies in the store can be looked at only when the store answers and has its tables.
async fn store_and_work(config: &Config) -> Vec<Finding> {
    let db = match store::open(&config.store.database_url).await {
        Ok(db) => db,
        Err(finding) => return vec![finding],
    };
    let (mut findings, has_tables) = store::examine(&db, config).await;
    if has_tables {
        findings.extend(work::examine(&db, config).await);
    }
    findings
}

#[must_use]
pub fn worst(findings: &[Finding]) -> Verdict {
    findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Fine)
}

#[expect(clippy::print_stdout, reason = "a command line answers its operator")]
fn print(text: &str) {
    println!("{text}");
}
