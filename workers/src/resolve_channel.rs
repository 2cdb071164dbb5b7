//! Issues the link that a call asked for, picks the channel, and writes the message. Also picks the channel of links
//! that were issued by hand or on an expired page.

mod issue;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::attention::AttentionKind;
use domain::call_event::CallEvent;
use domain::channel::{self, Channel, Reason, Resolution};
use domain::job::{JobKind, NewJob, Outbox};
use domain::link::LinkStatus;
use domain::message::Purpose;
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use entities::message::NewMessage;
use entities::timeline::{self, NewEntry};
use entities::{attention_item, call_event, customer, invoice, link, merchant, message};
use queue::{Batch, Claimed, Handler, Outcome, failpoint};
use sea_orm::{ConnectionTrait, DbErr};

use crate::contacts::{Refusals, Sources};
use crate::send::{self, About, Errand, Facts, Moment, Places, by};
use crate::{Context, send_link};
use issue::Issued;

pub(crate) struct ResolveChannel {
    pub(crate) context: Context,
}

impl Handler for ResolveChannel {
    const KIND: JobKind = JobKind::ResolveChannel;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        let errands = self.resolve(batch).await?;
        send::carry_out(&self.context, batch, errands).await
    }
}

impl ResolveChannel {
    /// Issues the links, writes the messages, and commits to sending them: the job goes on with the message's first
    /// attempt, so that a text needs one claim and two transactions.
    async fn resolve(&self, batch: &Batch) -> Result<Vec<Errand>, DbErr> {
        let context = &self.context;
        let jobs: Vec<Claimed> = batch.jobs().cloned().collect();
        let subjects: Vec<String> = jobs.iter().map(|job| job.subject.clone()).collect();
        let tx = context.db.begin().await?;
        let moment = Moment { now: context.now(), begun: Instant::now() };
        let now = moment.now;
        let mut outbox = Outbox::default();
        let wishes = Wishes::load(&tx, &subjects).await?;
        let mut issued = issue::issue(&tx, &context.keyring, &wishes, &jobs, now, &mut outbox).await?;
        let by_hand: Vec<String> =
            subjects.into_iter().filter(|subject| subject.starts_with("lnk_")).collect();
        issued.links.extend(link::by_ids(&tx, &by_hand).await?);
        go_on(&tx, &jobs, &mut outbox).await?;
        let addressed = address(&tx, &wishes, &issued.links, now, &mut outbox).await?;
        let wanted = wanted(&mut issued, &addressed.messages);
        let facts = facts(&tx, wishes, issued.links, addressed, now).await?;
        let words = |about: &About<'_>| send_link::words(context, about);
        let intention = send::intend(&tx, context, &facts, wanted, &words, moment, &mut outbox).await?;
        issued.outcomes.extend(intention.outcomes);
        failpoint::reached("resolve_before_commit");
        let settled = batch.settle(&tx, issued.outcomes).await?;
        batch.ledger().enqueue(&tx, &outbox.jobs).await?;
        tx.commit().await?;
        failpoint::reached("resolve_committed");
        batch.committed(&settled);
        batch.ledger().announce(&outbox);
        Ok(intention.errands)
    }
}

/// A job that was begun before and not seen to its end may have left a message behind; that goes on as the message's own
/// job, which knows what to make of an attempt nobody saw the end of.
async fn go_on<C: ConnectionTrait>(tx: &C, jobs: &[Claimed], outbox: &mut Outbox) -> Result<(), DbErr> {
    let begun = jobs.iter().filter(|job| job.attempts > 0 || job.crashes > 0);
    let begun: Vec<String> = begun.map(|job| job.subject.clone()).collect();
    let of_calls = link::of_events(tx, &begun).await?;
    let links: Vec<String> = of_calls.into_iter().map(|link| link.id.0.into_string()).chain(begun).collect();
    for message in message::queued_of_links(tx, &links).await? {
        outbox.enqueue(NewJob::once(JobKind::SendLink, message.id.as_str(), &message.merchant_id));
    }
    Ok(())
}

/// The messages to be sent at once, each with the job that led to it; those jobs have no outcome yet.
fn wanted(issued: &mut Issued, messages: &[message::Model]) -> Vec<(String, Claimed)> {
    let of_link: HashMap<&str, &str> =
        messages.iter().map(|message| (message.purpose_ref.as_str(), message.id.as_str())).collect();
    let subjects: HashMap<&str, &str> = issued
        .links
        .iter()
        .filter_map(|link| {
            let message_id = of_link.get(link.id.as_str())?;
            Some(
                [(link.id.as_str(), *message_id)]
                    .into_iter()
                    .chain(link.event_id.as_ref().map(|event_id| (event_id.as_str(), *message_id))),
            )
        })
        .flatten()
        .collect();
    let (leading, ended): (Vec<_>, Vec<_>) = std::mem::take(&mut issued.outcomes)
        .into_iter()
        .partition(|(job, outcome)| *outcome == Outcome::Done && subjects.contains_key(job.subject.as_str()));
    issued.outcomes = ended;
    let lead = |(job, _): (Claimed, Outcome)| Some(((*subjects.get(job.subject.as_str())?).to_owned(), job));
    leading.into_iter().filter_map(lead).collect()
}

/// Everything the send protocol wants to know about messages that were written just now.
async fn facts<C: ConnectionTrait>(
    tx: &C,
    wishes: Wishes,
    links: Vec<link::Model>,
    addressed: Addressed,
    now: Timestamp,
) -> Result<Facts, DbErr> {
    let Addressed { messages, refusals } = addressed;
    let merchants: Vec<merchant::Model> = wishes.merchants.values().cloned().collect();
    // What others write at this moment is not seen yet: texts of one merchant are counted one batch after the other.
    let texts = messages.iter().filter(|message| message.channel.0 == Channel::Sms);
    let texting: Vec<String> = texts.map(|message| message.merchant_id.to_string()).collect();
    merchant::lock_all(tx, &texting).await?;
    let read = |(id, (_, said)): (String, (call_event::Model, Option<CallEvent>))| Some((id, said?));
    Ok(Facts {
        places: Places::load(tx, &merchants, &messages, &HashMap::new(), now).await?,
        messages: by(messages, |message| message.id.to_string()),
        invoices: wishes.invoices,
        customers: wishes.customers,
        merchants: wishes.merchants,
        links: by(links, |link| link.id.to_string()),
        events: wishes.events.into_iter().filter_map(read).collect(),
        attempts: HashMap::new(),
        refusals,
    })
}

/// What a batch of subjects is about. The invoices are locked.
struct Wishes {
    invoices: HashMap<String, invoice::Model>,
    events: HashMap<String, (call_event::Model, Option<CallEvent>)>,
    merchants: HashMap<String, merchant::Model>,
    customers: HashMap<String, customer::Model>,
}

impl Wishes {
    async fn load<C: ConnectionTrait>(tx: &C, subjects: &[String]) -> Result<Self, DbErr> {
        let invoices = invoice::lock_of_wishes(tx, subjects).await?;
        let events = call_event::by_ids(tx, subjects).await?;
        let merchant_ids: Vec<String> =
            invoices.iter().map(|invoice| invoice.merchant_id.to_string()).collect();
        let customer_ids: Vec<String> =
            invoices.iter().map(|invoice| invoice.customer_id.to_string()).collect();
        let merchants = merchant::by_ids(tx, &merchant_ids).await?;
        let customers = customer::by_ids(tx, &customer_ids).await?;
        let read = |event: call_event::Model| {
            let said = domain::call_event::parse(event.body.as_bytes()).ok();
            (event.id.to_string(), (event, said))
        };
        Ok(Self {
            invoices: invoices.into_iter().map(|invoice| (invoice.id.to_string(), invoice)).collect(),
            events: events.into_iter().map(read).collect(),
            merchants: merchants.into_iter().map(|merchant| (merchant.id.to_string(), merchant)).collect(),
            customers: customers.into_iter().map(|customer| (customer.id.to_string(), customer)).collect(),
        })
    }

    fn event(&self, link: &link::Model) -> Option<&CallEvent> {
        self.events.get(link.event_id.as_ref()?.as_str())?.1.as_ref()
    }

    fn sources<'a>(&'a self, link: &link::Model) -> Option<Sources<'a>> {
        let invoice = self.invoices.get(link.invoice_id.as_str())?;
        Some(Sources {
            event: self.event(link),
            invoice,
            customer: self.customers.get(invoice.customer_id.as_str())?,
            merchant: self.merchants.get(invoice.merchant_id.as_str())?,
        })
    }
}

/// The messages that are new, and every "no" of those they are for.
struct Addressed {
    messages: Vec<message::Model>,
    refusals: Refusals,
}

/// Writes a message for each link that waits for one, or says who cannot be reached.
async fn address<C: ConnectionTrait>(
    tx: &C,
    wishes: &Wishes,
    links: &[link::Model],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<Addressed, DbErr> {
    let waiting = links.iter().filter(|link| link.status.0 == LinkStatus::Queued);
    let waiting: Vec<(&link::Model, Sources<'_>)> =
        waiting.filter_map(|link| Some((link, wishes.sources(link)?))).collect();
    let sources: Vec<Sources<'_>> = waiting.iter().map(|(_, sources)| *sources).collect();
    let refusals = Refusals::load(tx, &sources).await?;
    let mut messages = Vec::new();
    let mut unreachable = Vec::new();
    for (link, sources) in waiting {
        match resolve(link, sources, &refusals) {
            Resolution::Sms(phone) => messages.push(to_say(link, sources, Channel::Sms, phone.as_str())),
            Resolution::Email(address) => {
                messages.push(to_say(link, sources, Channel::Email, address.as_str()))
            }
            Resolution::NeedsContact(reasons) => unreachable.push((link, reasons)),
        }
    }
    let found: Vec<String> = messages.iter().map(|message| message.invoice_id.to_string()).collect();
    attention_item::close_of_invoices(tx, AttentionKind::NeedsContact, &found, now).await?;
    let messages = message::queue(tx, &messages, now).await?;
    ask_for_contact(tx, &unreachable, now, outbox).await?;
    Ok(Addressed { messages, refusals })
}

fn resolve(link: &link::Model, sources: Sources<'_>, refusals: &Refusals) -> Resolution {
    let mut wish = sources.wish();
    if let Some(wanted) = &link.wanted_channel {
        wish.preferred = Some(wanted.0);
    }
    channel::resolve(&wish, &sources.phones(refusals), &sources.emails(refusals), &sources.countries())
}

fn to_say(link: &link::Model, sources: Sources<'_>, channel: Channel, recipient: &str) -> NewMessage {
    let merchant = sources.merchant;
    let sender = match channel {
        Channel::Sms => &merchant.sms_sender,
        Channel::Email => &merchant.email_sender,
    };
    NewMessage {
        merchant_id: link.merchant_id.0.clone(),
        invoice_id: link.invoice_id.0.clone(),
        purpose: Purpose::Link,
        purpose_ref: link.id.to_string(),
        channel,
        recipient: recipient.to_owned(),
        sender: sender.clone().unwrap_or_default(),
        locale: sources.locale().tag().to_owned(),
        asked_at: sources.event.map(|event| event.occurred_at),
    }
}

/// A link that goes nowhere is revoked, so that the merchant's next try begins a chain of its own.
async fn ask_for_contact<C: ConnectionTrait>(
    tx: &C,
    unreachable: &[(&link::Model, Vec<Reason>)],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let mut entries = Vec::with_capacity(unreachable.len());
    for (link, reasons) in unreachable {
        let detail = serde_json::json!({"link_id": link.id.0, "reasons": reasons});
        let kind = AttentionKind::NeedsContact;
        let (merchant_id, invoice_id) = (&link.merchant_id, &link.invoice_id);
        attention_item::raise(tx, merchant_id, kind, Some(invoice_id), link.id.as_str(), &detail, now)
            .await?;
        entries.push(
            NewEntry::new(merchant_id, invoice_id, TimelineKind::ContactMissing, "system").with(detail),
        );
    }
    timeline::append(tx, entries, now, outbox).await?;
    let links: Vec<String> = unreachable.iter().map(|(link, _)| link.id.to_string()).collect();
    link::revoke_queued(tx, &links, now, outbox).await
}

/// Another wish for the same invoice is at work in this very batch.
const AT_ONCE: Duration = Duration::ZERO;
