//! The pay page: everything under `/p`, the way out of our emails at `/u`, and the assets they need. GET and HEAD change nothing and ask Stripe nothing.

mod answer;
mod assets;
mod business;
mod cookies;
mod fetched;
mod headers;
mod intent;
mod opened;
mod pay;
mod question;
mod refusal;
mod renew;
mod request;
mod result;
mod show;
mod standing;
#[cfg(test)]
pub(crate) mod tests;
mod unsubscribe;
mod visit;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{from_fn_with_state, map_response_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};

use crate::problem::Problem;
use crate::{Api, limits};

/// A question of 2,000 characters, each written as twelve (`%F0%9F%98%80`), and room for the rest of the form.
const BODY_BYTES_MAX: usize = 32 * 1024;

/// The pages a customer's link leads to, what their script posts, and their assets.
pub(crate) fn routes(api: &Api) -> Router<Api> {
    let pages = Router::new()
        .route("/p", get(show::by_cookie))
        .route("/p/{token}", get(show::by_token))
        .route("/p/opened", post(opened::opened))
        .route("/p/pay", post(pay::pay))
        .route("/p/result", post(result::result))
        .route("/p/renew", post(renew::renew))
        .layer(from_fn_with_state(api.clone(), limits::per_address));
    let always_heard = Router::new()
        .route("/p/question", post(question::question))
        .route("/u/{token}", get(unsubscribe::ask).post(unsubscribe::stop))
        .layer(from_fn_with_state(api.clone(), limits::per_miss));
    let pages = pages
        .merge(always_heard)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(map_response_with_state(headers::Policy::of(&api.settings), headers::secure));
    pages.merge(assets::routes())
}

/// What somebody sees who asked too often.
pub(crate) fn held_back(api: &Api, headers: &HeaderMap, problem: Problem) -> Response {
    let mut answer = problem.into_response();
    if !request::wants_json(headers) {
        let page = api.templates.page_problem(visit::browsers_locale(headers), templates::Problem::TooMany);
        let (mut parts, _) = answer.into_parts();
        parts.headers.remove(CONTENT_TYPE);
        answer = (parts, Html(page)).into_response();
    }
    answer
}
