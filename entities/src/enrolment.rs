//! Enrolments: one invoice in one call campaign, and what its dialer was told.

mod heard;
mod write;

use domain::campaign::EnrolmentStatus;
use domain::id::{CampaignId, EnrolmentId, InvoiceId, MerchantId};
use domain::job::{JobKind, NewJob, Outbox};
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use crate::sql;
use crate::stored::Stored;
use crate::timeline::{self, NewEntry};

pub use heard::{Heard, acknowledge, by_ids};
pub use write::{
    Standing, end_of_campaign, enrol, find, lock_invoices_of_campaign, move_to, page, standings_of_invoice,
};

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "enrolments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<EnrolmentId>,
    pub merchant_id: Stored<MerchantId>,
    pub campaign_id: Stored<CampaignId>,
    pub invoice_id: Stored<InvoiceId>,
    pub status: Stored<EnrolmentStatus>,
    pub pause_reason: Option<String>,
    pub told_revision: i64,
    pub acknowledged_revision: i64,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// An enrolment whose dialer has to be told something.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
struct Moved {
    id: Stored<EnrolmentId>,
    told_revision: i64,
}

/// Pauses the active enrolments of an invoice and queues the dialer for each. Other invoices of the campaign are not
/// touched.
///
/// # Errors
/// Whatever the store says.
pub async fn pause_of_invoice<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    invoice_id: &InvoiceId,
    reason: &str,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<u64, DbErr> {
    // A reason that outlasts a hold takes the place of one that does not; the dialer knows already.
    let outlast = "UPDATE enrolments SET pause_reason = $2 WHERE invoice_id = $1 AND status = 'paused' \
         AND $2 IN ('merchant', 'opted_out', 'wrong_number')";
    sql::run(tx, outlast, [invoice_id.as_str().into(), reason.into()]).await?;
    let text = "UPDATE enrolments SET status = 'paused', pause_reason = $2, told_revision = told_revision + 1, updated_at_ms = $3 \
         WHERE invoice_id = $1 AND status = 'active' RETURNING id, told_revision";
    let moved: Vec<Moved> =
        sql::all(tx, text, [invoice_id.as_str().into(), reason.into(), now.millis().into()]).await?;
    tell(merchant_id, invoice_id, JobKind::PauseCalls, TimelineKind::CallsPaused, &moved, now, outbox, tx)
        .await
}

/// Lets calls go on that a hold or a payment stopped: the mirror of [`pause_of_invoice`]. The caller has checked that
/// nothing holds the invoice. What the merchant or the customer stopped for good stays stopped.
///
/// # Errors
/// Whatever the store says.
pub async fn resume_of_invoice<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    invoice_id: &InvoiceId,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<u64, DbErr> {
    let text = "UPDATE enrolments SET status = 'active', pause_reason = NULL, told_revision = told_revision + 1, updated_at_ms = $2 \
         WHERE invoice_id = $1 AND status = 'paused' AND pause_reason NOT IN ('merchant', 'opted_out', 'wrong_number') \
         RETURNING id, told_revision";
    let moved: Vec<Moved> = sql::all(tx, text, [invoice_id.as_str().into(), now.millis().into()]).await?;
    tell(merchant_id, invoice_id, JobKind::ResumeCalls, TimelineKind::CallsResumed, &moved, now, outbox, tx)
        .await
}

/// What a hold stopped waits for the payment that is on its way from now on: when that fails, the calls go on.
///
/// # Errors
/// Whatever the store says.
pub async fn leave_to_payment<C: ConnectionTrait>(tx: &C, invoice_id: &InvoiceId) -> Result<u64, DbErr> {
    let text = "UPDATE enrolments SET pause_reason = 'payment_processing' WHERE invoice_id = $1 AND status = 'paused' \
         AND pause_reason NOT IN ('merchant', 'opted_out', 'wrong_number')";
    sql::run(tx, text, [invoice_id.as_str().into()]).await
}

/// Ends the enrolments of an invoice that is closed; the dialer is told to stop calling about it.
///
/// # Errors
/// Whatever the store says.
pub async fn end_of_invoice<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    invoice_id: &InvoiceId,
    reason: &str,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<u64, DbErr> {
    let text = "UPDATE enrolments SET status = 'ended', pause_reason = $2, told_revision = told_revision + 1, updated_at_ms = $3 \
         WHERE invoice_id = $1 AND status <> 'ended' RETURNING id, told_revision";
    let moved: Vec<Moved> =
        sql::all(tx, text, [invoice_id.as_str().into(), reason.into(), now.millis().into()]).await?;
    tell(merchant_id, invoice_id, JobKind::PauseCalls, TimelineKind::EnrolmentEnded, &moved, now, outbox, tx)
        .await
}

#[expect(
    clippy::too_many_arguments,
    reason = "one private step shared by three statements that differ in a word"
)]
async fn tell<C: ConnectionTrait>(
    merchant_id: &MerchantId,
    invoice_id: &InvoiceId,
    job: JobKind,
    kind: TimelineKind,
    moved: &[Moved],
    now: Timestamp,
    outbox: &mut Outbox,
    tx: &C,
) -> Result<u64, DbErr> {
    let mut entries = Vec::with_capacity(moved.len());
    for enrolment in moved {
        let key = format!("{}:{}", enrolment.id.0, enrolment.told_revision);
        outbox.enqueue(NewJob::once(job, enrolment.id.as_str(), merchant_id).keyed(key));
        let detail = serde_json::json!({"enrolment_id": enrolment.id.0});
        entries.push(NewEntry::new(merchant_id, invoice_id, kind, "system").with(detail));
    }
    timeline::append(tx, entries, now, outbox).await?;
    Ok(u64::try_from(moved.len()).unwrap_or(u64::MAX))
}
