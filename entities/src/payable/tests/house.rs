//! A store with one merchant and one invoice that is owed, called about and linked to.

use domain::id::{InvoiceId, MerchantId};
use domain::money::{Currency, Money};
use domain::payment::IntentStatus;
use domain::time::Timestamp;
use migration::{Migrate, Migrator};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::payable::{self, IntentFacts, NewPayable};
use crate::{Db, sql};

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
pub(super) const OWED_MINOR: i64 = 12_500;

const SEED: &str = "
INSERT INTO merchants (id, name, locale, time_zone, country, sms_countries, fee_basis_points, fee_fixed_minor, fee_min_minor,
    secret_generation, renewal_allowed, payable_on_hold, asked_exempt_from_hours, texts_per_day_max,
    texts_per_number_per_day_max, created_at_ms)
VALUES ('mer_00000000000000000000000001', 'Alder', 'en', 'UTC', 'US', 'US', 1000, 0, 0, 1, TRUE, TRUE, TRUE, 10, 3, 0);
INSERT INTO customers (id, merchant_id, name, line_type, created_at_ms, updated_at_ms)
VALUES ('cus_00000000000000000000000001', 'mer_00000000000000000000000001', 'Ada', 'mobile', 0, 0);
INSERT INTO invoices (id, merchant_id, customer_id, number, currency, tax_minor, total_minor, paid_minor, due_on, status,
    on_hold, revision, created_at_ms, updated_at_ms)
VALUES ('inv_00000000000000000000000001', 'mer_00000000000000000000000001', 'cus_00000000000000000000000001', 'INV-1', 'USD',
    0, 12500, 0, '2026-11-30', 'open', FALSE, 1, 0, 0);
INSERT INTO campaigns (id, merchant_id, name, status, created_at_ms, updated_at_ms)
VALUES ('cmp_00000000000000000000000001', 'mer_00000000000000000000000001', 'Autumn', 'active', 0, 0);
INSERT INTO enrolments (id, merchant_id, campaign_id, invoice_id, status, told_revision, acknowledged_revision, created_at_ms,
    updated_at_ms)
VALUES ('enr_00000000000000000000000001', 'mer_00000000000000000000000001', 'cmp_00000000000000000000000001',
    'inv_00000000000000000000000001', 'active', 0, 0, 0, 0);
INSERT INTO links (id, merchant_id, invoice_id, chain_id, sequence, cause, wish_key, token_hash, key_id, status, created_at_ms)
VALUES ('lnk_00000000000000000000000001', 'mer_00000000000000000000000001', 'inv_00000000000000000000000001',
    'lnk_00000000000000000000000001', 1, 'manual', 'wish', 'hash', 'k1', 'sent', 0);
";

pub(super) struct House {
    pub(super) db: Db,
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
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::connect(&format!("sqlite://{}", folder.path().join("test.db").display())).await.unwrap();
        Migrator::up(&db.write, None).await.unwrap();
        db.write.execute_unprepared(SEED).await.unwrap();
        Self { db, _folder: folder }
    }

    /// The invoice's open payable with its PaymentIntent.
    pub(super) async fn payable(&self, intent_id: &str) -> payable::Model {
        let tx = self.db.begin().await.unwrap();
        let opened = payable::open(&tx, &new_payable(), NOW).await.unwrap().unwrap();
        assert!(payable::bind_intent(&tx, &opened.id, intent_id).await.unwrap());
        tx.commit().await.unwrap();
        payable::by_id(&self.db.read, &opened.id).await.unwrap().unwrap()
    }

    /// One word out of the store.
    pub(super) async fn word(&self, query: &str) -> String {
        let found: Option<Word> = sql::one(&self.db.read, query, []).await.unwrap();
        found.map(|row| row.word).unwrap_or_default()
    }

    pub(super) async fn count(&self, of: &str) -> i64 {
        let text = format!("SELECT count(*) AS rows FROM {of}");
        sql::one::<Count, _>(&self.db.read, text, []).await.unwrap().unwrap().rows
    }

    pub(super) async fn change(&self, text: &str) {
        self.db.write.execute_unprepared(text).await.unwrap();
    }

    /// Payable, invoice, link, enrolment and payment, in one line.
    pub(super) async fn standing(&self) -> String {
        self.word(
            "SELECT (SELECT group_concat(status, '+') FROM (SELECT status FROM payables ORDER BY status)) || ' ' || invoices.status \
             || ' ' || paid_minor || ' ' || (SELECT status FROM links) || ' ' || (SELECT status FROM enrolments) \
             || ' ' || COALESCE((SELECT group_concat(status, '+') FROM payments), '-') AS word FROM invoices",
        )
        .await
    }
}

pub(super) fn new_payable() -> NewPayable {
    NewPayable {
        merchant_id: "mer_00000000000000000000000001".parse::<MerchantId>().unwrap(),
        invoice_id: invoice_id(),
        revision: 1,
        amount: Money { amount_minor: OWED_MINOR, currency: Currency::USD },
        fee_minor: 1_250,
        fee_policy: "{}".to_owned(),
        stripe_account: "acct_1".to_owned(),
        payer_hash: "payer".to_owned(),
    }
}

pub(super) fn invoice_id() -> InvoiceId {
    "inv_00000000000000000000000001".parse().unwrap()
}

pub(super) fn facts(intent_id: &str, status: IntentStatus) -> IntentFacts {
    let succeeded = status == IntentStatus::Succeeded;
    IntentFacts {
        intent_id: intent_id.to_owned(),
        status,
        amount_minor: OWED_MINOR,
        received_minor: if succeeded { OWED_MINOR } else { 0 },
        currency: "USD".to_owned(),
        charge_id: succeeded.then(|| format!("ch_of_{intent_id}")),
        method: Some("card".to_owned()),
        brand: Some("visa".to_owned()),
        last4: Some("4242".to_owned()),
        error_code: None,
    }
}
