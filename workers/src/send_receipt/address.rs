//! Where a receipt goes: by email where there is an address, because a receipt is kept; else the way the link went that
//! worked.

use std::collections::HashMap;

use domain::channel::{Channel, Resolution, Wish, resolve};
use domain::job::Outbox;
use domain::message::{MessageState, Purpose};
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use entities::message::NewMessage;
use entities::timeline::{self, NewEntry};
use entities::{customer, invoice, merchant, message, payment};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::contacts::{Refusals, Sources};

/// The receipts of those of these payments that have none. Their invoices are locked, so that two of these cannot choose
/// two ways for one receipt.
pub(super) async fn all<C: ConnectionTrait>(
    tx: &C,
    payment_ids: &[String],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<Vec<NewMessage>, DbErr> {
    let payments = payment::by_ids(tx, payment_ids).await?;
    let known = Known::load(tx, &payments).await?;
    let unwritten = payments.iter().filter(|payment| !known.has_receipt(payment));
    let unwritten: Vec<(&payment::Model, Sources<'_>)> =
        unwritten.filter_map(|payment| Some((payment, known.sources(payment)?))).collect();
    let sources: Vec<Sources<'_>> = unwritten.iter().map(|(_, sources)| *sources).collect();
    let refusals = Refusals::load(tx, &sources).await?;
    let mut letters = Vec::new();
    let mut unreachable = Vec::new();
    for (payment, sources) in unwritten {
        let way = best(&known, payment, sources, &refusals);
        match way {
            Some(way) => letters.push(receipt(payment, way)),
            None => unreachable.push(nowhere(payment)),
        }
    }
    timeline::append(tx, unreachable, now, outbox).await?;
    Ok(letters)
}

/// A channel, a recipient and a sender on it.
struct Way {
    channel: Channel,
    recipient: String,
    sender: String,
    locale: String,
}

fn best(known: &Known, payment: &payment::Model, sources: Sources<'_>, refusals: &Refusals) -> Option<Way> {
    match on_file(sources, refusals) {
        Some(way) if way.channel == Channel::Email => Some(way),
        way => known.that_worked(payment).or(way),
    }
}

/// What the customer's and the event's contacts allow, email first.
fn on_file(sources: Sources<'_>, refusals: &Refusals) -> Option<Way> {
    let wish = Wish { preferred: Some(Channel::Email), ..Wish::default() };
    let (phones, emails) = (sources.phones(refusals), sources.emails(refusals));
    let (channel, recipient) = match resolve(&wish, &phones, &emails, &sources.countries()) {
        Resolution::Sms(phone) => (Channel::Sms, phone.as_str().to_owned()),
        Resolution::Email(address) => (Channel::Email, address.as_str().to_owned()),
        Resolution::NeedsContact(_) => return None,
    };
    let sender = match channel {
        Channel::Sms => sources.merchant.sms_sender.clone(),
        Channel::Email => sources.merchant.email_sender.clone(),
    };
    Some(Way { channel, recipient, sender: sender?, locale: sources.locale().tag().to_owned() })
}

/// Who has just paid asked for it, so to speak: the hours in which nobody is written to are for what they did not expect.
fn receipt(payment: &payment::Model, way: Way) -> NewMessage {
    NewMessage {
        merchant_id: payment.merchant_id.0.clone(),
        invoice_id: payment.invoice_id.0.clone(),
        purpose: Purpose::Receipt,
        purpose_ref: payment.id.to_string(),
        channel: way.channel,
        recipient: way.recipient,
        sender: way.sender,
        locale: way.locale,
        asked_at: payment.succeeded_at_ms.map(Timestamp::from_millis),
    }
}

fn nowhere(payment: &payment::Model) -> NewEntry {
    let detail = serde_json::json!({"payment_id": payment.id.0, "purpose": Purpose::Receipt});
    let kind = TimelineKind::ContactMissing;
    NewEntry::new(&payment.merchant_id, &payment.invoice_id, kind, "system").with(detail)
}

struct Known {
    invoices: HashMap<String, invoice::Model>,
    merchants: HashMap<String, merchant::Model>,
    customers: HashMap<String, customer::Model>,
    messages: Vec<message::Model>,
}

impl Known {
    async fn load<C: ConnectionTrait>(tx: &C, payments: &[payment::Model]) -> Result<Self, DbErr> {
        let invoice_ids: Vec<String> =
            payments.iter().map(|payment| payment.invoice_id.to_string()).collect();
        let invoices = invoice::lock_all(tx, &invoice_ids).await?;
        let merchant_ids: Vec<String> =
            invoices.iter().map(|invoice| invoice.merchant_id.to_string()).collect();
        let customer_ids: Vec<String> =
            invoices.iter().map(|invoice| invoice.customer_id.to_string()).collect();
        let merchants = merchant::by_ids(tx, &merchant_ids).await?;
        let customers = customer::by_ids(tx, &customer_ids).await?;
        let messages = message::Entity::find().filter(message::Column::InvoiceId.is_in(invoice_ids)).all(tx);
        Ok(Self {
            messages: messages.await?,
            invoices: invoices.into_iter().map(|invoice| (invoice.id.to_string(), invoice)).collect(),
            merchants: merchants.into_iter().map(|merchant| (merchant.id.to_string(), merchant)).collect(),
            customers: customers.into_iter().map(|customer| (customer.id.to_string(), customer)).collect(),
        })
    }

    fn has_receipt(&self, payment: &payment::Model) -> bool {
        let is_its = |message: &message::Model| {
            message.purpose.0 == Purpose::Receipt && message.purpose_ref == payment.id.as_str()
        };
        self.messages.iter().any(is_its)
    }

    /// The way of the invoice's link that arrived last, else of the one that was taken last.
    fn that_worked(&self, payment: &payment::Model) -> Option<Way> {
        let of_invoice = |message: &&message::Model| {
            message.invoice_id == payment.invoice_id && message.purpose.0 == Purpose::Link
        };
        let rank = |message: &message::Model| match message.status.0 {
            MessageState::Delivered => Some((1, message.accepted_at_ms)),
            MessageState::Sent => Some((0, message.accepted_at_ms)),
            MessageState::Queued
            | MessageState::Failed
            | MessageState::Suppressed
            | MessageState::Unknown => None,
        };
        let ranked = self
            .messages
            .iter()
            .filter(of_invoice)
            .filter_map(|message| rank(message).map(|rank| (rank, message)));
        // Of two that are alike, the one that was written later: the store returns them in no order.
        let (_, message) =
            ranked.max_by(|(a, one), (b, other)| (a, one.id.as_str()).cmp(&(b, other.id.as_str())))?;
        Some(Way {
            channel: message.channel.0,
            recipient: message.recipient.clone(),
            sender: message.sender.clone(),
            locale: message.locale.clone(),
        })
    }

    fn sources(&self, payment: &payment::Model) -> Option<Sources<'_>> {
        let invoice = self.invoices.get(payment.invoice_id.as_str())?;
        Some(Sources {
            event: None,
            invoice,
            customer: self.customers.get(invoice.customer_id.as_str())?,
            merchant: self.merchants.get(invoice.merchant_id.as_str())?,
        })
    }
}
