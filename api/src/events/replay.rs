//! Deciding an unmatched event again, once its invoice is there.

use axum::extract::State;
use axum::http::StatusCode;
use domain::attention::AttentionKind;
use domain::call_event::{self as rules, Disposition, decide};
use domain::id::{CallEvent as CallEventKind, MerchantId};
use domain::scope::Scope;
use entities::call_event::{self, Rematch};
use entities::{attention_item, invoice};
use serde::Deserialize;

use super::follow::{self, Recorded};
use super::{Receipt, store};
use crate::extract::PathId;
use crate::idempotency::{Answer, Stop, Work};
use crate::incoming::{Incoming, Read};
use crate::problem::{Problem, ProblemBody};
use crate::state::Api;

/// Which invoice an unmatched event is about; may be left out.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mapping {
    /// One of your invoices, by our id or your number. Without it: the invoice the event itself names.
    invoice_id: Option<String>,
}

/// Decide an unmatched event again.
#[utoipa::path(post, path = "/v1/events/{id}/replay", tag = "Events", operation_id = "replay_event",
    params(("id" = String, Path)), request_body = Option<Mapping>,
    responses((status = 200, description = "What it leads to now.", body = Receipt),
        (status = 409, description = "`not_replayable` or `still_unmatched`.", body = ProblemBody)))]
pub(super) async fn replay(
    State(api): State<Api>,
    PathId(id): PathId<CallEventKind>,
    incoming: Incoming,
) -> Result<Answer, Stop> {
    let Read { caller, input, claim } = incoming.read_optional::<Mapping>(Scope::EventsWrite).await?;
    let mut work = Work::begin(&api, claim).await?;
    let row = call_event::find(&work.tx, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    if row.disposition.0 != Disposition::Unmatched {
        return Err(not_replayable().into());
    }
    let invoice = find_invoice(&work, &caller.merchant_id, &input, row.invoice_ref.as_deref()).await?;
    if row.body.is_empty() {
        return Err(forgotten().into());
    }
    let event = rules::parse(row.body.as_bytes()).map_err(|fault| Problem::internal(&fault))?;
    let decision = decide(&event, &store::facts(Some(&invoice)));
    let rematch = Rematch {
        id: &id,
        invoice_id: &invoice.id,
        disposition: decision.disposition,
        reason: decision.reason,
    };
    if !call_event::rematch(&work.tx, &rematch).await? {
        return Err(not_replayable().into());
    }
    let (merchant_id, country) = (caller.merchant_id, caller.country);
    let recorded = Recorded { id, merchant_id, country, event, invoice: Some(invoice), decision };
    follow::follow(&work.tx, std::slice::from_ref(&recorded), work.now, &mut work.outbox).await?;
    attention_item::close(&work.tx, AttentionKind::UnmatchedEvent, recorded.id.as_str(), work.now).await?;
    work.finish(StatusCode::OK, &recorded.receipt()).await
}

fn not_replayable() -> Problem {
    Problem::conflict("not_replayable", "Only an unmatched event is decided again.")
}

fn forgotten() -> Problem {
    Problem::conflict("not_replayable", "What was said on this call is not kept any more.")
}

/// The invoice the merchant names, else the one the event names, its row held.
async fn find_invoice(
    work: &Work,
    merchant_id: &MerchantId,
    mapping: &Mapping,
    invoice_ref: Option<&str>,
) -> Result<invoice::Model, Problem> {
    let missing = || match mapping.invoice_id {
        Some(_) => Problem::field("invoice_id", "names no invoice of yours"),
        None => Problem::conflict(
            "still_unmatched",
            "The event still names no invoice of yours; say which with invoice_id.",
        ),
    };
    let name = mapping.invoice_id.as_deref().or(invoice_ref).ok_or_else(missing)?;
    let found = invoice::named(&work.tx, &[(merchant_id.clone(), name.to_owned())]).await?;
    let by_id = found.iter().find(|row| row.id.as_str() == name);
    let found = by_id.or_else(|| found.first()).ok_or_else(missing)?;
    invoice::lock_one(&work.tx, merchant_id, &found.id).await?.ok_or_else(missing)
}
