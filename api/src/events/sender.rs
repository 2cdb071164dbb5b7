//! Who sent an event, and whose it is: the credential says so, never the body alone.

use std::time::Instant;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use domain::call_event::{self, CallEvent};
use domain::card_number;
use domain::id::MerchantId;
use domain::scope::Scope;
use entities::merchant;
use gateways::signature::SignatureError;
use gateways::signature::standard_webhooks::{
    Headers, ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, verify,
};
use queue::trace;
use secrecy::SecretString;

use super::EVENT_MAX;
use crate::auth::Caller;
use crate::json;
use crate::problem::Problem;
use crate::state::Api;

/// What the secrets of signed events are derived for.
const SECRET_LABEL: &str = "events";
const DELIVERY_ID_MAX: usize = 200;
/// What tells one event from another. It may look like a card number by chance, and is never one.
const NAMES: [&str; 5] = ["source", "call_id", "merchant_id", "campaign_id", "invoice"];

/// An authentic, well-formed event.
pub(super) struct Delivery {
    pub(super) merchant_id: MerchantId,
    /// The merchant's country: how a number without `+` is read, here as at the moment of sending.
    pub(super) country: String,
    /// The sender's own name for this delivery.
    pub(super) delivery_id: Option<String>,
    pub(super) event: CallEvent,
    /// The JSON as it came, but for the card numbers in what was said.
    pub(super) body: String,
    pub(super) arrived: Instant,
    /// The sender's own trace.
    pub(super) caller: Option<trace::Caller>,
}

/// Reads an event and finds out whose it is.
pub(super) async fn accept(api: &Api, request: Request) -> Result<Delivery, Problem> {
    let arrived = Instant::now();
    let (parts, body) = request.into_parts();
    let caller = if is_signed(&parts.headers) {
        None
    } else {
        let caller = Caller::authenticated(&parts, api).await?;
        caller.require(Scope::EventsWrite)?;
        Some(caller)
    };
    json::expect(&parts.headers)?;
    let bytes = json::bytes(&parts.headers, body, EVENT_MAX).await?;
    let mut value = json::value(&bytes)?;
    let named = value["merchant_id"].as_str();
    let (merchant_id, country) = match caller {
        Some(caller) => of_key(caller, named)?,
        None => {
            let of_signature = of_signature(api, &parts.headers, named, &bytes).await;
            of_signature.map_err(|problem| api.limits.unauthorized(&parts, problem))?
        }
    };
    api.limits.events(&merchant_id)?;
    // After the signature was checked over the bytes as they came.
    let had_cards = card_number::mask_texts(&mut value, &NAMES);
    let event = call_event::from_value(&value).map_err(|fault| Problem::field(fault.field, fault.message))?;
    let body = if had_cards {
        value.to_string()
    } else {
        String::from_utf8(bytes.to_vec()).map_err(|error| Problem::internal(&error))?
    };
    let traceparent = parts.headers.get("traceparent").and_then(|value| value.to_str().ok());
    let (delivery_id, caller) = (delivery_id(&parts.headers), trace::caller(traceparent));
    Ok(Delivery { merchant_id, country, delivery_id, event, body, arrived, caller })
}

fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key(SIGNATURE_HEADER)
        || (headers.contains_key(ID_HEADER) && !headers.contains_key(header::AUTHORIZATION))
}

fn of_key(caller: Caller, named: Option<&str>) -> Result<(MerchantId, String), Problem> {
    if named.is_some_and(|named| named != caller.merchant_id.as_str()) {
        return Err(Problem::field("merchant_id", "is not the merchant of this API key"));
    }
    Ok((caller.merchant_id, caller.country))
}

/// The merchant whose secret signed these bytes. A merchant we do not know and a wrong signature look the same.
async fn of_signature(
    api: &Api,
    headers: &HeaderMap,
    named: Option<&str>,
    body: &Bytes,
) -> Result<(MerchantId, String), Problem> {
    let named = named.ok_or_else(|| Problem::field("merchant_id", "is required when the event is signed"))?;
    let merchant_id: MerchantId = named.parse().map_err(|_| refused(SignatureError::Mismatch))?;
    let merchant =
        merchant::find(&api.db.read, &merchant_id).await?.ok_or_else(|| refused(SignatureError::Mismatch))?;
    let secrets = secrets(api, &merchant);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed =
        Headers { id: text(ID_HEADER), timestamp: text(TIMESTAMP_HEADER), signature: text(SIGNATURE_HEADER) };
    verify(&secrets, signed, body, api.now().millis()).map_err(refused)?;
    Ok((merchant_id, merchant.country))
}

/// Every secret this merchant may sign with now: two while it is exchanged, twice as many while a key of ours is.
fn secrets(api: &Api, merchant: &merchant::Model) -> Vec<SecretString> {
    let of = |generation| api.keyring.derived_secrets(SECRET_LABEL, merchant.id.as_str(), generation);
    merchant.secret_generations(api.now()).into_iter().flat_map(of).map(SecretString::from).collect()
}

fn refused(error: SignatureError) -> Problem {
    let (code, detail) = match error {
        SignatureError::Missing => {
            ("signature_missing", "Send webhook-id, webhook-timestamp and webhook-signature.")
        }
        SignatureError::Stale => ("signature_stale", "The signature is older or newer than five minutes."),
        SignatureError::Malformed | SignatureError::Mismatch | SignatureError::BadSecret => {
            ("signature_invalid", "The signature is not of this merchant's event secret over these bytes.")
        }
    };
    Problem::unauthorized(code, detail)
}

fn delivery_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(ID_HEADER)?.to_str().ok()?;
    Some(text.chars().take(DELIVERY_ID_MAX).collect())
}
