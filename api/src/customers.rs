//! Customers: who owes, and how to reach them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::channel::LineType;
use domain::id::Customer;
use domain::scope::Scope;
use domain::time::Timestamp;
use entities::customer;
use entities::unique_violation;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::check;
use crate::extract::{Page, PathId, Query, cursor, page_size};
use crate::idempotency::{Answer, Stop, Work};
use crate::incoming::{Incoming, Read};
use crate::problem::Problem;
use crate::state::Api;

mod input;

pub(crate) use input::{CheckedCustomer, CustomerChange, NewCustomer, said};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(show, change, delete))
}

/// A customer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Customer)]
pub(crate) struct CustomerView {
    #[schema(example = "cus_01kxbq5c6v5y8a7n3m2p1r4s5t")]
    id: String,
    /// Your own name for them.
    external_ref: Option<String>,
    name: String,
    /// E.164.
    #[schema(example = "+14155550142")]
    phone: Option<String>,
    #[schema(schema_with = crate::words::line_type)]
    line_type: LineType,
    email: Option<String>,
    /// A language tag (BCP 47).
    locale: Option<String>,
    /// An IANA time zone.
    time_zone: Option<String>,
    #[schema(schema_with = crate::words::moment)]
    created_at: Timestamp,
    #[schema(schema_with = crate::words::moment)]
    updated_at: Timestamp,
}

impl From<customer::Model> for CustomerView {
    fn from(row: customer::Model) -> Self {
        Self {
            id: row.id.0.into_string(),
            external_ref: row.external_ref,
            name: row.name,
            phone: row.phone,
            line_type: row.line_type.0,
            email: row.email,
            locale: row.locale,
            time_zone: row.time_zone,
            created_at: Timestamp::from_millis(row.created_at_ms),
            updated_at: Timestamp::from_millis(row.updated_at_ms),
        }
    }
}

/// Add a customer.
#[utoipa::path(post, path = "/v1/customers", tag = "Customers", operation_id = "create_customer",
    request_body = NewCustomer,
    responses((status = 201, description = "The customer.", body = CustomerView),
        (status = 409, description = "`external_ref_taken`.", body = crate::problem::ProblemBody)))]
async fn create(State(api): State<Api>, incoming: Incoming) -> Result<Answer, Stop> {
    let Read { caller, input, claim } = incoming.read::<NewCustomer>(Scope::CustomersWrite).await?;
    let checked = input.check("", &caller.country)?;
    let work = Work::begin(&api, claim).await?;
    let row = checked.into_row(&caller.merchant_id, work.now);
    customer::insert(&work.tx, row.clone()).await.map_err(taken)?;
    work.finish(StatusCode::CREATED, &CustomerView::from(row)).await
}

pub(crate) fn taken(error: sea_orm::DbErr) -> Problem {
    if unique_violation(&error) {
        return Problem::conflict("external_ref_taken", "Another customer of yours has this external_ref.");
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
    external_ref: Option<String>,
    phone: Option<String>,
    email: Option<String>,
}

/// List customers, newest first.
#[utoipa::path(get, path = "/v1/customers", tag = "Customers", operation_id = "list_customers", params(ListQuery),
    responses((status = 200, description = "A page.", body = Page<CustomerView>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<CustomerView>>, Problem> {
    caller.require(Scope::CustomersRead)?;
    let size = page_size(query.limit)?;
    let before = cursor::<Customer>(query.cursor.as_deref())?;
    let phone = query.phone.map(|text| check::phone("phone", &text, &caller.country)).transpose()?;
    let email = query.email.map(|text| check::email("email", &text)).transpose()?;
    let filter = customer::Filter {
        external_ref: query.external_ref,
        phone: phone.map(|phone| phone.as_str().to_owned()),
        email: email.map(|email| email.as_str().to_owned()),
    };
    let rows = customer::page(&api.db.read, &caller.merchant_id, filter, before.as_ref(), size + 1).await?;
    Ok(Json(Page::of(rows, size, |row| row.id.to_string(), CustomerView::from)))
}

/// Show a customer.
#[utoipa::path(get, path = "/v1/customers/{id}", tag = "Customers", operation_id = "show_customer",
    params(("id" = String, Path)), responses((status = 200, description = "The customer.", body = CustomerView)))]
async fn show(
    State(api): State<Api>,
    caller: Caller,
    PathId(id): PathId<Customer>,
) -> Result<Json<CustomerView>, Problem> {
    caller.require(Scope::CustomersRead)?;
    let row = customer::find(&api.db.read, &caller.merchant_id, &id).await?;
    row.map(|row| Json(row.into())).ok_or_else(Problem::not_found)
}

/// Change a customer. What is left out stays; `null` empties it.
#[utoipa::path(patch, path = "/v1/customers/{id}", tag = "Customers", operation_id = "change_customer",
    params(("id" = String, Path)), request_body = CustomerChange,
    responses((status = 200, description = "The customer as it is now.", body = CustomerView),
        (status = 409, description = "`external_ref_taken`.", body = crate::problem::ProblemBody)))]
async fn change(
    State(api): State<Api>,
    PathId(id): PathId<Customer>,
    incoming: Incoming,
) -> Result<Answer, Stop> {
    let Read { caller, input, claim } = incoming.read::<CustomerChange>(Scope::CustomersWrite).await?;
    let work = Work::begin(&api, claim).await?;
    let row = customer::lock(&work.tx, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    let row = input.apply(row, &caller.country, work.now)?;
    customer::update(&work.tx, &row).await.map_err(taken)?;
    work.finish(StatusCode::OK, &CustomerView::from(row)).await
}

/// Delete a customer who has no invoice.
#[utoipa::path(delete, path = "/v1/customers/{id}", tag = "Customers", operation_id = "delete_customer",
    params(("id" = String, Path)),
    responses((status = 204, description = "Gone."),
        (status = 409, description = "`customer_has_invoices`.", body = crate::problem::ProblemBody)))]
async fn delete(
    State(api): State<Api>,
    caller: Caller,
    PathId(id): PathId<Customer>,
) -> Result<StatusCode, Problem> {
    caller.require(Scope::CustomersWrite)?;
    let tx = api.db.begin().await?;
    customer::lock(&tx, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    if !customer::delete_unused(&tx, &caller.merchant_id, &id).await? {
        return Err(Problem::conflict(
            "customer_has_invoices",
            "What they owe or paid is kept, and so are they.",
        ));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
