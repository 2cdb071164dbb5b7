//! Everything a batch of messages needs to be judged and said, loaded in a handful of statements.

use std::collections::HashMap;

use domain::call_event::CallEvent;
use domain::channel::Channel;
use domain::message::{AttemptState, Purpose};
use domain::phone::Phone;
use domain::quiet_hours::{Opening, may_send};
use domain::time::{SECOND_MS, Timestamp};
use entities::{call_event, customer, invoice, link, merchant, message, send_attempt};
use sea_orm::{ConnectionTrait, DbErr};

use super::caps::{Place, Places};
use crate::contacts::Refusals;

/// One message and everything around it.
pub(crate) struct About<'a> {
    pub message: &'a message::Model,
    pub invoice: &'a invoice::Model,
    pub customer: &'a customer::Model,
    pub merchant: &'a merchant::Model,
    /// For messages that carry one.
    pub link: Option<&'a link::Model>,
    /// The call that asked for it.
    pub event: Option<&'a CallEvent>,
    /// Oldest first.
    pub attempts: &'a [send_attempt::Model],
    pub opted_out: bool,
    /// Among the texts of the last 24 hours.
    pub place: Place,
}

impl About<'_> {
    /// Where the recipient may be right now.
    pub(super) fn zones(&self) -> Vec<jiff::tz::TimeZone> {
        let heard = self.event.and_then(|event| event.customer.timezone.as_deref());
        let stated = heard.filter(|name| domain::quiet_hours::zone(name).is_some());
        let stated = stated.or(self.customer.time_zone.as_deref());
        let number = match self.message.channel.0 {
            Channel::Sms => Some(self.message.recipient.as_str()),
            Channel::Email => self.customer.phone.as_deref(),
        };
        let phone = number.and_then(Phone::stored);
        domain::quiet_hours::plausible_zones(stated, phone.as_ref(), &self.merchant.time_zone)
    }
}

/// Past this a wish is asked whether it had to wait for the morning.
const PROMPT_MS: i64 = 30 * SECOND_MS;

impl About<'_> {
    /// When we took the wish for this message's link, as long as no provider has seen it: what the promise of seconds is
    /// measured from. Not for what the hour forbade at first.
    pub(super) fn wished_at(&self, now: Timestamp) -> Option<Timestamp> {
        let link = self.link?;
        let unseen = |attempt: &send_attempt::Model| attempt.status.0 == AttemptState::NotSent;
        if !self.attempts.iter().all(unseen) {
            return None;
        }
        let event = link.event_id.as_ref().map(|id| id.0.made_at());
        let wished_at = event.unwrap_or(Timestamp::from_millis(link.created_at_ms));
        if now.since_ms(wished_at) <= PROMPT_MS {
            return Some(wished_at);
        }
        let asked_at = self.message.asked_at_ms.map(Timestamp::from_millis);
        let exempt = self.merchant.asked_exempt_from_hours;
        let opening = may_send(wished_at, asked_at, asked_at.is_some(), exempt, &self.zones());
        (opening == Opening::Now).then_some(wished_at)
    }
}

/// What a batch of messages is about, by id.
pub(crate) struct Facts {
    pub messages: HashMap<String, message::Model>,
    pub invoices: HashMap<String, invoice::Model>,
    pub customers: HashMap<String, customer::Model>,
    pub merchants: HashMap<String, merchant::Model>,
    pub links: HashMap<String, link::Model>,
    pub events: HashMap<String, CallEvent>,
    pub attempts: HashMap<String, Vec<send_attempt::Model>>,
    pub refusals: Refusals,
    pub places: Places,
}

impl Facts {
    /// Locks the invoices first, so that what is read here still holds when the intention is committed.
    pub(super) async fn load<C: ConnectionTrait>(
        tx: &C,
        ids: &[String],
        now: Timestamp,
    ) -> Result<Self, DbErr> {
        let invoices = invoice::lock_of_messages(tx, ids).await?;
        let messages = message::by_ids(tx, ids).await?;
        let merchant_ids: Vec<String> =
            distinct(invoices.iter().map(|invoice| invoice.merchant_id.to_string()));
        let customer_ids: Vec<String> =
            distinct(invoices.iter().map(|invoice| invoice.customer_id.to_string()));
        let recipients: Vec<String> = distinct(messages.iter().map(opt_out_key));
        let about_links = messages.iter().filter(|message| message.purpose.0 == Purpose::Link);
        let link_ids: Vec<String> = about_links.map(|message| message.purpose_ref.clone()).collect();
        let links = link::by_ids(tx, &link_ids).await?;
        let event_ids: Vec<String> =
            distinct(links.iter().filter_map(|link| Some(link.event_id.as_ref()?.to_string())));
        let merchants = merchant::by_ids(tx, &merchant_ids).await?;
        let attempts = grouped(send_attempt::of_messages(tx, ids).await?);
        Ok(Self {
            places: Places::load(tx, &merchants, &messages, &attempts, now).await?,
            merchants: by(merchants, |merchant| merchant.id.to_string()),
            customers: by(customer::by_ids(tx, &customer_ids).await?, |customer| customer.id.to_string()),
            events: read(call_event::by_ids(tx, &event_ids).await?),
            attempts,
            refusals: Refusals::of(tx, &merchant_ids, &recipients).await?,
            invoices: by(invoices, |invoice| invoice.id.to_string()),
            messages: by(messages, |message| message.id.to_string()),
            links: by(links, |link| link.id.to_string()),
        })
    }

    /// `None` for an id that names no message.
    pub(crate) fn about(&self, message_id: &str) -> Option<About<'_>> {
        let message = self.messages.get(message_id)?;
        let invoice = self.invoices.get(message.invoice_id.as_str())?;
        let link = self.links.get(&message.purpose_ref);
        let event = link.and_then(|link| self.events.get(link.event_id.as_ref()?.as_str()));
        let merchant = self.merchants.get(invoice.merchant_id.as_str())?;
        let (channel, recipient) = (message.channel.word(), opt_out_key(message));
        Some(About {
            message,
            invoice,
            customer: self.customers.get(invoice.customer_id.as_str())?,
            merchant,
            link,
            event,
            attempts: self.attempts.get(message_id).map_or(&[], Vec::as_slice),
            // An opt-out, or a "no" said after the message was written.
            opted_out: self.refusals.forbid(merchant, channel, &recipient, &message.sender),
            place: self.places.of(message_id),
        })
    }

    pub(crate) fn invoices(&self) -> impl Iterator<Item = &invoice::Model> {
        self.invoices.values()
    }
}

/// Opt-outs of addresses are filed in lower case.
fn opt_out_key(message: &message::Model) -> String {
    match message.channel.0 {
        Channel::Sms => message.recipient.clone(),
        Channel::Email => message.recipient.to_ascii_lowercase(),
    }
}

fn distinct(ids: impl Iterator<Item = String>) -> Vec<String> {
    let mut ids: Vec<String> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

pub(crate) fn by<T>(rows: Vec<T>, key: impl Fn(&T) -> String) -> HashMap<String, T> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

/// A body that cannot be read says nothing; it was read once, when the event came in.
fn read(events: Vec<call_event::Model>) -> HashMap<String, CallEvent> {
    let read = |event: call_event::Model| {
        let said = domain::call_event::parse(event.body.as_bytes()).ok()?;
        Some((event.id.to_string(), said))
    };
    events.into_iter().filter_map(read).collect()
}

fn grouped(attempts: Vec<send_attempt::Model>) -> HashMap<String, Vec<send_attempt::Model>> {
    let mut groups: HashMap<String, Vec<send_attempt::Model>> = HashMap::new();
    for attempt in attempts {
        groups.entry(attempt.message_id.to_string()).or_default().push(attempt);
    }
    groups
}
