//! A merchant with as many invoices as the measurement wants, and the product before a carrier that says yes at once.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::id::MerchantId;
use domain::job::JobKind;
use domain::keyring::Keyring;
use domain::scope::Scopes;
use entities::sql;
use postcall::config::{Config, Limits, Store};
use postcall::product::{Foundation, Product, Roles, new_merchant};
use queue::Clock;
use serde_json::json;
use simulator::call::{Intent, PostCallEvent, Sender};
use simulator::{CarrierConfig, ProductEndpoints, StripeConfig, World, WorldConfig};
use tokio_util::sync::CancellationToken;

const KEYS: &str = "bench:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// Noon in New York: nobody waits for the morning.
const NOON_MS: i64 = 1_795_107_600_000;
const ROWS_PER_INSERT: usize = 2_000;

pub(crate) struct Stage {
    pub(crate) world: World,
    product: Option<Product>,
    foundation: Foundation,
    config: Config,
    clock: Clock,
    merchant_id: MerchantId,
    invoices: Vec<String>,
    calls: Sender,
    counted: u64,
    folder: std::path::PathBuf,
}

impl Stage {
    pub(crate) async fn set(invoices: usize) -> anyhow::Result<Self> {
        let offset = Arc::new(AtomicI64::new(0));
        let clock = Clock::sharing(Arc::clone(&offset));
        clock.advance_ms(NOON_MS - clock.now().millis());
        let world =
            World::start(WorldConfig { clock: simulator::Clock::sharing(offset), ..WorldConfig::default() })
                .await?;
        let folder = std::env::temp_dir().join(format!("postcall-bench-{}-{invoices}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let config = config(&world, &folder)?;
        let foundation = Foundation::lay(&config.store, clock.clone(), &CancellationToken::new()).await?;
        let merchant_id: MerchantId = entities::fresh::id(clock.now());
        let ids = plant(&foundation, &clock, &merchant_id, invoices).await?;
        let secret = Keyring::parse(KEYS)?.derived_secret("events", merchant_id.as_str(), 1);
        let calls = Sender::signing(&format!("{}/v1/events", config.public_url), &secret);
        world.connect(ProductEndpoints {
            carrier_inbound_url: Some(format!("{}/webhooks/carrier/inbound", config.public_url)),
            ..ProductEndpoints::default()
        });
        Ok(Self {
            world,
            product: None,
            foundation,
            config,
            clock,
            merchant_id,
            invoices: ids,
            calls,
            counted: 0,
            folder,
        })
    }

    pub(crate) async fn start(&mut self, roles: Roles) -> anyhow::Result<()> {
        self.product = Some(Product::start(&self.config, self.clock.clone(), roles).await?);
        Ok(())
    }

    pub(crate) async fn stop(&mut self) {
        self.counted = self.statements();
        if let Some(product) = self.product.take() {
            product.stop().await;
        }
    }

    /// Statements of the product so far.
    pub(crate) fn statements(&self) -> u64 {
        self.counted + self.product.as_ref().map_or(0, |product| product.foundation.db.statements())
    }

    pub(crate) fn phone(&self, n: usize) -> String {
        phone(n)
    }

    /// Reports one call; the moment its answer was read, on the world's monotonic clock.
    pub(crate) async fn report(&self, n: usize, intent: Intent) -> anyhow::Result<i64> {
        let invoice = self.invoices.get(n).context("there are that many invoices")?;
        let event = PostCallEvent::new(
            &format!("call {n}"),
            self.merchant_id.as_str(),
            invoice,
            intent,
            self.clock.now().millis(),
        );
        let receipt = self.world.dialer().report(&self.calls, &event.phone(&phone(n))).await?;
        ensure!(receipt.status == 202, "event {n} was answered {}: {}", receipt.status, receipt.body);
        Ok(self.world.clock().monotonic_us())
    }

    /// Waits until the ledger has nothing left to send.
    pub(crate) async fn settled(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let depth = self.foundation.ledger.depth().await?;
            let left: i64 = depth
                .iter()
                .filter(|depth| matches!(depth.kind, JobKind::SendLink | JobKind::ResolveChannel))
                .map(|depth| depth.jobs)
                .sum();
            if left == 0 {
                return Ok(());
            }
            ensure!(begun.elapsed() < Duration::from_secs(60), "{left} jobs are left");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _left_behind = std::fs::remove_dir_all(&self.folder);
    }
}

fn phone(n: usize) -> String {
    format!("+1415{:07}", 2_000_000 + n)
}

/// Customers and invoices, written straight into the store: making them is not what is measured.
async fn plant(
    foundation: &Foundation,
    clock: &Clock,
    merchant_id: &MerchantId,
    count: usize,
) -> anyhow::Result<Vec<String>> {
    let now = clock.now();
    let mut merchant = new_merchant(merchant_id.clone(), "Harbor Street Dental", now);
    merchant.sms_sender = Some("+15005550006".to_owned());
    merchant.texts_per_day_max = i64::MAX;
    entities::merchant::insert(&foundation.db.write, merchant).await?;
    let (key, _) = api::mint_key(now, merchant_id, "bench", &Scopes::all());
    entities::api_key::insert(&foundation.db.write, key).await?;
    let backend = foundation.db.write.get_database_backend();
    let rows = sql::rows(
        backend,
        1,
        "r",
        &[("id", "text"), ("customer_id", "text"), ("number", "text"), ("phone", "text")],
    );
    let customers = format!(
        "INSERT INTO customers (id, merchant_id, name, phone, line_type, locale, time_zone, created_at_ms, updated_at_ms) \
         SELECT r.customer_id, $2, 'Maya', r.phone, 'mobile', 'en-US', 'America/New_York', $3, $3 FROM {rows}"
    );
    let invoices = format!(
        "INSERT INTO invoices (id, merchant_id, customer_id, number, currency, tax_minor, total_minor, paid_minor, due_on, status, on_hold, revision, created_at_ms, updated_at_ms) \
         SELECT r.id, $2, r.customer_id, r.number, 'USD', 0, 18500, 0, '2026-12-24', 'open', FALSE, 1, $3, $3 FROM {rows}"
    );
    let mut ids = Vec::with_capacity(count);
    for begin in (0..count).step_by(ROWS_PER_INSERT) {
        let batch: Vec<_> = (begin..count.min(begin + ROWS_PER_INSERT))
            .map(|n| {
                let id = entities::fresh::id::<domain::id::Invoice>(now).into_string();
                ids.push(id.clone());
                json!({"id": id, "customer_id": entities::fresh::id::<domain::id::Customer>(now), "number": format!("INV-{n}"), "phone": phone(n)})
            })
            .collect();
        for text in [&customers, &invoices] {
            sql::run(
                &foundation.db.write,
                text.clone(),
                [sql::row_list(&batch), merchant_id.as_str().into(), now.millis().into()],
            )
            .await?;
        }
    }
    Ok(ids)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is told its store by the environment")]
fn config(world: &World, folder: &std::path::Path) -> anyhow::Result<Config> {
    let embedded = format!("sqlite://{}", folder.join("postcall.db").display());
    let (stripe, carrier) = (StripeConfig::default(), CarrierConfig::default());
    let listen = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    Ok(Config {
        store: Store {
            database_url: std::env::var("BENCH_DATABASE_URL").unwrap_or(embedded),
            redis_url: std::env::var("BENCH_REDIS_URL").ok(),
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
        // Everybody here has the same address, and all texts come from one number.
        limits: Limits {
            address_requests_per_minute_max: 0,
            sender_texts_per_minute_max: 0,
            ..Limits::default()
        },
        keep: postcall::config::Keep::default(),
        clock_offset_ms: 0,
        crash_at: None,
    })
}
