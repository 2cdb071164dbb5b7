//! Payments as Stripe confirmed them.

use domain::id::{InvoiceId, MerchantId, PayableId, PaymentId};
use domain::money::{Currency, Money};
use domain::payment::{PaymentStatus, SettlementStatus};
use domain::time::Timestamp;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};

use crate::sql;
use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<PaymentId>,
    pub merchant_id: Stored<MerchantId>,
    pub invoice_id: Stored<InvoiceId>,
    pub payable_id: Stored<PayableId>,
    pub payment_intent_id: String,
    pub charge_id: Option<String>,
    pub amount_minor: i64,
    pub currency: Stored<Currency>,
    pub fee_minor: i64,
    pub method: String,
    pub brand: Option<String>,
    pub last4: Option<String>,
    pub status: Stored<PaymentStatus>,
    pub settlement: Stored<SettlementStatus>,
    pub created_at_ms: i64,
    pub succeeded_at_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Stripe's word for a payment from a bank account.
pub const METHOD_BANK: &str = "us_bank_account";

/// How many signs of an id a person has to read out.
const REFERENCE_SIGNS: usize = 8;

impl Model {
    #[must_use]
    pub fn amount(&self) -> Money {
        Money { amount_minor: self.amount_minor, currency: self.currency.0 }
    }

    /// What a receipt calls this payment: the random end of its id, in two groups of four.
    #[must_use]
    pub fn reference(&self) -> String {
        let id = self.id.as_str();
        let end = id.get(id.len().saturating_sub(REFERENCE_SIGNS)..).unwrap_or(id).to_ascii_uppercase();
        let (one, other) = end.split_at(end.len() / 2);
        format!("{one}-{other}")
    }
}

/// What Stripe said about a payment, about to be written down.
#[derive(Debug, Clone)]
pub(crate) struct Report<'a> {
    pub(crate) payable: &'a crate::payable::Model,
    pub(crate) intent_id: &'a str,
    pub(crate) charge_id: Option<&'a str>,
    pub(crate) amount_minor: i64,
    pub(crate) method: &'a str,
    pub(crate) brand: Option<&'a str>,
    pub(crate) last4: Option<&'a str>,
    pub(crate) status: PaymentStatus,
    pub(crate) succeeded_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Written {
    id: Stored<PaymentId>,
}

/// Writes the payment of a PaymentIntent, once. It may go from processing or failed to anything; what has succeeded is
/// left alone, and then there is no id.
pub(crate) async fn record<C: ConnectionTrait>(
    tx: &C,
    report: &Report<'_>,
    now: Timestamp,
) -> Result<Option<PaymentId>, DbErr> {
    let id: PaymentId = crate::fresh::id(now);
    let text = "INSERT INTO payments (id, merchant_id, invoice_id, payable_id, payment_intent_id, charge_id, amount_minor, \
         currency, fee_minor, method, brand, last4, status, settlement, created_at_ms, succeeded_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
         ON CONFLICT (payment_intent_id) DO UPDATE SET status = excluded.status, charge_id = excluded.charge_id, \
         amount_minor = excluded.amount_minor, method = excluded.method, brand = excluded.brand, last4 = excluded.last4, \
         succeeded_at_ms = excluded.succeeded_at_ms WHERE payments.status IN ('processing', 'failed') RETURNING id";
    let payable = report.payable;
    let values: [Value; 16] = [
        id.as_str().into(),
        payable.merchant_id.as_str().into(),
        payable.invoice_id.as_str().into(),
        payable.id.as_str().into(),
        report.intent_id.into(),
        report.charge_id.map(str::to_owned).into(),
        report.amount_minor.into(),
        payable.currency.code().into(),
        payable.fee_minor.into(),
        report.method.into(),
        report.brand.map(str::to_owned).into(),
        report.last4.map(str::to_owned).into(),
        report.status.word().into(),
        SettlementStatus::Expected.word().into(),
        now.millis().into(),
        report.succeeded_at.map(Timestamp::millis).into(),
    ];
    let written: Option<Written> = sql::one(tx, text, values).await?;
    Ok(written.map(|row| row.id.0))
}

/// A payment that was processing did not succeed.
pub(crate) async fn fail<C: ConnectionTrait>(tx: &C, intent_id: &str) -> Result<u64, DbErr> {
    let text = "UPDATE payments SET status = 'failed' WHERE payment_intent_id = $1 AND status = 'processing'";
    sql::run(tx, text, [intent_id.into()]).await
}

/// Payments by their ids; an id that names none is left out.
///
/// # Errors
/// Whatever the store says.
pub async fn by_ids<C: ConnectionTrait, T: AsRef<str>>(db: &C, ids: &[T]) -> Result<Vec<Model>, DbErr> {
    let text =
        format!("SELECT * FROM payments WHERE id {} ORDER BY id", sql::among(db.get_database_backend(), 1));
    sql::all(db, text, [sql::text_list(ids)]).await
}

/// The succeeded payment of an invoice that this browser made, the youngest.
///
/// # Errors
/// Whatever the store says.
pub async fn made_by<C: ConnectionTrait>(
    db: &C,
    invoice_id: &InvoiceId,
    payer_hash: &str,
) -> Result<Option<Model>, DbErr> {
    let text = "SELECT payments.* FROM payments JOIN payables ON payables.id = payments.payable_id \
         WHERE payments.invoice_id = $1 AND payments.status = 'succeeded' AND payables.payer_hash = $2 \
         ORDER BY payments.id DESC LIMIT 1";
    sql::one(db, text, [invoice_id.as_str().into(), payer_hash.into()]).await
}

/// The last word about a payable: its payment, if one was confirmed.
///
/// # Errors
/// Whatever the store says.
pub async fn of_payable<C: ConnectionTrait>(db: &C, payable_id: &PayableId) -> Result<Option<Model>, DbErr> {
    let text = "SELECT * FROM payments WHERE payable_id = $1 ORDER BY id DESC LIMIT 1";
    sql::one(db, text, [payable_id.as_str().into()]).await
}

/// What an invoice's earlier payments came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromQueryResult)]
pub struct Taken {
    pub charged_minor: i64,
    pub fee_minor: i64,
}

/// What the succeeded payments of an invoice came to, so that the fees of its parts never exceed the fee on the whole.
///
/// # Errors
/// Whatever the store says.
pub async fn taken<C: ConnectionTrait>(db: &C, invoice_id: &InvoiceId) -> Result<Taken, DbErr> {
    let text = "SELECT CAST(COALESCE(SUM(amount_minor), 0) AS bigint) AS charged_minor, \
         CAST(COALESCE(SUM(fee_minor), 0) AS bigint) AS fee_minor \
         FROM payments WHERE invoice_id = $1 AND status = 'succeeded'";
    let found = sql::one(db, text, [invoice_id.as_str().into()]).await?;
    Ok(found.unwrap_or(Taken { charged_minor: 0, fee_minor: 0 }))
}
