//! An API of its own for every test, with merchants and their keys.

use std::sync::Arc;

use api::{Api, LimitSettings, Settings, mint_key};
use domain::id::MerchantId;
use domain::keyring::Keyring;
use domain::scope::Scopes;
use entities::{Db, api_key, merchant};
use gateways::stripe::{StripeConfig, StripeGateway};
use queue::{Clock, Ledger, Live, Metrics, Wake};
use secrecy::ExposeSecret;

use crate::house::Account;

/// Everybody here has the same address.
pub(crate) fn unlimited_address() -> LimitSettings {
    LimitSettings { address_per_minute: 0, ..LimitSettings::default() }
}

pub(crate) fn api(db: Db, clock: Clock, stripe_url: &str, limits: LimitSettings) -> Api {
    let registry = prometheus::Registry::new();
    let metrics = Metrics::register(&registry).unwrap();
    let ledger =
        Ledger::new(db.read.clone(), db.write.clone(), clock, Wake::local(), Live::default(), metrics);
    let stripe = StripeGateway::new(StripeConfig {
        secret_key: "sk_test_simulated".into(),
        base_url: stripe_url.to_owned(),
        timeout_ms: 5_000,
    });
    let settings = Settings {
        public_url: "http://127.0.0.1:8080".to_owned(),
        stripe_publishable_key: "pk_test_simulated".to_owned(),
        stripe_js_url: "http://127.0.0.1:9/v3".to_owned(),
        stripe_webhook_secrets: vec!["whsec_simulated".into()],
        stripe_livemode: false,
        twilio_auth_tokens: vec!["twilio".into()],
        limits,
    };
    let keyring = Arc::new(Keyring::single("k1", [7; 32]));
    let templates = Arc::new(templates::Templates::new());
    Api::new(db, ledger, templates, keyring, Arc::new(stripe.unwrap()), settings, registry).unwrap()
}

pub(crate) async fn account(api: &Api, name: &str, ordinal: u8) -> Account {
    let id = MerchantId::random([ordinal; 16]);
    merchant::insert(&api.db.write, merchant_row(&id, name)).await.unwrap();
    let key = key(api, &id, &Scopes::all()).await;
    Account { id, key }
}

pub(crate) async fn key(api: &Api, merchant_id: &MerchantId, scopes: &Scopes) -> String {
    let (row, shown) = mint_key(api.now(), merchant_id, "test", scopes);
    api_key::insert(&api.db.write, row).await.unwrap();
    shown.expose_secret().to_owned()
}

fn merchant_row(id: &MerchantId, name: &str) -> merchant::Model {
    merchant::Model {
        id: id.clone().into(),
        name: name.to_owned(),
        locale: "en".to_owned(),
        time_zone: "America/New_York".to_owned(),
        country: "US".to_owned(),
        support_email: None,
        support_phone: None,
        accent_hex: None,
        logo_url: None,
        stripe_account: Some("acct_alder".to_owned()),
        sms_sender: Some("+14155550100".to_owned()),
        sms_countries: "US".to_owned(),
        email_sender: None,
        fee_basis_points: 1_000,
        fee_fixed_minor: 0,
        fee_min_minor: 0,
        fee_max_minor: None,
        dialer_url: None,
        secret_generation: 1,
        renewal_allowed: true,
        payable_on_hold: true,
        asked_exempt_from_hours: true,
        texts_per_day_max: 10,
        texts_per_number_per_day_max: 3,
        sender_texts_per_minute_max: None,
        former_secret_until_ms: None,
        created_at_ms: 0,
    }
}
