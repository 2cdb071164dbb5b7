//! What every request is given.

use std::sync::Arc;

use domain::keyring::Keyring;
use domain::time::Timestamp;
use entities::Db;
use gateways::stripe::StripeGateway;
use queue::{Buckets, Ledger};
use secrecy::SecretString;
use templates::Templates;
use tokio_util::sync::CancellationToken;

use crate::auth::Holders;
use crate::census::Census;
use crate::limits::{LimitSettings, Limits};
use crate::metrics::Metrics;

/// The addresses and public keys the pages and webhooks need.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where customers and providers reach us, without a trailing slash: `https://pay.example.com`.
    pub public_url: String,
    pub stripe_publishable_key: String,
    /// Stripe.js; the stand-in's address in the demo.
    pub stripe_js_url: String,
    /// Every secret that may sign a Stripe event right now: two during a rotation.
    pub stripe_webhook_secrets: Vec<SecretString>,
    /// Whether live-mode Stripe events are ours; events of the other mode are stored and ignored.
    pub stripe_livemode: bool,
    /// Every token that may sign a carrier callback right now.
    pub twilio_auth_tokens: Vec<SecretString>,
    pub limits: LimitSettings,
}

/// Clones share everything.
#[derive(Clone)]
pub struct Api {
    pub db: Db,
    pub ledger: Ledger,
    pub templates: Arc<Templates>,
    pub keyring: Arc<Keyring>,
    pub stripe: Arc<StripeGateway>,
    pub settings: Arc<Settings>,
    pub registry: prometheus::Registry,
    /// Ends what would otherwise outlive every request: the event streams.
    pub shutdown: CancellationToken,
    pub(crate) holders: Holders,
    pub(crate) metrics: Metrics,
    pub(crate) census: Census,
    pub(crate) limits: Limits,
}

impl Api {
    /// # Errors
    /// When the registry has metrics of these names already: one registry serves one API.
    pub fn new(
        db: Db,
        ledger: Ledger,
        templates: Arc<Templates>,
        keyring: Arc<Keyring>,
        stripe: Arc<StripeGateway>,
        settings: Settings,
        registry: prometheus::Registry,
    ) -> Result<Self, prometheus::Error> {
        let metrics = Metrics::register(&registry)?;
        let census = Census::register(&registry)?;
        let limits = Limits::new(Buckets::default(), &settings.limits, metrics.limited.clone());
        let (settings, shutdown) = (Arc::new(settings), CancellationToken::new());
        let holders = Holders::default();
        Ok(Self {
            db,
            ledger,
            templates,
            keyring,
            stripe,
            settings,
            registry,
            shutdown,
            holders,
            metrics,
            census,
            limits,
        })
    }

    /// The same, sharing its limits with other processes.
    #[must_use]
    pub fn with_buckets(mut self, buckets: Buckets) -> Self {
        self.limits = Limits::new(buckets, &self.settings.limits, self.metrics.limited.clone());
        self
    }

    /// The same, ended by this token.
    #[must_use]
    pub fn with_shutdown(mut self, shutdown: CancellationToken) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Business time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.ledger.clock().now()
    }
}
