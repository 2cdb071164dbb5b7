//! Storing a batch of events in one transaction, with the same few statements whatever its size.

use std::collections::HashMap;

use domain::call_event::{Disposition, InvoiceFacts, decide};
use domain::id::MerchantId;
use domain::job::Outbox;
use domain::time::Timestamp;
use entities::{call_event, invoice};
use queue::failpoint;
use queue::trace::{self, Exchange};
use sea_orm::{ConnectionTrait, DbErr};

use super::Receipt;
use super::follow::{self, Recorded};
use super::sender::Delivery;
use crate::state::Api;

/// Stores events and does what they ask for, and says what became of each, in their order.
pub(super) async fn store(api: &Api, deliveries: &[Delivery]) -> Result<Vec<Receipt>, DbErr> {
    let tx = api.db.begin().await?;
    let now = api.now();
    let invoices = Invoices::load(&tx, deliveries).await?;
    let mut decided: Vec<(usize, Recorded)> = deliveries
        .iter()
        .enumerate()
        .map(|(position, delivery)| (position, weigh(delivery, &invoices, now)))
        .collect();
    // Everybody takes invoices in the order of their ids, so that no two wait for each other.
    decided.sort_by(|(_, a), (_, b)| a.invoice_id().cmp(&b.invoice_id()));

    let rows: Vec<call_event::Model> =
        decided.iter().map(|(position, recorded)| row(&deliveries[*position], recorded, now)).collect();
    let new = call_event::insert_new(&tx, &rows).await?;
    let (fresh, repeated): (Vec<_>, Vec<_>) = decided
        .into_iter()
        .zip(&rows)
        .partition(|((_, recorded), _)| new.iter().any(|id| id == recorded.id.as_str()));
    let mut receipts: Vec<(usize, Receipt)> = duplicates(&tx, &repeated).await?;

    let mut outbox = Outbox::default();
    let fresh: Vec<(usize, Recorded)> = fresh.into_iter().map(|(decided, _)| decided).collect();
    receipts.extend(fresh.iter().map(|(position, recorded)| (*position, recorded.receipt())));
    let positions: Vec<usize> = fresh.iter().map(|(position, _)| *position).collect();
    let recorded: Vec<Recorded> = fresh.into_iter().map(|(_, recorded)| recorded).collect();
    follow::follow(&tx, &recorded, now, &mut outbox).await?;
    api.ledger.enqueue(&tx, &outbox.jobs).await?;
    failpoint::reached("event_before_commit");
    tx.commit().await?;
    failpoint::reached("event_committed");
    api.ledger.announce(&outbox);
    if trace::is_on() {
        told(&recorded, positions.iter().map(|position| &deliveries[*position]));
    }

    receipts.sort_by_key(|(position, _)| *position);
    Ok(receipts.into_iter().map(|(_, receipt)| receipt).collect())
}

/// From the first byte to the commit.
fn told<'a>(recorded: &[Recorded], deliveries: impl Iterator<Item = &'a Delivery>) {
    for (recorded, delivery) in recorded.iter().zip(deliveries) {
        let Some(invoice_id) = recorded.invoice_id() else { continue };
        let (name, began) = ("receive_event", delivery.arrived);
        let (merchant_id, outcome) = (&recorded.merchant_id, recorded.decision.disposition.word());
        let exchange = Exchange { name, merchant_id, invoice_id, began, outcome };
        trace::was_asked(exchange, delivery.caller.clone());
    }
}

/// The invoices that a batch names, by merchant and by either name.
struct Invoices(HashMap<(String, String), invoice::Model>);

impl Invoices {
    async fn load<C: ConnectionTrait>(tx: &C, deliveries: &[Delivery]) -> Result<Self, DbErr> {
        let mut names: Vec<(MerchantId, String)> = deliveries
            .iter()
            .filter_map(|delivery| {
                Some((delivery.merchant_id.clone(), delivery.event.invoice.as_ref()?.id.clone()))
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        let found = invoice::named(tx, &names).await?;
        let by_number =
            found.iter().map(|row| ((row.merchant_id.to_string(), row.number.clone()), row.clone()));
        // Our own id wins over a number that looks like one.
        let by_id = found.iter().map(|row| ((row.merchant_id.to_string(), row.id.to_string()), row.clone()));
        Ok(Self(by_number.chain(by_id).collect()))
    }

    fn of(&self, delivery: &Delivery) -> Option<&invoice::Model> {
        let name = &delivery.event.invoice.as_ref()?.id;
        self.0.get(&(delivery.merchant_id.to_string(), name.clone()))
    }
}

fn weigh(delivery: &Delivery, invoices: &Invoices, now: Timestamp) -> Recorded {
    let invoice = invoices.of(delivery).cloned();
    let decision = decide(&delivery.event, &facts(invoice.as_ref()));
    Recorded {
        id: entities::fresh::id(now),
        merchant_id: delivery.merchant_id.clone(),
        country: delivery.country.clone(),
        event: delivery.event.clone(),
        invoice,
        decision,
    }
}

/// What a decision wants to know of an invoice.
pub(super) fn facts(invoice: Option<&invoice::Model>) -> InvoiceFacts {
    invoice.map_or(InvoiceFacts::UNKNOWN, |row| InvoiceFacts {
        known: true,
        status: row.status.0,
        on_hold: row.on_hold,
    })
}

fn row(delivery: &Delivery, recorded: &Recorded, now: Timestamp) -> call_event::Model {
    let event = &delivery.event;
    call_event::Model {
        id: recorded.id.clone().into(),
        merchant_id: delivery.merchant_id.clone().into(),
        dedupe_key: event.dedupe_key(&delivery.merchant_id),
        delivery_id: delivery.delivery_id.clone(),
        source: event.source.clone(),
        call_id: event.call_id.clone(),
        intent: event.outcome.intent_said.clone(),
        invoice_ref: event.invoice.as_ref().map(|invoice| invoice.id.clone()),
        invoice_id: recorded.invoice.as_ref().map(|invoice| invoice.id.clone()),
        disposition: recorded.decision.disposition.into(),
        reason: Some(recorded.decision.reason.to_owned()),
        body: delivery.body.clone(),
        occurred_at_ms: event.occurred_at.millis(),
        received_at_ms: now.millis(),
    }
}

/// Receipts for what was known already, under the id it is known by.
async fn duplicates<C: ConnectionTrait>(
    tx: &C,
    repeated: &[((usize, Recorded), &call_event::Model)],
) -> Result<Vec<(usize, Receipt)>, DbErr> {
    let keys: Vec<(MerchantId, String)> =
        repeated.iter().map(|(_, row)| (row.merchant_id.0.clone(), row.dedupe_key.clone())).collect();
    let known = call_event::known(tx, &keys).await?;
    let mut receipts = Vec::with_capacity(repeated.len());
    for ((position, _), row) in repeated {
        let same = known
            .iter()
            .find(|known| known.merchant_id == row.merchant_id && known.dedupe_key == row.dedupe_key);
        let same = same.ok_or_else(|| DbErr::RecordNotFound("the first of a repeated event".to_owned()))?;
        let receipt = Receipt { id: same.id.to_string(), disposition: Disposition::Duplicate, reason: None };
        receipts.push((*position, receipt));
    }
    Ok(receipts)
}
