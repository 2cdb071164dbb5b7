//! Post-call events: in, listed, and decided again.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use domain::call_event::{CallEvent, Disposition, Intent};
use domain::id::CallEvent as CallEventKind;
use domain::scope::Scope;
use domain::time::Timestamp;
use entities::call_event;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::extract::{Page, PathId, Query, cursor, page_size};
use crate::problem::{Problem, ProblemBody};
use crate::state::Api;

mod contacts;
mod follow;
mod ingest;
mod replay;
mod schema;
mod sender;
mod store;

pub(crate) use ingest::Ingest;

/// The largest event, in bytes.
const EVENT_MAX: usize = 64 * 1024;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show)).routes(routes!(replay::replay))
}

pub(crate) fn intake() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(receive))
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Receipt {
    /// Under which id it is kept. A repeat gets the id of the first.
    #[schema(example = "evt_01kxbq5c6v5y8a7n3m2p1r4s5t")]
    id: String,
    #[schema(schema_with = crate::words::disposition)]
    disposition: Disposition,
    /// Why, in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "send_link")]
    reason: Option<&'static str>,
}

/// Take in a post-call event.
///
/// Sign it as Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`) with your event secret and
/// name yourself in `merchant_id`, or send an API key with the scope `events:write`. An authentic, well-formed event
/// is always kept and answered 2xx: `accepted` leads to something, `ignored` asks for nothing, `unmatched` names no
/// invoice we know, `suppressed` asks for what the invoice's state forbids. A repeat is a `duplicate`.
#[utoipa::path(post, path = "/v1/events", tag = "Events", operation_id = "receive_event", request_body = schema::CallEventSchema,
    params(("webhook-id" = Option<String>, Header), ("webhook-timestamp" = Option<String>, Header),
        ("webhook-signature" = Option<String>, Header)),
    responses((status = 202, description = "Kept.", body = Receipt), (status = 200, description = "Known already.", body = Receipt)),
    security(("api_key" = []), ()))]
async fn receive(
    State(api): State<Api>,
    Extension(ingest): Extension<Ingest>,
    request: Request,
) -> Result<(StatusCode, Json<Receipt>), Problem> {
    let stored = async { ingest.store(sender::accept(&api, request).await?).await };
    let receipt = stored.await.inspect_err(|problem| api.metrics.refused(problem))?;
    let status =
        if receipt.disposition == Disposition::Duplicate { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(receipt)))
}

/// An event as it is kept.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = KeptEvent)]
pub(crate) struct EventView {
    id: String,
    #[schema(schema_with = crate::words::disposition)]
    disposition: Disposition,
    reason: Option<String>,
    source: String,
    call_id: String,
    /// As it was said; it may be a word we do not know.
    #[schema(example = "send_link")]
    intent: String,
    /// The invoice, in the sender's words.
    invoice_ref: Option<String>,
    /// The invoice, where it is one of yours.
    invoice_id: Option<String>,
    #[schema(schema_with = crate::words::moment)]
    occurred_at: Timestamp,
    #[schema(schema_with = crate::words::moment)]
    received_at: Timestamp,
    /// What was sent, byte for byte the same JSON. In lists it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    event: Option<serde_json::Value>,
}

impl EventView {
    fn of(row: call_event::Model) -> Self {
        Self {
            id: row.id.0.into_string(),
            disposition: row.disposition.0,
            reason: row.reason,
            source: row.source,
            call_id: row.call_id,
            intent: row.intent,
            invoice_ref: row.invoice_ref,
            invoice_id: row.invoice_id.map(|id| id.0.into_string()),
            occurred_at: Timestamp::from_millis(row.occurred_at_ms),
            received_at: Timestamp::from_millis(row.received_at_ms),
            event: None,
        }
    }

    fn whole(row: call_event::Model) -> Self {
        let event = serde_json::from_str(&row.body).ok();
        Self { event, ..Self::of(row) }
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
    #[param(schema_with = crate::words::disposition)]
    disposition: Option<Disposition>,
}

/// List events, newest first.
#[utoipa::path(get, path = "/v1/events", tag = "Events", operation_id = "list_events", params(ListQuery),
    responses((status = 200, description = "A page.", body = Page<EventView>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<EventView>>, Problem> {
    caller.require(Scope::EventsRead)?;
    let size = page_size(query.limit)?;
    let before = cursor::<CallEventKind>(query.cursor.as_deref())?;
    let rows =
        call_event::page(&api.db.read, &caller.merchant_id, query.disposition, before.as_ref(), size + 1)
            .await?;
    Ok(Json(Page::of(rows, size, |row| row.id.to_string(), EventView::of)))
}

/// Show an event with what was sent.
#[utoipa::path(get, path = "/v1/events/{id}", tag = "Events", operation_id = "show_event",
    params(("id" = String, Path)), responses((status = 200, description = "The event.", body = EventView),
        (status = 404, description = "`not_found`.", body = ProblemBody)))]
async fn show(
    State(api): State<Api>,
    caller: Caller,
    PathId(id): PathId<CallEventKind>,
) -> Result<Json<EventView>, Problem> {
    caller.require(Scope::EventsRead)?;
    let row = call_event::find(&api.db.read, &caller.merchant_id, &id).await?;
    row.map(|row| Json(EventView::whole(row))).ok_or_else(Problem::not_found)
}

/// A label that is one of a known few, whatever a sender writes.
fn intent_label(event: &CallEvent) -> &'static str {
    let intent: Intent = event.outcome.intent;
    intent.word()
}
