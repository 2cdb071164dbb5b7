//! The pay page of one merchant, served over HTTP, with the simulated Stripe beside it.

use std::sync::Arc;

use domain::id::LinkId;
use domain::keyring::Keyring;
use entities::{Db, sql};
use gateways::stripe::{StripeConfig, StripeGateway};
use migration::{Migrate, Migrator};
use queue::{Clock, Ledger, Live, Metrics, Wake};
use sea_orm::{ConnectionTrait, FromQueryResult};
use simulator::people::Customer;
use simulator::{World, WorldConfig};
use tokio::net::TcpListener;

use crate::{Api, LimitSettings, Settings};

const SEED: &str = "
INSERT INTO merchants (id, name, locale, time_zone, country, stripe_account, support_email, accent_hex, sms_countries,
    fee_basis_points, fee_fixed_minor, fee_min_minor, secret_generation, renewal_allowed, payable_on_hold,
    asked_exempt_from_hours, texts_per_day_max, texts_per_number_per_day_max, created_at_ms)
VALUES ('mer_00000000000000000000000001', 'Alder & Finch', 'en', 'America/New_York', 'US', 'acct_alder',
    'billing@alder.example', '#0a6e5c', 'US', 1000, 0, 0, 1, TRUE, TRUE, TRUE, 10, 3, 0);
INSERT INTO customers (id, merchant_id, name, line_type, locale, created_at_ms, updated_at_ms)
VALUES ('cus_00000000000000000000000001', 'mer_00000000000000000000000001', 'Ada', 'mobile', 'en', 0, 0);
INSERT INTO invoices (id, merchant_id, customer_id, number, currency, tax_minor, total_minor, paid_minor, due_on, status,
    on_hold, revision, created_at_ms, updated_at_ms)
VALUES ('inv_00000000000000000000000001', 'mer_00000000000000000000000001', 'cus_00000000000000000000000001', 'INV-1042',
    'USD', 0, 12345, 0, '2026-11-30', 'open', FALSE, 1, 0, 0);
INSERT INTO campaigns (id, merchant_id, name, status, created_at_ms, updated_at_ms)
VALUES ('cmp_00000000000000000000000001', 'mer_00000000000000000000000001', 'Autumn', 'active', 0, 0);
INSERT INTO enrolments (id, merchant_id, campaign_id, invoice_id, status, told_revision, acknowledged_revision, created_at_ms,
    updated_at_ms)
VALUES ('enr_00000000000000000000000001', 'mer_00000000000000000000000001', 'cmp_00000000000000000000000001',
    'inv_00000000000000000000000001', 'active', 0, 0, 0, 0);
";

/// Every table whose rows would say that somebody did something.
const TABLES: [&str; 9] =
    ["links", "link_opens", "messages", "payables", "payments", "stripe_events", "holds", "timeline", "jobs"];

pub(crate) struct House {
    pub(crate) api: Api,
    pub(crate) world: World,
    pub(crate) url: String,
    /// The customer's link.
    pub(crate) link: String,
    pub(crate) token: String,
    _folder: tempfile::TempDir,
}

#[derive(FromQueryResult)]
struct Word {
    word: String,
}

#[derive(FromQueryResult)]
struct Count {
    rows: i64,
}

impl House {
    pub(crate) async fn new() -> Self {
        let world = World::start(WorldConfig::default()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let db = Db::connect(&format!("sqlite://{}", folder.path().join("test.db").display())).await.unwrap();
        Migrator::up(&db.write, None).await.unwrap();
        db.write.execute_unprepared(SEED).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let api = api(db, &world, &url);
        let routes = crate::router(api.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let mut house = Self { api, world, link: String::new(), token: String::new(), url, _folder: folder };
        house.token =
            house.issue("1", "sent", house.api.now().plus_ms(domain::link::LIFETIME_MS).millis()).await;
        house.link = house.link_of(&house.token);
        house
    }

    /// A link of the invoice in some state; says its token.
    pub(crate) async fn issue(&self, ends_in: &str, status: &str, expires_at_ms: i64) -> String {
        let id: LinkId = format!("lnk_{ends_in:0>26}").parse().unwrap();
        let token = self.api.keyring.link_token("k1", &id).unwrap();
        let ended_at_ms = if matches!(status, "queued" | "sent") { "NULL" } else { "1" };
        self.change(&format!(
            "INSERT INTO links (id, merchant_id, invoice_id, chain_id, sequence, cause, wish_key, token_hash, key_id, status, \
             created_at_ms, expires_at_ms, ended_at_ms) VALUES ('{id}', 'mer_00000000000000000000000001', 'inv_00000000000000000000000001', \
             '{id}', 1, 'manual', '{id}', '{}', 'k1', '{status}', 0, {expires_at_ms}, {ended_at_ms})",
            token.hash()
        ))
        .await;
        token.expose().to_owned()
    }

    pub(crate) fn link_of(&self, token: &str) -> String {
        format!("{}/p/{token}", self.url)
    }

    pub(crate) fn customer(&self) -> Customer {
        Customer::new().unwrap()
    }

    pub(crate) async fn change(&self, text: &str) {
        self.api.db.write.execute_unprepared(text).await.unwrap();
    }

    pub(crate) async fn word(&self, query: &str) -> String {
        let found: Option<Word> = sql::one(&self.api.db.read, query, []).await.unwrap();
        found.map(|row| row.word).unwrap_or_default()
    }

    pub(crate) async fn count(&self, of: &str) -> i64 {
        let text = format!("SELECT count(*) AS rows FROM {of}");
        sql::one::<Count, _>(&self.api.db.read, text, []).await.unwrap().unwrap().rows
    }

    /// How many rows there are in every table a visitor could fill.
    pub(crate) async fn rows(&self) -> Vec<i64> {
        let mut rows = Vec::new();
        for table in TABLES {
            rows.push(self.count(table).await);
        }
        rows
    }

    /// Invoice, link and payables, in one line.
    pub(crate) async fn standing(&self) -> String {
        self.word(
            "SELECT invoices.status || ' ' || paid_minor || ' ' || (SELECT status FROM links ORDER BY id LIMIT 1) || ' ' \
             || COALESCE((SELECT group_concat(status, '+') FROM (SELECT status FROM payables ORDER BY status)), '-') AS word \
             FROM invoices",
        )
        .await
    }

    /// How often money moved at Stripe.
    pub(crate) fn charges(&self) -> usize {
        self.world.stripe().payment_views().iter().map(|payment| payment.charges_succeeded).sum()
    }

    pub(crate) fn intents(&self) -> usize {
        self.world.stripe().payment_views().len()
    }
}

fn api(db: Db, world: &World, url: &str) -> Api {
    let registry = prometheus::Registry::new();
    let metrics = Metrics::register(&registry).unwrap();
    let clock = Clock::sharing(world.clock().offset());
    let ledger =
        Ledger::new(db.read.clone(), db.write.clone(), clock, Wake::local(), Live::default(), metrics);
    let stripe = StripeGateway::new(StripeConfig {
        secret_key: "sk_test_simulated".into(),
        base_url: world.stripe_url(),
        timeout_ms: 5_000,
    });
    let settings = Settings {
        public_url: url.to_owned(),
        stripe_publishable_key: "pk_test_simulated".to_owned(),
        stripe_js_url: world.stripe_js_url(),
        stripe_webhook_secrets: vec!["whsec_simulated".into()],
        stripe_livemode: false,
        twilio_auth_tokens: Vec::new(),
        limits: LimitSettings { address_per_minute: 0, ..LimitSettings::default() },
    };
    let templates = Arc::new(templates::Templates::new());
    let keyring = Arc::new(Keyring::single("k1", [7; 32]));
    Api::new(db, ledger, templates, keyring, Arc::new(stripe.unwrap()), settings, registry).unwrap()
}
