//! The demo: the product exactly as it ships, on a database of its own, in front of a simulated outside world.
#![expect(clippy::print_stdout, reason = "the demo tells its story on standard output")]

mod once;
pub(crate) mod seed;
mod tell;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use anyhow::Context;
use clap::Args;
use domain::id::MerchantId;
use domain::keyring::Keyring;
use gateways::http::install_crypto;
use queue::Clock;
use simulator::call::Sender;
use simulator::{
    CarrierConfig, ConnectedAccount, DialerConfig, ProductEndpoints, StripeConfig, World, WorldConfig,
};

use crate::config::{Config, Limits, Store};
use crate::product::{Product, Roles, StopSignals};
use seed::Seeded;

/// Text numbers of the merchant and of its connected account, as the simulated providers know them.
const SMS_SENDER: &str = "+15005550006";
const STRIPE_ACCOUNT: &str = "acct_1PostcallDemo";
/// The hour in California at which the demo's business day begins: everybody may be texted.
const BUSINESS_HOUR: i8 = 10;

#[derive(Debug, Clone, Args)]
pub struct DemoOptions {
    /// Plays the whole story without a person and ends with one line of JSON.
    #[arg(long)]
    once: bool,

    /// Where the public listener goes; 0 takes any free port. Without it: 8080, or any free port when that is taken.
    #[arg(long)]
    port: Option<u16>,

    /// Seeds, writes what a test needs to know into this file as JSON, and waits: nobody calls by themselves.
    #[arg(long)]
    ready_file: Option<PathBuf>,

    /// After `--once`: writes what the providers received into this folder, for checks by their own libraries.
    #[arg(long)]
    record: Option<PathBuf>,

    /// Keeps the database in this folder instead of a temporary one.
    #[arg(long)]
    data: Option<PathBuf>,
}

/// Product and world, running together.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) product: Product,
    pub(crate) seeded: Seeded,
    pub(crate) calls: Sender,
    pub(crate) url: String,
    pub(crate) webhook_secret: String,
    /// When the last call to a number or address, or about an invoice, ended.
    pub(crate) ended: tell::Ended,
}

/// Runs the demo.
///
/// # Errors
/// When something cannot be started, or the story went wrong.
pub async fn run(options: DemoOptions) -> anyhow::Result<()> {
    install_crypto();
    let mut stop = StopSignals::listen()?;
    let folder = Folder::take(options.data.clone())?;
    let stage = Stage::set(&folder.path, options.port).await?;
    if let Some(file) = &options.ready_file {
        std::fs::write(file, stage.ready()?.to_string()).context("the ready file cannot be written")?;
        stop.received().await;
        return stage.strike().await;
    }
    if options.once {
        let telling = tell::begin(&stage);
        let told = once::play(&stage).await;
        telling.abort();
        if let Some(folder) = &options.record {
            tell::record(&stage, folder)?;
        }
        stage.strike().await?;
        println!("{}", told?);
        return Ok(());
    }
    tell::welcome(&stage);
    let telling = tell::begin(&stage);
    let calling = once::calls(&stage);
    tokio::select! {
        () = stop.received() => {}
        called = calling => {
            called?;
            stop.received().await;
        }
    }
    telling.abort();
    stage.strike().await
}

impl Stage {
    async fn set(folder: &std::path::Path, port: Option<u16>) -> anyhow::Result<Self> {
        let offset = Arc::new(AtomicI64::new(business_hours_offset_ms()?));
        let clock = Clock::sharing(Arc::clone(&offset));
        let keys = format!("demo:{}", base64_key());
        let keyring = Keyring::parse(&keys).context("the demo's key")?;
        let merchant_id: MerchantId = entities::fresh::id(clock.now());
        let world = World::start(WorldConfig {
            seed: 1,
            clock: simulator::Clock::sharing(offset),
            stripe: StripeConfig {
                accounts: vec![ConnectedAccount::new(STRIPE_ACCOUNT, seed::BUSINESS)],
                ..StripeConfig::default()
            },
            carrier: CarrierConfig { number: SMS_SENDER.to_owned(), ..CarrierConfig::default() },
            dialer: DialerConfig {
                signing_secret: keyring.derived_secret("dialer", merchant_id.as_str(), 1),
                ..DialerConfig::default()
            },
            ..WorldConfig::default()
        })
        .await?;
        let listen = free_address(port)?;
        let config = config(&world, folder, &listen, keys);
        let product = Product::start(&config, clock, Roles::BOTH).await?;
        let url = config.public_url.clone();
        let seeded = seed::plant(&product.foundation, &world, &url, merchant_id).await?;
        world.connect(ProductEndpoints {
            stripe_webhook_url: Some(format!("{url}/webhooks/stripe")),
            carrier_inbound_url: Some(format!("{url}/webhooks/carrier/inbound")),
            call_permission_url: Some(format!("{url}/v1/call-permission")),
            call_permission_key: Some(seeded.api_key.clone()),
        });
        let webhook_secret = keyring.derived_secret("events", seeded.merchant_id.as_str(), 1);
        let calls = Sender::signing(&format!("{url}/v1/events"), &webhook_secret);
        Ok(Self { world, product, seeded, calls, url, webhook_secret, ended: tell::Ended::default() })
    }

    /// What a test suite needs to drive this stage from outside.
    fn ready(&self) -> anyhow::Result<serde_json::Value> {
        let invoices: serde_json::Map<String, serde_json::Value> = self
            .seeded
            .invoices
            .iter()
            .map(|invoice| (invoice.name.to_owned(), invoice.id.clone().into()))
            .collect();
        Ok(serde_json::json!({
            "product_url": self.url, "api_key": self.seeded.api_key, "merchant_id": self.seeded.merchant_id,
            "metrics_url": format!("http://{}", self.product.private), "phone_url": self.world.phone_url(),
            "sms_url": self.world.sms_url(), "stripe_url": self.world.stripe_url(),
            "webhook_secret": self.webhook_secret, "invoices": invoices,
        }))
    }

    async fn strike(self) -> anyhow::Result<()> {
        self.product.stop().await;
        self.world.shutdown().await;
        Ok(())
    }
}

/// The configuration an operator would write, with the simulator's addresses in it.
fn config(world: &World, folder: &std::path::Path, listen: &str, keys: String) -> Config {
    let stripe = StripeConfig::default();
    let carrier = CarrierConfig::default();
    Config {
        store: Store {
            database_url: format!("sqlite://{}", folder.join("postcall.db").display()),
            redis_url: None,
            record_statements: None,
            keys: Some(keys),
        },
        public_url: format!("http://{listen}"),
        listen: listen.to_owned(),
        private_listen: "127.0.0.1:0".to_owned(),
        stripe_secret_key: stripe.secret_key,
        stripe_publishable_key: stripe.publishable_key,
        stripe_webhook_secrets: stripe.webhook_secret,
        stripe_url: world.stripe_url(),
        stripe_js_url: world.stripe_js_url(),
        twilio_account_sid: carrier.account_sid,
        twilio_auth_tokens: carrier.auth_token,
        twilio_url: world.sms_url(),
        smtp_url: format!("smtp://{}", world.smtp_addr()),
        dialer_anywhere: true,
        // Whoever visits comes from this machine.
        limits: Limits { address_requests_per_minute_max: 0, ..Limits::default() },
        keep: crate::config::Keep::default(),
        clock_offset_ms: 0,
        crash_at: None,
    }
}

/// How far to move the clock so that it is mid-morning in California, the next time it will be.
fn business_hours_offset_ms() -> anyhow::Result<i64> {
    let now = Clock::default().now();
    let zone =
        domain::quiet_hours::zone("America/Los_Angeles").context("the time zone data lacks California")?;
    let local = now.calendar().to_zoned(zone);
    let today = local.date().at(BUSINESS_HOUR, 0, 0, 0).to_zoned(local.time_zone().clone())?;
    let next = if today.timestamp() < local.timestamp() { today.tomorrow()? } else { today };
    Ok(next.timestamp().as_millisecond() - now.millis())
}

fn base64_key() -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(rand::random::<[u8; 32]>())
}

/// The wished port, or 8080, or any that is free.
fn free_address(port: Option<u16>) -> anyhow::Result<String> {
    let wished = port.map_or_else(|| vec![8080, 0], |port| vec![port]);
    for port in wished {
        if let Ok(listener) = std::net::TcpListener::bind(("127.0.0.1", port)) {
            return Ok(listener.local_addr()?.to_string());
        }
    }
    anyhow::bail!("that port is taken")
}

/// A folder that vanishes with the demo, unless it was given.
struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    fn take(given: Option<PathBuf>) -> anyhow::Result<Self> {
        let temporary = given.is_none();
        let path = given.unwrap_or_else(|| {
            std::env::temp_dir().join(format!("postcall-demo-{:016x}", rand::random::<u64>()))
        });
        std::fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Self { path, temporary })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            let _left_behind = std::fs::remove_dir_all(&self.path);
        }
    }
}
