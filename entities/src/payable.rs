//! Payables: one amount of one revision of an invoice, with one PaymentIntent.

mod advance;
mod books;

use domain::id::{InvoiceId, MerchantId, PayableId};
use domain::money::{Currency, Money};
use domain::payment::PayableStatus;
use domain::time::Timestamp;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::sql;
use crate::stored::Stored;

pub use advance::{Advanced, IntentFacts, advance};

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payables")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<PayableId>,
    pub merchant_id: Stored<MerchantId>,
    pub invoice_id: Stored<InvoiceId>,
    pub revision: i64,
    pub amount_minor: i64,
    pub currency: Stored<Currency>,
    pub fee_minor: i64,
    pub fee_policy: String,
    pub stripe_account: String,
    pub status: Stored<PayableStatus>,
    pub payment_intent_id: Option<String>,
    pub payer_hash: Option<String>,
    pub created_at_ms: i64,
    pub checked_at_ms: Option<i64>,
    pub ended_at_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    #[must_use]
    pub fn amount(&self) -> Money {
        Money { amount_minor: self.amount_minor, currency: self.currency.0 }
    }
}

/// Under what name a PaymentIntent's metadata carries the id of its payable.
pub const METADATA_KEY: &str = "postcall_payable";

/// A payable about to be opened. Everything Stripe is told comes from the row, so that a repeat says the same.
#[derive(Debug, Clone)]
pub struct NewPayable {
    pub merchant_id: MerchantId,
    pub invoice_id: InvoiceId,
    pub revision: i64,
    pub amount: Money,
    pub fee_minor: i64,
    /// The merchant's policy at this moment, as JSON.
    pub fee_policy: String,
    pub stripe_account: String,
    pub payer_hash: String,
}

/// Opens a payable, unless the invoice has a live one already.
///
/// # Errors
/// Whatever the store says.
pub async fn open<C: ConnectionTrait>(
    tx: &C,
    new: &NewPayable,
    now: Timestamp,
) -> Result<Option<Model>, DbErr> {
    let id: PayableId = crate::fresh::id(now);
    let text = "INSERT INTO payables (id, merchant_id, invoice_id, revision, amount_minor, currency, fee_minor, \
         fee_policy, stripe_account, payer_hash, status, created_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11) \
         ON CONFLICT (invoice_id) WHERE status IN ('open', 'processing') DO NOTHING RETURNING *";
    let values: [Value; 11] = [
        id.as_str().into(),
        new.merchant_id.as_str().into(),
        new.invoice_id.as_str().into(),
        new.revision.into(),
        new.amount.amount_minor.into(),
        new.amount.currency.code().into(),
        new.fee_minor.into(),
        new.fee_policy.as_str().into(),
        new.stripe_account.as_str().into(),
        new.payer_hash.as_str().into(),
        now.millis().into(),
    ];
    sql::one(tx, text, values).await
}

/// The live payable of an invoice, locked. The caller holds the invoice's row.
///
/// # Errors
/// Whatever the store says.
pub async fn lock_live<C: ConnectionTrait>(tx: &C, invoice_id: &InvoiceId) -> Result<Option<Model>, DbErr> {
    let text = format!(
        "SELECT * FROM payables WHERE invoice_id = $1 AND status IN ('open', 'processing') {}",
        sql::for_update(tx.get_database_backend())
    );
    sql::one(tx, text, [invoice_id.as_str().into()]).await
}

/// A payable.
///
/// # Errors
/// Whatever the store says.
pub async fn by_id<C: ConnectionTrait>(db: &C, id: &PayableId) -> Result<Option<Model>, DbErr> {
    sql::one(db, "SELECT * FROM payables WHERE id = $1", [id.as_str().into()]).await
}

/// Payables by their ids; an id that names none is left out.
///
/// # Errors
/// Whatever the store says.
pub async fn by_ids<C: ConnectionTrait, T: AsRef<str>>(db: &C, ids: &[T]) -> Result<Vec<Model>, DbErr> {
    let text = format!(
        "SELECT * FROM payables WHERE id {} ORDER BY invoice_id, id",
        sql::among(db.get_database_backend(), 1)
    );
    sql::all(db, text, [sql::text_list(ids)]).await
}

/// The payable whose PaymentIntent this is.
///
/// # Errors
/// Whatever the store says.
pub async fn by_intent<C: ConnectionTrait>(
    db: &C,
    stripe_account: &str,
    intent_id: &str,
) -> Result<Option<Model>, DbErr> {
    let text = "SELECT * FROM payables WHERE payment_intent_id = $1 AND stripe_account = $2";
    sql::one(db, text, [intent_id.into(), stripe_account.into()]).await
}

/// The payable an invoice's page is about: the live one, else the paid one, else the youngest.
///
/// # Errors
/// Whatever the store says.
pub async fn foremost<C: ConnectionTrait>(db: &C, invoice_id: &InvoiceId) -> Result<Option<Model>, DbErr> {
    let text = "SELECT * FROM payables WHERE invoice_id = $1 ORDER BY CASE status \
         WHEN 'processing' THEN 0 WHEN 'open' THEN 1 WHEN 'succeeded' THEN 2 ELSE 3 END, id DESC LIMIT 1";
    sql::one(db, text, [invoice_id.as_str().into()]).await
}

/// Writes down which PaymentIntent is the payable's. The first one stays.
///
/// # Errors
/// Whatever the store says.
pub async fn bind_intent<C: ConnectionTrait>(tx: &C, id: &PayableId, intent_id: &str) -> Result<bool, DbErr> {
    let text = "UPDATE payables SET payment_intent_id = $2 WHERE id = $1 AND payment_intent_id IS NULL";
    Ok(sql::run(tx, text, [id.as_str().into(), intent_id.into()]).await? > 0)
}

/// Marks the browser that presses Pay. Once there is a PaymentIntent, a second browser cannot be told from the first:
/// either may confirm it, so from then on no browser is the payer, and the receipt goes to the contact on file alone.
///
/// # Errors
/// Whatever the store says.
pub async fn set_payer<C: ConnectionTrait>(tx: &C, id: &PayableId, payer_hash: &str) -> Result<bool, DbErr> {
    let text = "UPDATE payables SET payer_hash = CASE WHEN payment_intent_id IS NULL OR payer_hash = $2 THEN $2 END \
         WHERE id = $1 AND status = 'open'";
    Ok(sql::run(tx, text, [id.as_str().into(), payer_hash.into()]).await? > 0)
}

/// Gives up a payable that has no PaymentIntent: nobody can have paid it.
///
/// # Errors
/// Whatever the store says.
pub async fn abandon<C: ConnectionTrait>(tx: &C, id: &PayableId, now: Timestamp) -> Result<bool, DbErr> {
    let text = "UPDATE payables SET status = 'canceled', ended_at_ms = $2 \
         WHERE id = $1 AND status = 'open' AND payment_intent_id IS NULL";
    Ok(sql::run(tx, text, [id.as_str().into(), now.millis().into()]).await? > 0)
}

/// Writes down that Stripe was asked about these, whatever it said.
///
/// # Errors
/// Whatever the store says.
pub async fn mark_checked<C: ConnectionTrait, T: AsRef<str>>(
    tx: &C,
    ids: &[T],
    now: Timestamp,
) -> Result<u64, DbErr> {
    let text = format!(
        "UPDATE payables SET checked_at_ms = $2 WHERE id {}",
        sql::among(tx.get_database_backend(), 1)
    );
    sql::run(tx, text, [sql::text_list(ids), now.millis().into()]).await
}

/// Which live payables nobody has looked at for how long.
#[derive(Debug, Clone, Copy)]
pub struct Unchecked {
    pub open_before: Timestamp,
    pub processing_before: Timestamp,
    pub limit: i64,
}

/// A page of live payables with a PaymentIntent that nobody has looked at for a while, the longest first.
///
/// # Errors
/// Whatever the store says.
pub async fn unchecked<C: ConnectionTrait>(db: &C, wanted: Unchecked) -> Result<Vec<Model>, DbErr> {
    let text = "SELECT * FROM payables WHERE payment_intent_id IS NOT NULL \
         AND ((status = 'open' AND COALESCE(checked_at_ms, created_at_ms) < $1) \
         OR (status = 'processing' AND COALESCE(checked_at_ms, created_at_ms) < $2)) \
         ORDER BY COALESCE(checked_at_ms, created_at_ms), id LIMIT $3";
    let values = [wanted.open_before.millis(), wanted.processing_before.millis(), wanted.limit];
    sql::all(db, text, values.map(Value::from)).await
}

/// A page of open payables for which no PaymentIntent is known, though they are older than that. `after` is the last
/// id of the page before.
///
/// # Errors
/// Whatever the store says.
pub async fn without_intent<C: ConnectionTrait>(
    db: &C,
    created_before: Timestamp,
    after: &str,
    limit: i64,
) -> Result<Vec<Model>, DbErr> {
    let text = "SELECT * FROM payables WHERE status = 'open' AND payment_intent_id IS NULL \
         AND created_at_ms < $1 AND id > $2 ORDER BY id LIMIT $3";
    sql::all(db, text, [created_before.millis().into(), after.into(), limit.into()]).await
}

/// Payables that wait for the customer and have a PaymentIntent that could still be confirmed.
///
/// # Errors
/// Whatever the store says.
pub async fn confirmable_of_invoices<C: ConnectionTrait>(
    db: &C,
    invoices: &[String],
) -> Result<Vec<Model>, DbErr> {
    if invoices.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT * FROM payables WHERE status = 'open' AND payment_intent_id IS NOT NULL AND invoice_id {} ORDER BY id",
        sql::among(db.get_database_backend(), 1)
    );
    sql::all(db, text, [sql::text_list(invoices)]).await
}

#[cfg(test)]
mod tests;
