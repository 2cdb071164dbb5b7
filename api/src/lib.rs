//! What is asked: parse, authorise, one transaction, answer. One file per resource.
//!
//! This crate must never call a provider while a transaction is open, do work that a job should do, or answer with a
//! row of another merchant.

mod address;
mod attention;
mod auth;
mod call_permission;
mod campaigns;
mod census;
mod check;
mod customers;
mod enrolments;
mod events;
mod extract;
mod health;
mod holds;
mod idempotency;
mod incoming;
mod invoices;
mod jobs;
mod json;
mod layers;
mod limits;
mod merchant;
mod metrics;
mod openapi;
mod opt_outs;
mod problem;
mod state;
mod stream;
mod words;

// What customers and providers reach.
mod carrier_webhook;
mod pay_page;
mod stripe_webhook;

use std::time::Duration;

use axum::middleware::{from_fn_with_state, map_response};
use axum::{Extension, Router};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

use events::Ingest;

pub use auth::{Caller, mint_key};
pub use limits::LimitSettings;
pub use problem::Problem;
pub use state::{Api, Settings};

const TIME_LIMIT: Duration = Duration::from_secs(10);
/// An import may be read from a slow line.
const IMPORT_TIME_LIMIT: Duration = Duration::from_secs(300);
/// Requests of `/v1` worked on at once; more wait, and their waiting counts.
const REQUESTS_MAX: usize = 512;
const IMPORTS_MAX: usize = 16;

/// Everything on the public listener. Call it on the runtime that serves it: it starts the task that stores events.
pub fn router(api: Api) -> Router {
    let ingest = Ingest::start(api.clone());
    let (v1, _) = v1().split_for_parts();
    let description = description(&api);
    let outside = pay_page::routes(&api)
        .merge(stripe_webhook::routes())
        .merge(carrier_webhook::routes())
        .layer(from_fn_with_state(TIME_LIMIT, layers::limit_time));
    v1.merge(openapi::routes(&description, &api))
        .merge(outside)
        .fallback(layers::unknown_address)
        .method_not_allowed_fallback(layers::unknown_method)
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(map_response(layers::secure))
        .layer(from_fn_with_state(api.metrics.clone(), layers::count))
        .layer(Extension(ingest))
        .with_state(api)
}

/// Everything on the private listener.
pub fn private_router(api: Api) -> Router {
    let (health, _) = health::routes().split_for_parts();
    health
        .fallback(layers::unknown_address)
        .method_not_allowed_fallback(layers::unknown_method)
        .with_state(api)
}

/// What the API says about itself (OpenAPI 3.1), both listeners.
#[must_use]
pub fn description(api: &Api) -> utoipa::openapi::OpenApi {
    let all = OpenApiRouter::with_openapi(openapi::begun()).merge(v1()).merge(health::routes());
    openapi::finished(all.into_openapi(), api)
}

/// The merchants' API.
fn v1() -> OpenApiRouter<Api> {
    let quick = OpenApiRouter::new()
        .merge(events::routes())
        .merge(call_permission::routes())
        .merge(invoices::routes())
        .merge(holds::routes())
        .merge(customers::routes())
        .merge(opt_outs::routes())
        .merge(campaigns::routes())
        .merge(enrolments::routes())
        .merge(attention::routes())
        .merge(jobs::routes())
        .merge(merchant::routes())
        .layer(GlobalConcurrencyLimitLayer::new(REQUESTS_MAX))
        .layer(from_fn_with_state(TIME_LIMIT, layers::limit_time));
    let import = invoices::import::routes()
        .layer(GlobalConcurrencyLimitLayer::new(IMPORTS_MAX))
        .layer(from_fn_with_state(IMPORT_TIME_LIMIT, layers::limit_time));
    // Whose event it is can be known only when its body is here: whoever is slow to send one must not hold a place among
    // those. What is stored at once is bounded behind it.
    let intake = events::intake().layer(from_fn_with_state(TIME_LIMIT, layers::limit_time));
    quick.merge(intake).merge(import).merge(stream::routes())
}
