//! Enrolments as a merchant makes, reads and ends them.

use domain::campaign::{CampaignStatus, EnrolmentStatus};
use domain::id::{CampaignId, EnrolmentId, InvoiceId, MerchantId};
use domain::job::{JobKind, NewJob, Outbox};
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Value,
};

use super::{Column, Entity, Model};
use crate::sql;
use crate::stored::Stored;
use crate::timeline::{self, NewEntry};

/// One merchant's enrolment.
///
/// # Errors
/// Whatever the store says.
pub async fn find<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    id: &EnrolmentId,
) -> Result<Option<Model>, DbErr> {
    let text = "SELECT * FROM enrolments WHERE id = $1 AND merchant_id = $2";
    sql::one(db, text, [id.as_str().into(), merchant_id.as_str().into()]).await
}

/// The enrolments of a merchant's campaign, newest first, older than `before`.
///
/// # Errors
/// Whatever the store says.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    campaign_id: &CampaignId,
    status: Option<EnrolmentStatus>,
    before: Option<&EnrolmentId>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::MerchantId.eq(merchant_id.as_str()))
        .filter(Column::CampaignId.eq(campaign_id.as_str()))
        .apply_if(status, |query, wanted| query.filter(Column::Status.eq(wanted.word())))
        .apply_if(before, |query, before| query.filter(Column::Id.lt(before.as_str())))
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// How an invoice stands in a campaign.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Standing {
    pub id: Stored<EnrolmentId>,
    pub status: Stored<EnrolmentStatus>,
    pub campaign_status: Stored<CampaignStatus>,
}

/// Every enrolment an invoice has or had, with its campaign's status.
///
/// # Errors
/// Whatever the store says.
pub async fn standings_of_invoice<C: ConnectionTrait>(
    db: &C,
    invoice_id: &InvoiceId,
) -> Result<Vec<Standing>, DbErr> {
    let text = "SELECT e.id, e.status, c.status AS campaign_status FROM enrolments e \
         JOIN campaigns c ON c.id = e.campaign_id WHERE e.invoice_id = $1";
    sql::all(db, text, [invoice_id.as_str().into()]).await
}

/// Puts an invoice into a campaign. `false` when it is in one already; then nothing changes. An enrolment that begins
/// paused is told to the dialer like any other pause.
///
/// # Errors
/// Whatever the store says.
pub async fn enrol<C: ConnectionTrait>(
    tx: &C,
    enrolment: &Model,
    actor: &str,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<bool, DbErr> {
    let text = "INSERT INTO enrolments (id, merchant_id, campaign_id, invoice_id, status, pause_reason, told_revision, \
         acknowledged_revision, created_at_ms, updated_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $8) \
         ON CONFLICT (invoice_id) WHERE status <> 'ended' DO NOTHING";
    let values: [Value; 8] = [
        enrolment.id.as_str().into(),
        enrolment.merchant_id.as_str().into(),
        enrolment.campaign_id.as_str().into(),
        enrolment.invoice_id.as_str().into(),
        enrolment.status.word().into(),
        enrolment.pause_reason.clone().into(),
        enrolment.told_revision.into(),
        now.millis().into(),
    ];
    if sql::run(tx, text, values).await? == 0 {
        return Ok(false);
    }
    if enrolment.told_revision > 0 {
        outbox.enqueue(order(JobKind::PauseCalls, enrolment));
    }
    timeline::append(tx, vec![entry(enrolment, TimelineKind::Enrolled, actor)], now, outbox).await?;
    Ok(true)
}

/// Moves an enrolment that has not ended to another status and queues the dialer. `None` when it has ended, or stands
/// there already.
///
/// # Errors
/// Whatever the store says.
pub async fn move_to<C: ConnectionTrait>(
    tx: &C,
    enrolment: &Model,
    status: EnrolmentStatus,
    actor: &str,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<Option<Model>, DbErr> {
    let reason = (status != EnrolmentStatus::Active).then_some("merchant");
    if status == EnrolmentStatus::Paused {
        // Paused by a hold before: resolving that must not undo what the merchant wants now.
        let outlast = "UPDATE enrolments SET pause_reason = 'merchant' WHERE id = $1 AND status = 'paused'";
        sql::run(tx, outlast, [enrolment.id.as_str().into()]).await?;
    }
    let text = "UPDATE enrolments SET status = $2, pause_reason = $3, told_revision = told_revision + 1, updated_at_ms = $4 \
         WHERE id = $1 AND status <> 'ended' AND status <> $2 RETURNING *";
    let values: [Value; 4] =
        [enrolment.id.as_str().into(), status.word().into(), reason.into(), now.millis().into()];
    let Some(moved) = sql::one::<Model, _>(tx, text, values).await? else {
        return Ok(None);
    };
    let (job, kind) = told(status);
    outbox.enqueue(order(job, &moved));
    timeline::append(tx, vec![entry(&moved, kind, actor)], now, outbox).await?;
    Ok(Some(moved))
}

/// Locks the invoices of a campaign's living enrolments, in order.
///
/// # Errors
/// Whatever the store says.
pub async fn lock_invoices_of_campaign<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    campaign_id: &CampaignId,
) -> Result<(), DbErr> {
    let text = format!(
        "SELECT * FROM invoices WHERE merchant_id = $1 AND id IN \
         (SELECT invoice_id FROM enrolments WHERE campaign_id = $2 AND status <> 'ended') ORDER BY id {}",
        sql::for_update(tx.get_database_backend())
    );
    let values: [Value; 2] = [merchant_id.as_str().into(), campaign_id.as_str().into()];
    sql::all::<crate::invoice::Model, _>(tx, text, values).await.map(drop)
}

/// Ends every enrolment of a campaign, so that its invoices are free for another, and queues the dialer for each.
///
/// # Errors
/// Whatever the store says.
pub async fn end_of_campaign<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    campaign_id: &CampaignId,
    actor: &str,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<u64, DbErr> {
    let text = "UPDATE enrolments SET status = 'ended', pause_reason = 'campaign_ended', told_revision = told_revision + 1, \
         updated_at_ms = $3 WHERE campaign_id = $1 AND merchant_id = $2 AND status <> 'ended' RETURNING *";
    let values: [Value; 3] = [campaign_id.as_str().into(), merchant_id.as_str().into(), now.millis().into()];
    let ended: Vec<Model> = sql::all(tx, text, values).await?;
    for enrolment in &ended {
        outbox.enqueue(order(JobKind::PauseCalls, enrolment));
    }
    let entries =
        ended.iter().map(|enrolment| entry(enrolment, TimelineKind::EnrolmentEnded, actor)).collect();
    timeline::append(tx, entries, now, outbox).await?;
    Ok(u64::try_from(ended.len()).unwrap_or(u64::MAX))
}

const fn told(status: EnrolmentStatus) -> (JobKind, TimelineKind) {
    match status {
        EnrolmentStatus::Active => (JobKind::ResumeCalls, TimelineKind::CallsResumed),
        EnrolmentStatus::Paused => (JobKind::PauseCalls, TimelineKind::CallsPaused),
        EnrolmentStatus::Ended => (JobKind::PauseCalls, TimelineKind::EnrolmentEnded),
    }
}

fn order(job: JobKind, enrolment: &Model) -> NewJob {
    let key = format!("{}:{}", enrolment.id.0, enrolment.told_revision);
    NewJob::once(job, enrolment.id.as_str(), &enrolment.merchant_id).keyed(key)
}

fn entry(enrolment: &Model, kind: TimelineKind, actor: &str) -> NewEntry {
    let detail = serde_json::json!({"enrolment_id": enrolment.id.0, "campaign_id": enrolment.campaign_id.0});
    NewEntry::new(&enrolment.merchant_id, &enrolment.invoice_id, kind, actor).with(detail)
}
