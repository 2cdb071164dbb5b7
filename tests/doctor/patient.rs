//! An installation in good health, and the ways to make it ill.

use std::process::Stdio;

use domain::id::{CustomerId, InvoiceId, LinkId, MerchantId};
use entities::{Db, sql};
use postcall::config::{Config, Limits, Store};
use postcall::doctor::{Finding, examine};
use postcall::product::{Foundation, new_merchant};
use queue::Clock;
use sea_orm::Value;
use simulator::{CarrierConfig, StripeConfig, World, WorldConfig};
use tokio_util::sync::CancellationToken;

const KEYS: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub(crate) struct Patient {
    pub(crate) world: World,
    pub(crate) config: Config,
    pub(crate) variables: Vec<String>,
    pub(crate) folder: tempfile::TempDir,
    db: Db,
    merchant_id: MerchantId,
    jobs: u32,
}

pub(crate) fn found<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    let found = findings.iter().find(|finding| finding.check == check);
    found.unwrap_or_else(|| panic!("{check} was not looked at: {findings:?}"))
}

pub(crate) fn machine_ms() -> i64 {
    Clock::default().now().millis()
}

pub(crate) fn column(number: i64) -> Value {
    number.into()
}

impl Patient {
    pub(crate) async fn healthy() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database_url = format!("sqlite://{}", folder.path().join("postcall.db").display());
        Self::on(database_url, None, folder).await
    }

    pub(crate) async fn on_postgres_and_redis() -> Option<Self> {
        let server = std::env::var("POSTCALL_TEST_POSTGRES_URL").ok()?;
        let redis_url = std::env::var("POSTCALL_TEST_REDIS_URL").ok()?;
        let name = format!("doctor_{:016x}", rand::random::<u64>());
        let admin = sqlx::PgPool::connect(&server).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&admin).await.unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        Some(Self::on(format!("{base}/{name}"), Some(redis_url), tempfile::tempdir().unwrap()).await)
    }

    async fn on(database_url: String, redis_url: Option<String>, folder: tempfile::TempDir) -> Self {
        gateways::http::install_crypto();
        let world = World::start(WorldConfig::default()).await.unwrap();
        let store = Store { database_url, redis_url, keys: Some(KEYS.to_owned()), record_statements: None };
        let foundation = Foundation::lay(&store, Clock::default(), &CancellationToken::new()).await.unwrap();
        let merchant_id: MerchantId = entities::fresh::id(Clock::default().now());
        let merchant = new_merchant(merchant_id.clone(), "Harbor Street Dental", Clock::default().now());
        entities::merchant::insert(&foundation.db.write, merchant).await.unwrap();
        let (stripe, carrier) = (StripeConfig::default(), CarrierConfig::default());
        let config = Config {
            store,
            public_url: "https://pay.example.com".to_owned(),
            listen: "127.0.0.1:0".to_owned(),
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
            dialer_anywhere: false,
            limits: Limits::default(),
            keep: postcall::config::Keep::default(),
            clock_offset_ms: 0,
            crash_at: None,
        };
        Self { world, config, variables: Vec::new(), folder, db: foundation.db, merchant_id, jobs: 0 }
    }

    pub(crate) async fn examined(&self) -> Vec<Finding> {
        examine(&self.config, &self.variables).await
    }

    /// `postcall doctor` as a process: its exit code and what it printed.
    pub(crate) async fn command(&self, more: &[(&str, &str)]) -> (i32, String) {
        self.command_with(&[], more).await
    }

    pub(crate) async fn command_with(&self, arguments: &[&str], more: &[(&str, &str)]) -> (i32, String) {
        let mut command = self.bare_command();
        command.args(arguments).envs(self.secrets()).envs(more.iter().copied());
        ended(command).await
    }

    pub(crate) async fn command_with_secret_files(&self) -> (i32, String) {
        let mut command = self.bare_command();
        for (name, value) in self.secrets() {
            let path = self.folder.path().join(name);
            std::fs::write(&path, format!("{value}\n")).unwrap();
            command.env(format!("{name}_FILE"), path);
        }
        ended(command).await
    }

    fn bare_command(&self) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_postcall"));
        command.arg("doctor").env_clear().stdin(Stdio::null()).stderr(Stdio::inherit());
        command.envs([
            ("POSTCALL_PUBLIC_URL", &self.config.public_url),
            ("POSTCALL_STRIPE_PUBLISHABLE_KEY", &self.config.stripe_publishable_key),
            ("POSTCALL_STRIPE_URL", &self.config.stripe_url),
            ("POSTCALL_TWILIO_ACCOUNT_SID", &self.config.twilio_account_sid),
            ("POSTCALL_TWILIO_URL", &self.config.twilio_url),
        ]);
        command
    }

    fn secrets(&self) -> [(&'static str, String); 6] {
        [
            ("POSTCALL_DATABASE_URL", self.config.store.database_url.clone()),
            ("POSTCALL_KEYS", KEYS.to_owned()),
            ("POSTCALL_STRIPE_SECRET_KEY", self.config.stripe_secret_key.clone()),
            ("POSTCALL_STRIPE_WEBHOOK_SECRETS", self.config.stripe_webhook_secrets.clone()),
            ("POSTCALL_TWILIO_AUTH_TOKENS", self.config.twilio_auth_tokens.clone()),
            ("POSTCALL_SMTP_URL", self.config.smtp_url.clone()),
        ]
    }

    pub(crate) async fn run(&self, text: &str) {
        self.run_with(text, Vec::new()).await;
    }

    async fn run_with(&self, text: &str, values: Vec<Value>) {
        sql::run(&self.db.write, text, values).await.unwrap();
    }

    /// A job in the ledger, with these columns as given.
    pub(crate) async fn job(&mut self, status: &str, columns: &[(&str, Value)]) {
        self.jobs += 1;
        let id = format!("job_{}", self.jobs);
        let text = "INSERT INTO jobs (id, kind, subject, unique_key, lane, status, due_at_ms, attempts, crashes, fence, enqueued_at_ms) \
             VALUES ($1, 'send_link', $1, $1, 'intents', $2, 0, 0, 0, 0, 0)";
        self.run_with(text, vec![id.clone().into(), status.into()]).await;
        for (name, value) in columns {
            let text = format!("UPDATE jobs SET {name} = $1 WHERE id = $2");
            self.run_with(&text, vec![value.clone(), id.clone().into()]).await;
        }
    }

    async fn invoice(&self) -> InvoiceId {
        let now = Clock::default().now();
        let (customer, invoice): (CustomerId, InvoiceId) =
            (entities::fresh::id(now), entities::fresh::id(now));
        let text = "INSERT INTO customers (id, merchant_id, name, line_type, created_at_ms, updated_at_ms) \
             VALUES ($1, $2, 'Maya', 'mobile', 0, 0)";
        let (customer, merchant) = (Value::from(customer.as_str()), Value::from(self.merchant_id.as_str()));
        self.run_with(text, vec![customer.clone(), merchant.clone()]).await;
        let text = "INSERT INTO invoices (id, merchant_id, customer_id, number, currency, tax_minor, total_minor, paid_minor, \
             due_on, status, on_hold, revision, created_at_ms, updated_at_ms) \
             VALUES ($1, $2, $3, $1, 'USD', 0, 100, 0, '2026-12-24', 'open', $4, 1, 0, 0)";
        self.run_with(text, vec![invoice.as_str().into(), merchant, customer, false.into()]).await;
        invoice
    }

    /// A living link made with the key that is on the ring.
    pub(crate) async fn link(&self) {
        let (invoice, link) = (self.invoice().await, LinkId::random(rand::random()));
        let text = "INSERT INTO links (id, merchant_id, invoice_id, chain_id, sequence, cause, wish_key, token_hash, key_id, status, created_at_ms) \
             VALUES ($1, $2, $3, $1, 1, 'call', $1, $1, 'test', 'queued', 0)";
        let values = [link.as_str(), self.merchant_id.as_str(), invoice.as_str()];
        self.run_with(text, values.map(Value::from).to_vec()).await;
    }

    pub(crate) async fn message_waiting_for_minutes(&self, minutes: i64) {
        let invoice = self.invoice().await;
        let text = "INSERT INTO messages (id, merchant_id, invoice_id, purpose, purpose_ref, channel, recipient, sender, locale, status, created_at_ms) \
             VALUES ('msg_00000000000000000000000001', $1, $2, 'link', $3, 'sms', '+14155550101', '+15005550006', 'en', 'queued', $4)";
        let link = LinkId::random(rand::random());
        let since = column(machine_ms() - minutes * 60_000);
        let values =
            vec![self.merchant_id.as_str().into(), invoice.as_str().into(), link.as_str().into(), since];
        self.run_with(text, values).await;
        let job = "INSERT INTO jobs (id, kind, subject, unique_key, lane, status, due_at_ms, attempts, crashes, fence, enqueued_at_ms) \
             SELECT id, 'send_link', id, id, 'intents', 'dead', 0, 0, 0, 0, 0 FROM messages";
        self.run_with(job, vec![]).await;
    }

    /// Of the message that waits.
    pub(crate) async fn attempt_unknown_for_minutes(&self, minutes: i64) {
        let text = "INSERT INTO send_attempts (id, merchant_id, message_id, ordinal, status, fence, started_at_ms, deadline_at_ms, lookups) \
             VALUES ('att_00000000000000000000000001', $1, 'msg_00000000000000000000000001', 1, 'unknown', 1, $2, $2, 0)";
        let since = column(machine_ms() - minutes * 60_000);
        self.run_with(text, vec![self.merchant_id.as_str().into(), since]).await;
    }
}

async fn ended(mut command: tokio::process::Command) -> (i32, String) {
    let output = command.output().await.unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Answers everything with 503 and a date of long ago.
pub(crate) async fn server_from_1999() -> String {
    let answer = || async {
        (axum::http::StatusCode::SERVICE_UNAVAILABLE, [("date", "Fri, 31 Dec 1999 23:59:59 GMT")], "")
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}
