//! What the world is told at its start, and what it learns once the product listens.

use std::net::{IpAddr, Ipv4Addr};

use crate::clock::Clock;

/// Everything a world needs to start; the defaults suit tests and the demo.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// The address all servers listen on; 127.0.0.1 unless the product is on another host.
    pub host: IpAddr,
    /// Where to listen; zero takes any free port.
    pub ports: Ports,
    /// Makes ids repeatable.
    pub seed: u64,
    /// Business time; share its offset with the product to move both.
    pub clock: Clock,
    /// The payment provider.
    pub stripe: StripeConfig,
    /// The SMS provider.
    pub carrier: CarrierConfig,
    /// The voice platform that places calls.
    pub dialer: DialerConfig,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            ports: Ports::default(),
            seed: 0,
            clock: Clock::default(),
            stripe: StripeConfig::default(),
            carrier: CarrierConfig::default(),
            dialer: DialerConfig::default(),
        }
    }
}

/// One port per server; zero takes any free one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// Stripe's API and its Stripe.js.
    pub stripe: u16,
    /// The carrier's API.
    pub carrier: u16,
    /// SMTP.
    pub mailbox: u16,
    /// The dialer's command endpoint.
    pub dialer: u16,
    /// The phone-and-mailbox page with the control API.
    pub phone: u16,
}

/// The platform's Stripe account.
#[derive(Clone, Debug)]
pub struct StripeConfig {
    /// Authorises everything.
    pub secret_key: String,
    /// Authorises what a browser may do with a client secret.
    pub publishable_key: String,
    /// Signs webhooks.
    pub webhook_secret: String,
    /// Where webhooks go; may be set later.
    pub webhook_url: Option<String>,
    /// The accounts this platform may act for. Empty: every well-formed id exists.
    pub accounts: Vec<ConnectedAccount>,
    /// Waits between deliveries of an event that was not answered 2xx.
    pub webhook_retries_ms: Vec<u64>,
}

/// A merchant's account at Stripe.
#[derive(Clone, Debug)]
pub struct ConnectedAccount {
    /// `acct_…`
    pub id: String,
    /// The business name customers see.
    pub business_name: String,
    /// Two letters.
    pub country: String,
    /// Three lower-case letters.
    pub default_currency: String,
    /// Whether bank debits are switched on.
    pub bank_debits: bool,
}

/// The account at the carrier.
#[derive(Clone, Debug)]
pub struct CarrierConfig {
    /// `AC…`
    pub account_sid: String,
    /// Authorises requests and signs callbacks.
    pub auth_token: String,
    /// Where texts from customers go; may be set later.
    pub inbound_url: Option<String>,
    /// The number customers text when they never got one from us.
    pub number: String,
    /// How long a text takes from accepted to sent, and again to delivered.
    pub transit_ms: u64,
}

/// The voice platform.
#[derive(Clone, Debug)]
pub struct DialerConfig {
    /// `whsec_…`: verifies our pause and resume commands.
    pub signing_secret: String,
    /// Asked before each call; may be set later.
    pub permission_url: Option<String>,
    /// The bearer key for asking; may be set later.
    pub api_key: Option<String>,
}

/// Where the product listens; whatever is `None` stays as it was.
#[derive(Clone, Debug, Default)]
pub struct ProductEndpoints {
    /// Receives Stripe's events.
    pub stripe_webhook_url: Option<String>,
    /// Receives customers' texts.
    pub carrier_inbound_url: Option<String>,
    /// Answers whether a call may be placed.
    pub call_permission_url: Option<String>,
    /// The key the dialer presents when it asks.
    pub call_permission_key: Option<String>,
}

impl Default for StripeConfig {
    fn default() -> Self {
        Self {
            secret_key: "sk_test_simulated".into(),
            publishable_key: "pk_test_simulated".into(),
            webhook_secret: "whsec_simulated".into(),
            webhook_url: None,
            accounts: Vec::new(),
            webhook_retries_ms: vec![200, 1_000, 5_000, 30_000],
        }
    }
}

impl ConnectedAccount {
    /// A United States business that takes cards and bank debits in dollars.
    #[must_use]
    pub fn new(id: &str, business_name: &str) -> Self {
        Self {
            id: id.into(),
            business_name: business_name.into(),
            country: "US".into(),
            default_currency: "usd".into(),
            bank_debits: true,
        }
    }
}

impl Default for CarrierConfig {
    fn default() -> Self {
        Self {
            account_sid: "AC00000000000000000000000000000001".into(),
            auth_token: "simulated-auth-token".into(),
            inbound_url: None,
            number: "+15005550006".into(),
            transit_ms: 20,
        }
    }
}

impl Default for DialerConfig {
    fn default() -> Self {
        Self {
            signing_secret: "whsec_c2ltdWxhdGVkLWRpYWxlci1zZWNyZXQ=".into(),
            permission_url: None,
            api_key: None,
        }
    }
}
