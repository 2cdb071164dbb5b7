//! The attention list: everything that waits for a person, from three sources, the longest waiting first.

use axum::Json;
use axum::extract::State;
use domain::attention::AttentionKind;
use domain::scope::Scope;
use domain::time::Timestamp;
use entities::{attention_item, hold};
use queue::DeadJob;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::extract::{Page, Query, page_size};
use crate::problem::Problem;
use crate::state::Api;

/// Ids are a prefix of four letters and a body that sorts by age: bodies of different kinds compare.
const PREFIX_LENGTH: usize = 4;
const BODY_LENGTH: usize = 26;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Something that waits for a person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AttentionItem {
    id: String,
    #[schema(schema_with = crate::words::attention_kind)]
    kind: AttentionKind,
    invoice_id: Option<String>,
    /// What it is about: the id of a hold, job, event, message or invoice.
    subject: String,
    /// Facts beside the kind.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
    #[schema(schema_with = crate::words::moment)]
    opened_at: Timestamp,
}

impl From<attention_item::Model> for AttentionItem {
    fn from(row: attention_item::Model) -> Self {
        Self {
            id: row.id,
            kind: row.kind.0,
            invoice_id: row.invoice_id.map(|id| id.0.into_string()),
            subject: row.subject,
            detail: serde_json::from_str(&row.detail).unwrap_or_default(),
            opened_at: Timestamp::from_millis(row.opened_at_ms),
        }
    }
}

impl From<hold::Model> for AttentionItem {
    fn from(row: hold::Model) -> Self {
        Self {
            id: row.id.to_string(),
            kind: AttentionKind::OnHold,
            invoice_id: Some(row.invoice_id.0.into_string()),
            subject: row.id.0.into_string(),
            detail: json!({"reason": row.reason.0, "words": row.words}),
            opened_at: Timestamp::from_millis(row.opened_at_ms),
        }
    }
}

impl From<DeadJob> for AttentionItem {
    fn from(job: DeadJob) -> Self {
        Self {
            id: job.id.clone(),
            kind: AttentionKind::DeadJob,
            invoice_id: None,
            subject: job.id,
            detail: json!({"kind": job.kind, "subject": job.subject, "attempts": job.attempts, "last_error": job.last_error}),
            opened_at: job.died_at,
        }
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
    #[param(schema_with = crate::words::attention_kind)]
    kind: Option<AttentionKind>,
}

/// List what waits for a person: holds, customers without a usable contact, sends nobody can prove, dead jobs,
/// unmatched events, texts that read like an opt-out, payments that do not fit. The longest waiting come first.
#[utoipa::path(get, path = "/v1/attention", tag = "Attention", operation_id = "list_attention", params(ListQuery),
    responses((status = 200, description = "A page.", body = Page<AttentionItem>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<AttentionItem>>, Problem> {
    caller.require(Scope::InvoicesRead)?;
    let size = page_size(query.limit)?;
    let after = query.cursor.unwrap_or_default();
    if !after.is_empty()
        && (after.len() != BODY_LENGTH || !after.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    {
        return Err(Problem::field(
            "cursor",
            "is not a cursor of this list; take next_cursor of the page before",
        ));
    }
    let mut items = gather(&api, &caller, query.kind, &after, size + 1).await?;
    items.sort_by(|a, b| age(&a.id).cmp(age(&b.id)));
    let page = Page::of(items, size, |item| age(&item.id).to_owned(), |item| item);
    Ok(Json(page))
}

/// As many of each source as one page could need.
async fn gather(
    api: &Api,
    caller: &Caller,
    kind: Option<AttentionKind>,
    after: &str,
    limit: u64,
) -> Result<Vec<AttentionItem>, Problem> {
    let (db, merchant) = (&api.db.read, &caller.merchant_id);
    let mut items: Vec<AttentionItem> = Vec::new();
    let raised = attention_item::open_after(db, merchant, kind, &format!("atn_{after}"), limit).await?;
    items.extend(raised.into_iter().map(AttentionItem::from));
    if kind.is_none_or(|kind| kind == AttentionKind::OnHold) {
        let holds = hold::open_after(db, merchant, &format!("hld_{after}"), limit).await?;
        items.extend(holds.into_iter().map(AttentionItem::from));
    }
    if kind.is_none_or(|kind| kind == AttentionKind::DeadJob) {
        let dead = api.ledger.dead(Some(merchant), Some(&format!("job_{after}")), limit).await?;
        items.extend(dead.into_iter().map(AttentionItem::from));
    }
    Ok(items)
}

fn age(id: &str) -> &str {
    id.get(PREFIX_LENGTH..).unwrap_or(id)
}
