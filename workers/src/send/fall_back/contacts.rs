//! What is known about the customers of messages that fell: loaded only when one did.

use std::collections::HashMap;

use domain::call_event::CallEvent;
use domain::message::Purpose;
use entities::{call_event, customer, invoice, link, merchant, message};
use sea_orm::{ConnectionTrait, DbErr};

use super::Fallen;
use crate::contacts::{Refusals, Sources};

pub(super) struct Known<'a> {
    people: People<'a>,
    refusals: Refusals,
}

struct People<'a> {
    invoices: &'a HashMap<&'a str, &'a invoice::Model>,
    customers: HashMap<String, customer::Model>,
    merchants: HashMap<String, merchant::Model>,
    links: HashMap<String, link::Model>,
    events: HashMap<String, CallEvent>,
}

impl<'a> Known<'a> {
    pub(super) async fn load<C: ConnectionTrait>(
        tx: &C,
        fallen: &[Fallen],
        invoices: &'a HashMap<&'a str, &'a invoice::Model>,
    ) -> Result<Self, DbErr> {
        let owners: Vec<&invoice::Model> =
            fallen.iter().filter_map(|one| invoices.get(one.message.invoice_id.as_str()).copied()).collect();
        let customer_ids: Vec<String> =
            owners.iter().map(|invoice| invoice.customer_id.to_string()).collect();
        let merchant_ids: Vec<String> =
            owners.iter().map(|invoice| invoice.merchant_id.to_string()).collect();
        let carriers = fallen.iter().filter(|one| one.message.purpose.0 == Purpose::Link);
        let link_ids: Vec<String> = carriers.map(|one| one.message.purpose_ref.clone()).collect();
        let links = link::by_ids(tx, &link_ids).await?;
        let event_ids: Vec<String> =
            links.iter().filter_map(|link| Some(link.event_id.as_ref()?.to_string())).collect();
        let customers = customer::by_ids(tx, &customer_ids).await?;
        let merchants = merchant::by_ids(tx, &merchant_ids).await?;
        let events = call_event::by_ids(tx, &event_ids).await?;
        let read = |event: call_event::Model| {
            Some((event.id.to_string(), domain::call_event::parse(event.body.as_bytes()).ok()?))
        };
        let people = People {
            invoices,
            customers: customers.into_iter().map(|customer| (customer.id.to_string(), customer)).collect(),
            merchants: merchants.into_iter().map(|merchant| (merchant.id.to_string(), merchant)).collect(),
            links: links.into_iter().map(|link| (link.id.to_string(), link)).collect(),
            events: events.into_iter().filter_map(read).collect(),
        };
        let sources: Vec<Sources<'_>> =
            fallen.iter().filter_map(|one| people.sources(&one.message)).collect();
        let refusals = Refusals::load(tx, &sources).await?;
        Ok(Self { people, refusals })
    }

    pub(super) fn sources(&self, message: &message::Model) -> Option<Sources<'_>> {
        self.people.sources(message)
    }

    pub(super) fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    pub(super) fn link(&self, message: &message::Model) -> Option<&link::Model> {
        self.people.links.get(&message.purpose_ref)
    }

    pub(super) fn payable(&self, message: &message::Model) -> bool {
        let invoice = self.people.invoices.get(message.invoice_id.as_str());
        invoice.is_some_and(|invoice| domain::invoice::payable(invoice.status.0))
    }

    pub(super) fn email_sender(&self, message: &message::Model) -> Option<&str> {
        self.people.merchants.get(message.merchant_id.as_str())?.email_sender.as_deref()
    }
}

impl People<'_> {
    fn sources(&self, message: &message::Model) -> Option<Sources<'_>> {
        let invoice: &invoice::Model = self.invoices.get(message.invoice_id.as_str())?;
        let link = self.links.get(&message.purpose_ref);
        Some(Sources {
            event: link.and_then(|link| self.events.get(link.event_id.as_ref()?.as_str())),
            invoice,
            customer: self.customers.get(invoice.customer_id.as_str())?,
            merchant: self.merchants.get(invoice.merchant_id.as_str())?,
        })
    }
}
