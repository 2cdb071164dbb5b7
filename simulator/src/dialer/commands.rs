//! Commands from the product: signed, idempotent, and acknowledged only when understood.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Dialer;
use crate::faults::carry_out;
use crate::server::Wire;
use crate::signatures;

const HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// What the product tells the dialer to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommandKind {
    /// No more calls about this enrolment.
    #[serde(rename = "call.pause")]
    Pause,
    /// Calls may go on.
    #[serde(rename = "call.resume")]
    Resume,
}

/// The body of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Pause or resume.
    #[serde(rename = "type")]
    pub kind: CommandKind,
    /// The same command sent again has the same id.
    pub command_id: String,
    /// Whose campaign.
    pub merchant_id: String,
    /// Which campaign.
    pub campaign_id: String,
    /// Which enrolment in it.
    pub enrolment_id: String,
    /// About which invoice.
    pub invoice_id: String,
    /// Why.
    pub reason: String,
    /// When it was decided, RFC 3339.
    pub occurred_at: String,
}

/// One arrival of a command, understood or not.
#[derive(Clone, Debug, Serialize)]
pub struct CommandReceived {
    /// Business time.
    pub at_ms: i64,
    /// The three `webhook-…` headers, as far as they came.
    pub headers: BTreeMap<String, String>,
    /// The body as it came.
    pub body: String,
    /// What it said; `None` when it could not be read or was not ours.
    pub command: Option<Command>,
    /// Why it was refused.
    pub refused: Option<String>,
    /// Whether this arrival made the dialer do something.
    pub carried_out: bool,
    /// Whether the command had been carried out before.
    pub repeated: bool,
    /// The status answered; `None` while open or when the connection was cut.
    pub status: Option<u16>,
}

pub(crate) fn routes(dialer: Dialer) -> Router {
    Router::new().route("/commands", post(receive)).with_state(dialer)
}

async fn receive(
    State(dialer): State<Dialer>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let verified = verify(&dialer, &header, &body);
    let subject = match &verified {
        Ok(command) => format!("{:?} {} {}", command.kind, command.invoice_id, command.enrolment_id),
        Err(_) => String::new(),
    };
    let place = dialer.commands().append(CommandReceived {
        at_ms: dialer.clock().now_ms(),
        headers: HEADERS.iter().filter_map(|name| Some(((*name).to_owned(), header(name)?))).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
        command: verified.as_ref().ok().cloned(),
        refused: verified.as_ref().err().map(|(_, why)| why.clone()),
        carried_out: false,
        repeated: false,
        status: None,
    });
    let fault = dialer.faults().strike(&subject);
    let execute = async {
        match verified {
            Ok(command) => {
                let repeated = dialer.obey(&command);
                dialer.commands().amend(place, |entry| {
                    entry.carried_out = !repeated;
                    entry.repeated = repeated;
                });
                Json(json!({ "acknowledged": true })).into_response()
            }
            Err((status, why)) => (status, Json(json!({ "error": why }))).into_response(),
        }
    };
    let answer = carry_out(fault, &wire, refusal, execute).await;
    dialer.commands().amend(place, |entry| entry.status = Some(answer.status().as_u16()));
    answer
}

fn verify(
    dialer: &Dialer,
    header: &impl Fn(&str) -> Option<String>,
    body: &[u8],
) -> Result<Command, (StatusCode, String)> {
    let (id, at, signature) =
        (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    let (id, at, signature) = (id.as_deref(), at.as_deref(), signature.as_deref());
    signatures::verify_standard_webhook(
        dialer.signing_secret(),
        id,
        at,
        signature,
        body,
        dialer.clock().now_s(),
    )
    .map_err(|refusal| (StatusCode::UNAUTHORIZED, refusal.to_string()))?;
    serde_json::from_slice(body).map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
}

fn refusal(status: StatusCode) -> Response {
    (status, Json(json!({ "error": "the dialer is not itself today" }))).into_response()
}
