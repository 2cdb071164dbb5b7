//! `/_sim/`: JSON over HTTP for whoever is not in this process.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Phone;
use crate::carrier::{Journey, Text};
use crate::faults::FaultRule;
use crate::mailbox::{Email, MailRule};
use crate::stripe::{ConfirmOverride, Knobs, Order};

pub(crate) fn routes(phone: Phone) -> Router {
    Router::new()
        .route("/_sim/texts", get(texts))
        .route("/_sim/emails", get(emails))
        .route("/_sim/dialer", get(dialer))
        .route("/_sim/dialer/call", post(call))
        .route("/_sim/dialer/script", post(script_dialer))
        .route("/_sim/stripe/requests", get(stripe_requests))
        .route("/_sim/stripe/payments", get(stripe_payments))
        .route("/_sim/stripe/events", get(async |State(phone): State<Phone>| Json(phone.stripe.events())))
        .route("/_sim/stripe/script", post(script_stripe))
        .route("/_sim/stripe/settle", post(settle))
        .route("/_sim/stripe/release", post(release))
        .route("/_sim/carrier/inbound", post(inbound))
        .route("/_sim/carrier/requests", get(carrier_requests))
        .route("/_sim/carrier/callbacks", get(carrier_callbacks))
        .route("/_sim/carrier/script", post(script_carrier))
        .route("/_sim/mailbox/script", post(script_mailbox))
        .route("/_sim/clock", get(clock))
        .route("/_sim/clock/advance", post(advance))
        .with_state(phone)
}

/// `{"error": …}` with a status.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

#[derive(Deserialize)]
struct Recipient {
    to: Option<String>,
}

async fn texts(State(phone): State<Phone>, Query(wanted): Query<Recipient>) -> Json<Vec<Text>> {
    let mut texts = phone.carrier.texts().all();
    if let Some(to) = wanted.to {
        texts.retain(|text| text.to == to);
    }
    Json(texts)
}

async fn emails(State(phone): State<Phone>, Query(wanted): Query<Recipient>) -> Json<Vec<Email>> {
    match wanted.to {
        Some(to) => Json(phone.mailbox.emails_to(&to)),
        None => Json(phone.mailbox.emails().all()),
    }
}

async fn dialer(State(phone): State<Phone>) -> Json<Value> {
    Json(json!({ "commands": phone.dialer.commands().all(), "calls": phone.dialer.calls().all() }))
}

#[derive(Deserialize)]
struct Call {
    invoice_id: String,
    #[serde(default)]
    phone: String,
}

async fn call(State(phone): State<Phone>, Json(call): Json<Call>) -> Response {
    Json(phone.dialer.attempt_call(&call.invoice_id, &call.phone).await).into_response()
}

async fn stripe_requests(State(phone): State<Phone>) -> Response {
    Json(phone.stripe.requests().all()).into_response()
}

async fn stripe_payments(State(phone): State<Phone>) -> Response {
    Json(phone.stripe.payment_views()).into_response()
}

/// Everything is optional; `clear` comes first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StripeScript {
    #[serde(default)]
    clear: bool,
    fault: Option<FaultRule>,
    webhooks: Option<Knobs>,
    next_confirm: Option<ConfirmOverride>,
    /// False shuts the port.
    listening: Option<bool>,
}

async fn script_stripe(State(phone): State<Phone>, Json(script): Json<StripeScript>) -> StatusCode {
    if script.clear {
        phone.stripe.clear_faults();
        phone.stripe.webhooks().set_knobs(Knobs::default());
    }
    if let Some(rule) = script.fault {
        phone.stripe.fault(rule);
    }
    if let Some(knobs) = script.webhooks {
        phone.stripe.webhooks().set_knobs(knobs);
    }
    if let Some(ending) = script.next_confirm {
        phone.stripe.override_next_confirm(ending);
    }
    turn(&phone.stripe.door(), script.listening);
    StatusCode::NO_CONTENT
}

fn turn(door: &crate::server::Door, listening: Option<bool>) {
    match listening {
        Some(true) => door.reopen(),
        Some(false) => door.shut(),
        None => {}
    }
}

#[derive(Deserialize)]
struct Settlement {
    payment_intent: String,
    paid: bool,
}

async fn settle(
    State(phone): State<Phone>,
    Json(settlement): Json<Settlement>,
) -> Result<StatusCode, Refused> {
    let settled = phone.stripe.settle(&settlement.payment_intent, settlement.paid);
    settled.map(|()| StatusCode::NO_CONTENT).map_err(|error| Refused(StatusCode::CONFLICT, error.to_string()))
}

#[derive(Deserialize)]
struct Release {
    #[serde(default)]
    order: Order,
}

async fn release(State(phone): State<Phone>, Json(release): Json<Release>) -> Json<Value> {
    Json(json!({ "released": phone.stripe.webhooks().release(release.order) }))
}

#[derive(Deserialize)]
struct InboundText {
    from: String,
    to: Option<String>,
    body: String,
}

async fn inbound(State(phone): State<Phone>, Json(text): Json<InboundText>) -> Result<Json<Value>, Refused> {
    let result = match &text.to {
        Some(to) => phone.carrier.text_between(&text.from, to, &text.body).await,
        None => phone.carrier.text_from(&text.from, &text.body).await,
    };
    let inbound = result.map_err(|error| Refused(StatusCode::BAD_GATEWAY, error.to_string()))?;
    Ok(Json(json!({ "sid": inbound.sid, "status": inbound.status, "replies": inbound.replies })))
}

async fn carrier_requests(State(phone): State<Phone>) -> Response {
    Json(phone.carrier.requests().all()).into_response()
}

async fn carrier_callbacks(State(phone): State<Phone>) -> Response {
    Json(phone.carrier.callbacks().all()).into_response()
}

/// Everything is optional; `clear` comes first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CarrierScript {
    #[serde(default)]
    clear: bool,
    fault: Option<FaultRule>,
    journey: Option<Journey>,
    hold_queue: Option<bool>,
    hold_callbacks: Option<bool>,
    landline: Option<String>,
    /// The status the listing answers from now on.
    listing_fault: Option<u16>,
    /// False shuts the port.
    listening: Option<bool>,
}

async fn script_carrier(State(phone): State<Phone>, Json(script): Json<CarrierScript>) -> StatusCode {
    if script.clear {
        phone.carrier.clear_script();
    }
    if let Some(rule) = script.fault {
        phone.carrier.fault(rule);
    }
    if let Some(journey) = script.journey {
        phone.carrier.script(journey);
    }
    if let Some(held) = script.hold_queue {
        phone.carrier.hold_queue(held);
    }
    if let Some(held) = script.hold_callbacks {
        phone.carrier.hold_callbacks(held);
    }
    if let Some(number) = script.landline {
        phone.carrier.mark_landline(&number);
    }
    if script.listing_fault.is_some() {
        phone.carrier.set_listing_fault(script.listing_fault);
    }
    turn(&phone.carrier.door(), script.listening);
    StatusCode::NO_CONTENT
}

/// Everything is optional; `clear` comes first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MailboxScript {
    #[serde(default)]
    clear: bool,
    fault: Option<MailRule>,
}

async fn script_mailbox(State(phone): State<Phone>, Json(script): Json<MailboxScript>) -> StatusCode {
    if script.clear {
        phone.mailbox.clear_faults();
    }
    if let Some(rule) = script.fault {
        phone.mailbox.fault(rule);
    }
    StatusCode::NO_CONTENT
}

/// Everything is optional; `clear` comes first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DialerScript {
    #[serde(default)]
    clear: bool,
    fault: Option<FaultRule>,
    /// False shuts the port.
    listening: Option<bool>,
}

async fn script_dialer(State(phone): State<Phone>, Json(script): Json<DialerScript>) -> StatusCode {
    if script.clear {
        phone.dialer.clear_faults();
    }
    if let Some(rule) = script.fault {
        phone.dialer.fault(rule);
    }
    turn(&phone.dialer.door(), script.listening);
    StatusCode::NO_CONTENT
}

async fn clock(State(phone): State<Phone>) -> Json<Value> {
    Json(json!({ "now_ms": phone.clock.now_ms() }))
}

#[derive(Deserialize)]
struct Advance {
    ms: i64,
}

async fn advance(State(phone): State<Phone>, Json(advance): Json<Advance>) -> Json<Value> {
    phone.clock.advance(advance.ms);
    Json(json!({ "now_ms": phone.clock.now_ms() }))
}
