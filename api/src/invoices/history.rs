//! An invoice's timeline: what happened, in the order it was recorded.

use axum::Json;
use axum::extract::State;
use domain::id::{Invoice, TimelineEntry};
use domain::scope::Scope;
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use entities::{invoice, timeline};
use serde::Serialize;

use crate::auth::Caller;
use crate::extract::{Page, Paging, PathId, Query, cursor, page_size};
use crate::problem::Problem;
use crate::state::Api;

/// One thing that happened to an invoice.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TimelineEntry)]
pub(crate) struct EntryView {
    id: String,
    #[schema(schema_with = crate::words::timeline_kind)]
    kind: TimelineKind,
    /// Who did it: `customer`, `system`, `carrier`, `stripe`, `dialer`, or an API key's id.
    actor: String,
    /// Facts beside the kind.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
    #[schema(schema_with = crate::words::moment)]
    at: Timestamp,
}

impl From<timeline::Model> for EntryView {
    fn from(row: timeline::Model) -> Self {
        Self {
            id: row.id.0.into_string(),
            kind: row.kind.0,
            actor: row.actor,
            detail: serde_json::from_str(&row.detail).unwrap_or_default(),
            at: Timestamp::from_millis(row.at_ms),
        }
    }
}

/// Read an invoice's timeline, oldest first.
#[utoipa::path(get, path = "/v1/invoices/{id}/timeline", tag = "Invoices", operation_id = "read_timeline",
    params(("id" = String, Path), Paging), responses((status = 200, description = "A page.", body = Page<EntryView>)))]
pub(super) async fn timeline(
    State(api): State<Api>,
    caller: Caller,
    PathId(id): PathId<Invoice>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<EntryView>>, Problem> {
    caller.require(Scope::InvoicesRead)?;
    let size = page_size(paging.limit)?;
    let after = cursor::<TimelineEntry>(paging.cursor.as_deref())?;
    invoice::find(&api.db.read, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    let rows = timeline::of_invoice(&api.db.read, &caller.merchant_id, &id, after.as_ref(), size + 1).await?;
    Ok(Json(Page::of(rows, size, |row| row.id.to_string(), EntryView::from)))
}
