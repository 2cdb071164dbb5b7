//! What an event says about reaching the customer: consents, "leave me alone", "you have the wrong number".

use std::collections::BTreeSet;

use domain::attention::AttentionKind;
use domain::email_address::EmailAddress;
use domain::job::Outbox;
use domain::phone::Phone;
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use entities::attention_item::{self, NewItem};
use entities::consent::{self, NewConsent};
use entities::opt_out::{self, NewOptOut};
use entities::{customer, invoice, message, timeline};
use sea_orm::{ConnectionTrait, DbErr};
use serde_json::json;

use super::follow::{Recorded, pause_calls};

const EVERY: &str = "*";

/// Keeps what customers agreed to or refused, for all events in one statement.
pub(super) async fn keep_consents<C: ConnectionTrait>(
    tx: &C,
    events: &[Recorded],
    now: Timestamp,
) -> Result<(), DbErr> {
    let spoken = |recorded: &&Recorded| {
        let said = recorded.event.outcome.contact_consent;
        said.sms.is_some() || said.email.is_some()
    };
    let spoken: Vec<&Recorded> = events.iter().filter(spoken).collect();
    if spoken.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = spoken
        .iter()
        .filter_map(|recorded| Some(recorded.invoice.as_ref()?.customer_id.to_string()))
        .collect();
    let customers = customer::by_ids(tx, &ids).await?;
    let consents: Vec<NewConsent> =
        spoken.iter().flat_map(|recorded| consents(recorded, &customers, now)).collect();
    consent::record(tx, &consents, now).await
}

fn consents(recorded: &Recorded, customers: &[customer::Model], now: Timestamp) -> Vec<NewConsent> {
    let outcome = &recorded.event.outcome;
    let said = outcome.contact_consent;
    let customer = recorded
        .invoice
        .as_ref()
        .and_then(|row| customers.iter().find(|customer| customer.id == row.customer_id));
    let phone = said_phone(recorded).or_else(|| customer?.phone.clone());
    let email =
        said_email(recorded).or_else(|| customer?.email.as_ref().map(|email| email.to_ascii_lowercase()));
    let words = [("sms", said.sms, phone), ("email", said.email, email)];
    let consent = |(channel, granted, recipient): (&'static str, Option<bool>, Option<String>)| {
        Some(NewConsent {
            merchant_id: recorded.merchant_id.clone(),
            channel,
            recipient: recipient?,
            granted: granted?,
            source: "call",
            source_ref: recorded.id.to_string(),
            evidence: outcome.evidence.clone(),
            // A moment from the future would outlast every later refusal.
            given_at: said.spoken_at.unwrap_or(recorded.event.occurred_at).min(now),
        })
    };
    words.into_iter().filter_map(consent).collect()
}

/// "Leave me alone": kept for every contact we know of, on every channel, and calls stop.
pub(super) async fn opt_out<C: ConnectionTrait>(
    tx: &C,
    recorded: &Recorded,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let recipients = recipients(tx, recorded).await?;
    if recipients.is_empty() {
        return nobody_to_leave_alone(tx, recorded, now).await;
    }
    for recipient in &recipients {
        let new = NewOptOut {
            merchant_id: &recorded.merchant_id,
            recipient,
            channel: EVERY,
            sender: EVERY,
            source: "spoken",
            source_ref: Some(recorded.id.as_str()),
        };
        opt_out::record(tx, &new, now).await?;
    }
    let entry = recorded.entry(TimelineKind::OptedOut, json!({"event_id": recorded.id, "source": "spoken"}));
    timeline::append(tx, entry.into_iter().collect(), now, outbox).await?;
    pause_calls(tx, recorded, "opted_out", now, outbox).await
}

/// Somebody wants to be left alone and we do not know who: a person has to find out.
async fn nobody_to_leave_alone<C: ConnectionTrait>(
    tx: &C,
    recorded: &Recorded,
    now: Timestamp,
) -> Result<(), DbErr> {
    let item = NewItem {
        merchant_id: recorded.merchant_id.clone(),
        kind: AttentionKind::ProbableOptOut,
        invoice_id: recorded.invoice_id().cloned(),
        subject: recorded.id.to_string(),
        detail: json!({"reason": "no_contact_in_event", "source": recorded.event.source}),
    };
    attention_item::raise_many(tx, &[item], now).await
}

/// The contacts the event names, and those on file for its invoice.
async fn recipients<C: ConnectionTrait>(tx: &C, recorded: &Recorded) -> Result<BTreeSet<String>, DbErr> {
    let mut recipients: BTreeSet<String> =
        said_phone(recorded).into_iter().chain(said_email(recorded)).collect();
    let Some(invoice) = &recorded.invoice else {
        return Ok(recipients);
    };
    recipients.extend(invoice.mobile_phone.clone());
    if let Some(customer) = customer::find(tx, &recorded.merchant_id, &invoice.customer_id).await? {
        recipients.extend(customer.phone);
        recipients.extend(customer.email.map(|email| email.to_ascii_lowercase()));
    }
    Ok(recipients)
}

/// "You have the wrong number": nobody calls or texts it again on this customer's behalf; a person finds another.
pub(super) async fn forget_number<C: ConnectionTrait>(
    tx: &C,
    recorded: &Recorded,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let Some(invoice) = &recorded.invoice else {
        return Ok(());
    };
    let customer = customer::find(tx, &recorded.merchant_id, &invoice.customer_id).await?;
    let wrong = said_phone(recorded).or_else(|| customer?.phone);
    if let Some(wrong) = wrong {
        customer::retire_phone(tx, &invoice.customer_id, &wrong, now).await?;
        invoice::retire_mobile_phone(tx, &invoice.id, &wrong, now).await?;
        message::suppress_to(tx, &invoice.id, &wrong, "wrong_number", now).await?;
    }
    let entry = recorded.entry(TimelineKind::NumberRetired, json!({"event_id": recorded.id}));
    timeline::append(tx, entry.into_iter().collect(), now, outbox).await?;
    let item = NewItem {
        merchant_id: recorded.merchant_id.clone(),
        kind: AttentionKind::NeedsContact,
        invoice_id: Some(invoice.id.0.clone()),
        subject: recorded.id.to_string(),
        detail: json!({"reason": "wrong_number"}),
    };
    attention_item::raise_many(tx, &[item], now).await?;
    pause_calls(tx, recorded, "wrong_number", now, outbox).await
}

/// The number in the event, if it is one: what cannot be read changes the channel, never the event's fate.
fn said_phone(recorded: &Recorded) -> Option<String> {
    let text = recorded.event.customer.phone.as_deref()?;
    Phone::parse(text, Some(&recorded.country)).ok().map(|phone| phone.as_str().to_owned())
}

fn said_email(recorded: &Recorded) -> Option<String> {
    let text = recorded.event.customer.email.as_deref()?;
    EmailAddress::parse(text).ok().map(|email| email.folded())
}
