//! The carrier's HTTP surface.

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use super::errors::{Refused, refusal};
use super::listing::Query;
use super::requests::{self, Submission};
use super::{Carrier, Request};
use crate::faults::carry_out;
use crate::server::Wire;

pub(crate) fn routes(carrier: Carrier) -> Router {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Messages.json", get(list).post(send))
        .route("/2010-04-01/Accounts/{account}/Messages/{sid}", get(fetch))
        .fallback(async |uri: axum::http::Uri| Refused::not_found(uri.path()))
        .with_state(carrier)
}

async fn send(
    State(carrier): State<Carrier>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (now_ms, now_us) = (carrier.clock().now_ms(), carrier.clock().monotonic_us());
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let to = form.iter().find(|(name, _)| name == "To").map(|(_, value)| value.clone()).unwrap_or_default();
    let fault = carrier.faults().strike(&to);
    let place = carrier.requests().append(Request {
        at_ms: now_ms,
        at_us: now_us,
        params: form,
        sid: None,
        status: None,
        fault: fault.as_ref().map(|fault| format!("{fault:?}")),
    });
    // On a task of its own: a carrier that has read a request carries it out, even when the caller has hung up.
    let carried_out = tokio::spawn(async move {
        let execute = async {
            match accept(&carrier, &account, &headers, &body).await {
                Ok((sid, response)) => {
                    carrier.requests().amend(place, |request| request.sid = Some(sid));
                    response
                }
                Err(refused) => refused.into_response(),
            }
        };
        let answer = carry_out(fault, &wire, refusal, execute).await;
        carrier.requests().amend(place, |request| request.status = Some(answer.status().as_u16()));
        answer
    });
    carried_out.await.unwrap_or_else(|_| refusal(StatusCode::INTERNAL_SERVER_ERROR))
}

async fn accept(
    carrier: &Carrier,
    account: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(String, Response), Refused> {
    authorise(carrier, account, headers)?;
    let submission = requests::read(body)?;
    check_recipient(carrier, &submission)?;
    let (place, text) = carrier.take_in(submission);
    let journey = carrier.journeys().take(&text.to);
    let first = journey.callback_first;
    let carried = carrier.send_on_its_way(place, journey);
    if first {
        // The task runs on; only this once the answer waits for it.
        let _ = carried.await;
    }
    let response = (StatusCode::CREATED, Json(text.as_json(account))).into_response();
    Ok((text.sid, response))
}

fn check_recipient(carrier: &Carrier, submission: &Submission) -> Result<(), Refused> {
    if carrier.is_blocked(&submission.to, &submission.from) {
        return Err(Refused::new(21610, "Attempt to send to unsubscribed recipient"));
    }
    if carrier.is_landline(&submission.to) {
        let message = format!("To number: {}, is not a mobile number", submission.to);
        return Err(Refused::new(21614, &message));
    }
    Ok(())
}

async fn list(
    State(carrier): State<Carrier>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    authorise(&carrier, &account, &headers)?;
    if let Some(status) = carrier.listing_fault() {
        return Ok(refusal(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)));
    }
    let query = Query::read(&query.unwrap_or_default())?;
    let found: Vec<_> =
        carrier.texts().read(|all| all.iter().rev().filter(|text| query.admits(text)).cloned().collect());
    Ok(Json(query.cut(&found, &account)).into_response())
}

async fn fetch(
    State(carrier): State<Carrier>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    authorise(&carrier, &account, &headers)?;
    let sid = file.strip_suffix(".json").unwrap_or(&file);
    let found = carrier.texts().read(|all| all.iter().find(|text| text.sid == sid).cloned());
    let path = format!("/2010-04-01/Accounts/{account}/Messages/{file}");
    let text = found.ok_or_else(|| Refused::not_found(&path))?;
    Ok(Json(text.as_json(&account)).into_response())
}

fn authorise(carrier: &Carrier, account: &str, headers: &HeaderMap) -> Result<(), Refused> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = header.strip_prefix("Basic ").and_then(|encoded| STANDARD.decode(encoded.trim()).ok());
    let expected = format!("{}:{}", carrier.account_sid(), carrier.auth_token());
    let matches = given.is_some_and(|given| bool::from(given.ct_eq(expected.as_bytes())));
    if matches && account == carrier.account_sid() { Ok(()) } else { Err(Refused::unauthorized()) }
}
