//! What a house is built of: a fresh store, the rows it begins with, and gateways to the simulated world.

use std::sync::Arc;

use domain::keyring::Keyring;
use entities::{Db, sql};
use gateways::dialer::{DialerConfig, DialerGateway};
use gateways::email::{EmailConfig, EmailGateway};
use gateways::http::Reach;
use gateways::sms::{SmsConfig, SmsGateway};
use gateways::stripe::{StripeConfig, StripeGateway};
use queue::Ledger;
use simulator::World;
use workers::{Context, SenderPace};

use crate::house::{ACCOUNT, EMAIL, INVOICE, MERCHANT, OWED_MINOR, PHONE};

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
    pub(crate) async fn fresh(self, dir: &std::path::Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite://{}/test.db", dir.display()),
            Self::Postgres => {
                let server = Self::postgres_url().unwrap();
                let name = format!("payments_{:016x}", rand::random::<u64>());
                let admin = Db::connect(&server).await.unwrap();
                sql::run(&admin.write, format!("CREATE DATABASE {name}"), []).await.unwrap();
                admin.write.close().await.unwrap();
                let (server, _) = server.rsplit_once('/').unwrap();
                format!("{server}/{name}")
            }
        }
    }
}

pub(crate) fn seed(world: &World) -> String {
    format!(
        "INSERT INTO merchants (id, name, locale, time_zone, country, stripe_account, support_email, sms_sender, sms_countries,
    email_sender, dialer_url, fee_basis_points, fee_fixed_minor, fee_min_minor, secret_generation, renewal_allowed,
    payable_on_hold, asked_exempt_from_hours, texts_per_day_max, texts_per_number_per_day_max, created_at_ms)
VALUES ('{MERCHANT}', 'Ace Plumbing', 'en', 'America/New_York', 'US', '{ACCOUNT}', 'help@ace.example', '+12125550199', 'US,CA',
    'billing@ace.example', '{}/commands', 1000, 0, 0, 1, TRUE, TRUE, TRUE, 1000, 1000, 0);
INSERT INTO customers (id, merchant_id, name, phone, line_type, email, created_at_ms, updated_at_ms)
VALUES ('cus_00000000000000000000000001', '{MERCHANT}', 'Ann', '{PHONE}', 'mobile', '{EMAIL}', 0, 0);
INSERT INTO invoices (id, merchant_id, customer_id, number, currency, tax_minor, total_minor, paid_minor, due_on, status,
    on_hold, revision, created_at_ms, updated_at_ms)
VALUES ('{INVOICE}', '{MERCHANT}', 'cus_00000000000000000000000001', 'INV-1', 'USD', 0, {OWED_MINOR}, 0, '2026-11-30', 'open',
    FALSE, 1, 0, 0);
INSERT INTO campaigns (id, merchant_id, name, status, created_at_ms, updated_at_ms)
VALUES ('cmp_00000000000000000000000001', '{MERCHANT}', 'Autumn', 'active', 0, 0);
INSERT INTO enrolments (id, merchant_id, campaign_id, invoice_id, status, told_revision, acknowledged_revision, created_at_ms,
    updated_at_ms)
VALUES ('enr_00000000000000000000000001', '{MERCHANT}', 'cmp_00000000000000000000000001', '{INVOICE}', 'active', 0, 0, 0, 0);
INSERT INTO links (id, merchant_id, invoice_id, chain_id, sequence, cause, wish_key, token_hash, key_id, status, created_at_ms,
    expires_at_ms)
VALUES ('lnk_00000000000000000000000001', '{MERCHANT}', '{INVOICE}', 'lnk_00000000000000000000000001', 1, 'manual', 'wish',
    'hash', 'k1', 'sent', 0, 9000000000000);",
        world.dialer_url()
    )
}

pub(crate) fn context(db: Db, ledger: Ledger, keyring: Keyring, world: &World) -> Context {
    let sms = SmsConfig {
        base_url: world.sms_url(),
        account_sid: "AC00000000000000000000000000000001".to_owned(),
        auth_tokens: vec!["simulated-auth-token".into()],
        timeout_ms: 5_000,
    };
    let email = EmailConfig {
        smtp_url: format!("smtp://{}", world.smtp_addr()).into(),
        domain: "pay.example".to_owned(),
        timeout_ms: 5_000,
        pool_size: 2,
    };
    let stripe = StripeConfig {
        secret_key: "sk_test_simulated".into(),
        base_url: world.stripe_url(),
        timeout_ms: 5_000,
    };
    let dialer = DialerConfig { timeout_ms: 5_000, reach: Reach::Anywhere };
    Context {
        db,
        ledger,
        templates: Arc::new(templates::Templates::new()),
        keyring: Arc::new(keyring),
        sms: Arc::new(SmsGateway::new(sms).unwrap()),
        email: Arc::new(EmailGateway::new(&email).unwrap()),
        stripe: Arc::new(StripeGateway::new(stripe).unwrap()),
        dialer: Arc::new(DialerGateway::new(&dialer).unwrap()),
        senders: SenderPace::default(),
        public_url: "https://pay.example".into(),
        keep: domain::retention::Ages::default(),
        metrics: Arc::default(),
    }
}
