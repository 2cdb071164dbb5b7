//! Holds: why calls about an invoice stand still, and the merchant's word that they may go on.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::hold::{HoldReason, HoldResolution};
use domain::id::{Hold, Invoice};
use domain::scope::Scope;
use domain::time::Timestamp;
use entities::hold::{self, NewHold, Resolved};
use entities::{Stored, invoice};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::check::{self, WORDS_MAX};
use crate::extract::{Page, PathId, Query, cursor, page_size};
use crate::idempotency::{Answer, Stop, Work};
use crate::incoming::{Incoming, Read};
use crate::problem::{Problem, ProblemBody};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(open)).routes(routes!(list)).routes(routes!(resolve))
}

/// A hold on an invoice.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Hold)]
pub(crate) struct HoldView {
    id: String,
    invoice_id: String,
    #[schema(schema_with = crate::words::hold_reason)]
    reason: HoldReason,
    /// The customer's own words, or the merchant's.
    words: Option<String>,
    opened_by: String,
    #[schema(schema_with = crate::words::moment)]
    opened_at: Timestamp,
    /// How it ended; `null` while it stands.
    #[schema(schema_with = crate::words::hold_resolution_or_null)]
    resolution: Option<HoldResolution>,
    resolved_by: Option<String>,
    note: Option<String>,
    #[schema(schema_with = crate::words::moment_or_null)]
    resolved_at: Option<Timestamp>,
}

impl From<hold::Model> for HoldView {
    fn from(row: hold::Model) -> Self {
        Self {
            id: row.id.0.into_string(),
            invoice_id: row.invoice_id.0.into_string(),
            reason: row.reason.0,
            words: row.words,
            opened_by: row.opened_by,
            opened_at: Timestamp::from_millis(row.opened_at_ms),
            resolution: row.resolution.and_then(|word| word.parse().ok()),
            resolved_by: row.resolved_by,
            note: row.note,
            resolved_at: row.resolved_at_ms.map(Timestamp::from_millis),
        }
    }
}

/// Why the merchant puts an invoice on hold.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewManualHold {
    /// For whoever resolves it.
    words: Option<String>,
}

/// Put an invoice on hold. From this answer on no call permission is given for it, and its dialer is told.
#[utoipa::path(post, path = "/v1/invoices/{id}/holds", tag = "Holds", operation_id = "open_hold",
    params(("id" = String, Path)), request_body = Option<NewManualHold>,
    responses((status = 201, description = "The hold.", body = HoldView),
        (status = 409, description = "`invoice_closed`.", body = ProblemBody)))]
async fn open(
    State(api): State<Api>,
    PathId(id): PathId<Invoice>,
    incoming: Incoming,
) -> Result<Answer, Stop> {
    let Read { caller, input, claim } = incoming.read_optional::<NewManualHold>(Scope::HoldsWrite).await?;
    let words = input.words.map(|text| check::words("words", &text, WORDS_MAX)).transpose()?;
    let mut work = Work::begin(&api, claim).await?;
    let row = invoice::lock_one(&work.tx, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    if domain::invoice::closed(row.status.0) {
        return Err(Problem::conflict("invoice_closed", "Nobody calls about a closed invoice.").into());
    }
    let source_ref = format!("manual:{}", entities::fresh::id::<Hold>(work.now));
    let new = NewHold {
        merchant_id: caller.merchant_id.clone(),
        invoice_id: id.clone(),
        reason: HoldReason::Manual,
        source_ref: source_ref.clone(),
        words,
        opened_by: caller.actor(),
    };
    hold::open(&work.tx, new, work.now, &mut work.outbox).await?;
    let opened = hold::by_source(&work.tx, &id, HoldReason::Manual, &source_ref).await?;
    let opened = opened.ok_or_else(|| Problem::internal(&"a hold that was opened is not there"))?;
    work.finish(StatusCode::CREATED, &HoldView::from(opened)).await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Rows on a page: 1 to 100, else 50.
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those that stand, or only those that were resolved.
    open: Option<bool>,
    invoice_id: Option<String>,
}

/// List holds, newest first.
#[utoipa::path(get, path = "/v1/holds", tag = "Holds", operation_id = "list_holds", params(ListQuery),
    responses((status = 200, description = "A page.", body = Page<HoldView>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<HoldView>>, Problem> {
    caller.require(Scope::InvoicesRead)?;
    let size = page_size(query.limit)?;
    let before = cursor::<Hold>(query.cursor.as_deref())?;
    let invoice_id = query.invoice_id.map(|text| text.parse()).transpose();
    let filter = hold::Filter { open: query.open, invoice_id: check::valid("invoice_id", invoice_id)? };
    let rows = hold::page(&api.db.read, &caller.merchant_id, filter, before.as_ref(), size + 1).await?;
    Ok(Json(Page::of(rows, size, |row| row.id.to_string(), HoldView::from)))
}

/// How a hold was resolved; may be left out.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resolution {
    /// For the record.
    note: Option<String>,
}

/// What resolving a hold came to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ResolvedHold {
    hold: HoldView,
    /// Other holds of the invoice stand: calls stay paused.
    still_held: bool,
}

/// Resolve a hold. Calls go on when no other hold of the invoice is left and there is still something to collect.
#[utoipa::path(post, path = "/v1/holds/{id}/resolve", tag = "Holds", operation_id = "resolve_hold",
    params(("id" = String, Path)), request_body = Option<Resolution>,
    responses((status = 200, description = "Resolved.", body = ResolvedHold),
        (status = 409, description = "`already_resolved`.", body = ProblemBody)))]
async fn resolve(
    State(api): State<Api>,
    PathId(id): PathId<Hold>,
    incoming: Incoming,
) -> Result<Answer, Stop> {
    let Read { caller, input, claim } = incoming.read_optional::<Resolution>(Scope::HoldsWrite).await?;
    let note = input.note.map(|text| check::words("note", &text, WORDS_MAX)).transpose()?;
    let mut work = Work::begin(&api, claim).await?;
    let found = hold::find(&work.tx, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    let Stored(invoice_id) = &found.invoice_id;
    invoice::lock_one(&work.tx, &caller.merchant_id, invoice_id).await?.ok_or_else(Problem::not_found)?;
    let actor = caller.actor();
    let resolved =
        hold::resolve(&work.tx, &caller.merchant_id, &id, &actor, note, work.now, &mut work.outbox).await?;
    let still_held = match resolved {
        Resolved::Unknown => return Err(Problem::not_found().into()),
        Resolved::Already => {
            return Err(Problem::conflict("already_resolved", "This hold was resolved before.").into());
        }
        Resolved::StillHeld => true,
        Resolved::Released => false,
    };
    let row = hold::find(&work.tx, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    work.finish(StatusCode::OK, &ResolvedHold { hold: row.into(), still_held }).await
}
