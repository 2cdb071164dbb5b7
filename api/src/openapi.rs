//! The API's description: OpenAPI 3.1 at `/openapi.json`, readable at `/docs`. Operations are described where they are
//! written; what they share is added here.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, Header, HeaderBuilder, OpenApi, PathItem, Ref, RefOr, Required, Response,
    ResponseBuilder, ServerBuilder,
};

use crate::limits;
use crate::problem::ProblemBody;
use crate::state::Api;

mod webhooks;

const PROBLEM_TYPE: &str = "application/problem+json";
const DOCS_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Postcall",
        description = "From the end of a call to a paid invoice.\n\nAmounts are whole numbers of the currency's minor \
            unit. Moments are RFC 3339 in UTC. Lists are pages: pass `next_cursor` as `cursor`. Errors are RFC 9457 \
            problems that name the field at fault. Send an `Idempotency-Key` with a POST and it is safe to repeat.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "Events", description = "What a voice AI reports when a call ends."),
        (name = "Calls", description = "May this call be placed?"),
        (name = "Invoices", description = "What is owed and how far it is."),
        (name = "Links", description = "Pay links sent by hand."),
        (name = "Holds", description = "Questions and disputes: why calls stand still."),
        (name = "Customers", description = "Who owes, how to reach them, and who is to be left alone."),
        (name = "Campaigns", description = "Which invoices may be called about."),
        (name = "Attention", description = "What waits for a person."),
        (name = "Stream", description = "What changes, as it changes."),
        (name = "Merchant", description = "Who you are."),
        (name = "Webhooks", description = "What providers tell us."),
        (name = "Health", description = "On the private listener.")
    ),
    components(schemas(ProblemBody)),
    security(("api_key" = []))
)]
struct Description;

/// The description of what all operations share; routers add their own.
pub(crate) fn begun() -> OpenApi {
    Description::openapi()
}

/// Completes a description gathered from the routers.
pub(crate) fn finished(mut openapi: OpenApi, api: &Api) -> OpenApi {
    openapi.servers = Some(vec![ServerBuilder::new().url(api.settings.public_url.clone()).build()]);
    let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("pck_…");
    let key = key
        .description(Some("An API key of the merchant, `pck_…`, with the scope that the operation needs."));
    let components = openapi.components.get_or_insert_with(Components::new);
    components.add_security_scheme("api_key", SecurityScheme::Http(key.build()));
    openapi.paths.paths.extend(webhooks::paths());
    for (path, item) in &mut openapi.paths.paths {
        for (method, operation) in operations(item) {
            complete(path, method, operation);
        }
    }
    openapi
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Adds what every operation of its kind may answer, and what every POST may carry.
fn complete(path: &str, method: &str, operation: &mut Operation) {
    if path.starts_with("/v1/") {
        for (status, description) in refusals(path, method, operation.request_body.is_some()) {
            let responses = &mut operation.responses.responses;
            responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(problem(description)));
        }
        let carries_key = method == "post" && !["/v1/events", "/v1/call-permission"].contains(&path);
        if carries_key {
            operation.parameters.get_or_insert_with(Vec::new).push(RefOr::T(idempotency_key()));
        }
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && (status.starts_with('4') || status.starts_with('5'))
        {
            *response = problem(&response.description);
            if status == "429" || status == "503" {
                response.headers.insert("Retry-After".to_owned(), RefOr::T(retry_after()));
            }
        }
    }
}

fn retry_after() -> Header {
    HeaderBuilder::new().schema(Some(utoipa::schema!(i64))).description(Some("In seconds.")).build()
}

fn refusals(path: &str, method: &str, has_body: bool) -> Vec<(&'static str, &'static str)> {
    let mut refusals = vec![
        ("400", "The request cannot be read."),
        ("401", "No valid credential."),
        ("403", "The API key lacks the scope."),
        ("422", "A field cannot be accepted; `errors` names it."),
        ("429", "Asked too often; `Retry-After` says for how many seconds to wait."),
        ("500", "A fault of ours; quote `instance`."),
        ("503", "Not possible right now; try again."),
    ];
    if path.contains("{id}") {
        refusals.push(("404", "Nothing of yours has this address."));
    }
    if method == "post" || method == "patch" || has_body {
        refusals.push(("408", "The body did not arrive in time."));
        refusals.push(("413", "The body is too large."));
        refusals.push(("415", "The body is of another type or compressed."));
    }
    refusals
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(description).content(PROBLEM_TYPE, content).build()
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "1 to 255 visible characters. The same key with the same request gets the same answer.",
        ))
        .schema(Some(utoipa::schema!(String)))
        .build()
}

/// The description and its readable page, rendered once.
pub(crate) fn routes(openapi: &OpenApi, api: &Api) -> Router<Api> {
    let value = serde_json::json!(openapi);
    let page: Arc<str> = api.templates.page_docs(&value).into();
    let text: Arc<str> = value.to_string().into();
    let json = move || async move {
        ([(header::CONTENT_TYPE, "application/json")], text.to_string()).into_response()
    };
    let docs = move || async move {
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, DOCS_POLICY),
        ];
        (headers, page.to_string()).into_response()
    };
    let robots = || async { ([(header::CONTENT_TYPE, "text/plain")], "User-agent: *\nDisallow: /\n") };
    Router::new()
        .route("/openapi.json", get(json))
        .route("/docs", get(docs))
        .route("/robots.txt", get(robots))
        .layer(from_fn_with_state(api.clone(), limits::per_address))
}
