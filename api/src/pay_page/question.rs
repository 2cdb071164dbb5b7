//! `POST /p/question`: "I have a question about this invoice". The words are stored, the invoice is on hold, its calls
//! are paused and the dialer is queued, in one transaction. Taken from whoever holds a link, whatever it is worth: a
//! question that is turned away would leave the calls going on.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::hold::HoldReason;
use domain::job::Outbox;
use entities::hold::{self, NewHold};
use entities::{invoice, link};
use queue::failpoint;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use templates::QuestionRetry;

use super::refusal::Refusal;
use super::visit::{self, Visit};
use super::{answer, business, request};
use crate::Api;

const SIGNS_MAX: usize = 2_000;
const QUESTIONS_MAX: u64 = 5;
/// Until somebody has answered one.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(3_600);

#[derive(Deserialize)]
struct Question {
    token: String,
    #[serde(default)]
    message: String,
}

pub(super) async fn question(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let wants_json = request::wants_json(&headers);
    let locale = visit::browsers_locale(&headers);
    match take(&api, &headers, body, wants_json).await {
        Ok(response) => response,
        Err(refusal) if wants_json => refusal.into_response(),
        Err(refusal) => refusal.page(&api, locale),
    }
}

async fn take(
    api: &Api,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    wants_json: bool,
) -> Result<Response, Refusal> {
    request::from_our_page(headers, &api.settings)?;
    let question: Question = request::form(body)?;
    let visit = visit::find(api, &question.token).await?.ok_or(Refusal::Unknown)?;
    let words = without_controls(&question.message);
    let business = business::of(&visit.merchant);
    if words.is_empty() || words.chars().count() > SIGNS_MAX {
        if wants_json {
            return Err(Refusal::EmptyQuestion);
        }
        let retry = QuestionRetry { business, token: visit.token };
        let page = api.templates.page_question_retry(visit.locale, &retry);
        return Ok(answer::html(StatusCode::UNPROCESSABLE_ENTITY, page));
    }
    if !store(api, &visit, words).await? {
        return Err(Refusal::TooMany { wait: ASK_AGAIN_AFTER });
    }
    if wants_json {
        return Ok((StatusCode::CREATED, Json(json!({"state": "received"}))).into_response());
    }
    let page = api.templates.page_question_received(visit.locale, &business);
    Ok(answer::html(StatusCode::CREATED, page))
}

/// Trimmed, and without what PostgreSQL cannot store or a dashboard should not show; line breaks stay.
fn without_controls(message: &str) -> String {
    let plain: String = message.chars().filter(|sign| !sign.is_control() || *sign == '\n').collect();
    plain.trim().to_owned()
}

/// Stores a question; `false` when the link has asked its fill. The same question again is the one stored before.
async fn store(api: &Api, visit: &Visit, words: String) -> Result<bool, DbErr> {
    let tx = api.db.begin().await?;
    let invoice_id = visit.invoice.id.to_string();
    invoice::lock_all(&tx, &[invoice_id]).await?;
    let mut outbox = Outbox::default();
    let now = api.now();
    let mut hold = NewHold {
        merchant_id: visit.link.merchant_id.0.clone(),
        invoice_id: visit.link.invoice_id.0.clone(),
        reason: HoldReason::Question,
        source_ref: source_ref(&visit.link, &words),
        words: Some(words),
        opened_by: "customer".to_owned(),
    };
    // What was answered before and is asked again is a new question: the calls stop again.
    if was_resolved(&tx, &hold).await? {
        hold.source_ref = format!("{}:{}", hold.source_ref, now.millis());
    }
    let is_new = hold::open(&tx, hold, now, &mut outbox).await?;
    if is_new && asked_on(&tx, &visit.link).await? > QUESTIONS_MAX {
        tx.rollback().await?;
        return Ok(false);
    }
    failpoint::reached("question_before_commit");
    api.ledger.commit(tx, outbox).await?;
    failpoint::reached("question_committed");
    Ok(true)
}

/// The link and what was asked on it: sent twice, it is one question.
fn source_ref(link: &link::Model, words: &str) -> String {
    let digest = Sha256::new().chain_update(link.id.as_str()).chain_update(b"\n").chain_update(words);
    format!("{}:{}", link.id.0, hex::encode(&digest.finalize()[..16]))
}

/// Whether the newest hold of this very question was resolved.
async fn was_resolved<C: sea_orm::ConnectionTrait>(tx: &C, wanted: &NewHold) -> Result<bool, DbErr> {
    let newest = hold::Entity::find()
        .filter(hold::Column::InvoiceId.eq(wanted.invoice_id.as_str()))
        .filter(hold::Column::Reason.eq(wanted.reason.word()))
        .filter(hold::Column::SourceRef.starts_with(&wanted.source_ref))
        .order_by_desc(hold::Column::Id)
        .one(tx)
        .await?;
    Ok(newest.is_some_and(|hold| hold.resolved_at_ms.is_some()))
}

/// Open questions of a link: what was resolved does not count, or the sixth question would stop nothing.
async fn asked_on<C: sea_orm::ConnectionTrait>(tx: &C, link: &link::Model) -> Result<u64, DbErr> {
    hold::Entity::find()
        .filter(hold::Column::InvoiceId.eq(link.invoice_id.as_str()))
        .filter(hold::Column::Reason.eq(HoldReason::Question.word()))
        .filter(hold::Column::SourceRef.starts_with(format!("{}:", link.id.0)))
        .filter(hold::Column::ResolvedAtMs.is_null())
        .count(tx)
        .await
}
