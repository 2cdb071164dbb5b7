//! The private listener: is this process alive, can it work, what has it done.

use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use entities::sql;
use prometheus::TextEncoder;
use sea_orm::{DbErr, FromQueryResult};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::{Problem, ProblemBody};
use crate::state::Api;

const STORE_TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(alive)).routes(routes!(ready)).routes(routes!(metrics))
}

/// Whether the process is alive. On the private listener.
#[utoipa::path(get, path = "/healthz", tag = "Health", operation_id = "healthz", security(()),
    responses((status = 200, description = "Alive.", content_type = "text/plain", body = String)))]
async fn alive() -> &'static str {
    "alive\n"
}

/// Whether the process can do its own work: the store answers and has its tables. On the private listener.
#[utoipa::path(get, path = "/readyz", tag = "Health", operation_id = "readyz", security(()),
    responses((status = 200, description = "Ready.", content_type = "text/plain", body = String),
        (status = 503, description = "`store_unavailable`.", body = ProblemBody)))]
async fn ready(State(api): State<Api>) -> Result<&'static str, Problem> {
    let asked = tokio::time::timeout(STORE_TIMEOUT, ask_store(&api)).await;
    match asked {
        Ok(Ok(())) => Ok(match api.ledger.wake().redis_connected() {
            // Nothing depends on it: work only waits up to a second longer.
            Some(false) => "ready, without Redis: work of other processes is found by a poll each second\n",
            Some(true) | None => "ready\n",
        }),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            Err(Problem::unavailable("store_unavailable", "The store does not answer as it should."))
        }
        Err(_) => Err(Problem::unavailable("store_unavailable", "The store does not answer in time.")),
    }
}

async fn ask_store(api: &Api) -> Result<(), DbErr> {
    #[derive(FromQueryResult)]
    struct Count {
        #[expect(dead_code, reason = "that it can be read is the answer")]
        merchants: i64,
    }
    let _answered: Option<Count> =
        sql::one(&api.db.read, "SELECT COUNT(*) AS merchants FROM merchants", []).await?;
    Ok(())
}

/// What this process did and what the ledger holds, for Prometheus. On the private listener.
#[utoipa::path(get, path = "/metrics", tag = "Health", operation_id = "metrics", security(()),
    responses((status = 200, description = "Prometheus text.", content_type = "text/plain", body = String)))]
async fn metrics(State(api): State<Api>) -> Result<Response, Problem> {
    // A store that is gone must not hide what this process has counted.
    api.census.refresh(&api.db, &api.ledger).await;
    let text = TextEncoder::new()
        .encode_to_string(&api.registry.gather())
        .map_err(|error| Problem::internal(&error))?;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response())
}
