//! What an operator types: merchants, keys and dead jobs; and what a health check asks.

mod keys;
mod merchants;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use postcall::config::Store;
use postcall::product::Foundation;
use queue::Clock;
use tokio_util::sync::CancellationToken;

pub(crate) use keys::{KeyCommand, key};
pub(crate) use merchants::{MerchantCommand, merchant};

const READY_WITHIN: Duration = Duration::from_secs(3);

#[derive(Subcommand)]
pub(crate) enum JobsCommand {
    /// Lists dead jobs, one JSON object a line.
    Dead {
        #[command(flatten)]
        store: Store,
    },
    /// Puts a dead job back to work.
    Redrive {
        #[command(flatten)]
        store: Store,
        job_id: String,
    },
}

#[derive(Args)]
pub(crate) struct Ready {
    /// The private listener of the process that is asked.
    #[arg(long, env = "POSTCALL_PRIVATE_LISTEN", default_value = "127.0.0.1:9464")]
    private_listen: SocketAddr,
    /// Any other address that answers 2xx when it is well.
    url: Option<String>,
}

/// A process that listens on every address is asked on this machine's own.
pub(crate) async fn ready(ready: &Ready) -> anyhow::Result<()> {
    let mut address = ready.private_listen;
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let url = ready.url.clone().unwrap_or_else(|| format!("http://{address}/readyz"));
    let client = gateways::http::client(READY_WITHIN, gateways::http::Reach::Anywhere)?;
    let answer = client.get(&url).send().await.with_context(|| format!("{url} does not answer"))?;
    if !answer.status().is_success() {
        bail!("{url} answers {}", answer.status());
    }
    println!("ready");
    Ok(())
}

async fn foundation(store: &Store) -> anyhow::Result<Foundation> {
    Foundation::lay(store, Clock::default(), &CancellationToken::new()).await
}

pub(crate) async fn migrate(store: &Store) -> anyhow::Result<()> {
    foundation(store).await?;
    println!("the schema is up to date");
    Ok(())
}

pub(crate) async fn jobs(command: JobsCommand) -> anyhow::Result<()> {
    match command {
        JobsCommand::Dead { store } => {
            let foundation = foundation(&store).await?;
            let mut after = None;
            loop {
                let page = foundation.ledger.dead(None, after.as_deref(), 100).await?;
                let Some(last) = page.last() else { return Ok(()) };
                after = Some(last.id.clone());
                for job in &page {
                    println!("{}", serde_json::to_string(job)?);
                }
            }
        }
        JobsCommand::Redrive { store, job_id } => {
            let foundation = foundation(&store).await?;
            if !foundation.ledger.redrive(&job_id, None).await? {
                bail!("there is no such dead job");
            }
            println!("redriven");
            Ok(())
        }
    }
}
