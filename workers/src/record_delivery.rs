//! Applies what a carrier reported about an attempt: a proof that it took the text, a delivery, or a failure that an
//! email with the same link answers. Reports come in any order and more than once; a status never goes back.

use std::collections::HashMap;

use domain::attention::AttentionKind;
use domain::id::MessageId;
use domain::job::{JobKind, Outbox};
use domain::message::AttemptState;
use domain::send::{MessageStatus, RejectClass, twilio_class};
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use entities::send_attempt::Report;
use entities::timeline::{self, NewEntry};
use entities::{attention_item, carrier_callback, invoice, message, send_attempt};
use queue::{Batch, Claimed, Handler, Outcome};
use sea_orm::{ConnectionTrait, DbErr};

use crate::Context;
use crate::send::fall_back::{self, Fallen};
use crate::send::taken::{self, Taken};

pub(crate) struct RecordDelivery {
    pub(crate) context: Context,
}

impl Handler for RecordDelivery {
    const KIND: JobKind = JobKind::RecordDelivery;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        let jobs: Vec<Claimed> = batch.jobs().cloned().collect();
        let attempts: Vec<String> = jobs.iter().map(|job| job.subject.clone()).collect();
        let tx = self.context.db.begin().await?;
        let now = self.context.now();
        let mut outbox = Outbox::default();
        let invoices = invoice::lock_of_attempts(&tx, &attempts).await?;
        let heard = hear(&tx, &attempts).await?;
        let doubled = apply(&tx, &heard, &invoices, now, &mut outbox).await?;
        let outcomes = jobs.into_iter().map(|job| (job, Outcome::Done)).collect();
        let settled = batch.settle(&tx, outcomes).await?;
        batch.ledger().enqueue(&tx, &outbox.jobs).await?;
        tx.commit().await?;
        batch.committed(&settled);
        batch.ledger().announce(&outbox);
        for one in heard.iter().filter(|one| one.report.status != one.before) {
            self.context.metrics.delivered(one.report.status, class_of(one.report.code));
        }
        self.context.metrics.may_have_doubled(doubled);
        Ok(())
    }
}

/// What the reports about one attempt come to.
struct Heard {
    attempt: send_attempt::Model,
    message: message::Model,
    before: MessageStatus,
    report: Report,
    /// The carrier took one request twice: two of its messages name this attempt.
    doubled: bool,
}

async fn hear<C: ConnectionTrait>(tx: &C, ids: &[String]) -> Result<Vec<Heard>, DbErr> {
    let callbacks = carrier_callback::of_attempts(tx, ids).await?;
    let attempts = send_attempt::by_ids(tx, ids).await?;
    let message_ids: Vec<String> = attempts.iter().map(|attempt| attempt.message_id.to_string()).collect();
    let messages = message::by_ids(tx, &message_ids).await?;
    let messages: HashMap<&str, &message::Model> =
        messages.iter().map(|message| (message.id.as_str(), message)).collect();
    let heard = attempts.into_iter().filter_map(|attempt| {
        let about: Vec<&carrier_callback::Model> =
            callbacks.iter().filter(|callback| callback.attempt_id == attempt.id).collect();
        let message = (*messages.get(attempt.message_id.as_str())?).clone();
        fold(attempt, message, &about)
    });
    Ok(heard.collect())
}

/// The furthest status wins, whatever came last.
fn fold(
    attempt: send_attempt::Model,
    message: message::Model,
    callbacks: &[&carrier_callback::Model],
) -> Option<Heard> {
    let provider_id = attempt.provider_id.clone().or_else(|| Some(callbacks.first()?.provider_id.clone()))?;
    let stored = attempt.delivery_status.as_deref().map(MessageStatus::of_provider);
    let before = stored.unwrap_or(MessageStatus::Unrecognized);
    let (mut status, mut code) = (before, attempt.delivery_code);
    // Of two messages the first is the one we follow.
    for callback in callbacks.iter().filter(|callback| callback.provider_id == provider_id) {
        let after = status.after(callback.status.0);
        if after != status {
            (status, code) = (after, callback.code);
        }
    }
    let doubled = callbacks.iter().any(|callback| callback.provider_id != provider_id);
    let report = Report { id: attempt.id.0.clone(), provider_id, status, code };
    Some(Heard { attempt, message, before, report, doubled })
}

async fn apply<C: ConnectionTrait>(
    tx: &C,
    heard: &[Heard],
    invoices: &[invoice::Model],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<u64, DbErr> {
    let doubled = adopt(tx, heard, now, outbox).await?;
    let news: Vec<&Heard> = heard.iter().filter(|one| one.report.status != one.before).collect();
    let reports: Vec<Report> = news.iter().map(|one| one.report.clone()).collect();
    send_attempt::hear(tx, &reports).await?;
    let arrived: Vec<&Heard> = news.iter().copied().filter(|one| one.report.status.has_arrived()).collect();
    deliver(tx, &arrived, now, outbox).await?;
    let failed = news.iter().filter(|one| one.report.status.is_known_failure());
    let fallen: Vec<Fallen> =
        failed.map(|one| Fallen::refused(&one.message, class_of(one.report.code))).collect();
    fall_back::commit(tx, &fallen, invoices.iter(), now, outbox).await?;
    Ok(doubled)
}

fn class_of(code: Option<i64>) -> RejectClass {
    let code = code.and_then(|code| i32::try_from(code).ok());
    code.map_or(RejectClass::Other, twilio_class)
}

/// A report, whatever it says, proves that the carrier has the text. Returns how many of them prove that it has one too
/// many.
async fn adopt<C: ConnectionTrait>(
    tx: &C,
    heard: &[Heard],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<u64, DbErr> {
    let reports: Vec<Report> = heard.iter().map(|one| one.report.clone()).collect();
    let adopted = send_attempt::adopt(tx, &reports, now).await?;
    let adopted: Vec<&Heard> = heard.iter().filter(|one| adopted.contains(&one.attempt.id)).collect();
    let taken: Vec<Taken> = adopted
        .iter()
        .map(|one| Taken { message: one.message.clone(), segments: None, was_open: true })
        .collect();
    taken::record(tx, &taken, now, outbox).await?;
    let resurfaced = adopted.into_iter().filter(|one| believed_gone(one));
    let mut doubled = 0;
    for one in resurfaced.chain(heard.iter().filter(|one| one.doubled)) {
        warn_of_a_second_text(tx, one, now).await?;
        doubled += 1;
    }
    Ok(doubled)
}

/// The customer may have got two texts for one wish. It cannot be undone, and it must not go unseen.
async fn warn_of_a_second_text<C: ConnectionTrait>(tx: &C, one: &Heard, now: Timestamp) -> Result<(), DbErr> {
    let (message, attempt) = (&one.message, &one.attempt);
    tracing::error!(attempt = %attempt.id.0, "a customer may have got two texts for one wish");
    let detail =
        serde_json::json!({"message_id": message.id.0, "attempt_id": attempt.id.0, "duplicate_risk": true});
    let (kind, invoice_id) = (AttentionKind::UnknownSend, Some(&message.invoice_id.0));
    attention_item::raise(tx, &message.merchant_id, kind, invoice_id, attempt.id.as_str(), &detail, now)
        .await
        .map(drop)
}

/// We had proof that the carrier did not have it, and may have sent it again.
fn believed_gone(one: &Heard) -> bool {
    match one.attempt.status.0 {
        AttemptState::Absent | AttemptState::NotSent => true,
        AttemptState::Sending | AttemptState::Unknown | AttemptState::Accepted | AttemptState::Rejected => {
            false
        }
    }
}

async fn deliver<C: ConnectionTrait>(
    tx: &C,
    arrived: &[&Heard],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let ids: Vec<MessageId> = arrived.iter().map(|one| one.message.id.0.clone()).collect();
    let delivered = message::deliver(tx, &ids, now).await?;
    let entries = arrived.iter().filter(|one| delivered.contains(&one.message.id)).map(|one| {
        let message = &one.message;
        let detail = serde_json::json!({"message_id": message.id.0, "channel": message.channel.0});
        NewEntry::new(&message.merchant_id, &message.invoice_id, TimelineKind::MessageDelivered, "carrier")
            .with(detail)
    });
    timeline::append(tx, entries.collect(), now, outbox).await
}
