//! A fresh store, a fresh world and the product between them. A stage that is not finished fails its test.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant};

use domain::id::MerchantId;
use domain::keyring::Keyring;
use domain::scope::Scopes;
use entities::Db;
use postcall::config::{Config, Limits, Store as StoreConfig};
use postcall::product::{Foundation, Product, Roles, new_merchant};
use queue::Clock;
use serde_json::{Value, json};
use simulator::call::{Intent, PostCallEvent, Receipt, Sender};
use simulator::people::links_in;
use simulator::{
    CarrierConfig, ConnectedAccount, DialerConfig, ProductEndpoints, StripeConfig, World, WorldConfig,
};
use tokio_util::sync::CancellationToken;

use crate::pooler::Pooler;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const SMS_SENDER: &str = "+15005550006";
const ACCOUNT: &str = "acct_1Pipeline";
const KEYS: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// Noon in New York on a weekday: everybody may be texted.
const NOON_MS: i64 = 1_795_107_600_000;

/// Where the rows are.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) url: String,
    pub(crate) redis_url: Option<String>,
    _folder: Option<Arc<tempfile::TempDir>>,
    _pooler: Option<Arc<Pooler>>,
}

impl Store {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("postcall.db").display());
        Self { url, redis_url: None, _folder: Some(Arc::new(folder)), _pooler: None }
    }

    fn recording(&self) -> Option<std::path::PathBuf> {
        let folder = std::path::PathBuf::from(std::env::var_os("POSTCALL_TEST_RECORD_STATEMENTS")?);
        let store = if self.url.starts_with("sqlite:") { "sqlite" } else { "postgres" };
        Some(folder.join(format!("{store}.jsonl")))
    }

    pub(crate) async fn postgres() -> Option<Self> {
        let server = std::env::var("POSTCALL_TEST_POSTGRES_URL").ok()?;
        let redis_url = std::env::var("POSTCALL_TEST_REDIS_URL").ok();
        let name = format!("pipeline_{:016x}", rand::random::<u64>());
        let admin = sqlx::PgPool::connect(&server).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&admin).await.unwrap();
        admin.close().await;
        let (base, _) = server.rsplit_once('/').unwrap();
        Some(Self { url: format!("{base}/{name}"), redis_url, _folder: None, _pooler: None })
    }

    /// The same through PgBouncer in transaction mode.
    pub(crate) async fn pooled() -> Option<Self> {
        let store = Self::postgres().await?;
        let (_, port) =
            free_address().rsplit_once(':').map(|(host, port)| (host.to_owned(), port.to_owned()))?;
        let pooler = Pooler::before(&store.url, port.parse().unwrap()).await;
        Some(Self { url: pooler.url.clone(), _pooler: Some(Arc::new(pooler)), ..store })
    }
}

/// An invoice on stage.
#[derive(Debug, Clone)]
pub(crate) struct Invoice {
    pub(crate) id: String,
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
}

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) product: Option<Product>,
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) merchant_id: MerchantId,
    pub(crate) key: String,
    pub(crate) calls: Sender,
    pub(crate) db: Db,
    http: reqwest::Client,
    campaign_id: String,
    finished: bool,
    numbers: std::sync::atomic::AtomicU32,
    _store: Store,
}

impl Stage {
    /// Product in this process.
    pub(crate) async fn set(store: Store) -> Self {
        let mut stage = Self::set_without_product(store).await;
        stage.product = Some(Product::start(&stage.config, stage.clock.clone(), Roles::BOTH).await.unwrap());
        stage.furnish().await;
        stage
    }

    /// World and store only: the product is a child process that the test starts.
    pub(crate) async fn set_without_product(store: Store) -> Self {
        gateways::http::install_crypto();
        let offset = Arc::new(AtomicI64::new(0));
        let clock = Clock::sharing(Arc::clone(&offset));
        clock.advance_ms(NOON_MS - clock.now().millis());
        let keyring = Keyring::parse(KEYS).unwrap();
        let merchant_id: MerchantId = entities::fresh::id(clock.now());
        let world = World::start(WorldConfig {
            clock: simulator::Clock::sharing(offset),
            stripe: StripeConfig {
                accounts: vec![ConnectedAccount::new(ACCOUNT, "Pipeline")],
                ..StripeConfig::default()
            },
            carrier: CarrierConfig { number: SMS_SENDER.to_owned(), ..CarrierConfig::default() },
            dialer: DialerConfig {
                signing_secret: keyring.derived_secret("dialer", merchant_id.as_str(), 1),
                ..DialerConfig::default()
            },
            ..WorldConfig::default()
        })
        .await
        .unwrap();
        let mut config = config(&world, &store);
        let foundation =
            Foundation::lay(&config.store, clock.clone(), &CancellationToken::new()).await.unwrap();
        // The product's statements, not the test's own: `cargo xtask statements`.
        config.store.record_statements = store.recording();
        let mut merchant = new_merchant(merchant_id.clone(), "Harbor Street Dental", clock.now());
        merchant.stripe_account = Some(ACCOUNT.to_owned());
        merchant.sms_sender = Some(SMS_SENDER.to_owned());
        merchant.email_sender = Some("billing@harbor.example".to_owned());
        merchant.support_email = Some("office@harbor.example".to_owned());
        merchant.dialer_url = Some(format!("{}/commands", world.dialer_url()));
        let tx = foundation.db.begin().await.unwrap();
        entities::merchant::insert(&tx, merchant).await.unwrap();
        let (row, shown) = api::mint_key(clock.now(), &merchant_id, "test", &Scopes::all());
        entities::api_key::insert(&tx, row).await.unwrap();
        tx.commit().await.unwrap();
        let key = secrecy::ExposeSecret::expose_secret(&shown).to_owned();
        let url = &config.public_url;
        world.connect(ProductEndpoints {
            stripe_webhook_url: Some(format!("{url}/webhooks/stripe")),
            carrier_inbound_url: Some(format!("{url}/webhooks/carrier/inbound")),
            call_permission_url: Some(format!("{url}/v1/call-permission")),
            call_permission_key: Some(key.clone()),
        });
        let secret = keyring.derived_secret("events", merchant_id.as_str(), 1);
        let calls = Sender::signing(&format!("{url}/v1/events"), &secret);
        // A connection of its own for every request: one that idles may be hung up on.
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).pool_max_idle_per_host(0);
        let http = http.no_proxy().build().unwrap();
        Self {
            db: foundation.db,
            world,
            product: None,
            config,
            clock,
            merchant_id,
            key,
            calls,
            http,
            campaign_id: String::new(),
            finished: false,
            numbers: std::sync::atomic::AtomicU32::new(1),
            _store: store,
        }
    }

    /// The campaign every invoice is enrolled in.
    pub(crate) async fn furnish(&mut self) {
        let campaign = self.post("/v1/campaigns", &json!({"name": "November"})).await;
        self.campaign_id = campaign["id"].as_str().unwrap().to_owned();
    }

    pub(crate) async fn invoice(&self, phone: Option<&str>, email: Option<&str>) -> Invoice {
        self.invoice_of(&json!({"name": "Maya Lindqvist", "phone": phone, "email": email, "locale": "en-US", "time_zone": "America/New_York"})).await
    }

    pub(crate) async fn invoice_of(&self, customer: &Value) -> Invoice {
        let made = self.post("/v1/customers", customer).await;
        let customer_id = made["id"].as_str().unwrap().to_owned();
        let number = format!("INV-{}", self.numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let invoice = json!({
            "customer_id": customer_id, "number": number, "currency": "USD", "due_on": "2026-12-24", "tax_minor": 0,
            "line_items": [{"description": "Cleaning", "quantity": 1, "unit_minor": 18_500}],
        });
        let id = self.post("/v1/invoices", &invoice).await["id"].as_str().unwrap().to_owned();
        self.post(&format!("/v1/campaigns/{}/enrolments", self.campaign_id), &json!({"invoice_id": id}))
            .await;
        let text = |field: &str| customer[field].as_str().map(ToOwned::to_owned);
        Invoice { id, phone: text("phone"), email: text("email") }
    }

    pub(crate) fn event(&self, invoice: &Invoice, call_id: &str, intent: Intent) -> PostCallEvent {
        let event = PostCallEvent::new(
            call_id,
            self.merchant_id.as_str(),
            &invoice.id,
            intent,
            self.clock.now().millis(),
        );
        match &invoice.phone {
            Some(phone) => event.phone(phone),
            None => event.set("/outcome/preferred_channel", Value::Null),
        }
    }

    pub(crate) async fn report(&self, event: &PostCallEvent) -> Receipt {
        self.world.dialer().report(&self.calls, event).await.unwrap()
    }

    pub(crate) async fn call(&self, invoice: &Invoice, call_id: &str, intent: Intent) -> Receipt {
        self.report(&self.event(invoice, call_id, intent)).await
    }

    /// Posts an event as a platform does that has an API key, with headers of its own.
    pub(crate) async fn post_event(&self, event: &PostCallEvent, headers: &[(&'static str, &str)]) {
        let request = self.http.post(format!("{}/v1/events", self.config.public_url)).bearer_auth(&self.key);
        let request = request.header("content-type", "application/json").body(event.body());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        assert_eq!(request.send().await.unwrap().status(), 202);
    }

    /// The newest pay link among `count` texts to this customer.
    pub(crate) async fn texted_link(&self, invoice: &Invoice, count: usize) -> String {
        let texts = self
            .world
            .carrier()
            .wait_for_texts(invoice.phone.as_deref().unwrap(), count, PATIENCE)
            .await
            .unwrap();
        pay_link(&texts.last().unwrap().body)
    }

    pub(crate) async fn mailed_link(&self, invoice: &Invoice, count: usize) -> String {
        let emails = self
            .world
            .mailbox()
            .wait_for_emails(invoice.email.as_deref().unwrap(), count, PATIENCE)
            .await
            .unwrap();
        pay_link(&emails.last().unwrap().text)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.try_post(path, body).await;
        assert!((200..300).contains(&status), "POST {path} answered {status}: {answer}");
        answer
    }

    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request =
            self.http.post(format!("{}{path}", self.config.public_url)).bearer_auth(&self.key).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.config.public_url)).bearer_auth(&self.key);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "GET {path} answered {}", answer.status());
        answer.json().await.unwrap()
    }

    pub(crate) async fn permission(&self, invoice: &Invoice) -> (String, Vec<String>) {
        let answer = self.post("/v1/call-permission", &json!({"invoice_id": invoice.id})).await;
        let reasons =
            answer["reasons"].as_array().unwrap().iter().map(|reason| reason.as_str().unwrap().to_owned());
        (answer["decision"].as_str().unwrap().to_owned(), reasons.collect())
    }

    pub(crate) async fn status(&self, invoice: &Invoice) -> String {
        self.get(&format!("/v1/invoices/{}", invoice.id)).await["status"].as_str().unwrap().to_owned()
    }

    /// Waits until `probe` holds.
    pub(crate) async fn until(&self, what: &str, probe: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !probe().await {
            assert!(Instant::now() < deadline, "in vain: {what}; jobs: {:?}", self.jobs().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn until_status(&self, invoice: &Invoice, status: &str) {
        self.until(&format!("the invoice is {status}"), async || self.status(invoice).await == status).await;
    }

    /// Open jobs as `kind status subject error`.
    async fn jobs(&self) -> Vec<String> {
        #[derive(sea_orm::FromQueryResult)]
        struct Row {
            job: String,
        }
        let text = "SELECT kind || ' ' || status || ' ' || subject || ' ' || COALESCE(last_error, '') AS job FROM jobs WHERE status <> 'done'";
        let rows: Vec<Row> = entities::sql::all(&self.db.read, text, []).await.unwrap();
        rows.into_iter().map(|row| row.job).collect()
    }

    /// Waits until the carrier has told the fate of every text, and nothing is left to do.
    pub(crate) async fn quiet(&self) {
        self.until("every text's fate was told", async || {
            let told = self.world.carrier().callbacks().all();
            let fate_told = |text: &simulator::carrier::Text| {
                text.ended_at_ms.is_some()
                    && told.iter().any(|callback| callback.sid == text.sid && callback.status == text.status)
            };
            self.world.carrier().accepted().iter().all(fate_told)
        })
        .await;
        self.rest().await;
    }

    /// Waits until nothing is left to do now, and fails when a job died.
    pub(crate) async fn rest(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = self.clock.now().millis();
            // A tick that comes while the product stops is the next process's.
            let busy = format!(
                "SELECT id AS text FROM jobs WHERE status = 'leased' \
                 OR (status = 'waiting' AND lane <> 'scheduled' AND due_at_ms <= {now})"
            );
            if self.texts_of(&busy).await.is_empty() {
                break;
            }
            assert!(Instant::now() < deadline, "work is left: {:?}", self.jobs().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(
            self.texts_of("SELECT id AS text FROM jobs WHERE status = 'dead'").await.is_empty(),
            "a job died: {:?}",
            self.jobs().await
        );
    }

    /// One column called `text`.
    pub(crate) async fn texts_of(&self, query: &str) -> Vec<String> {
        #[derive(sea_orm::FromQueryResult)]
        struct Row {
            text: String,
        }
        let rows: Vec<Row> = entities::sql::all(&self.db.read, query, []).await.unwrap();
        rows.into_iter().map(|row| row.text).collect()
    }

    /// Ends a test that means to leave work behind.
    pub(crate) fn leave(mut self) {
        self.finished = true;
    }

    /// Ends the test: no job may be left behind.
    pub(crate) async fn finish(mut self) {
        self.rest().await;
        self.finished = true;
        if let Some(product) = self.product.take() {
            product.stop().await;
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        assert!(
            self.finished || std::thread::panicking(),
            "a stage was left without looking for jobs left behind"
        );
    }
}

pub(crate) fn pay_link(body: &str) -> String {
    links_in(body)
        .into_iter()
        .find(|link| link.contains("/p/"))
        .unwrap_or_else(|| panic!("no link in {body:?}"))
}

fn config(world: &World, store: &Store) -> Config {
    let (stripe, carrier) = (StripeConfig::default(), CarrierConfig::default());
    let listen = free_address();
    Config {
        store: StoreConfig {
            database_url: store.url.clone(),
            redis_url: store.redis_url.clone(),
            record_statements: None,
            keys: Some(KEYS.to_owned()),
        },
        public_url: format!("http://{listen}"),
        listen,
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
        // Everybody here has the same address.
        limits: Limits { address_requests_per_minute_max: 0, ..Limits::default() },
        keep: postcall::config::Keep::default(),
        clock_offset_ms: 0,
        crash_at: None,
    }
}

/// A port below those that outgoing connections are given, so that none of them takes it before the product does.
pub(crate) fn free_address() -> String {
    loop {
        let address = format!("127.0.0.1:{}", rand::random_range(12_000..32_000_u16));
        if std::net::TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}
