//! A merchant, a customer and an invoice that is owed, every worker at work, and the simulated world around them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::id::{InvoiceId, PayableId};
use domain::job::{JobKind, NewJob, Outbox};
use domain::keyring::Keyring;
use domain::money::{Currency, Money};
use domain::payment::IntentStatus;
use entities::payable::{self, IntentFacts, NewPayable};
use entities::{Db, sql};
use gateways::dialer::{DialerConfig, DialerGateway};
use gateways::email::{EmailConfig, EmailGateway};
use gateways::http::Reach;
use gateways::sms::{SmsConfig, SmsGateway};
use gateways::stripe::{CreatePaymentIntent, PaymentIntent, PaymentMethodType, StripeConfig, StripeGateway};
use migration::{Migrate, Migrator};
use queue::{Clock, Ledger, Live, Metrics, Runtime, Wake};
use sea_orm::{ConnectionTrait, FromQueryResult};
use simulator::{World, WorldConfig};
use tokio_util::sync::CancellationToken;
use workers::Context;

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);
pub(crate) const MERCHANT: &str = "mer_00000000000000000000000001";
pub(crate) const INVOICE: &str = "inv_00000000000000000000000001";
pub(crate) const PHONE: &str = "+12125550142";
pub(crate) const EMAIL: &str = "ann@customer.example";
pub(crate) const OWED_MINOR: i64 = 12_500;
pub(crate) const ACCOUNT: &str = "acct_ace";

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
                let name = format!("payments_{:016x}", rand::random::<u64>());
                let admin = Db::connect(&server).await.unwrap();
                sql::run(&admin.write, format!("CREATE DATABASE {name}"), [])
                    .await
                    .unwrap();
                admin.write.close().await.unwrap();
                let (server, _) = server.rsplit_once('/').unwrap();
                format!("{server}/{name}")
            }
        }
    }
}

pub(crate) struct House {
    pub(crate) world: World,
    pub(crate) context: Context,
    pub(crate) clock: Clock,
    shutdown: CancellationToken,
    _dir: tempfile::TempDir,
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl House {
    /// Seeded; nothing runs yet.
    pub(crate) async fn new(store: Store) -> Self {
        let keyring = Keyring::single("k1", [7; 32]);
        let mut config = WorldConfig::default();
        config.dialer.signing_secret = keyring.derived_secret("dialer", MERCHANT, 1);
        let world = World::start(config).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let db = Db::connect(&store.fresh(dir.path()).await).await.unwrap();
        Migrator::up(&db.write, None).await.unwrap();
        let clock = Clock::sharing(world.clock().offset());
        let metrics = Metrics::register(&prometheus::Registry::new()).unwrap();
        let (read, write) = (db.read.clone(), db.write.clone());
        let ledger = Ledger::new(
            read,
            write,
            clock.clone(),
            Wake::local(),
            Live::default(),
            metrics,
        );
        let context = context(db, ledger, keyring, &world);
        let house = Self {
            world,
            context,
            clock,
            shutdown: CancellationToken::new(),
            _dir: dir,
        };
        house.change(&seed(&house.world)).await;
        house
    }

    /// The same with every worker at work.
    pub(crate) async fn at_work(store: Store) -> Self {
        let house = Self::new(store).await;
        house.start();
        house
    }

    pub(crate) fn start(&self) {
        let runtime = Runtime::new(self.context.ledger.clone(), "test");
        let runtime = workers::register(runtime, self.context.clone());
        tokio::spawn(runtime.run(self.shutdown.clone()));
    }

    pub(crate) async fn change(&self, text: &str) {
        self.context.db.write.execute_unprepared(text).await.unwrap();
    }

    /// The first column of every row, as text.
    pub(crate) async fn column(&self, text: &str) -> Vec<String> {
        #[derive(FromQueryResult)]
        struct Cell {
            cell: Option<String>,
        }
        let cells: Vec<Cell> = sql::all(&self.context.db.read, text, []).await.unwrap();
        cells
            .into_iter()
            .map(|row| row.cell.unwrap_or_default())
            .collect()
    }

    /// Waits until a query's first column reads like this.
    pub(crate) async fn until(&self, text: &str, expected: &[&str]) {
        let begun = Instant::now();
        loop {
            let seen = self.column(text).await;
            if seen == expected {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{text}\nshows {seen:?}, not {expected:?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until no job is due or at work any more.
    pub(crate) async fn until_idle(&self) {
        let begun = Instant::now();
        loop {
            let now = self.clock.now().millis();
            let busy = self
                .column(&format!(
                    "SELECT kind AS cell FROM jobs WHERE status = 'leased' OR (status = 'waiting' AND due_at_ms <= {now})"
                ))
                .await;
            if busy.is_empty() {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "still at work: {busy:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until something outside the store is so.
    pub(crate) async fn until_world(&self, what: &str, holds: impl Fn(&World) -> bool) {
        let begun = Instant::now();
        while !holds(&self.world) {
            assert!(begun.elapsed() < PATIENCE, "never: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn enqueue(&self, kind: JobKind, subject: &str, key: &str) {
        let tx = self.context.ledger.begin().await.unwrap();
        let mut outbox = Outbox::default();
        outbox.enqueue(NewJob::once(kind, subject, &MERCHANT.parse().unwrap()).keyed(key));
        self.context.ledger.commit(tx, outbox).await.unwrap();
    }

    /// A payable that was committed and never brought to Stripe.
    pub(crate) async fn unmade(&self) -> payable::Model {
        let new = NewPayable {
            merchant_id: MERCHANT.parse().unwrap(),
            invoice_id: invoice_id(),
            revision: 1,
            amount: Money {
                amount_minor: OWED_MINOR,
                currency: Currency::USD,
            },
            fee_minor: 1_250,
            fee_policy: "{}".to_owned(),
            stripe_account: ACCOUNT.to_owned(),
            payer_hash: "payer".to_owned(),
        };
        let tx = self.context.db.begin().await.unwrap();
        let payable = payable::open(&tx, &new, self.clock.now()).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        payable
    }

    /// Its PaymentIntent at Stripe.
    pub(crate) async fn make(&self, payable: &payable::Model) -> PaymentIntent {
        let wanted = CreatePaymentIntent {
            account: ACCOUNT.to_owned(),
            amount: payable.amount(),
            application_fee_minor: Some(payable.fee_minor),
            description: "Invoice INV-1".to_owned(),
            metadata: [(payable::METADATA_KEY.to_owned(), payable.id.to_string())].into(),
            statement_descriptor_suffix: None,
            payment_method_types: vec![PaymentMethodType::Card],
            idempotency_key: payable.id.to_string(),
        };
        self.context.stripe.create_payment_intent(&wanted).await.unwrap()
    }

    /// A payable as the page leaves it when the customer has pressed Pay; says its PaymentIntent too.
    pub(crate) async fn pressed_pay(&self) -> (payable::Model, String) {
        let payable = self.unmade().await;
        let intent = self.make(&payable).await;
        let tx = self.context.db.begin().await.unwrap();
        payable::bind_intent(&tx, &payable.id, &intent.id).await.unwrap();
        tx.commit().await.unwrap();
        (self.payable(&payable.id).await, intent.id)
    }

    pub(crate) async fn payable(&self, id: &PayableId) -> payable::Model {
        payable::by_id(&self.context.db.read, id).await.unwrap().unwrap()
    }

    /// The customer's card is charged, as the browser has it done.
    pub(crate) async fn confirm(&self, intent_id: &str) {
        let client = gateways::http::client(Duration::from_secs(5), Reach::Anywhere).unwrap();
        let url = format!(
            "{}/v1/payment_intents/{intent_id}/confirm",
            self.world.stripe_url()
        );
        let request = client
            .post(url)
            .bearer_auth("sk_test_simulated")
            .header("stripe-account", ACCOUNT);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body("payment_method=pm_card_visa").send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    }

    /// What the page does when it wants to know the result.
    pub(crate) async fn page_asks(&self, payable: &payable::Model, intent_id: &str) {
        let stripe = &self.context.stripe;
        let intent = stripe.retrieve_payment_intent(ACCOUNT, intent_id).await.unwrap();
        let charge = intent.latest_charge.clone();
        let facts = IntentFacts {
            intent_id: intent.id,
            status: intent.status,
            amount_minor: intent.amount_minor,
            received_minor: intent.amount_received_minor,
            currency: intent.currency,
            charge_id: charge
                .filter(|_| intent.status == IntentStatus::Succeeded)
                .map(|charge| charge.id),
            method: Some("card".to_owned()),
            brand: Some("visa".to_owned()),
            last4: Some("4242".to_owned()),
            error_code: None,
        };
        let tx = self.context.db.begin().await.unwrap();
        let mut outbox = Outbox::default();
        payable::advance(&tx, payable, &facts, self.clock.now(), &mut outbox)
            .await
            .unwrap();
        self.context.ledger.commit(tx, outbox).await.unwrap();
    }

    /// Texts and emails that reached somebody.
    pub(crate) fn said(&self) -> usize {
        self.world.carrier().texts().len() + self.world.mailbox().emails().len()
    }
}

pub(crate) fn invoice_id() -> InvoiceId {
    INVOICE.parse().unwrap()
}

fn seed(world: &World) -> String {
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

fn context(db: Db, ledger: Ledger, keyring: Keyring, world: &World) -> Context {
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
    let dialer = DialerConfig {
        timeout_ms: 5_000,
        reach: Reach::Anywhere,
    };
    Context {
        db,
        ledger,
        templates: Arc::new(templates::Templates::new()),
        keyring: Arc::new(keyring),
        sms: Arc::new(SmsGateway::new(sms).unwrap()),
        email: Arc::new(EmailGateway::new(&email).unwrap()),
        stripe: Arc::new(StripeGateway::new(stripe).unwrap()),
        dialer: Arc::new(DialerGateway::new(&dialer).unwrap()),
        public_url: "https://pay.example".into(),
    }
}
