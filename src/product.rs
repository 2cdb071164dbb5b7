//! The product, running: what `postcall serve`, `api` and `workers` start, and what tests and the demo start too.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use api::Api;
use domain::keyring::Keyring;
use entities::Db;
use gateways::Calls;
use gateways::dialer::{DialerConfig, DialerGateway};
use gateways::email::{EmailConfig, EmailGateway};
use gateways::sms::{SmsConfig, SmsGateway};
use gateways::stripe::{StripeConfig, StripeGateway};
use queue::{Buckets, Clock, Ledger, Live, Metrics, Redis, Runtime, Wake};
use secrecy::SecretString;
use templates::Templates;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use workers::{Context as WorkerContext, SenderPace};

use crate::config::{Config, Store};
use crate::listener::{Listener, ListenerMetrics, Patience, raise_file_limit};

const STRIPE_TIMEOUT_MS: u64 = 10_000;
/// Shorter than an attempt's deadline of 8 s, so that the gateway's own, more exact verdict comes first.
const SMS_TIMEOUT_MS: u64 = 7_000;
const EMAIL_TIMEOUT_MS: u64 = 7_000;
const DIALER_TIMEOUT_MS: u64 = 5_000;
const SMTP_CONNECTIONS: usize = 16;
/// After SIGTERM: what runs may finish, and then the process ends anyway.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(25);
/// Whoever scrapes or probes.
const PRIVATE_CONNECTIONS_MAX: usize = 256;
/// Files and connections of our own: the store's, the providers', the private listener's.
const FILES_OF_OUR_OWN: u64 = 512;

/// Which halves this process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    pub api: bool,
    pub workers: bool,
}

impl Roles {
    pub const BOTH: Self = Self { api: true, workers: true };
    pub const API: Self = Self { api: true, workers: false };
    pub const WORKERS: Self = Self { api: false, workers: true };
}

/// The store and what hangs on it.
#[derive(Clone)]
pub struct Foundation {
    pub db: Db,
    pub ledger: Ledger,
    pub buckets: Buckets,
    pub keyring: Arc<Keyring>,
    pub registry: prometheus::Registry,
}

impl Foundation {
    /// Connects, and brings the schema up to date.
    ///
    /// # Errors
    /// When the store cannot be reached, a migration fails or a secret key makes no sense.
    pub async fn lay(store: &Store, clock: Clock, shutdown: &CancellationToken) -> anyhow::Result<Self> {
        let keys = store.keys.as_deref().context("POSTCALL_KEYS is not set")?;
        let keyring = Arc::new(Keyring::parse(keys).context("POSTCALL_KEYS cannot be read")?);
        let mut db = Db::connect(&store.database_url).await?;
        migration::bring_up_to_date(&db.write).await.context("the schema could not be brought up to date")?;
        if let Some(file) = &store.record_statements {
            db.record_statements_in(file.clone());
        }
        let live = Live::default();
        let registry = prometheus::Registry::new();
        let (wake, buckets) = match &store.redis_url {
            Some(url) => {
                let redis = Redis::at(url).context("POSTCALL_REDIS_URL")?;
                redis.register(&registry)?;
                let buckets = Buckets::through(redis.clone(), shutdown);
                (Wake::through(redis, &live, shutdown), buckets)
            }
            None => (Wake::local(), Buckets::default()),
        };
        let metrics = Metrics::register(&registry)?;
        tell_build(&registry, &db)?;
        if let Some(file) = Db::file(&store.database_url) {
            crate::disk::watch(&file, &registry)?;
        }
        let ledger = Ledger::new(db.read.clone(), db.write.clone(), clock, wake, live, metrics)
            .through_pooler(db.through_pooler);
        Ok(Self { db, ledger, buckets, keyring, registry })
    }
}

/// A running product.
pub struct Product {
    pub foundation: Foundation,
    /// Where the public listener is, when this process serves.
    pub public: Option<SocketAddr>,
    pub private: SocketAddr,
    shutdown: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Product {
    /// Starts what `roles` says and returns once it listens.
    ///
    /// # Errors
    /// Names what could not be started.
    pub async fn start(config: &Config, clock: Clock, roles: Roles) -> anyhow::Result<Self> {
        config.check()?;
        if let Some(step) = &config.crash_at {
            queue::failpoint::arm(step.clone());
        }
        let shutdown = CancellationToken::new();
        let foundation = Foundation::lay(&config.store, clock, &shutdown).await?;
        let calls = Calls::register(&foundation.registry)?;
        let stripe = Arc::new(stripe(config)?.counted_in(calls.clone()));
        let templates = Arc::new(Templates::new());
        let mut tasks = Vec::new();
        let api = Api::new(
            foundation.db.clone(),
            foundation.ledger.clone(),
            Arc::clone(&templates),
            Arc::clone(&foundation.keyring),
            Arc::clone(&stripe),
            settings(config)?,
            foundation.registry.clone(),
        )?
        .with_shutdown(shutdown.clone())
        .with_buckets(foundation.buckets.clone());
        let metrics = ListenerMetrics::register(&foundation.registry)?;
        let private = Listener {
            name: "private",
            socket: listen(&config.private_listen).await?,
            router: api::private_router(api.clone()),
            connections_max: PRIVATE_CONNECTIONS_MAX,
            patience: Patience::default(),
            metrics: metrics.clone(),
        };
        let private_address = private.socket.local_addr()?;
        tasks.push(tokio::spawn(private.serve(shutdown.clone())));
        let mut public = None;
        if roles.api {
            let socket = listen(&config.listen).await?;
            public = Some(socket.local_addr()?);
            let listener = Listener {
                name: "public",
                socket,
                router: api::router(api),
                connections_max: connections_max(config.limits.connections_max),
                patience: Patience::default(),
                metrics,
            };
            tasks.push(tokio::spawn(listener.serve(shutdown.clone())));
        }
        if roles.workers {
            let context = worker_context(config, &foundation, stripe, templates, &calls)?;
            let process = format!("{}-{:08x}", std::process::id(), rand::random::<u32>());
            let runtime = workers::register(Runtime::new(foundation.ledger.clone(), process), context);
            tasks.push(tokio::spawn(runtime.run(shutdown.clone())));
        }
        Ok(Self { foundation, public, private: private_address, shutdown, tasks })
    }

    /// Drains: no new requests, no new claims; what runs is finished, what waits is given back.
    pub async fn stop(self) {
        self.shutdown.cancel();
        let drained = futures::future::join_all(self.tasks);
        if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
            tracing::warn!("some work did not end in time; its leases will expire");
        }
    }
}

fn stripe(config: &Config) -> anyhow::Result<StripeGateway> {
    let stripe = StripeConfig {
        secret_key: SecretString::from(config.stripe_secret_key.clone()),
        base_url: config.stripe_url.clone(),
        timeout_ms: STRIPE_TIMEOUT_MS,
    };
    StripeGateway::new(stripe).context("Stripe cannot be set up")
}

fn settings(config: &Config) -> anyhow::Result<api::Settings> {
    let limits = &config.limits;
    Ok(api::Settings {
        public_url: config.public_url.clone(),
        stripe_publishable_key: config.stripe_publishable_key.clone(),
        stripe_js_url: config.stripe_js_url.clone(),
        stripe_webhook_secrets: config.stripe_webhook_secrets(),
        stripe_livemode: config.stripe_livemode(),
        twilio_auth_tokens: config.twilio_auth_tokens(),
        limits: api::LimitSettings {
            key_per_minute: limits.key_requests_per_minute_max,
            address_per_minute: limits.address_requests_per_minute_max,
            events_per_minute: limits.merchant_events_per_minute_max,
            recipient_per_hour: limits.recipient_requests_per_hour_max,
            trusted_proxies: limits.trusted_proxies()?,
        },
    })
}

fn worker_context(
    config: &Config,
    foundation: &Foundation,
    stripe: Arc<StripeGateway>,
    templates: Arc<Templates>,
    calls: &Calls,
) -> anyhow::Result<WorkerContext> {
    let sms = SmsConfig {
        base_url: config.twilio_url.clone(),
        account_sid: config.twilio_account_sid.clone(),
        auth_tokens: config.twilio_auth_tokens(),
        timeout_ms: SMS_TIMEOUT_MS,
    };
    let email = EmailConfig {
        smtp_url: SecretString::from(config.smtp_url.clone()),
        domain: config.public_host()?,
        timeout_ms: EMAIL_TIMEOUT_MS,
        pool_size: SMTP_CONNECTIONS,
    };
    let dialer = DialerConfig { timeout_ms: DIALER_TIMEOUT_MS, reach: config.dialer_reach() };
    let sms = SmsGateway::new(sms).context("the SMS carrier cannot be set up")?;
    let email = EmailGateway::new(&email).context("the mail relay cannot be set up")?;
    let dialer = DialerGateway::new(&dialer).context("the dialer cannot be set up")?;
    Ok(WorkerContext {
        db: foundation.db.clone(),
        ledger: foundation.ledger.clone(),
        templates,
        keyring: Arc::clone(&foundation.keyring),
        sms: Arc::new(sms.counted_in(calls.clone())),
        email: Arc::new(email.counted_in(calls.clone())),
        stripe,
        dialer: Arc::new(dialer.counted_in(calls.clone())),
        senders: SenderPace {
            buckets: foundation.buckets.clone(),
            texts_per_minute_max: config.limits.sender_texts_per_minute_max,
        },
        public_url: config.public_url.clone().into(),
        keep: config.keep.ages(),
        metrics: Arc::new(workers::Metrics::register(&foundation.registry)?),
    })
}

async fn listen(address: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// As many as are wished for and there are files for.
fn connections_max(wished: usize) -> usize {
    let files = raise_file_limit();
    let possible =
        usize::try_from(files.saturating_sub(FILES_OF_OUR_OWN).max(files / 2)).unwrap_or(usize::MAX);
    if possible < wished {
        tracing::warn!(wished, possible, "the limit of open files leaves room for fewer connections");
    }
    wished.min(possible)
}

/// SIGTERM and Ctrl-C, listened to from the moment this is made: a process that is told to stop while it starts drains
/// like any other.
pub struct StopSignals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignals {
    /// # Errors
    /// When the signals cannot be listened to.
    pub fn listen() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits until the process is told to stop.
    pub async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Which program this is, on which store.
fn tell_build(registry: &prometheus::Registry, db: &Db) -> Result<(), prometheus::Error> {
    let options = prometheus::Opts::new("postcall_build_info", "1, with the version and the kind of store.");
    let build = prometheus::IntGaugeVec::new(options, &["version", "store"])?;
    build.with_label_values(&[env!("CARGO_PKG_VERSION"), db.kind()]).set(1);
    registry.register(Box::new(build))?;
    #[cfg(target_os = "linux")]
    registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    Ok(())
}

/// A merchant with the defaults of the house: ten percent fee, texts to the United States and Canada, daily caps that
/// a stolen key cannot exceed.
#[must_use]
pub fn new_merchant(
    id: domain::id::MerchantId,
    name: &str,
    now: domain::time::Timestamp,
) -> entities::merchant::Model {
    let fee = domain::fee::FeePolicy::default();
    entities::merchant::Model {
        id: id.into(),
        name: name.to_owned(),
        locale: "en".to_owned(),
        time_zone: "America/New_York".to_owned(),
        country: "US".to_owned(),
        support_email: None,
        support_phone: None,
        accent_hex: None,
        logo_url: None,
        stripe_account: None,
        sms_sender: None,
        sms_countries: "US,CA".to_owned(),
        email_sender: None,
        fee_basis_points: i64::from(fee.basis_points),
        fee_fixed_minor: fee.fixed_minor,
        fee_min_minor: fee.min_minor,
        fee_max_minor: fee.max_minor,
        dialer_url: None,
        secret_generation: 1,
        renewal_allowed: true,
        payable_on_hold: true,
        asked_exempt_from_hours: true,
        texts_per_day_max: 1_000,
        texts_per_number_per_day_max: 5,
        sender_texts_per_minute_max: None,
        former_secret_until_ms: None,
        created_at_ms: now.millis(),
    }
}
