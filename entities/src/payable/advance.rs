//! What a fetched PaymentIntent does to a payable and to everything that hangs on it. The one place where money arrives:
//! the pay page, the webhook's job and the reconcile all come through here, in any order and any number.

use domain::attention::AttentionKind;
use domain::invoice::InvoiceEvent;
use domain::job::{JobKind, NewJob, Outbox};
use domain::payment::{Advance, IntentStatus, PayableStatus};
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use sea_orm::{ConnectionTrait, DbErr};
use serde_json::json;

use super::Model;
use super::books::Books;
use crate::{attention_item, invoice, payment, sql};

/// A PaymentIntent as Stripe showed it when asked; never what a webhook said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentFacts {
    pub intent_id: String,
    pub status: IntentStatus,
    pub amount_minor: i64,
    pub received_minor: i64,
    /// ISO code, upper case.
    pub currency: String,
    pub charge_id: Option<String>,
    /// `card`, `us_bank_account`, …
    pub method: Option<String>,
    pub brand: Option<String>,
    pub last4: Option<String>,
    /// Why the last attempt failed, in Stripe's code.
    pub error_code: Option<String>,
}

/// What became of the payable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advanced {
    /// It stands where it stood.
    Unchanged,
    Processing,
    Succeeded,
    /// The bank said no; it is open again.
    FailedBack,
    Canceled,
    /// Stripe and our books disagree in a way that only a person can mend.
    Conflict,
}

/// Brings a payable, its payment, invoice, link and enrolments to where its PaymentIntent is, in the caller's
/// transaction. Running it again with the same facts changes nothing.
///
/// # Errors
/// Whatever the store says.
pub async fn advance<C: ConnectionTrait>(
    tx: &C,
    payable: &Model,
    intent: &IntentFacts,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<Advanced, DbErr> {
    let invoice = lock_invoice(tx, payable).await?;
    let payable = lock(tx, payable).await?;
    super::mark_checked(tx, &[payable.id.as_str()], now).await?;
    super::bind_intent(tx, &payable.id, &intent.intent_id).await?;
    let books = Books { tx, payable: &payable, invoice: &invoice, intent, now };
    if books.is_of_another_intent() || intent.currency != payable.currency.code() {
        return conflict(&books, "another_payment_intent").await;
    }
    match domain::payment::advance(payable.status.0, intent.status) {
        Advance::Nothing => Ok(Advanced::Unchanged),
        Advance::StartProcessing => start_processing(&books, outbox).await,
        Advance::Succeed => succeed(&books, outbox).await,
        Advance::FailBack => fail_back(&books, outbox).await,
        Advance::Cancel => cancel(&books, outbox).await,
    }
}

/// Invoice first, then payable: the lock order of the whole house.
async fn lock_invoice<C: ConnectionTrait>(tx: &C, payable: &Model) -> Result<invoice::Model, DbErr> {
    let id = payable.invoice_id.to_string();
    let found = invoice::lock_all(tx, std::slice::from_ref(&id)).await?.pop();
    found.ok_or(DbErr::RecordNotFound(id))
}

async fn lock<C: ConnectionTrait>(tx: &C, payable: &Model) -> Result<Model, DbErr> {
    let text = format!("SELECT * FROM payables WHERE id = $1 {}", sql::for_update(tx.get_database_backend()));
    let found = sql::one(tx, text, [payable.id.as_str().into()]).await?;
    found.ok_or_else(|| DbErr::RecordNotFound(payable.id.to_string()))
}

/// Money that moved outside the books is shown to a person; an unpaid stray is nobody's concern.
async fn conflict<C: ConnectionTrait>(books: &Books<'_, C>, why: &str) -> Result<Advanced, DbErr> {
    match books.intent.status {
        IntentStatus::Succeeded | IntentStatus::Processing => books.raise_conflict(why).await?,
        IntentStatus::RequiresPaymentMethod
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction
        | IntentStatus::RequiresCapture
        | IntentStatus::Canceled
        | IntentStatus::Unknown => {}
    }
    Ok(Advanced::Conflict)
}

async fn start_processing<C: ConnectionTrait>(
    books: &Books<'_, C>,
    outbox: &mut Outbox,
) -> Result<Advanced, DbErr> {
    // A payable that was given up cannot come back beside its living successor.
    if !books.move_payable(PayableStatus::Processing).await? {
        return conflict(books, "successor_lives").await;
    }
    books.record_payment(domain::payment::PaymentStatus::Processing).await?;
    if books.intent.amount_minor != books.payable.amount_minor {
        books.raise_conflict("amount_differs").await?;
    }
    match domain::invoice::apply(books.invoice.status.0, InvoiceEvent::PaymentStarted) {
        Ok(status) => books.write_invoice(status, books.invoice.paid_minor).await?,
        Err(refused) => books.raise_conflict(refused.status.word()).await?,
    }
    books.pause_calls(outbox).await?;
    books.tell(TimelineKind::PaymentStarted, json!({}), outbox).await?;
    Ok(Advanced::Processing)
}

async fn succeed<C: ConnectionTrait>(books: &Books<'_, C>, outbox: &mut Outbox) -> Result<Advanced, DbErr> {
    if !books.move_payable(PayableStatus::Succeeded).await? {
        return Ok(Advanced::Unchanged);
    }
    let Some(payment_id) = books.record_payment(domain::payment::PaymentStatus::Succeeded).await? else {
        return conflict(books, "payment_recorded_before").await;
    };
    if books.intent.received_minor != books.payable.amount_minor {
        books.raise_conflict("amount_differs").await?;
    }
    let was = books.invoice.status.0;
    if domain::invoice::closed(was) {
        books.raise_conflict(was.word()).await?;
    }
    let owed = books.invoice.total_minor.saturating_sub(books.invoice.paid_minor);
    let in_full = books.intent.received_minor >= owed;
    let event = if in_full { InvoiceEvent::PaidInFull } else { InvoiceEvent::PaidInPart };
    // What is above the total is on the attention list and in the payments; an invoice never owes less than nothing.
    let paid_minor = books.invoice.paid_minor.saturating_add(books.intent.received_minor.min(owed).max(0));
    let becomes = domain::invoice::apply(was, event).unwrap_or(was);
    books.write_invoice(becomes, paid_minor).await?;
    let detail = json!({
        "payment_id": payment_id, "amount_minor": books.intent.received_minor, "currency": books.payable.currency.0,
    });
    books.tell(TimelineKind::PaymentSucceeded, detail, outbox).await?;
    books.cancel_other_payables(outbox).await?;
    if in_full {
        books.use_link(outbox).await?;
        books.end_calls(outbox).await?;
    } else {
        books.resume_calls(becomes, outbox).await?;
    }
    outbox.enqueue(NewJob::once(JobKind::SendReceipt, payment_id.as_str(), &books.payable.merchant_id));
    Ok(Advanced::Succeeded)
}

async fn fail_back<C: ConnectionTrait>(books: &Books<'_, C>, outbox: &mut Outbox) -> Result<Advanced, DbErr> {
    if !books.move_payable(PayableStatus::Open).await? {
        return Ok(Advanced::Unchanged);
    }
    undo_processing(books, outbox).await?;
    // Its link may have ended while the bank took its days; the job looks and lets it live where it may.
    let key = format!("{}:failed:{}", books.payable.id.0, books.now.millis());
    let job = NewJob::once(JobKind::CancelPayment, books.payable.id.as_str(), &books.payable.merchant_id);
    outbox.enqueue(job.keyed(key));
    Ok(Advanced::FailedBack)
}

async fn cancel<C: ConnectionTrait>(books: &Books<'_, C>, outbox: &mut Outbox) -> Result<Advanced, DbErr> {
    if !books.move_payable(PayableStatus::Canceled).await? {
        return Ok(Advanced::Unchanged);
    }
    if books.payable.status.0 == PayableStatus::Processing {
        undo_processing(books, outbox).await?;
    }
    Ok(Advanced::Canceled)
}

/// The payment that was on its way will not come: the invoice is as open as before, and calls that stopped for the
/// payment alone may go on.
async fn undo_processing<C: ConnectionTrait>(books: &Books<'_, C>, outbox: &mut Outbox) -> Result<(), DbErr> {
    payment::fail(books.tx, &books.intent.intent_id).await?;
    let was = books.invoice.status.0;
    let mut becomes = domain::invoice::apply(was, InvoiceEvent::PaymentFailed).unwrap_or(was);
    if books.invoice.paid_minor > 0 {
        becomes = domain::invoice::apply(becomes, InvoiceEvent::PaidInPart).unwrap_or(becomes);
    }
    books.write_invoice(becomes, books.invoice.paid_minor).await?;
    let detail = json!({"code": books.intent.error_code});
    books.tell(TimelineKind::PaymentFailed, detail, outbox).await?;
    books.resume_calls(becomes, outbox).await
}

impl<C: ConnectionTrait> Books<'_, C> {
    /// Puts the payment on the attention list, once while it is open there.
    async fn raise_conflict(&self, why: &str) -> Result<(), DbErr> {
        let detail = json!({
            "why": why, "payable_id": self.payable.id.0, "payment_intent_id": self.intent.intent_id,
            "payable_minor": self.payable.amount_minor, "intent_minor": self.intent.amount_minor,
            "received_minor": self.intent.received_minor, "currency": self.intent.currency,
        });
        let (merchant_id, invoice_id) = (&self.payable.merchant_id, &self.payable.invoice_id);
        let kind = AttentionKind::PaymentConflict;
        attention_item::raise(
            self.tx,
            merchant_id,
            kind,
            Some(invoice_id),
            &self.intent.intent_id,
            &detail,
            self.now,
        )
        .await
        .map(drop)
    }
}
