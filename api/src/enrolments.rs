//! Enrolments: one invoice in one call campaign.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::campaign::{CampaignStatus, EnrolmentStatus};
use domain::id::{Campaign, CampaignId, Enrolment, InvoiceId};
use domain::scope::Scope;
use domain::time::Timestamp;
use entities::{campaign, enrolment, invoice};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::extract::{Page, PathId, Query, cursor, page_size};
use crate::idempotency::{Answer, Stop, Work};
use crate::incoming::{Incoming, Read};
use crate::problem::{Problem, ProblemBody};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(enrol, list)).routes(routes!(show, change, end))
}

/// One invoice in one campaign.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Enrolment)]
pub(crate) struct EnrolmentView {
    id: String,
    campaign_id: String,
    invoice_id: String,
    #[schema(schema_with = crate::words::enrolment_status)]
    status: EnrolmentStatus,
    /// Why it is paused or ended.
    pause_reason: Option<String>,
    /// The dialer has acknowledged the latest pause or resume.
    dialer_acknowledged: bool,
    #[schema(schema_with = crate::words::moment)]
    created_at: Timestamp,
    #[schema(schema_with = crate::words::moment)]
    updated_at: Timestamp,
}

impl From<enrolment::Model> for EnrolmentView {
    fn from(row: enrolment::Model) -> Self {
        Self {
            id: row.id.0.into_string(),
            campaign_id: row.campaign_id.0.into_string(),
            invoice_id: row.invoice_id.0.into_string(),
            status: row.status.0,
            pause_reason: row.pause_reason,
            dialer_acknowledged: row.acknowledged_revision >= row.told_revision,
            created_at: Timestamp::from_millis(row.created_at_ms),
            updated_at: Timestamp::from_millis(row.updated_at_ms),
        }
    }
}

/// An invoice to be enrolled.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEnrolment {
    #[schema(example = "inv_01kxbq5c6v5y8a7n3m2p1r4s5t")]
    invoice_id: String,
}

/// Enrol an invoice in a campaign. One that is on hold begins paused.
#[utoipa::path(post, path = "/v1/campaigns/{id}/enrolments", tag = "Campaigns", operation_id = "enrol_invoice",
    params(("id" = String, Path)), request_body = NewEnrolment,
    responses((status = 201, description = "The enrolment.", body = EnrolmentView),
        (status = 409, description = "`already_enrolled`, `invoice_not_callable` or `campaign_ended`.", body = ProblemBody)))]
async fn enrol(
    State(api): State<Api>,
    PathId(id): PathId<Campaign>,
    incoming: Incoming,
) -> Result<Answer, Stop> {
    let Read { caller, input, claim } = incoming.read::<NewEnrolment>(Scope::CampaignsWrite).await?;
    let unknown = || Problem::field("invoice_id", "names no invoice of yours");
    let invoice_id: InvoiceId = input.invoice_id.parse().map_err(|_| unknown())?;
    let mut work = Work::begin(&api, claim).await?;
    let invoice = invoice::lock_one(&work.tx, &caller.merchant_id, &invoice_id).await?.ok_or_else(unknown)?;
    let campaign =
        campaign::lock(&work.tx, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    if campaign.status.0 == CampaignStatus::Ended {
        return Err(Problem::conflict("campaign_ended", "This campaign has ended.").into());
    }
    if !domain::invoice::callable(invoice.status.0) {
        let detail = format!("This invoice is {}; there is no reason to call about it.", invoice.status.0);
        return Err(Problem::conflict("invoice_not_callable", detail).into());
    }
    let row = new_row(&caller, &id, &invoice, work.now);
    if !enrolment::enrol(&work.tx, &row, &caller.actor(), work.now, &mut work.outbox).await? {
        return Err(Problem::conflict("already_enrolled", "This invoice is in a campaign already.").into());
    }
    work.finish(StatusCode::CREATED, &EnrolmentView::from(row)).await
}

fn new_row(
    caller: &Caller,
    campaign_id: &CampaignId,
    invoice: &invoice::Model,
    now: Timestamp,
) -> enrolment::Model {
    let status = if invoice.on_hold { EnrolmentStatus::Paused } else { EnrolmentStatus::Active };
    enrolment::Model {
        id: entities::fresh::id(now).into(),
        merchant_id: caller.merchant_id.clone().into(),
        campaign_id: campaign_id.clone().into(),
        invoice_id: invoice.id.clone(),
        status: status.into(),
        pause_reason: invoice.on_hold.then(|| "on_hold".to_owned()),
        // A dialer that hears of the enrolment elsewhere must hear of the pause from us.
        told_revision: i64::from(invoice.on_hold),
        acknowledged_revision: 0,
        created_at_ms: now.millis(),
        updated_at_ms: now.millis(),
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Rows on a page: 1 to 100, else 50.
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    #[param(schema_with = crate::words::enrolment_status)]
    status: Option<EnrolmentStatus>,
}

/// List a campaign's enrolments, newest first.
#[utoipa::path(get, path = "/v1/campaigns/{id}/enrolments", tag = "Campaigns", operation_id = "list_enrolments",
    params(("id" = String, Path), ListQuery), responses((status = 200, description = "A page.", body = Page<EnrolmentView>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    PathId(id): PathId<Campaign>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<EnrolmentView>>, Problem> {
    caller.require(Scope::CampaignsRead)?;
    let size = page_size(query.limit)?;
    let before = cursor::<Enrolment>(query.cursor.as_deref())?;
    let db = &api.db.read;
    campaign::find(db, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    let rows = enrolment::page(db, &caller.merchant_id, &id, query.status, before.as_ref(), size + 1).await?;
    Ok(Json(Page::of(rows, size, |row| row.id.to_string(), EnrolmentView::from)))
}

/// Show an enrolment.
#[utoipa::path(get, path = "/v1/enrolments/{id}", tag = "Campaigns", operation_id = "show_enrolment",
    params(("id" = String, Path)), responses((status = 200, description = "The enrolment.", body = EnrolmentView)))]
async fn show(
    State(api): State<Api>,
    caller: Caller,
    PathId(id): PathId<Enrolment>,
) -> Result<Json<EnrolmentView>, Problem> {
    caller.require(Scope::CampaignsRead)?;
    let row = enrolment::find(&api.db.read, &caller.merchant_id, &id).await?;
    row.map(|row| Json(row.into())).ok_or_else(Problem::not_found)
}

/// Where an enrolment should stand.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnrolmentChange {
    /// `active` or `paused`.
    #[schema(schema_with = crate::words::enrolment_status)]
    status: EnrolmentStatus,
}

/// Pause an enrolment, or go on with it. The dialer is told until it acknowledges.
#[utoipa::path(patch, path = "/v1/enrolments/{id}", tag = "Campaigns", operation_id = "change_enrolment",
    params(("id" = String, Path)), request_body = EnrolmentChange,
    responses((status = 200, description = "The enrolment as it is now.", body = EnrolmentView),
        (status = 409, description = "`on_hold`, `invoice_not_callable` or `enrolment_ended`.", body = ProblemBody)))]
async fn change(
    State(api): State<Api>,
    PathId(id): PathId<Enrolment>,
    incoming: Incoming,
) -> Result<Answer, Stop> {
    let Read { caller, input, claim } = incoming.read::<EnrolmentChange>(Scope::CampaignsWrite).await?;
    if input.status == EnrolmentStatus::Ended {
        return Err(Problem::field("status", "must be active or paused; end an enrolment with DELETE").into());
    }
    let mut work = Work::begin(&api, claim).await?;
    let (row, invoice) = locked(&work, &caller, &id).await?;
    if row.status.0 == EnrolmentStatus::Ended {
        return Err(Problem::conflict("enrolment_ended", "This enrolment has ended.").into());
    }
    if input.status == EnrolmentStatus::Active {
        may_resume(&invoice)?;
    }
    let actor = caller.actor();
    let moved = enrolment::move_to(&work.tx, &row, input.status, &actor, work.now, &mut work.outbox).await?;
    work.finish(StatusCode::OK, &EnrolmentView::from(moved.unwrap_or(row))).await
}

/// End an enrolment. The dialer is told to stop calling about the invoice.
#[utoipa::path(delete, path = "/v1/enrolments/{id}", tag = "Campaigns", operation_id = "end_enrolment",
    params(("id" = String, Path)), responses((status = 200, description = "The ended enrolment.", body = EnrolmentView)))]
async fn end(State(api): State<Api>, caller: Caller, PathId(id): PathId<Enrolment>) -> Result<Answer, Stop> {
    caller.require(Scope::CampaignsWrite)?;
    let mut work = Work::begin(&api, None).await?;
    let (row, _) = locked(&work, &caller, &id).await?;
    let actor = caller.actor();
    let ended =
        enrolment::move_to(&work.tx, &row, EnrolmentStatus::Ended, &actor, work.now, &mut work.outbox)
            .await?;
    work.finish(StatusCode::OK, &EnrolmentView::from(ended.unwrap_or(row))).await
}

/// The enrolment and its invoice; the invoice's row is held, so neither moves.
async fn locked(
    work: &Work,
    caller: &Caller,
    id: &domain::id::EnrolmentId,
) -> Result<(enrolment::Model, invoice::Model), Problem> {
    let found = enrolment::find(&work.tx, &caller.merchant_id, id).await?.ok_or_else(Problem::not_found)?;
    let invoice = invoice::lock_one(&work.tx, &caller.merchant_id, &found.invoice_id).await?;
    let row = enrolment::find(&work.tx, &caller.merchant_id, id).await?;
    Ok((row.ok_or_else(Problem::not_found)?, invoice.ok_or_else(Problem::not_found)?))
}

fn may_resume(invoice: &invoice::Model) -> Result<(), Problem> {
    if invoice.on_hold {
        return Err(Problem::conflict(
            "on_hold",
            "The invoice is on hold; resolve the hold and calls go on by themselves.",
        ));
    }
    if !domain::invoice::callable(invoice.status.0) {
        let detail = format!("This invoice is {}; there is no reason to call about it.", invoice.status.0);
        return Err(Problem::conflict("invoice_not_callable", detail));
    }
    Ok(())
}
