//! Texts from customers: STOP and whatever reads like it opts out in the transaction that stores it, START lifts,
//! HELP is answered, everything else is kept.

use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::attention::AttentionKind;
use domain::inbound::Inbound;
use domain::job::Outbox;
use domain::time::Timestamp;
use entities::inbound_text::{self, NewInboundText};
use entities::opt_out::{self, NewOptOut};
use entities::{attention_item, customer, merchant};
use gateways::sms::{InboundText, parse_inbound, twiml_reply};
use sea_orm::{ConnectionTrait, DbErr};
use templates::{HelpText, Locale};

use super::{malformed, verified};
use crate::Api;
use crate::metrics::{Arrival, Source};
use crate::problem::Problem;

pub(super) async fn receive(
    State(api): State<Api>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let taken = take(&api, &uri, &headers, body).await;
    let arrived = taken.as_ref().map_or_else(Arrival::refused, |(arrival, _)| *arrival);
    api.metrics.webhook(Source::CarrierInbound, arrived, api.ledger.clock().machine_now());
    taken.map(|(_, reply)| twiml(reply.as_deref()))
}

/// Stores and honours a text; what is said in return, if anything.
async fn take(
    api: &Api,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Arrival, Option<String>), Problem> {
    let raw = verified(api, uri, headers, body).await?;
    let mut text = parse_inbound(&raw).map_err(malformed)?;
    // PostgreSQL keeps no NUL.
    text.body.retain(|letter| letter != '\0');
    // Merchants may share a sender. Who says STOP to it says it to all of them.
    let merchants = merchant::by_sms_sender(&api.db.read, &text.to).await?;
    let Some(owner) = merchants.first() else {
        tracing::warn!("a text came in for a sender of no merchant");
        return Ok((Arrival::Ignored, None));
    };
    let tx = api.db.begin().await?;
    let new = NewInboundText {
        provider_id: &text.provider_id,
        merchant_id: &owner.id,
        sender: &text.from,
        recipient: &text.to,
        body: &text.body,
        meaning: text.meaning,
    };
    if !inbound_text::store(&tx, &new, api.now()).await? {
        tx.rollback().await?;
        return Ok((Arrival::Duplicate, None));
    }
    let answer_due = honour(&tx, &merchants, &text, api.now()).await?;
    let locale = locale_of(&tx, owner, &text.from).await?;
    api.ledger.commit(tx, Outbox::default()).await?;
    if !answer_due || text.answered_by_carrier {
        return Ok((Arrival::Accepted, None));
    }
    Ok((Arrival::Accepted, answer(api, owner, locale, text.meaning)))
}

/// Does what the text asks for; says whether that deserves an answer. A second STOP gets none.
async fn honour<C: ConnectionTrait>(
    tx: &C,
    merchants: &[merchant::Model],
    text: &InboundText,
    now: Timestamp,
) -> Result<bool, DbErr> {
    match text.meaning {
        Inbound::Stop | Inbound::ProbableStop => stop(tx, merchants, text, now).await,
        Inbound::Start => {
            let mut lifted = false;
            for merchant in merchants {
                lifted |= opt_out::lift(tx, &merchant.id, &text.from, &text.to, now).await?;
            }
            Ok(lifted)
        }
        Inbound::Help => Ok(true),
        Inbound::Other => Ok(false),
    }
}

async fn stop<C: ConnectionTrait>(
    tx: &C,
    merchants: &[merchant::Model],
    text: &InboundText,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let mut is_news = false;
    for merchant in merchants {
        let opt_out = NewOptOut {
            merchant_id: &merchant.id,
            recipient: &text.from,
            channel: "sms",
            sender: &text.to,
            source: "stop_reply",
            source_ref: Some(&text.provider_id),
        };
        is_news |= opt_out::record(tx, &opt_out, now).await?;
        if text.meaning == Inbound::ProbableStop {
            let kind = AttentionKind::ProbableOptOut;
            let detail = serde_json::json!({"inbound_text_id": text.provider_id});
            let subject = format!("{}:{}", merchant.id.0, text.provider_id);
            attention_item::raise(tx, &merchant.id, kind, None, &subject, &detail, now).await?;
        }
    }
    Ok(is_news)
}

async fn locale_of<C: ConnectionTrait>(
    tx: &C,
    merchant: &merchant::Model,
    phone: &str,
) -> Result<Locale, DbErr> {
    let known = customer::by_phone(tx, &merchant.id, phone).await?;
    let tag = known.iter().find_map(|customer| customer.locale.as_deref());
    Ok(Locale::from_tag(tag.unwrap_or(&merchant.locale)))
}

fn answer(api: &Api, merchant: &merchant::Model, locale: Locale, meaning: Inbound) -> Option<String> {
    let templates = &api.templates;
    match meaning {
        Inbound::Stop | Inbound::ProbableStop => {
            Some(templates.sms_stop_confirmation(locale, &merchant.name))
        }
        Inbound::Start => Some(templates.sms_start_confirmation(locale, &merchant.name)),
        Inbound::Help => {
            let contact = merchant.support_phone.clone().or_else(|| merchant.support_email.clone());
            Some(templates.sms_help(locale, &HelpText { business: merchant.name.clone(), contact }))
        }
        Inbound::Other => None,
    }
}

fn twiml(reply: Option<&str>) -> Response {
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], twiml_reply(reply)).into_response()
}
