//! What an operator types: merchants, keys and dead jobs; and what a health check asks.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use domain::fee::FeePolicy;
use domain::id::MerchantId;
use domain::scope::Scopes;
use entities::merchant;
use postcall::config::Store;
use postcall::product::Foundation;
use queue::Clock;
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

const READY_WITHIN: Duration = Duration::from_secs(3);

#[derive(Subcommand)]
pub(crate) enum MerchantCommand {
    /// Adds a merchant and prints its id.
    Add(Box<NewMerchant>),
    /// Prints the secret that signs this merchant's post-call events, or the one that signs our commands to its dialer.
    Secret {
        #[command(flatten)]
        store: Store,
        merchant_id: MerchantId,
        #[arg(value_parser = ["events", "dialer"])]
        purpose: String,
    },
}

#[derive(Args)]
pub(crate) struct NewMerchant {
    #[command(flatten)]
    store: Store,
    /// The business name customers know.
    #[arg(long)]
    name: String,
    /// `en` or `es`, for customers whose language is not known.
    #[arg(long, default_value = "en")]
    locale: String,
    #[arg(long, default_value = "America/New_York")]
    time_zone: String,
    #[arg(long, default_value = "US")]
    country: String,
    #[arg(long)]
    support_email: Option<String>,
    #[arg(long)]
    support_phone: Option<String>,
    /// The colour of the pay page's button, `#1a6b54`.
    #[arg(long)]
    accent: Option<String>,
    /// The connected account, `acct_…`.
    #[arg(long)]
    stripe_account: Option<String>,
    /// The number texts come from.
    #[arg(long)]
    sms_sender: Option<String>,
    /// The address emails come from.
    #[arg(long)]
    email_sender: Option<String>,
    /// Where the dialer takes pause and resume commands.
    #[arg(long)]
    dialer_url: Option<String>,
    /// The fee in hundredths of a percent.
    #[arg(long, default_value_t = FeePolicy::default().basis_points)]
    fee_basis_points: u32,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Makes an API key and prints it: this is the only time it is shown.
    Add {
        #[command(flatten)]
        store: Store,
        merchant_id: MerchantId,
        #[arg(long, default_value = "default")]
        name: String,
        /// Scopes separated by spaces; all of them by default.
        #[arg(long)]
        scopes: Option<Scopes>,
    },
    /// Ends a key at once.
    Revoke {
        #[command(flatten)]
        store: Store,
        key_id: domain::id::ApiKeyId,
    },
}

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

pub(crate) async fn merchant(command: MerchantCommand) -> anyhow::Result<()> {
    match command {
        MerchantCommand::Add(new) => add_merchant(*new).await,
        MerchantCommand::Secret { store, merchant_id, purpose } => {
            let foundation = foundation(&store).await?;
            let merchant = merchant::find(&foundation.db.read, &merchant_id)
                .await?
                .context("there is no such merchant")?;
            let generation = u32::try_from(merchant.secret_generation)?;
            println!("{}", foundation.keyring.derived_secret(&purpose, merchant_id.as_str(), generation));
            Ok(())
        }
    }
}

async fn add_merchant(new: NewMerchant) -> anyhow::Result<()> {
    if domain::quiet_hours::zone(&new.time_zone).is_none() {
        bail!("{:?} is not a time zone, for example America/New_York", new.time_zone);
    }
    let fee = FeePolicy { basis_points: new.fee_basis_points, ..FeePolicy::default() }.check()?;
    let foundation = foundation(&new.store).await?;
    let now = foundation.ledger.clock().now();
    let mut model = postcall::product::new_merchant(entities::fresh::id(now), &new.name, now);
    model.locale = new.locale;
    model.time_zone = new.time_zone;
    model.country = new.country;
    model.support_email = new.support_email;
    model.support_phone = new.support_phone;
    model.accent_hex = new.accent;
    model.stripe_account = new.stripe_account;
    model.sms_sender = new.sms_sender;
    model.email_sender = new.email_sender;
    model.dialer_url = new.dialer_url;
    model.fee_basis_points = i64::from(fee.basis_points);
    let id = model.id.0.clone();
    merchant::insert(&foundation.db.write, model).await?;
    println!("{id}");
    Ok(())
}

pub(crate) async fn key(command: KeyCommand) -> anyhow::Result<()> {
    match command {
        KeyCommand::Add { store, merchant_id, name, scopes } => {
            let foundation = foundation(&store).await?;
            merchant::find(&foundation.db.read, &merchant_id).await?.context("there is no such merchant")?;
            let scopes = scopes.unwrap_or_else(Scopes::all);
            let now = foundation.ledger.clock().now();
            let (key, shown) = api::mint_key(now, &merchant_id, &name, &scopes);
            entities::api_key::insert(&foundation.db.write, key).await?;
            println!("{}", shown.expose_secret());
            Ok(())
        }
        KeyCommand::Revoke { store, key_id } => {
            let foundation = foundation(&store).await?;
            let now = foundation.ledger.clock().now();
            if !entities::api_key::revoke(&foundation.db.write, &key_id, now).await? {
                bail!("there is no such living key");
            }
            println!("revoked");
            Ok(())
        }
    }
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
