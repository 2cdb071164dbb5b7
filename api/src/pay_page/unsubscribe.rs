//! `/u/{token}`: no more emails from this merchant. GET asks, POST does it. A mail program's one click is such a POST
//! (RFC 8058), from anywhere and with nothing but the address, so the address is the proof.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::job::Outbox;
use domain::timeline::TimelineKind;
use entities::message;
use entities::opt_out::{self, NewOptOut};
use entities::timeline::{self, NewEntry};
use sea_orm::DbErr;
use templates::{Problem, UnsubscribePage};

use super::visit::{self, Visit};
use super::{answer, business};
use crate::Api;

pub(super) async fn ask(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let question = |(visit, _): (Visit, Vec<message::Model>)| {
        let page = UnsubscribePage {
            business: business::of(&visit.merchant),
            action: format!("/u/{}", visit.token),
        };
        api.templates.page_unsubscribe(visit.locale, &page)
    };
    let page = reader(&api, path).await.map(|reader| reader.map(question));
    answered(&api, &headers, page)
}

pub(super) async fn stop(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let page = match reader(&api, path).await {
        Ok(Some((visit, letters))) => {
            let stopped = opt_out(&api, &visit, &letters).await;
            stopped
                .map(|()| Some(api.templates.page_unsubscribed(visit.locale, &business::of(&visit.merchant))))
        }
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    answered(&api, &headers, page)
}

/// The link of a token and the emails that carried it; nobody when none did.
async fn reader(
    api: &Api,
    path: Result<Path<String>, PathRejection>,
) -> Result<Option<(Visit, Vec<message::Model>)>, DbErr> {
    let Ok(Path(token)) = path else { return Ok(None) };
    let Some(visit) = visit::find(api, &token).await? else {
        return Ok(None);
    };
    let letters = message::letters_of_link(&api.db.read, &visit.link.id).await?;
    Ok(Some((visit, letters)).filter(|(_, letters)| !letters.is_empty()))
}

/// Every address that got this link, from every sender of the merchant.
async fn opt_out(api: &Api, visit: &Visit, letters: &[message::Model]) -> Result<(), DbErr> {
    let tx = api.db.begin().await?;
    let now = api.now();
    let mut outbox = Outbox::default();
    let mut is_news = false;
    for letter in letters {
        let opt_out = NewOptOut {
            merchant_id: &visit.merchant.id,
            recipient: &letter.recipient.to_ascii_lowercase(),
            channel: "email",
            sender: "*",
            source: "unsubscribe",
            source_ref: Some(letter.id.as_str()),
        };
        is_news |= opt_out::record(&tx, &opt_out, now).await?;
    }
    if is_news {
        let kind = TimelineKind::OptedOut;
        let detail = serde_json::json!({"channel": "email", "source": "unsubscribe"});
        let entry = NewEntry::new(&visit.merchant.id, &visit.invoice.id, kind, "customer").with(detail);
        timeline::append(&tx, vec![entry], now, &mut outbox).await?;
    }
    api.ledger.commit(tx, outbox).await
}

fn answered(api: &Api, headers: &HeaderMap, page: Result<Option<String>, DbErr>) -> Response {
    let locale = visit::browsers_locale(headers);
    match page {
        Ok(Some(page)) => answer::html(StatusCode::OK, page),
        Ok(None) => answer::html(StatusCode::NOT_FOUND, api.templates.page_unknown(locale)),
        Err(error) => {
            tracing::error!(%error, "the store failed an unsubscription");
            answer::html(StatusCode::SERVICE_UNAVAILABLE, api.templates.page_problem(locale, Problem::Failed))
        }
    }
}

#[cfg(test)]
mod tests;
