//! Call campaigns.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::campaign::CampaignStatus;
use domain::id::Campaign;
use domain::scope::Scope;
use domain::time::Timestamp;
use entities::{campaign, enrolment};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::check::{self, NAME_MAX};
use crate::extract::{Page, PathId, Query, cursor, page_size};
use crate::idempotency::{Answer, Stop, Work};
use crate::incoming::{Incoming, Read};
use crate::problem::{Problem, ProblemBody};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(show, change, end))
}

/// A call campaign.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Campaign)]
pub(crate) struct CampaignView {
    id: String,
    name: String,
    #[schema(schema_with = crate::words::campaign_status)]
    status: CampaignStatus,
    #[schema(schema_with = crate::words::moment)]
    created_at: Timestamp,
    #[schema(schema_with = crate::words::moment)]
    updated_at: Timestamp,
}

impl From<campaign::Model> for CampaignView {
    fn from(row: campaign::Model) -> Self {
        Self {
            id: row.id.0.into_string(),
            name: row.name,
            status: row.status.0,
            created_at: Timestamp::from_millis(row.created_at_ms),
            updated_at: Timestamp::from_millis(row.updated_at_ms),
        }
    }
}

/// A campaign to be started.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCampaign {
    #[schema(example = "Overdue in November")]
    name: String,
}

/// A campaign's fields to be changed. What is left out stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignChange {
    name: Option<String>,
    /// `active` or `paused`: while paused no call permission is given for its invoices.
    #[schema(schema_with = crate::words::campaign_status_or_null)]
    status: Option<CampaignStatus>,
}

/// Start a campaign.
#[utoipa::path(post, path = "/v1/campaigns", tag = "Campaigns", operation_id = "create_campaign", request_body = NewCampaign,
    responses((status = 201, description = "The campaign.", body = CampaignView)))]
async fn create(State(api): State<Api>, incoming: Incoming) -> Result<Answer, Stop> {
    let Read { caller, input, claim } = incoming.read::<NewCampaign>(Scope::CampaignsWrite).await?;
    let name = check::line("name", &input.name, NAME_MAX)?;
    let work = Work::begin(&api, claim).await?;
    let row = campaign::Model {
        id: entities::fresh::id(work.now).into(),
        merchant_id: caller.merchant_id.into(),
        name,
        status: CampaignStatus::Active.into(),
        created_at_ms: work.now.millis(),
        updated_at_ms: work.now.millis(),
    };
    campaign::insert(&work.tx, row.clone()).await?;
    work.finish(StatusCode::CREATED, &CampaignView::from(row)).await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Rows on a page: 1 to 100, else 50.
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    #[param(schema_with = crate::words::campaign_status)]
    status: Option<CampaignStatus>,
}

/// List campaigns, newest first.
#[utoipa::path(get, path = "/v1/campaigns", tag = "Campaigns", operation_id = "list_campaigns", params(ListQuery),
    responses((status = 200, description = "A page.", body = Page<CampaignView>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<CampaignView>>, Problem> {
    caller.require(Scope::CampaignsRead)?;
    let size = page_size(query.limit)?;
    let before = cursor::<Campaign>(query.cursor.as_deref())?;
    let rows =
        campaign::page(&api.db.read, &caller.merchant_id, query.status, before.as_ref(), size + 1).await?;
    Ok(Json(Page::of(rows, size, |row| row.id.to_string(), CampaignView::from)))
}

/// Show a campaign.
#[utoipa::path(get, path = "/v1/campaigns/{id}", tag = "Campaigns", operation_id = "show_campaign",
    params(("id" = String, Path)), responses((status = 200, description = "The campaign.", body = CampaignView)))]
async fn show(
    State(api): State<Api>,
    caller: Caller,
    PathId(id): PathId<Campaign>,
) -> Result<Json<CampaignView>, Problem> {
    caller.require(Scope::CampaignsRead)?;
    let row = campaign::find(&api.db.read, &caller.merchant_id, &id).await?;
    row.map(|row| Json(row.into())).ok_or_else(Problem::not_found)
}

/// Rename, pause or go on with a campaign.
#[utoipa::path(patch, path = "/v1/campaigns/{id}", tag = "Campaigns", operation_id = "change_campaign",
    params(("id" = String, Path)), request_body = CampaignChange,
    responses((status = 200, description = "The campaign as it is now.", body = CampaignView),
        (status = 409, description = "`campaign_ended`.", body = ProblemBody)))]
async fn change(
    State(api): State<Api>,
    PathId(id): PathId<Campaign>,
    incoming: Incoming,
) -> Result<Answer, Stop> {
    let Read { caller, input, claim } = incoming.read::<CampaignChange>(Scope::CampaignsWrite).await?;
    if input.status == Some(CampaignStatus::Ended) {
        return Err(Problem::field("status", "must be active or paused; end a campaign with DELETE").into());
    }
    let work = Work::begin(&api, claim).await?;
    let mut row = campaign::lock(&work.tx, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    if let Some(name) = input.name {
        row.name = check::line("name", &name, NAME_MAX)?;
    }
    if let Some(status) = input.status {
        row.status = status.into();
    }
    row.updated_at_ms = work.now.millis();
    if !campaign::update(&work.tx, &row).await? {
        return Err(Problem::conflict("campaign_ended", "This campaign has ended.").into());
    }
    work.finish(StatusCode::OK, &CampaignView::from(row)).await
}

/// End a campaign and every enrolment in it. Its invoices are free for another.
#[utoipa::path(delete, path = "/v1/campaigns/{id}", tag = "Campaigns", operation_id = "end_campaign",
    params(("id" = String, Path)), responses((status = 200, description = "The ended campaign.", body = CampaignView)))]
async fn end(State(api): State<Api>, caller: Caller, PathId(id): PathId<Campaign>) -> Result<Answer, Stop> {
    caller.require(Scope::CampaignsWrite)?;
    let mut work = Work::begin(&api, None).await?;
    // Invoices before campaign and enrolments, as everybody does who pauses one.
    enrolment::lock_invoices_of_campaign(&work.tx, &caller.merchant_id, &id).await?;
    let mut row = campaign::lock(&work.tx, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    if row.status.0 != CampaignStatus::Ended {
        row.status = CampaignStatus::Ended.into();
        row.updated_at_ms = work.now.millis();
        campaign::update(&work.tx, &row).await?;
        let actor = caller.actor();
        enrolment::end_of_campaign(&work.tx, &caller.merchant_id, &id, &actor, work.now, &mut work.outbox)
            .await?;
    }
    work.finish(StatusCode::OK, &CampaignView::from(row)).await
}
