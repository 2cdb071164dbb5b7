//! Ending an invoice: canceled, or paid some other way. Its link dies, its payment is given up, calls stop.

use axum::extract::State;
use axum::http::StatusCode;
use domain::id::Invoice;
use domain::invoice::{InvoiceEvent, InvoiceStatus};
use domain::scope::Scope;
use domain::timeline::TimelineKind;
use entities::timeline::NewEntry;
use entities::{enrolment, hold, invoice, link, timeline};
use serde::Deserialize;
use serde_json::json;

use super::{InvoiceView, release};
use crate::check::{self, DESCRIPTION_MAX};
use crate::extract::PathId;
use crate::idempotency::{Answer, Stop, Work};
use crate::incoming::{Incoming, Read};
use crate::problem::{Problem, ProblemBody};
use crate::state::Api;

/// Why an invoice is closed; may be left out.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Closing {
    /// For the invoice's timeline.
    note: Option<String>,
}

/// Cancel an invoice: the merchant gives it up. Its link and cancelable payment die, its holds and enrolments end.
#[utoipa::path(post, path = "/v1/invoices/{id}/cancel", tag = "Invoices", operation_id = "cancel_invoice",
    params(("id" = String, Path)), request_body = Option<Closing>,
    responses((status = 200, description = "The canceled invoice.", body = InvoiceView),
        (status = 409, description = "`invoice_closed` or `payment_in_progress`.", body = ProblemBody)))]
pub(super) async fn cancel(
    State(api): State<Api>,
    PathId(id): PathId<Invoice>,
    incoming: Incoming,
) -> Result<Answer, Stop> {
    let read = incoming.read_optional::<Closing>(Scope::InvoicesWrite).await?;
    close(&api, &id, read, InvoiceEvent::Canceled).await
}

/// Mark an invoice as paid some other way. Its link and cancelable payment die, its enrolments end.
#[utoipa::path(post, path = "/v1/invoices/{id}/paid-elsewhere", tag = "Invoices", operation_id = "mark_invoice_paid_elsewhere",
    params(("id" = String, Path)), request_body = Option<Closing>,
    responses((status = 200, description = "The paid invoice.", body = InvoiceView),
        (status = 409, description = "`invoice_closed` or `payment_in_progress`.", body = ProblemBody)))]
pub(super) async fn paid_elsewhere(
    State(api): State<Api>,
    PathId(id): PathId<Invoice>,
    incoming: Incoming,
) -> Result<Answer, Stop> {
    let read = incoming.read_optional::<Closing>(Scope::InvoicesWrite).await?;
    close(&api, &id, read, InvoiceEvent::MarkedPaidElsewhere).await
}

async fn close(
    api: &Api,
    id: &domain::id::InvoiceId,
    read: Read<Closing>,
    event: InvoiceEvent,
) -> Result<Answer, Stop> {
    let Read { caller, input, claim } = read;
    let note = input.note.map(|text| check::words("note", &text, DESCRIPTION_MAX)).transpose()?;
    let found = invoice::find(&api.db.read, &caller.merchant_id, id).await?.ok_or_else(Problem::not_found)?;
    let canceled = match outcome(found.status.0, event)? {
        Some(_) => release::cancel_at_stripe(api, id).await?,
        None => None,
    };

    let mut work = Work::begin(api, claim).await?;
    let row = invoice::lock_one(&work.tx, &caller.merchant_id, id).await?.ok_or_else(Problem::not_found)?;
    let Some(ended) = outcome(row.status.0, event)? else {
        return work.finish(StatusCode::OK, &InvoiceView::of(row)).await;
    };
    release::give_up_payable(&mut work, id, canceled).await?;
    let Ended { status, kind, reason } = ended;
    if status == InvoiceStatus::Paid {
        invoice::mark_paid_elsewhere(&work.tx, id, row.status.0, work.now).await?;
    } else {
        invoice::move_status(&work.tx, id, row.status.0, status, work.now).await?;
        hold::close_of_canceled(&work.tx, id, caller.key_id.as_str(), work.now).await?;
    }
    let detail = json!({"note": note, "owed_minor": row.total_minor.saturating_sub(row.paid_minor)});
    let entry = NewEntry::new(&caller.merchant_id, id, kind, caller.actor()).with(detail);
    timeline::append(&work.tx, vec![entry], work.now, &mut work.outbox).await?;
    link::revoke_of_invoice(&work.tx, &caller.merchant_id, id, work.now, &mut work.outbox).await?;
    enrolment::end_of_invoice(&work.tx, &caller.merchant_id, id, reason, work.now, &mut work.outbox).await?;
    let row = invoice::find(&work.tx, &caller.merchant_id, id).await?.ok_or_else(Problem::not_found)?;
    work.finish(StatusCode::OK, &InvoiceView::of(row)).await
}

struct Ended {
    status: InvoiceStatus,
    kind: TimelineKind,
    reason: &'static str,
}

/// What the event does to an invoice that stands here; `None` where it already is so.
fn outcome(status: InvoiceStatus, event: InvoiceEvent) -> Result<Option<Ended>, Problem> {
    let next = domain::invoice::apply(status, event).map_err(|refused| {
        if refused.status == InvoiceStatus::PaymentProcessing {
            return Problem::conflict(
                "payment_in_progress",
                "A payment of this invoice is on its way; wait for its result.",
            );
        }
        Problem::conflict("invoice_closed", refused.to_string())
    })?;
    if next == status {
        return Ok(None);
    }
    let (kind, reason) = if next == InvoiceStatus::Paid {
        (TimelineKind::MarkedPaidElsewhere, "paid")
    } else {
        (TimelineKind::InvoiceCanceled, "canceled")
    };
    Ok(Some(Ended { status: next, kind, reason }))
}
