//! Dead jobs: work that gave up, and a person's word to try it again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::Job;
use domain::scope::Scope;
use domain::time::Timestamp;
use queue::DeadJob;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::extract::{Page, Paging, PathId, Query, cursor, page_size};
use crate::idempotency::{Answer, Stop, Work};
use crate::incoming::{Incoming, Read};
use crate::problem::Problem;
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(dead)).routes(routes!(redrive))
}

/// A job that will not run again by itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DeadJob)]
pub(crate) struct DeadJobView {
    id: String,
    kind: String,
    /// The id of the row it is about.
    subject: String,
    attempts: i64,
    crashes: i64,
    last_error: Option<String>,
    #[schema(schema_with = crate::words::moment)]
    died_at: Timestamp,
}

impl From<DeadJob> for DeadJobView {
    fn from(job: DeadJob) -> Self {
        Self {
            id: job.id,
            kind: job.kind,
            subject: job.subject,
            attempts: job.attempts,
            crashes: job.crashes,
            last_error: job.last_error,
            died_at: job.died_at,
        }
    }
}

/// List dead jobs, oldest first.
#[utoipa::path(get, path = "/v1/jobs/dead", tag = "Attention", operation_id = "list_dead_jobs", params(Paging),
    responses((status = 200, description = "A page.", body = Page<DeadJobView>)))]
async fn dead(
    State(api): State<Api>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<DeadJobView>>, Problem> {
    caller.require(Scope::JobsRead)?;
    let size = page_size(paging.limit)?;
    let after = cursor::<Job>(paging.cursor.as_deref())?;
    let after = after.as_ref().map(domain::id::JobId::as_str);
    let rows = api.ledger.dead(Some(&caller.merchant_id), after, size + 1).await?;
    Ok(Json(Page::of(rows, size, |job| job.id.clone(), DeadJobView::from)))
}

/// Nothing has to be said to redrive a job.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// A job that is at work again.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Redriven {
    id: String,
    status: &'static str,
}

/// Put a dead job back to work, its counters cleared.
#[utoipa::path(post, path = "/v1/jobs/{id}/redrive", tag = "Attention", operation_id = "redrive_job",
    params(("id" = String, Path)), responses((status = 202, description = "It waits to be worked on.", body = Redriven)))]
async fn redrive(
    State(api): State<Api>,
    PathId(id): PathId<Job>,
    incoming: Incoming,
) -> Result<Answer, Stop> {
    let Read { caller, claim, .. } = incoming.read_optional::<Nothing>(Scope::JobsWrite).await?;
    if let Some(answer) = answered(&api, claim.as_ref()).await? {
        return Ok(answer);
    }
    // The ledger revives the row in a statement of its own: a second redrive finds it alive.
    if !api.ledger.redrive(id.as_str(), Some(&caller.merchant_id)).await? {
        let answer = answered(&api, claim.as_ref()).await?;
        return answer.ok_or_else(|| Problem::not_found().into());
    }
    let work = Work::begin(&api, claim).await?;
    work.finish(StatusCode::ACCEPTED, &Redriven { id: id.into_string(), status: "waiting" }).await
}

async fn answered(api: &Api, claim: Option<&crate::idempotency::Claim>) -> Result<Option<Answer>, Problem> {
    match claim {
        Some(claim) => claim.answered(api).await,
        None => Ok(None),
    }
}
