//! A message that cannot go its way, or did not arrive: what we learn from it, the same by email where that may be,
//! and otherwise a person.

use std::collections::{HashMap, HashSet};

use domain::channel::{Channel, LineType, Reason, Resolution, fallback_after_undelivered};
use domain::email_address::EmailAddress;
use domain::id::MessageId;
use domain::job::{JobKind, NewJob, Outbox};
use domain::link::{Standing, standing};
use domain::message::{MessageState, Purpose};
use domain::send::RejectClass;
use domain::time::Timestamp;
use entities::message::{Ending, NewMessage};
use entities::opt_out::NewOptOut;
use entities::{customer, invoice, link, message, opt_out};
use sea_orm::{ConnectionTrait, DbErr};

mod contacts;
mod tell;

use contacts::Known;

/// A message that ends without having arrived.
#[derive(Clone)]
pub(crate) struct Fallen {
    pub message: message::Model,
    pub state: MessageState,
    pub reason: &'static str,
    /// Why the provider refused it, where it did.
    pub class: Option<RejectClass>,
    /// Only when an email can take its place; otherwise it goes on waiting.
    pub if_possible: bool,
    /// No other channel either.
    pub for_good: bool,
}

impl Fallen {
    pub(crate) fn ended(message: &message::Model, state: MessageState, reason: &'static str) -> Self {
        Self { message: message.clone(), state, reason, class: None, if_possible: false, for_good: false }
    }

    pub(crate) fn refused(message: &message::Model, class: RejectClass) -> Self {
        Self { class: Some(class), ..Self::ended(message, MessageState::Failed, class.word()) }
    }

    pub(crate) fn suppressed(message: &message::Model, reason: &'static str) -> Self {
        Self { for_good: true, ..Self::ended(message, MessageState::Suppressed, reason) }
    }
}

/// Where the same can be said instead.
enum Way {
    Email(EmailAddress),
    Nobody(Vec<Reason>),
    /// There is nothing left to say.
    Needless,
}

/// A message and the way it takes from here.
type Turn<'a> = (&'a Fallen, Way);

/// Ends the messages and does what follows. Returns the ids of those that go on waiting.
pub(crate) async fn commit<'a, C: ConnectionTrait>(
    tx: &C,
    fallen: &[Fallen],
    invoices: impl Iterator<Item = &'a invoice::Model>,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<HashSet<String>, DbErr> {
    if fallen.is_empty() {
        return Ok(HashSet::new());
    }
    learn(tx, fallen, now).await?;
    let invoices: HashMap<&str, &invoice::Model> =
        invoices.map(|invoice| (invoice.id.as_str(), invoice)).collect();
    let known = Known::load(tx, fallen, &invoices).await?;
    let ways = fallen.iter().map(|one| (one, way(one, &known, now)));
    let waits = |(one, way): &Turn<'_>| one.if_possible && !matches!(way, Way::Email(_));
    let (kept, mut ways): (Vec<Turn<'_>>, Vec<Turn<'_>>) = ways.partition(waits);
    // It goes on waiting, but not in silence.
    tell::attention(tx, &kept, now, outbox).await?;
    let ended = end(tx, &ways, now).await?;
    ways.retain(|(one, _)| ended.contains(&one.message.id));
    tell::timeline(tx, &ways, now, outbox).await?;
    say_by_email(tx, &ways, &known, now, outbox).await?;
    end_links(tx, &ways, now, outbox).await?;
    tell::attention(tx, &ways, now, outbox).await?;
    Ok(kept.into_iter().map(|(one, _)| one.message.id.to_string()).collect())
}

/// What a refusal teaches: an opt-out, or a line that takes no texts.
async fn learn<C: ConnectionTrait>(tx: &C, fallen: &[Fallen], now: Timestamp) -> Result<(), DbErr> {
    for one in fallen {
        let Some(class) = one.class else { continue };
        let message = &one.message;
        if class.line_takes_no_texts() {
            customer::learn_line_type(tx, &message.merchant_id, &message.recipient, LineType::Landline, now)
                .await?;
        }
        if class == RejectClass::OptedOut && one.state == MessageState::Failed {
            let opt_out = NewOptOut {
                merchant_id: &message.merchant_id,
                recipient: &message.recipient,
                channel: message.channel.word(),
                sender: &message.sender,
                source: "carrier",
                source_ref: Some(message.id.as_str()),
            };
            opt_out::record(tx, &opt_out, now).await?;
        }
    }
    Ok(())
}

fn way(one: &Fallen, known: &Known<'_>, now: Timestamp) -> Way {
    let link = known.link(&one.message);
    if one.for_good || !still_wanted(one, link, known, now) {
        return Way::Needless;
    }
    let Some(sources) = known.sources(&one.message) else {
        return Way::Nobody(Vec::new());
    };
    if one.message.channel.0 == Channel::Email {
        return Way::Nobody(Vec::new());
    }
    match fallback_after_undelivered(&sources.wish(), &sources.emails(known.refusals())) {
        Resolution::Email(address) => {
            let agreed = sources.wish().email_consent == Some(true)
                || known.refusals().agreed_to_email(sources.merchant, &address);
            // Who said STOP to texts gets an email only after a yes to emails.
            if one.class == Some(RejectClass::OptedOut) && !agreed {
                return Way::Nobody(vec![Reason::PhoneOptedOut]);
            }
            Way::Email(address)
        }
        Resolution::NeedsContact(reasons) => Way::Nobody(reasons),
        Resolution::Sms(_) => Way::Nobody(Vec::new()),
    }
}

fn still_wanted(one: &Fallen, link: Option<&link::Model>, known: &Known<'_>, now: Timestamp) -> bool {
    match one.message.purpose.0 {
        Purpose::Receipt => true,
        Purpose::Link => {
            let expires_at = |link: &link::Model| link.expires_at_ms.map(Timestamp::from_millis);
            let lives =
                link.is_some_and(|link| standing(link.status.0, expires_at(link), now) == Standing::Live);
            lives && known.payable(&one.message)
        }
    }
}

async fn end<C: ConnectionTrait>(tx: &C, ways: &[Turn<'_>], now: Timestamp) -> Result<Vec<MessageId>, DbErr> {
    let endings: Vec<Ending> = ways
        .iter()
        .map(|(one, _)| Ending {
            id: one.message.id.0.clone(),
            state: one.state,
            reason: one.reason.to_owned(),
        })
        .collect();
    message::end(tx, &endings, now).await
}

async fn say_by_email<C: ConnectionTrait>(
    tx: &C,
    ways: &[Turn<'_>],
    known: &Known<'_>,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let letters: Vec<NewMessage> = ways
        .iter()
        .filter_map(|(one, way)| match way {
            Way::Email(address) => Some(letter(&one.message, address, known.email_sender(&one.message)?)),
            Way::Nobody(_) | Way::Needless => None,
        })
        .collect();
    for message in message::queue(tx, &letters, now).await? {
        outbox.enqueue(NewJob::once(job_of(message.purpose.0), message.id.as_str(), &message.merchant_id));
    }
    Ok(())
}

/// The same, to somewhere else.
fn letter(message: &message::Model, address: &EmailAddress, sender: &str) -> NewMessage {
    NewMessage {
        merchant_id: message.merchant_id.0.clone(),
        invoice_id: message.invoice_id.0.clone(),
        purpose: message.purpose.0,
        purpose_ref: message.purpose_ref.clone(),
        channel: Channel::Email,
        recipient: address.as_str().to_owned(),
        sender: sender.to_owned(),
        locale: message.locale.clone(),
        asked_at: message.asked_at_ms.map(Timestamp::from_millis),
    }
}

/// The job that sends messages of a purpose.
pub(crate) const fn job_of(purpose: Purpose) -> JobKind {
    match purpose {
        Purpose::Link => JobKind::SendLink,
        Purpose::Receipt => JobKind::SendReceipt,
    }
}

/// A link that nobody will be sent is revoked. One that somebody may have got gets its seven days from now.
async fn end_links<C: ConnectionTrait>(
    tx: &C,
    ways: &[Turn<'_>],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let of = |wanted: &dyn Fn(&Fallen, &Way) -> bool| -> Vec<String> {
        let links =
            ways.iter().filter(|(one, way)| one.message.purpose.0 == Purpose::Link && wanted(one, way));
        links.map(|(one, _)| one.message.purpose_ref.clone()).collect()
    };
    let doubtful = of(&|one, _| one.state == MessageState::Unknown);
    let unsent = of(&|one, way| one.state != MessageState::Unknown && !matches!(way, Way::Email(_)));
    link::mark_sent(tx, &doubtful, now).await?;
    link::revoke_queued(tx, &unsent, now, outbox).await
}
