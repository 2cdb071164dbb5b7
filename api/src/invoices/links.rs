//! Sending a pay link by hand. While a link lives this is its chain's one resend.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::channel::Channel;
use domain::id::{Invoice, LinkId};
use domain::job::{JobKind, NewJob};
use domain::link::{
    FIRST_SEQUENCE, LinkCause, LinkStatus, LiveLink, ManualSend, Standing, may_send_manually, standing,
};
use domain::scope::Scope;
use domain::time::Timestamp;
use entities::link::{self, NewLink};
use entities::{invoice, merchant};
use serde::{Deserialize, Serialize};

use crate::auth::Caller;
use crate::extract::{Page, PathId};
use crate::idempotency::{Answer, Stop, Work};
use crate::incoming::{Incoming, Read};
use crate::limits::too_many;
use crate::problem::{Problem, ProblemBody};
use crate::state::Api;

/// How to send a link; may be left out.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendLink {
    /// The channel to try first. Without it: what the customer's contacts allow, texts before email.
    #[schema(schema_with = crate::words::channel_or_null)]
    channel: Option<Channel>,
}

/// A pay link. Its token is never shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Link)]
pub(crate) struct LinkView {
    id: String,
    invoice_id: String,
    #[schema(schema_with = crate::words::link_status)]
    status: LinkStatus,
    /// What asked for it.
    #[schema(schema_with = crate::words::link_cause)]
    cause: LinkCause,
    /// Its place in its chain: 1, or 2 for the resend.
    sequence: i64,
    #[schema(schema_with = crate::words::channel_or_null)]
    wanted_channel: Option<Channel>,
    #[schema(schema_with = crate::words::moment)]
    created_at: Timestamp,
    /// When a provider accepted a message that carries it; seven days run from then.
    #[schema(schema_with = crate::words::moment_or_null)]
    sent_at: Option<Timestamp>,
    #[schema(schema_with = crate::words::moment_or_null)]
    expires_at: Option<Timestamp>,
    #[schema(schema_with = crate::words::moment_or_null)]
    ended_at: Option<Timestamp>,
}

impl From<link::Model> for LinkView {
    fn from(row: link::Model) -> Self {
        Self {
            id: row.id.0.into_string(),
            invoice_id: row.invoice_id.0.into_string(),
            status: row.status.0,
            cause: row.cause.0,
            sequence: row.sequence,
            wanted_channel: row.wanted_channel.map(|channel| channel.0),
            created_at: Timestamp::from_millis(row.created_at_ms),
            sent_at: row.sent_at_ms.map(Timestamp::from_millis),
            expires_at: row.expires_at_ms.map(Timestamp::from_millis),
            ended_at: row.ended_at_ms.map(Timestamp::from_millis),
        }
    }
}

/// Send a pay link. While one lives this is the one resend of its chain, and the older link dies.
#[utoipa::path(post, path = "/v1/invoices/{id}/links", tag = "Links", operation_id = "send_link",
    params(("id" = String, Path)), request_body = Option<SendLink>,
    responses((status = 201, description = "The new link, queued to be sent.", body = LinkView),
        (status = 409, description = "`resend_used`, `invoice_not_payable` or `on_hold`.", body = ProblemBody)))]
pub(super) async fn send(
    State(api): State<Api>,
    PathId(id): PathId<Invoice>,
    incoming: Incoming,
) -> Result<Answer, Stop> {
    let Read { caller, input, claim } = incoming.read_optional::<SendLink>(Scope::LinksWrite).await?;
    let mut work = Work::begin(&api, claim).await?;
    let row = invoice::lock_one(&work.tx, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    check_payable(&work, &caller, &row).await?;
    api.limits.recipient(&row.customer_id).map_err(too_many("Links go to this customer too often."))?;
    let living = link::living(&work.tx, &id).await?.filter(|link| lives(link, work.now));
    let new = new_link(&api, &caller, &row, living.as_ref(), input.channel)?;
    link::issue(&work.tx, std::slice::from_ref(&new), work.now, &mut work.outbox).await?;
    work.outbox.enqueue(NewJob::once(JobKind::ResolveChannel, new.id.as_str(), &caller.merchant_id));
    let issued = link::find(&work.tx, &caller.merchant_id, &new.id).await?;
    let issued = issued.ok_or_else(|| Problem::internal(&"a link that was issued is not there"))?;
    work.finish(StatusCode::CREATED, &LinkView::from(issued)).await
}

async fn check_payable(work: &Work, caller: &Caller, row: &invoice::Model) -> Result<(), Problem> {
    if !domain::invoice::payable(row.status.0) {
        let detail = format!("This invoice is {}; there is nothing to pay.", row.status.0);
        return Err(Problem::conflict("invoice_not_payable", detail));
    }
    if !row.on_hold {
        return Ok(());
    }
    let merchant = merchant::find(&work.tx, &caller.merchant_id).await?;
    if merchant.is_some_and(|merchant| merchant.payable_on_hold) {
        return Ok(());
    }
    Err(Problem::conflict(
        "on_hold",
        "This invoice is on hold and cannot be paid until the hold is resolved.",
    ))
}

fn lives(link: &link::Model, now: Timestamp) -> bool {
    let expires_at = link.expires_at_ms.map(Timestamp::from_millis);
    standing(link.status.0, expires_at, now) == Standing::Live
}

fn new_link(
    api: &Api,
    caller: &Caller,
    invoice: &invoice::Model,
    living: Option<&link::Model>,
    wanted_channel: Option<Channel>,
) -> Result<NewLink, Problem> {
    let id: LinkId = entities::fresh::link_id();
    let live_link = living.map(|link| LiveLink { sequence: link.sequence });
    let (cause, chain_id, sequence) = match (may_send_manually(live_link.as_ref()), living) {
        (ManualSend::Refused, _) => {
            let detail = "The link that lives has been sent again already. Wait until it expires or is used.";
            return Err(Problem::conflict("resend_used", detail));
        }
        (ManualSend::Resend, Some(link)) => {
            (LinkCause::Resend, link.chain_id.0.clone(), link.sequence.saturating_add(1))
        }
        (ManualSend::Resend | ManualSend::NewChain, _) => (LinkCause::Manual, id.clone(), FIRST_SEQUENCE),
    };
    let key_id = api.keyring.current_id();
    let token = api.keyring.link_token(key_id, &id);
    let token = token.ok_or_else(|| Problem::internal(&"the current link key is not on the ring"))?;
    Ok(NewLink {
        merchant_id: caller.merchant_id.clone(),
        invoice_id: invoice.id.0.clone(),
        chain_id,
        sequence,
        cause,
        wish_key: format!("manual:{id}"),
        event_id: None,
        wanted_channel,
        token_hash: token.hash(),
        key_id: key_id.to_owned(),
        id,
    })
}

/// List every link an invoice had, newest first, on one page.
#[utoipa::path(get, path = "/v1/invoices/{id}/links", tag = "Links", operation_id = "list_links",
    params(("id" = String, Path)), responses((status = 200, description = "Its links.", body = Page<LinkView>)))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    PathId(id): PathId<Invoice>,
) -> Result<Json<Page<LinkView>>, Problem> {
    caller.require(Scope::InvoicesRead)?;
    invoice::find(&api.db.read, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    let rows = link::of_invoice(&api.db.read, &caller.merchant_id, &id).await?;
    Ok(Json(Page { data: rows.into_iter().map(LinkView::from).collect(), next_cursor: None }))
}
