//! Holds: why calls on an invoice stand still.

mod page;

use domain::card_number::masked;
use domain::hold::HoldReason;
use domain::id::{HoldId, InvoiceId, MerchantId};
use domain::invoice::InvoiceStatus;
use domain::job::{JobKind, NewJob, Outbox};
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};

use crate::stored::Stored;
use crate::timeline::{self, NewEntry};
use crate::{enrolment, sql};

pub use page::{Filter, by_source, find, open_after, page};

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "holds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<HoldId>,
    pub merchant_id: Stored<MerchantId>,
    pub invoice_id: Stored<InvoiceId>,
    pub reason: Stored<HoldReason>,
    pub source_ref: String,
    pub words: Option<String>,
    pub opened_by: String,
    pub opened_at_ms: i64,
    pub resolution: Option<String>,
    pub resolved_by: Option<String>,
    pub note: Option<String>,
    pub resolved_at_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A reason to stop calls, about to be stored.
#[derive(Debug, Clone)]
pub struct NewHold {
    pub merchant_id: MerchantId,
    pub invoice_id: InvoiceId,
    pub reason: HoldReason,
    /// What raised it, so that the same question told twice is one hold.
    pub source_ref: String,
    /// The customer's own words. A card number in them is masked before they are stored.
    pub words: Option<String>,
    pub opened_by: String,
}

/// Stores a hold, puts the invoice on hold, pauses its enrolments and queues the dialer: all in the caller's
/// transaction. `false` when this hold is known already; then nothing changes.
///
/// # Errors
/// Whatever the store says.
pub async fn open<C: ConnectionTrait>(
    tx: &C,
    hold: NewHold,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<bool, DbErr> {
    let id: HoldId = crate::fresh::id(now);
    let text = "INSERT INTO holds (id, merchant_id, invoice_id, reason, source_ref, words, opened_by, opened_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (invoice_id, reason, source_ref) DO NOTHING";
    let values: [Value; 8] = [
        id.as_str().into(),
        hold.merchant_id.as_str().into(),
        hold.invoice_id.as_str().into(),
        hold.reason.word().into(),
        hold.source_ref.clone().into(),
        hold.words.as_deref().map(|words| masked(words).into_owned()).into(),
        hold.opened_by.clone().into(),
        now.millis().into(),
    ];
    if sql::run(tx, text, values).await? == 0 {
        return Ok(false);
    }
    let flag = "UPDATE invoices SET on_hold = TRUE, updated_at_ms = $2 WHERE id = $1";
    sql::run(tx, flag, [hold.invoice_id.as_str().into(), now.millis().into()]).await?;
    let detail = serde_json::json!({"hold_id": id, "reason": hold.reason});
    let entry =
        NewEntry::new(&hold.merchant_id, &hold.invoice_id, TimelineKind::HoldOpened, &*hold.opened_by)
            .with(detail);
    timeline::append(tx, vec![entry], now, outbox).await?;
    enrolment::pause_of_invoice(tx, &hold.merchant_id, &hold.invoice_id, hold.reason.word(), now, outbox)
        .await?;
    call_off_payment(tx, &hold, now, outbox).await?;
    Ok(true)
}

#[derive(FromQueryResult)]
struct Confirmable {
    id: String,
}

/// A browser that holds a client secret could still pay: where the merchant takes no payment on a held invoice, the
/// PaymentIntent is canceled at Stripe.
async fn call_off_payment<C: ConnectionTrait>(
    tx: &C,
    hold: &NewHold,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let text = "SELECT p.id FROM payables p JOIN merchants m ON m.id = p.merchant_id AND m.payable_on_hold = FALSE \
         WHERE p.invoice_id = $1 AND p.status = 'open' AND p.payment_intent_id IS NOT NULL";
    for payable in sql::all::<Confirmable, _>(tx, text, [hold.invoice_id.as_str().into()]).await? {
        let key = format!("{}:held:{}", payable.id, now.millis());
        outbox.enqueue(NewJob::once(JobKind::CancelPayment, payable.id, &hold.merchant_id).keyed(key));
    }
    Ok(())
}

/// What resolving a hold came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// No hold of this merchant with this id.
    Unknown,
    /// Somebody resolved it before.
    Already,
    /// Other holds stand: calls stay paused.
    StillHeld,
    /// Nothing holds the invoice any longer.
    Released,
}

/// Resolves a hold. When none is left the invoice is free again and, if it may be called about, its enrolments resume.
///
/// # Errors
/// Whatever the store says.
pub async fn resolve<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    hold_id: &HoldId,
    by: &str,
    note: Option<String>,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<Resolved, DbErr> {
    let find = "SELECT * FROM holds WHERE id = $1 AND merchant_id = $2";
    let found: Option<Model> =
        sql::one(tx, find, [hold_id.as_str().into(), merchant_id.as_str().into()]).await?;
    let Some(hold) = found else {
        return Ok(Resolved::Unknown);
    };
    let close = "UPDATE holds SET resolution = 'resolved', resolved_by = $2, note = $3, resolved_at_ms = $4 \
         WHERE id = $1 AND resolved_at_ms IS NULL";
    let closed =
        sql::run(tx, close, [hold_id.as_str().into(), by.into(), note.into(), now.millis().into()]).await?;
    if closed == 0 {
        return Ok(Resolved::Already);
    }
    let detail = serde_json::json!({"hold_id": hold_id, "reason": hold.reason.0});
    let entry = NewEntry::new(merchant_id, &hold.invoice_id, TimelineKind::HoldResolved, by).with(detail);
    timeline::append(tx, vec![entry], now, outbox).await?;
    // The row count decides: a hold opened meanwhile keeps the flag.
    let free = "UPDATE invoices SET on_hold = FALSE, updated_at_ms = $2 WHERE id = $1 AND on_hold = TRUE \
         AND NOT EXISTS (SELECT 1 FROM holds WHERE invoice_id = $1 AND resolved_at_ms IS NULL)";
    if sql::run(tx, free, [hold.invoice_id.as_str().into(), now.millis().into()]).await? == 0 {
        return Ok(Resolved::StillHeld);
    }
    let status = "SELECT * FROM invoices WHERE id = $1";
    let invoice: Option<crate::invoice::Model> =
        sql::one(tx, status, [hold.invoice_id.as_str().into()]).await?;
    let Some(status) = invoice.map(|invoice| invoice.status.0) else {
        return Ok(Resolved::Released);
    };
    if domain::hold::calls_resume(0, status) {
        enrolment::resume_of_invoice(tx, merchant_id, &hold.invoice_id, now, outbox).await?;
    }
    if status == InvoiceStatus::PaymentProcessing {
        enrolment::leave_to_payment(tx, &hold.invoice_id).await?;
    }
    Ok(Resolved::Released)
}

/// Closes every hold of an invoice that was canceled.
///
/// # Errors
/// Whatever the store says.
pub async fn close_of_canceled<C: ConnectionTrait>(
    tx: &C,
    invoice_id: &InvoiceId,
    by: &str,
    now: Timestamp,
) -> Result<u64, DbErr> {
    let text = "UPDATE holds SET resolution = 'canceled', resolved_by = $2, resolved_at_ms = $3 \
         WHERE invoice_id = $1 AND resolved_at_ms IS NULL";
    let closed = sql::run(tx, text, [invoice_id.as_str().into(), by.into(), now.millis().into()]).await?;
    let free = "UPDATE invoices SET on_hold = FALSE, updated_at_ms = $2 WHERE id = $1";
    sql::run(tx, free, [invoice_id.as_str().into(), now.millis().into()]).await?;
    Ok(closed)
}
