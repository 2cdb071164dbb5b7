//! `POST /p/opened`: a person touched the page. Never sent by loading it, so that no scanner looks like a reader.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use domain::job::Outbox;
use domain::link::Standing;
use entities::link_open;
use serde::Deserialize;

use super::refusal::Refusal;
use super::{request, visit};
use crate::Api;

#[derive(Deserialize)]
struct Opened {
    token: String,
}

pub(super) async fn opened(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Refusal> {
    request::from_our_page(&headers, &api.settings)?;
    let opened: Opened = request::json(&headers, body)?;
    let visit = visit::find(&api, &opened.token).await?.ok_or(Refusal::Unknown)?;
    if visit.standing(api.now()) != Standing::Live {
        return Ok(StatusCode::NO_CONTENT);
    }
    let tx = api.db.begin().await?;
    let mut outbox = Outbox::default();
    link_open::record(&tx, &visit.link, api.now(), &mut outbox).await?;
    api.ledger.commit(tx, outbox).await?;
    Ok(StatusCode::NO_CONTENT)
}
