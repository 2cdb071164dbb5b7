//! Links for the calls that asked for one, decided again at the moment of issuing.

use std::collections::HashSet;

use domain::call_event::{self as rules, Act, CallEvent, InvoiceFacts};
use domain::job::Outbox;
use domain::keyring::Keyring;
use domain::link::{FIRST_SEQUENCE, LinkCause};
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use entities::call_event::Suppression;
use entities::link::NewLink;
use entities::timeline::{self, NewEntry};
use entities::{call_event, invoice, link};
use queue::{Claimed, Outcome};
use sea_orm::{ConnectionTrait, DbErr};

use super::{AT_ONCE, Wishes};

/// What became of a batch's wishes.
pub(super) struct Issued {
    /// The new ones.
    pub links: Vec<link::Model>,
    pub outcomes: Vec<(Claimed, Outcome)>,
}

enum Ruling {
    /// A link that exists already; only its channel is missing.
    Channel,
    Link(Box<NewLink>),
    Suppressed(Suppression, NewEntry),
    /// An earlier wish of this batch is about the same invoice.
    Later,
    Nonsense(&'static str),
}

pub(super) async fn issue<C: ConnectionTrait>(
    tx: &C,
    keyring: &Keyring,
    wishes: &Wishes,
    jobs: &[Claimed],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<Issued, DbErr> {
    let mut taken = HashSet::new();
    let (mut new, mut suppressed, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs {
        let outcome = match rule(keyring, wishes, &job.subject, &mut taken) {
            Ruling::Channel => Outcome::Done,
            Ruling::Later => Outcome::Wait(AT_ONCE),
            Ruling::Nonsense(why) => Outcome::GiveUp(why.to_owned()),
            Ruling::Link(link) => {
                new.push(*link);
                Outcome::Done
            }
            Ruling::Suppressed(suppression, entry) => {
                suppressed.push(suppression);
                entries.push(entry);
                Outcome::Done
            }
        };
        outcomes.push((job.clone(), outcome));
    }
    call_event::suppress(tx, &suppressed).await?;
    timeline::append(tx, entries, now, outbox).await?;
    let links = link::issue(tx, &new, now, outbox).await?;
    Ok(Issued { links, outcomes })
}

fn rule(keyring: &Keyring, wishes: &Wishes, subject: &str, taken: &mut HashSet<String>) -> Ruling {
    if subject.starts_with("lnk_") {
        return Ruling::Channel;
    }
    let Some((event, said)) = wishes.events.get(subject) else {
        return Ruling::Nonsense("there is no such event or link");
    };
    let Some(said) = said else {
        return Ruling::Nonsense("the stored event cannot be read");
    };
    let invoice = event.invoice_id.as_ref().and_then(|id| wishes.invoices.get(id.as_str()));
    let Some(invoice) = invoice else {
        return Ruling::Nonsense("the event names no invoice");
    };
    let facts = InvoiceFacts { known: true, status: invoice.status.0, on_hold: invoice.on_hold };
    let decision = rules::decide(said, &facts);
    if !decision.acts.contains(&Act::IssueLink) {
        return suppression(event, invoice, decision.reason);
    }
    if !taken.insert(invoice.id.to_string()) {
        return Ruling::Later;
    }
    match new_link(keyring, event, said, invoice) {
        Some(link) => Ruling::Link(Box::new(link)),
        None => Ruling::Nonsense("the current key makes no token"),
    }
}

fn suppression(event: &call_event::Model, invoice: &invoice::Model, reason: &'static str) -> Ruling {
    let detail = serde_json::json!({"event_id": event.id.0, "reason": reason});
    let kind = TimelineKind::MessageSuppressed;
    let entry = NewEntry::new(&invoice.merchant_id, &invoice.id, kind, "system").with(detail);
    Ruling::Suppressed(Suppression { id: event.id.0.clone(), reason }, entry)
}

fn new_link(
    keyring: &Keyring,
    event: &call_event::Model,
    said: &CallEvent,
    invoice: &invoice::Model,
) -> Option<NewLink> {
    let id = entities::fresh::link_id();
    let token = keyring.link_token(keyring.current_id(), &id)?;
    Some(NewLink {
        merchant_id: invoice.merchant_id.0.clone(),
        invoice_id: invoice.id.0.clone(),
        chain_id: id.clone(),
        sequence: FIRST_SEQUENCE,
        cause: LinkCause::Call,
        wish_key: format!("call:{}", said.link_wish_key(&invoice.merchant_id, &invoice.id)),
        event_id: Some(event.id.0.clone()),
        wanted_channel: said.outcome.preferred_channel,
        token_hash: token.hash(),
        key_id: keyring.current_id().to_owned(),
        id,
    })
}
