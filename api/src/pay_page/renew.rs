//! `POST /p/renew`: an expired page's one button, in two steps. The answer is always the same kind words: it never says
//! who is on file, nor whether anything was sent.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::id::LinkId;
use domain::job::{JobKind, NewJob, Outbox};
use domain::link::{self as rules, LinkCause, RenewalFacts, RenewalRefusal, Standing};
use domain::time::{MINUTE_MS, Timestamp};
use entities::link::NewLink;
use entities::{invoice, link};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter};
use serde::Deserialize;
use templates::RenewConfirm;

use super::refusal::Refusal;
use super::visit::{self, Visit};
use super::{answer, business, request, show};
use crate::Api;

const NONCE_LABEL: &str = "renew";
/// How long the second step may be thought about.
const CONFIRM_WITHIN_MS: i64 = 15 * MINUTE_MS;

#[derive(Deserialize)]
struct Wish {
    token: String,
    confirm: Option<String>,
}

pub(super) async fn renew(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match take(&api, &headers, body).await {
        Ok(response) => response,
        Err(refusal) => refusal.page(&api, visit::browsers_locale(&headers)),
    }
}

async fn take(
    api: &Api,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    request::from_our_page(headers, &api.settings)?;
    let wish: Wish = request::form(body)?;
    let visit = visit::find(api, &wish.token).await?.ok_or(Refusal::Unknown)?;
    let (subject, now) = (visit.link.id.as_str(), api.now());
    let confirmed =
        wish.confirm.is_some_and(|nonce| api.keyring.check_nonce(NONCE_LABEL, subject, &nonce, now));
    if confirmed {
        api.limits.recipient(&visit.invoice.customer_id).map_err(|wait| Refusal::TooMany { wait })?;
        issue(api, &visit).await?;
        let page = api.templates.page_renewed(visit.locale, &business::of(&visit.merchant));
        return Ok(answer::html(StatusCode::CREATED, page));
    }
    if allowed(api, &api.db.read, &visit).await?.is_err() {
        return Ok(show::page_of(api, &visit, headers).await?);
    }
    let confirm = api.keyring.nonce(NONCE_LABEL, subject, now.plus_ms(CONFIRM_WITHIN_MS));
    let page = RenewConfirm { business: business::of(&visit.merchant), token: visit.token.clone(), confirm };
    Ok(answer::html(StatusCode::OK, api.templates.page_renew_confirm(visit.locale, &page)))
}

/// Whether this link may be replaced by a fresh one now.
pub(super) async fn allowed<C: ConnectionTrait>(
    api: &Api,
    db: &C,
    visit: &Visit,
) -> Result<Result<(), RenewalRefusal>, DbErr> {
    let now = api.now();
    let others = link::living(db, &visit.invoice.id).await?;
    let another_lives = others
        .is_some_and(|other| other.id != visit.link.id && visit::standing(&other, now) == Standing::Live);
    let renewals = link::Entity::find()
        .filter(link::Column::InvoiceId.eq(visit.invoice.id.as_str()))
        .filter(link::Column::Cause.eq(LinkCause::Renewal.word()))
        .filter(link::Column::CreatedAtMs.gt(now.plus_ms(-rules::RENEWAL_WINDOW_MS).millis()));
    Ok(rules::may_renew(&RenewalFacts {
        allowed_by_merchant: visit.merchant.renewal_allowed,
        standing: visit.standing(now),
        renewed_before: visit.link.renewed_at_ms.is_some(),
        renewals_in_window: renewals.count(db).await?,
        // A link that would lead to "not now" is no help.
        payable: domain::invoice::payable(visit.invoice.status.0)
            && (visit.merchant.payable_on_hold || !visit.invoice.on_hold),
        another_lives,
    }))
}

/// Issues the fresh link, if it is still allowed now that nobody else can change the invoice.
async fn issue(api: &Api, visit: &Visit) -> Result<(), Refusal> {
    let tx = api.db.begin().await?;
    let now = api.now();
    let invoice_id = visit.invoice.id.to_string();
    let invoice =
        invoice::lock_all(&tx, std::slice::from_ref(&invoice_id)).await?.pop().ok_or(Refusal::Unknown)?;
    let link = link::by_token_hash(&tx, &visit.link.token_hash).await?.ok_or(Refusal::Unknown)?;
    let visit = Visit {
        token: visit.token.clone(),
        link,
        invoice,
        merchant: visit.merchant.clone(),
        locale: visit.locale,
    };
    if let Err(refused) = allowed(api, &tx, &visit).await? {
        tracing::info!(link_id = %visit.link.id.0, reason = %refused, "a link is not renewed");
        return Ok(());
    }
    let mut outbox = Outbox::default();
    // Past its time and not yet written down: expired, not superseded by what follows.
    link::expire_of_invoices(&tx, &[invoice_id], now, &mut outbox).await?;
    mark_renewed(&tx, &visit.link, now).await?;
    let fresh = fresh_link(api, &visit).ok_or(Refusal::Failed)?;
    for link in link::issue(&tx, &[fresh], now, &mut outbox).await? {
        outbox.enqueue(NewJob::once(JobKind::ResolveChannel, link.id.as_str(), &visit.merchant.id));
    }
    api.ledger.commit(tx, outbox).await?;
    Ok(())
}

async fn mark_renewed<C: ConnectionTrait>(tx: &C, link: &link::Model, now: Timestamp) -> Result<(), DbErr> {
    let marked = link::Entity::update_many()
        .col_expr(link::Column::RenewedAtMs, Expr::value(now.millis()))
        .filter(link::Column::Id.eq(link.id.as_str()))
        .filter(link::Column::RenewedAtMs.is_null())
        .exec(tx);
    marked.await.map(drop)
}

/// A chain of its own: it may be resent once, like any other.
fn fresh_link(api: &Api, visit: &Visit) -> Option<NewLink> {
    let id: LinkId = entities::fresh::link_id();
    let key_id = api.keyring.current_id().to_owned();
    let token = api.keyring.link_token(&key_id, &id)?;
    Some(NewLink {
        chain_id: id.clone(),
        id,
        merchant_id: visit.link.merchant_id.0.clone(),
        invoice_id: visit.link.invoice_id.0.clone(),
        sequence: rules::FIRST_SEQUENCE,
        cause: LinkCause::Renewal,
        wish_key: format!("renewal:{}", visit.link.id.0),
        event_id: None,
        wanted_channel: visit.link.wanted_channel.as_ref().map(|channel| channel.0),
        token_hash: token.hash(),
        key_id,
    })
}
