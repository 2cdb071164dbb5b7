//! `postcall simulate`: the outside world in front of a product that runs elsewhere, and people who keep calling, paying
//! and asking. It makes its merchant and key as an operator would, in the product's own store; all else goes over the wire.
#![expect(clippy::print_stdout, reason = "a command line answers its operator")]

mod people;

use std::net::IpAddr;
use std::time::Duration;

use clap::Args;
use domain::id::MerchantId;
use domain::scope::Scopes;
use queue::Clock;
use secrecy::ExposeSecret;
use simulator::call::Sender;
use simulator::{
    CarrierConfig, ConnectedAccount, DialerConfig, Ports, ProductEndpoints, StripeConfig, World, WorldConfig,
};
use tokio_util::sync::CancellationToken;

use crate::config::Store;
use crate::demo::seed::{BUSINESS, Client};
use crate::product::{Foundation, StopSignals, new_merchant};
use people::Town;

const SMS_SENDER: &str = "+15005550006";
const STRIPE_ACCOUNT: &str = "acct_1PostcallSimulated";
const TEXTS_PER_DAY_MAX: i64 = 1_000_000;

#[derive(Debug, Clone, Args)]
pub struct SimulateOptions {
    #[command(flatten)]
    store: Store,

    /// Where customers and providers reach the product.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    product_url: String,

    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,

    /// The name under which the product reaches this host.
    #[arg(long, default_value = "127.0.0.1")]
    known_as: String,

    /// Stripe listens here; carrier, mailbox, dialer and the page with everybody's phone on the four ports after it.
    #[arg(long, default_value_t = 4010)]
    first_port: u16,

    /// How often somebody is called; 0 for never.
    #[arg(long, default_value_t = 12)]
    calls_per_minute: u32,
}

/// Plays the world until it is told to stop.
///
/// # Errors
/// When something cannot be started, or the product's store cannot be reached.
pub async fn run(options: &SimulateOptions) -> anyhow::Result<()> {
    let mut stop = StopSignals::listen()?;
    let foundation = Foundation::lay(&options.store, Clock::default(), &CancellationToken::new()).await?;
    let merchant_id = MerchantId::derived(b"the merchant of postcall simulate");
    let keyring = &foundation.keyring;
    let port = |offset: u16| options.first_port.saturating_add(offset);
    let ports =
        Ports { stripe: port(0), carrier: port(1), mailbox: port(2), dialer: port(3), phone: port(4) };
    let world = World::start(WorldConfig {
        host: options.host,
        ports,
        seed: rand::random(),
        stripe: StripeConfig {
            accounts: vec![ConnectedAccount::new(STRIPE_ACCOUNT, BUSINESS)],
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
    let dialer_url = format!("http://{}:{}/commands", options.known_as, ports.dialer);
    let key = merchant_and_key(&foundation, &merchant_id, dialer_url).await?;
    let url = &options.product_url;
    world.connect(ProductEndpoints {
        stripe_webhook_url: Some(format!("{url}/webhooks/stripe")),
        carrier_inbound_url: Some(format!("{url}/webhooks/carrier/inbound")),
        call_permission_url: Some(format!("{url}/v1/call-permission")),
        call_permission_key: Some(key.clone()),
    });
    let secret = keyring.derived_secret("events", merchant_id.as_str(), 1);
    let town = Town {
        client: Client::new(url, &key)?,
        calls: Sender::signing(&format!("{url}/v1/events"), &secret),
        merchant_id,
    };
    println!("phones and mailboxes on {}, merchant {}, API key {key}", world.phone_url(), town.merchant_id);
    tokio::select! {
        () = stop.received() => {}
        () = keep_calling(&town, &world, options.calls_per_minute) => {}
    }
    world.shutdown().await;
    Ok(())
}

/// The merchant is made once; a key cannot be read back, so every start makes one.
async fn merchant_and_key(
    foundation: &Foundation,
    merchant_id: &MerchantId,
    dialer_url: String,
) -> anyhow::Result<String> {
    let now = foundation.ledger.clock().now();
    if entities::merchant::find(&foundation.db.read, merchant_id).await?.is_none() {
        let mut merchant = new_merchant(merchant_id.clone(), BUSINESS, now);
        merchant.support_email = Some("office@harborstreet.example".to_owned());
        merchant.support_phone = Some("+14155550199".to_owned());
        merchant.stripe_account = Some(STRIPE_ACCOUNT.to_owned());
        merchant.sms_sender = Some(SMS_SENDER.to_owned());
        merchant.email_sender = Some("billing@harborstreet.example".to_owned());
        merchant.dialer_url = Some(dialer_url);
        merchant.texts_per_day_max = TEXTS_PER_DAY_MAX;
        entities::merchant::insert(&foundation.db.write, merchant).await?;
    }
    let (key, shown) = api::mint_key(now, merchant_id, "simulated", &Scopes::all());
    entities::api_key::insert(&foundation.db.write, key).await?;
    Ok(shown.expose_secret().to_owned())
}

async fn keep_calling(town: &Town, world: &World, calls_per_minute: u32) {
    if calls_per_minute == 0 {
        return std::future::pending().await;
    }
    let mut next = tokio::time::interval(Duration::from_secs(60) / calls_per_minute);
    next.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        next.tick().await;
        // The product may be starting, stopping or gone: the next call finds out.
        if let Err(error) = town.call_somebody(world).await {
            tracing::warn!(error = format!("{error:#}"), "a call came to nothing");
        }
    }
}
