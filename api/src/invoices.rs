//! Invoices: what is owed, how far it is, and what a merchant may do about it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{Customer, CustomerId, Invoice};
use domain::invoice::InvoiceStatus;
use domain::scope::Scope;
use domain::time::Day;
use domain::timeline::TimelineKind;
use entities::timeline::NewEntry;
use entities::{customer, invoice, invoice_line, timeline, unique_violation};
use serde::Deserialize;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::check;
use crate::customers::taken;
use crate::extract::{Page, PathId, Query, cursor, page_size};
use crate::idempotency::{Answer, Stop, Work};
use crate::incoming::{Incoming, Read};
use crate::problem::{Problem, ProblemBody};
use crate::state::Api;

mod change;
mod close;
mod history;
pub(crate) mod import;
mod input;
mod links;
mod release;
mod view;

use input::{NewInvoice, Owner};
pub(crate) use view::InvoiceView;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(show, change::change))
        .routes(routes!(close::cancel))
        .routes(routes!(close::paid_elsewhere))
        .routes(routes!(links::send, links::list))
        .routes(routes!(history::timeline))
}

/// Add an invoice, for a customer you have or a new one.
#[utoipa::path(post, path = "/v1/invoices", tag = "Invoices", operation_id = "create_invoice", request_body = NewInvoice,
    responses((status = 201, description = "The invoice.", body = InvoiceView),
        (status = 409, description = "`number_taken` or `external_ref_taken`.", body = ProblemBody)))]
async fn create(State(api): State<Api>, incoming: Incoming) -> Result<Answer, Stop> {
    let Read { caller, input, claim } = incoming.read::<NewInvoice>(Scope::InvoicesWrite).await?;
    let (owner, terms) = input.check(&caller.country)?;
    let mut work = Work::begin(&api, claim).await?;
    let customer_id = owner_id(&work, &caller, owner).await?;
    let row = terms.row(&caller.merchant_id, &customer_id, work.now);
    invoice::insert(&work.tx, row.clone()).await.map_err(number_taken)?;
    invoice_line::insert(&work.tx, &row.id, &terms.lines).await?;
    let detail = json!({"total_minor": row.total_minor, "currency": row.currency, "due_on": row.due_on});
    let entry = NewEntry::new(&caller.merchant_id, &row.id, TimelineKind::InvoiceCreated, caller.actor())
        .with(detail);
    timeline::append(&work.tx, vec![entry], work.now, &mut work.outbox).await?;
    let view = InvoiceView::of(row).with_lines(terms.lines);
    work.finish(StatusCode::CREATED, &view).await
}

/// The customer an invoice is for, added now when they are new.
async fn owner_id(work: &Work, caller: &Caller, owner: Owner) -> Result<CustomerId, Problem> {
    match owner {
        Owner::Known(id) => {
            let found = customer::find(&work.tx, &caller.merchant_id, &id).await?;
            found
                .map(|row| row.id.0)
                .ok_or_else(|| Problem::field("customer_id", "names no customer of yours"))
        }
        Owner::New(new) => {
            let row = new.into_row(&caller.merchant_id, work.now);
            customer::insert(&work.tx, row.clone()).await.map_err(taken)?;
            Ok(row.id.0)
        }
    }
}

fn number_taken(error: sea_orm::DbErr) -> Problem {
    if unique_violation(&error) {
        return Problem::conflict("number_taken", "Another invoice of yours has this number.");
    }
    error.into()
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Rows on a page: 1 to 100, else 50.
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    #[param(schema_with = crate::words::invoice_status)]
    status: Option<InvoiceStatus>,
    on_hold: Option<bool>,
    customer_id: Option<String>,
    number: Option<String>,
    /// Due before this day.
    #[param(schema_with = crate::words::day)]
    due_before: Option<Day>,
    /// Due after this day.
    #[param(schema_with = crate::words::day)]
    due_after: Option<Day>,
}

/// List invoices, newest first. Their lines are left out.
#[utoipa::path(get, path = "/v1/invoices", tag = "Invoices", operation_id = "list_invoices", params(ListQuery),
    responses((status = 200, description = "A page.", body = Page<InvoiceView>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<InvoiceView>>, Problem> {
    caller.require(Scope::InvoicesRead)?;
    let size = page_size(query.limit)?;
    let before = cursor::<Invoice>(query.cursor.as_deref())?;
    let customer_id = query.customer_id.map(|text| text.parse::<domain::id::Id<Customer>>()).transpose();
    let filter = invoice::Filter {
        status: query.status,
        on_hold: query.on_hold,
        customer_id: check::valid("customer_id", customer_id)?,
        number: query.number,
        due_before: query.due_before,
        due_after: query.due_after,
    };
    let rows = invoice::page(&api.db.read, &caller.merchant_id, filter, before.as_ref(), size + 1).await?;
    Ok(Json(Page::of(rows, size, |row| row.id.to_string(), InvoiceView::of)))
}

/// Show an invoice with its lines.
#[utoipa::path(get, path = "/v1/invoices/{id}", tag = "Invoices", operation_id = "show_invoice",
    params(("id" = String, Path)), responses((status = 200, description = "The invoice.", body = InvoiceView)))]
async fn show(
    State(api): State<Api>,
    caller: Caller,
    PathId(id): PathId<Invoice>,
) -> Result<Json<InvoiceView>, Problem> {
    caller.require(Scope::InvoicesRead)?;
    let found = invoice::find(&api.db.read, &caller.merchant_id, &id).await?;
    let row = found.ok_or_else(Problem::not_found)?;
    let lines = invoice_line::of_invoice(&api.db.read, &id).await?;
    Ok(Json(InvoiceView::of(row).with_stored_lines(lines)))
}
