//! What apalis 1.0's ready-made storages do under our house rules, and what our ledger does in the same place.
//! Starts a PostgreSQL and a Redis of its own and stops them; touches no other. One argument says what to measure.

mod bad_id;
mod drain;
mod ledger;
mod one_writer;
mod panics;
mod ready_made;
mod redis_backlog;
mod redis_lost;
mod repeated_key;
mod retry_after;
mod servers;
mod stores;
mod transaction;

use anyhow::{Result, bail};
use servers::Servers;

const MEASURES: [&str; 9] = [
    "retry-after",
    "panic",
    "bad-id",
    "drain",
    "redis-backlog",
    "repeated-key",
    "transaction",
    "one-writer",
    // Last: it kills Redis.
    "redis-lost",
];

#[tokio::main]
async fn main() -> Result<()> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let wanted: Vec<&str> = match wanted.as_str() {
        "all" => MEASURES.to_vec(),
        one if MEASURES.contains(&one) => vec![one],
        _ => bail!("say what to measure: all, or one of {}", MEASURES.join(", ")),
    };
    let mut servers = Servers::start().await?;
    for measure in wanted {
        println!("\n## {measure}");
        run(measure, &mut servers).await?;
    }
    Ok(())
}

async fn run(measure: &str, servers: &mut Servers) -> Result<()> {
    match measure {
        "retry-after" => retry_after::measure(servers).await,
        "panic" => panics::measure(servers).await,
        "bad-id" => bad_id::measure(servers).await,
        "drain" => drain::measure(servers).await,
        "redis-backlog" => redis_backlog::measure(servers).await,
        "repeated-key" => repeated_key::measure(servers).await,
        "transaction" => transaction::measure(servers).await,
        "one-writer" => one_writer::measure().await,
        "redis-lost" => redis_lost::measure(servers).await,
        _ => bail!("nobody measures {measure}"),
    }
}
