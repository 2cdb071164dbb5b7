//! A merchant, a customer and an invoice that is owed, every worker at work, and the simulated world around them.

use std::time::{Duration, Instant};

use domain::id::{InvoiceId, PayableId};
use domain::job::{JobKind, NewJob, Outbox};
use domain::keyring::Keyring;
use domain::money::{Currency, Money};
use domain::payment::IntentStatus;
use entities::payable::{self, IntentFacts, NewPayable};
use entities::{Db, sql};
use gateways::http::Reach;
use gateways::stripe::{CreatePaymentIntent, PaymentIntent, PaymentMethodType};
use migration::{Migrate, Migrator};
use queue::{Clock, Ledger, Live, Metrics, Runtime, Wake};
use sea_orm::{ConnectionTrait, FromQueryResult};
use simulator::{World, WorldConfig};
use tokio_util::sync::CancellationToken;
use workers::Context;

pub(crate) use crate::ground::Store;
use crate::ground::{context, seed};

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);
pub(crate) const MERCHANT: &str = "mer_00000000000000000000000001";
pub(crate) const INVOICE: &str = "inv_00000000000000000000000001";
pub(crate) const PHONE: &str = "+12125550142";
pub(crate) const EMAIL: &str = "ann@customer.example";
pub(crate) const OWED_MINOR: i64 = 12_500;
pub(crate) const ACCOUNT: &str = "acct_ace";

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
        let ledger = Ledger::new(read, write, clock.clone(), Wake::local(), Live::default(), metrics);
        let context = context(db, ledger, keyring, &world);
        let house = Self { world, context, clock, shutdown: CancellationToken::new(), _dir: dir };
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
            amount: Money { amount_minor: OWED_MINOR, currency: Currency::USD },
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
        let url = format!("{}/v1/payment_intents/{intent_id}/confirm", self.world.stripe_url());
        let request = client.post(url).bearer_auth("sk_test_simulated").header("stripe-account", ACCOUNT);
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
            charge_id: charge.filter(|_| intent.status == IntentStatus::Succeeded).map(|charge| charge.id),
            method: Some("card".to_owned()),
            brand: Some("visa".to_owned()),
            last4: Some("4242".to_owned()),
            error_code: None,
        };
        let tx = self.context.db.begin().await.unwrap();
        let mut outbox = Outbox::default();
        payable::advance(&tx, payable, &facts, self.clock.now(), &mut outbox).await.unwrap();
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
