//! What changes, as it changes: server-sent events for a dashboard. The timeline is the truth; a listener that was
//! away reads from it first, then hears the rest live.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use domain::id::{ApiKeyId, InvoiceId, MerchantId, TimelineEntryId};
use domain::scope::Scope;
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use entities::timeline;
use sea_orm::DbErr;
use serde::Serialize;
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::problem::Problem;
use crate::state::Api;

const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a listener may go on after its key was revoked.
const KEY_ASKED_EVERY: Duration = Duration::from_secs(3);
/// Events that wait for a slow reader.
const WAITING_MAX: usize = 64;
const BACKLOG_PAGE: u64 = 200;
/// Entries commit in another order than their ids sort, by at most the life of a transaction. So much is read again.
const OVERLAP_MS: i64 = 30_000;

/// A listener holds a connection and a task for hours; there must not be any number of them.
const LISTENERS_MAX: usize = 1_000;

#[derive(Clone)]
struct Seats(Arc<Semaphore>);

pub(crate) fn routes() -> OpenApiRouter<Api> {
    let seats = Seats(Arc::new(Semaphore::new(LISTENERS_MAX)));
    OpenApiRouter::new().routes(routes!(stream)).layer(Extension(seats))
}

/// Something changed on an invoice.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Changed {
    /// The timeline entry that says what; also the event's id.
    id: String,
    invoice_id: String,
    #[schema(schema_with = crate::words::timeline_kind)]
    kind: TimelineKind,
}

/// Hear what changes, as server-sent events named `change`.
///
/// Send `Last-Event-ID` to read first what was missed. An event may come twice; its id tells. Comments keep the
/// connection alive. The stream ends within seconds of its key.
#[utoipa::path(get, path = "/v1/stream", tag = "Stream", operation_id = "stream_changes",
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was heard.")),
    responses((status = 200, description = "A stream of changes.", content_type = "text/event-stream", body = Changed)))]
async fn stream(
    State(api): State<Api>,
    Extension(Seats(seats)): Extension<Seats>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::InvoicesRead)?;
    let full = |_| Problem::unavailable("too_many_listeners", "Too many streams are open; try again later.");
    let seat = seats.try_acquire_owned().map_err(full)?;
    // Listening begins before the backlog is read, so that nothing falls between the two.
    let live = api.ledger.live().subscribe();
    let after = resume_point(&api, &caller.merchant_id, &headers).await?;
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    tokio::spawn(async move {
        let _taken_until_the_end = seat;
        let shutdown = api.shutdown.clone();
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = sender.closed() => {}
            () = key_ended(&api, &caller.key_id) => {}
            () = tell(&api, &caller.merchant_id, after, live, &sender) => {}
        }
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(keep_alive).into_response())
}

/// Where reading begins: a little before the last event heard. One we do not know is a fault of the caller.
async fn resume_point(
    api: &Api,
    merchant_id: &MerchantId,
    headers: &HeaderMap,
) -> Result<Option<TimelineEntryId>, Problem> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let unknown = || Problem::field("Last-Event-ID", "names no change of yours");
    let id: TimelineEntryId = value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(unknown)?;
    let entry = timeline::find(&api.db.read, merchant_id, &id).await?.ok_or_else(unknown)?;
    Ok(Some(TimelineEntryId::ordered(Timestamp::from_millis(entry.at_ms).plus_ms(-OVERLAP_MS), [0; 10])))
}

/// Returns when the key with which a listener came is good for nothing any more.
async fn key_ended(api: &Api, key_id: &ApiKeyId) {
    loop {
        tokio::time::sleep(KEY_ASKED_EVERY).await;
        match api.holders.of(&api.db, key_id.clone()).await {
            Ok(Some(holder)) if !holder.has_ended(api.now()) => {}
            Ok(_) => return,
            Err(error) => tracing::warn!(%error, "it is not known whether a listener's key is still good"),
        }
    }
}

type Listener = mpsc::Sender<Result<Event, Infallible>>;

/// Tells the backlog, then what happens, until the listener is gone or fell too far behind; then it comes back with
/// the last id it heard.
async fn tell(
    api: &Api,
    merchant_id: &MerchantId,
    after: Option<TimelineEntryId>,
    mut live: broadcast::Receiver<domain::job::Change>,
    sender: &Listener,
) {
    if let Some(after) = after
        && let Err(error) = tell_backlog(api, merchant_id, after, sender).await
    {
        tracing::warn!(%error, "a stream ended while its backlog was read");
        return;
    }
    while let Ok(change) = live.recv().await {
        if change.merchant_id != *merchant_id {
            continue;
        }
        if sender.send(Ok(event(&change.entry_id, &change.invoice_id, change.kind))).await.is_err() {
            return;
        }
    }
}

async fn tell_backlog(
    api: &Api,
    merchant_id: &MerchantId,
    mut after: TimelineEntryId,
    sender: &Listener,
) -> Result<(), DbErr> {
    loop {
        let entries = timeline::of_merchant(&api.db.read, merchant_id, &after, BACKLOG_PAGE).await?;
        let Some(last) = entries.last() else { return Ok(()) };
        after = last.id.0.clone();
        for entry in entries {
            if sender.send(Ok(event(&entry.id, &entry.invoice_id, entry.kind.0))).await.is_err() {
                return Ok(());
            }
        }
    }
}

fn event(id: &TimelineEntryId, invoice_id: &InvoiceId, kind: TimelineKind) -> Event {
    let changed = Changed { id: id.to_string(), invoice_id: invoice_id.to_string(), kind };
    let data = serde_json::to_string(&changed).unwrap_or_default();
    Event::default().id(id.as_str()).event("change").data(data)
}
