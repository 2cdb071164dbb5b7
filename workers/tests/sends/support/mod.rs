//! A product on a fresh SQLite file, with a carrier and a relay of its own, on a clock that the test moves.

pub(crate) mod carrier;
pub(crate) mod relay;
pub(crate) mod rows;

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::keyring::Keyring;
use domain::time::{DAY_MS, HOUR_MS, Timestamp};
use entities::{Db, sql};
use gateways::dialer::{DialerConfig, DialerGateway};
use gateways::email::{EmailConfig, EmailGateway};
use gateways::http::Reach;
use gateways::sms::{SmsConfig, SmsGateway};
use gateways::stripe::{StripeConfig, StripeGateway};
use migration::{Migrate, Migrator};
use queue::{Clock, Ledger, Live, Metrics, Runtime, Wake};
use sea_orm::{FromQueryResult, Value};
use secrecy::SecretString;
use templates::Templates;
use tokio_util::sync::CancellationToken;
use workers::{Context, SenderPace};

use carrier::Carrier;
use relay::Relay;

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

#[derive(Clone, Copy)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
}

impl Store {
    pub(crate) fn postgres_url() -> Option<String> {
        std::env::var("POSTCALL_TEST_POSTGRES_URL").ok()
    }

    /// The address of a database that nobody used before.
    async fn fresh(self, dir: &std::path::Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite://{}/test.db", dir.display()),
            Self::Postgres => {
                let server = Self::postgres_url().unwrap();
                let name = format!("sends_{:016x}", rand::random::<u64>());
                let admin = Db::connect(&server).await.unwrap();
                sql::run(&admin.write, format!("CREATE DATABASE {name}"), []).await.unwrap();
                admin.write.close().await.unwrap();
                let (server, _) = server.rsplit_once('/').unwrap();
                format!("{server}/{name}")
            }
        }
    }
}

pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) carrier: Carrier,
    pub(crate) relay: Relay,
    pub(crate) context: Context,
    shutdown: CancellationToken,
    _dir: tempfile::TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl World {
    /// At noon in New York in winter, with one merchant, one customer and one invoice; nothing runs yet.
    pub(crate) async fn new(store: Store) -> Self {
        Self::watched(store, |_| {}).await
    }

    /// The same; every statement of every transaction is shown to `watch`.
    pub(crate) async fn watched(store: Store, watch: impl Fn(&str) + Clone + Send + Sync + 'static) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut db = Db::connect(&store.fresh(dir.path()).await).await.unwrap();
        Migrator::up(&db.write, None).await.unwrap();
        db.write.set_metric_callback(move |info| watch(&info.statement.sql));
        let clock = Clock::default();
        let into_day = clock.now().millis().rem_euclid(DAY_MS);
        clock.advance_ms((17 * HOUR_MS - into_day).rem_euclid(DAY_MS));
        let metrics = Metrics::register(&prometheus::Registry::new()).unwrap();
        let ledger = Ledger::new(
            db.read.clone(),
            db.write.clone(),
            clock.clone(),
            Wake::local(),
            Live::default(),
            metrics,
        );
        let (carrier, relay) = (Carrier::default(), Relay::default());
        let context = context(&db, ledger, &carrier, &relay).await;
        let world =
            Self { db, clock, carrier, relay, context, shutdown: CancellationToken::new(), _dir: dir };
        rows::seed(&world).await;
        world
    }

    /// Starts every worker.
    pub(crate) fn start(&self) {
        let runtime =
            workers::register(Runtime::new(self.context.ledger.clone(), "test"), self.context.clone());
        tokio::spawn(runtime.run(self.shutdown.clone()));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn run(&self, text: &str, values: impl IntoIterator<Item = Value>) -> u64 {
        sql::run(&self.db.write, text, values).await.unwrap()
    }

    pub(crate) async fn all<T: FromQueryResult>(&self, text: &str) -> Vec<T> {
        sql::all(&self.db.read, text, []).await.unwrap()
    }

    /// The first column of every row, as text.
    pub(crate) async fn column(&self, text: &str) -> Vec<String> {
        #[derive(FromQueryResult)]
        struct Cell {
            cell: Option<String>,
        }
        let cells: Vec<Cell> = self.all(text).await;
        cells.into_iter().map(|row| row.cell.unwrap_or_default()).collect()
    }

    /// Waits until a query's first column reads like this.
    pub(crate) async fn until(&self, text: &str, expected: &[&str]) {
        let begun = Instant::now();
        loop {
            let seen = self.column(text).await;
            if seen == expected {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{text}\nshows {seen:?}, not {expected:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the carrier has so many texts.
    pub(crate) async fn until_taken(&self, texts: usize) {
        let begun = Instant::now();
        while self.carrier.texts().len() != texts {
            assert!(begun.elapsed() < PATIENCE, "the carrier has {} texts", self.carrier.texts().len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until no job is due or at work any more.
    pub(crate) async fn until_idle(&self) {
        let begun = Instant::now();
        loop {
            let now = self.now().millis();
            let busy = format!(
                "SELECT kind AS cell FROM jobs WHERE status = 'leased' OR (status = 'waiting' AND due_at_ms <= {now})"
            );
            if self.column(&busy).await.is_empty() {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "still at work: {:?}", self.column(&busy).await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn context(db: &Db, ledger: Ledger, carrier: &Carrier, relay: &Relay) -> Context {
    let sms = SmsConfig {
        base_url: carrier.start().await,
        account_sid: "ACtest".to_owned(),
        auth_tokens: vec![SecretString::from("token")],
        timeout_ms: 5_000,
    };
    let email = EmailConfig {
        smtp_url: SecretString::from(relay.start().await),
        domain: "pay.example".to_owned(),
        timeout_ms: 5_000,
        pool_size: 4,
    };
    let stripe = StripeConfig {
        secret_key: SecretString::from("sk_test_x"),
        base_url: "http://127.0.0.1:9".to_owned(),
        timeout_ms: 1_000,
    };
    Context {
        db: db.clone(),
        ledger,
        templates: Arc::new(Templates::new()),
        keyring: Arc::new(Keyring::single("k1", [7; 32])),
        sms: Arc::new(SmsGateway::new(sms).unwrap()),
        email: Arc::new(EmailGateway::new(&email).unwrap()),
        stripe: Arc::new(StripeGateway::new(stripe).unwrap()),
        dialer: Arc::new(
            DialerGateway::new(&DialerConfig { timeout_ms: 1_000, reach: Reach::Anywhere }).unwrap(),
        ),
        senders: SenderPace::default(),
        public_url: "https://pay.example".into(),
        keep: domain::retention::Ages::default(),
        metrics: Arc::default(),
    }
}
