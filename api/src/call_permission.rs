//! Call permission: asked before every dial. Nothing is stored and nothing is remembered, so a pause counts from the
//! moment it was committed; an `Idempotency-Key` is ignored here, because yesterday's "allow" must never come back.

use axum::Json;
use axum::extract::State;
use domain::campaign::{CampaignStatus, EnrolmentStatus};
use domain::id::{CustomerId, EnrolmentId, InvoiceId};
use domain::permission::{DenyReason, Facts, decide};
use domain::phone::Phone;
use domain::quiet_hours::plausible_zones;
use domain::scope::Scope;
use domain::time::{MINUTE_MS, Timestamp};
use entities::{customer, enrolment, invoice, link_open, merchant, opt_out};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::incoming::{Incoming, Read};
use crate::problem::Problem;
use crate::state::Api;

/// How long an answer may be used: to dial, not to plan.
const GOOD_FOR_MS: i64 = MINUTE_MS;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(ask))
}

/// A call about to be placed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallQuestion {
    #[schema(example = "inv_01kxbq5c6v5y8a7n3m2p1r4s5t")]
    invoice_id: String,
    /// The enrolment the call belongs to; without it, whatever campaign the invoice is in.
    enrolment_id: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Permit {
    Allow,
    Deny,
}

/// Whether a call may be placed now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CallPermission {
    decision: Permit,
    /// Every reason against it; empty when it is allowed.
    #[schema(schema_with = crate::words::deny_reasons)]
    reasons: Vec<DenyReason>,
    /// Ask again after this.
    #[schema(schema_with = crate::words::moment)]
    expires_at: Timestamp,
}

/// Ask whether a call about an invoice may be placed now. Ask before every dial.
#[utoipa::path(post, path = "/v1/call-permission", tag = "Calls", operation_id = "ask_call_permission",
    request_body = CallQuestion, responses((status = 200, description = "Allow or deny, with reasons.", body = CallPermission)))]
async fn ask(State(api): State<Api>, incoming: Incoming) -> Result<Json<CallPermission>, Problem> {
    let Read { caller, input, .. } = incoming.read::<CallQuestion>(Scope::CallsAsk).await?;
    let now = api.now();
    let facts = facts(&api, &caller, &input).await?;
    let reasons = decide(&facts, now);
    let decision = if reasons.is_empty() { Permit::Allow } else { Permit::Deny };
    Ok(Json(CallPermission { decision, reasons, expires_at: now.plus_ms(GOOD_FOR_MS) }))
}

async fn facts(api: &Api, caller: &Caller, asked: &CallQuestion) -> Result<Facts, Problem> {
    let db = &api.db.read;
    let merchant = merchant::find(db, &caller.merchant_id).await?;
    let merchant = merchant.ok_or_else(|| Problem::internal(&"an API key without its merchant"))?;
    let merchant_zone = plausible_zones(None, None, &merchant.time_zone);
    let unknown = Facts {
        invoice: None,
        on_hold: false,
        opted_out: false,
        promised_day: None,
        merchant_zone: merchant_zone
            .into_iter()
            .next()
            .ok_or_else(|| Problem::internal(&"no zone for a merchant"))?,
        zones: Vec::new(),
        link_opened_at: None,
        enrolment_paused: false,
    };
    // An id that is not even one names no invoice, like any other unknown one.
    let Ok(invoice_id) = asked.invoice_id.parse::<InvoiceId>() else {
        return Ok(unknown);
    };
    let Some(row) = invoice::find(db, &caller.merchant_id, &invoice_id).await? else {
        return Ok(unknown);
    };
    let customer = customer_of(api, caller, &row.customer_id).await?;
    let phone = customer.phone.as_deref().and_then(|text| Phone::from_e164(text).ok());
    Ok(Facts {
        invoice: Some(row.status.0),
        on_hold: row.on_hold,
        opted_out: opted_out(api, caller, &customer, &row).await?,
        promised_day: row.promised_on.as_deref().and_then(|day| day.parse().ok()),
        zones: plausible_zones(customer.time_zone.as_deref(), phone.as_ref(), &merchant.time_zone),
        link_opened_at: link_open::last_of_invoice(db, &invoice_id).await?,
        enrolment_paused: enrolment_paused(api, &invoice_id, asked.enrolment_id.as_deref()).await?,
        ..unknown
    })
}

async fn customer_of(api: &Api, caller: &Caller, id: &CustomerId) -> Result<customer::Model, Problem> {
    let found = customer::find(&api.db.read, &caller.merchant_id, id).await?;
    found.ok_or_else(|| Problem::internal(&"an invoice without its customer"))
}

/// Whoever said "leave me alone" by any contact we have is not called by another.
async fn opted_out(
    api: &Api,
    caller: &Caller,
    customer: &customer::Model,
    invoice: &invoice::Model,
) -> Result<bool, Problem> {
    let phones = [customer.phone.clone(), invoice.mobile_phone.clone()];
    let email = customer.email.as_ref().map(|email| email.to_ascii_lowercase());
    let recipients: Vec<String> = phones.into_iter().chain([email]).flatten().collect();
    let standing = opt_out::standing(&api.db.read, &[caller.merchant_id.to_string()], &recipients).await?;
    Ok(recipients
        .iter()
        .any(|recipient| opt_out::forbids(&standing, &caller.merchant_id, recipient, "call", "*")))
}

/// Whether the enrolment asked about, or else any campaign the invoice is or was in, keeps it from being called about.
async fn enrolment_paused(api: &Api, invoice_id: &InvoiceId, asked: Option<&str>) -> Result<bool, Problem> {
    let standings = enrolment::standings_of_invoice(&api.db.read, invoice_id).await?;
    let runs = |standing: &enrolment::Standing| {
        standing.status.0 == EnrolmentStatus::Active && standing.campaign_status.0 == CampaignStatus::Active
    };
    let Some(asked) = asked else {
        return Ok(!standings.is_empty() && !standings.iter().any(runs));
    };
    let asked = asked.parse::<EnrolmentId>().ok();
    let standing = standings.iter().find(|standing| Some(&standing.id.0) == asked.as_ref());
    Ok(!standing.is_some_and(runs))
}
