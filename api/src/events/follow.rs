//! What follows from an event, in the transaction that stores it.

use domain::attention::AttentionKind;
use domain::call_event::{Act, CallEvent, Decision, Disposition};
use domain::hold::HoldReason;
use domain::id::{CallEventId, InvoiceId, MerchantId};
use domain::job::{JobKind, NewJob, Outbox};
use domain::time::{Day, Timestamp};
use domain::timeline::TimelineKind;
use entities::attention_item::{self, NewItem};
use entities::hold::NewHold;
use entities::timeline::NewEntry;
use entities::{enrolment, hold, invoice, timeline};
use sea_orm::{ConnectionTrait, DbErr};
use serde_json::json;

use super::{Receipt, contacts};

/// Who a timeline says it was.
pub(super) const ACTOR: &str = "dialer";

/// An event that is stored for the first time, and what was decided.
pub(super) struct Recorded {
    pub(super) id: CallEventId,
    pub(super) merchant_id: MerchantId,
    /// The merchant's country: how a number without `+` is read.
    pub(super) country: String,
    pub(super) event: CallEvent,
    pub(super) invoice: Option<invoice::Model>,
    pub(super) decision: Decision,
}

impl Recorded {
    pub(super) fn invoice_id(&self) -> Option<&InvoiceId> {
        self.invoice.as_ref().map(|invoice| &invoice.id.0)
    }

    pub(super) fn receipt(&self) -> Receipt {
        let reason = Some(self.decision.reason).filter(|reason| !reason.is_empty());
        Receipt { id: self.id.to_string(), disposition: self.decision.disposition, reason }
    }

    /// An entry for the invoice's timeline, where there is an invoice.
    pub(super) fn entry(&self, kind: TimelineKind, detail: serde_json::Value) -> Option<NewEntry> {
        let invoice_id = self.invoice_id()?;
        Some(NewEntry::new(&self.merchant_id, invoice_id, kind, ACTOR).with(detail))
    }
}

/// Writes down what was heard, then does what was decided. What is common goes in one statement for all events; what
/// is rare goes one by one.
pub(super) async fn follow<C: ConnectionTrait>(
    tx: &C,
    events: &[Recorded],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    timeline::append(tx, events.iter().filter_map(reported).collect(), now, outbox).await?;
    contacts::keep_consents(tx, events, now).await?;
    let unmatched: Vec<NewItem> = events.iter().filter_map(unmatched).collect();
    attention_item::raise_many(tx, &unmatched, now).await?;
    for recorded in events {
        for act in &recorded.decision.acts {
            perform(tx, recorded, act, now, outbox).await?;
        }
    }
    Ok(())
}

fn reported(recorded: &Recorded) -> Option<NewEntry> {
    let detail = json!({
        "event_id": recorded.id, "intent": recorded.event.outcome.intent,
        "disposition": recorded.decision.disposition, "reason": recorded.decision.reason,
    });
    recorded.entry(TimelineKind::CallReported, detail)
}

fn unmatched(recorded: &Recorded) -> Option<NewItem> {
    if recorded.decision.disposition != Disposition::Unmatched {
        return None;
    }
    let invoice_ref = recorded.event.invoice.as_ref().map(|invoice| invoice.id.as_str());
    Some(NewItem {
        merchant_id: recorded.merchant_id.clone(),
        kind: AttentionKind::UnmatchedEvent,
        invoice_id: None,
        subject: recorded.id.to_string(),
        detail: json!({"source": recorded.event.source, "invoice_ref": invoice_ref}),
    })
}

async fn perform<C: ConnectionTrait>(
    tx: &C,
    recorded: &Recorded,
    act: &Act,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    match act {
        Act::IssueLink => {
            outbox.enqueue(NewJob::once(
                JobKind::ResolveChannel,
                recorded.id.as_str(),
                &recorded.merchant_id,
            ));
            Ok(())
        }
        Act::OptOut => contacts::opt_out(tx, recorded, now, outbox).await,
        Act::ForgetNumber => contacts::forget_number(tx, recorded, now, outbox).await,
        Act::OpenHold { reason } => open_hold(tx, recorded, reason, now, outbox).await,
        Act::RecordPromise { day } => record_promise(tx, recorded, *day, now, outbox).await,
        Act::RequestCallback => request_callback(tx, recorded, now, outbox).await,
    }
}

async fn open_hold<C: ConnectionTrait>(
    tx: &C,
    recorded: &Recorded,
    reason: &str,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let Some(invoice_id) = recorded.invoice_id() else {
        return Ok(());
    };
    let new = NewHold {
        merchant_id: recorded.merchant_id.clone(),
        invoice_id: invoice_id.clone(),
        reason: HoldReason::CallDispute,
        source_ref: recorded.id.to_string(),
        words: Some(reason.to_owned()).filter(|words| !words.is_empty()),
        opened_by: "customer".to_owned(),
    };
    hold::open(tx, new, now, outbox).await.map(drop)
}

async fn record_promise<C: ConnectionTrait>(
    tx: &C,
    recorded: &Recorded,
    day: Day,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let Some(invoice_id) = recorded.invoice_id() else {
        return Ok(());
    };
    invoice::record_promise(tx, invoice_id, day, now).await?;
    let entry = recorded.entry(TimelineKind::PromiseMade, json!({"event_id": recorded.id, "day": day}));
    timeline::append(tx, entry.into_iter().collect(), now, outbox).await
}

async fn request_callback<C: ConnectionTrait>(
    tx: &C,
    recorded: &Recorded,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let item = NewItem {
        merchant_id: recorded.merchant_id.clone(),
        kind: AttentionKind::NeedsContact,
        // Not beside the invoice: a link that finds a contact does not call anybody back.
        invoice_id: None,
        subject: recorded.id.to_string(),
        detail: json!({"reason": "callback_requested", "invoice_id": recorded.invoice_id()}),
    };
    attention_item::raise_many(tx, &[item], now).await?;
    let entry = recorded.entry(TimelineKind::CallbackRequested, json!({"event_id": recorded.id}));
    timeline::append(tx, entry.into_iter().collect(), now, outbox).await
}

/// Stops the calls about the event's invoice.
pub(super) async fn pause_calls<C: ConnectionTrait>(
    tx: &C,
    recorded: &Recorded,
    reason: &str,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let Some(invoice_id) = recorded.invoice_id() else {
        return Ok(());
    };
    enrolment::pause_of_invoice(tx, &recorded.merchant_id, invoice_id, reason, now, outbox).await.map(drop)
}
