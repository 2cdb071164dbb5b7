//! The outcomes: one transaction for everything that is ready. An attempt is closed only while its outcome is open, and
//! only what was closed has effects.

mod conclude;

use std::collections::HashSet;
use std::time::Duration;

use domain::id::AttemptId;
use domain::job::Outbox;
use domain::message::MessageState;
use domain::time::Timestamp;
use entities::send_attempt::{self, Verdict};
use entities::{invoice, message};
use queue::{Batch, Claimed, Outcome};
use sea_orm::{ConnectionTrait, DbErr};

use super::call::Answer;
use super::errand::Errand;
use super::fall_back::{self, Fallen};
use super::hand_on::hand_on;
use super::intend::wait_until;
use super::schedule;
use super::taken::{self, Taken};
use crate::Context;
use conclude::{Conclusion, Effect, conclude};

pub(super) async fn commit(
    context: &Context,
    batch: &Batch,
    answers: &[(Errand, Answer)],
) -> Result<(), DbErr> {
    let tx = context.db.begin().await?;
    let now = context.now();
    let concluded: Vec<(&Errand, Conclusion)> =
        answers.iter().map(|(errand, answer)| (errand, conclude(errand, answer.clone(), now))).collect();
    // An accepted message says nothing about its invoice; whatever else happened may.
    let unlucky =
        concluded.iter().filter(|(_, conclusion)| !matches!(conclusion.effect, Effect::Taken { .. }));
    let invoice_ids: Vec<String> = unlucky.map(|(errand, _)| errand.message.invoice_id.to_string()).collect();
    let invoices = invoice::lock_all(&tx, &invoice_ids).await?;
    let mut outbox = Outbox::default();
    let outcomes = apply(&tx, concluded, &invoices, now, &mut outbox).await?;
    let settled = batch.settle(&tx, outcomes).await?;
    batch.ledger().enqueue(&tx, &outbox.jobs).await?;
    tx.commit().await?;
    batch.committed(&settled);
    batch.ledger().announce(&outbox);
    Ok(())
}

/// Everything that is written about a group of answers, sorted by statement.
#[derive(Default)]
struct Sheet {
    taken: Vec<Taken>,
    looked_in_vain: Vec<AttemptId>,
    fallen: Vec<Fallen>,
    /// Goes on with the text when there is no other way.
    impatient: Vec<(Claimed, message::Model, String)>,
    outcomes: Vec<(Claimed, Outcome)>,
    handed_on: Outbox,
}

async fn apply<C: ConnectionTrait>(
    tx: &C,
    concluded: Vec<(&Errand, Conclusion)>,
    invoices: &[invoice::Model],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<Vec<(Claimed, Outcome)>, DbErr> {
    let verdicts: Vec<Verdict> =
        concluded.iter().filter_map(|(_, conclusion)| conclusion.verdict.clone()).collect();
    let closed: HashSet<AttemptId> = send_attempt::close(tx, &verdicts, now).await?.into_iter().collect();
    let mut sheet = Sheet::default();
    for (errand, conclusion) in concluded {
        if conclusion.verdict.is_some() && !closed.contains(&errand.attempt.id) {
            // A callback was faster. What it left is read in the next round.
            sheet.answer(errand.job.clone(), &errand.message, Outcome::Wait(Duration::ZERO));
            continue;
        }
        sheet.add(errand, conclusion.effect, now);
    }
    taken::record(tx, &sheet.taken, now, outbox).await?;
    send_attempt::count_lookup(tx, &sheet.looked_in_vain).await?;
    let kept = fall_back::commit(tx, &sheet.fallen, invoices.iter(), now, outbox).await?;
    for (job, message, why) in std::mem::take(&mut sheet.impatient) {
        let outcome = if kept.contains(message.id.as_str()) { Outcome::Retry(why) } else { Outcome::Done };
        sheet.answer(job, &message, outcome);
    }
    outbox.jobs.append(&mut sheet.handed_on.jobs);
    Ok(sheet.outcomes)
}

impl Sheet {
    fn add(&mut self, errand: &Errand, effect: Effect, now: Timestamp) {
        let Errand { message, attempt, .. } = errand;
        let job = errand.job.clone();
        match effect {
            Effect::Taken { segments } => {
                let was_open = attempt.lookups > 0 || attempt.ordinal > 1;
                self.taken.push(Taken { message: message.clone(), segments, was_open });
                self.outcomes.push((job, Outcome::Done));
            }
            Effect::Refused { class } => self.end(job, Fallen::refused(message, class)),
            Effect::RetryLater => {
                let wait = Duration::from_millis(u64::try_from(schedule::RETRY_LATER_MS).unwrap_or(0));
                self.answer(job, message, Outcome::Wait(wait));
            }
            Effect::NotSent { retry_after_ms: Some(wait_ms), .. } => {
                self.answer(job, message, wait_until(now.plus_ms(wait_ms), now));
            }
            Effect::NotSent { retry_after_ms: None, why } => self.answer(job, message, Outcome::Retry(why)),
            Effect::Impatient { why } => {
                self.fallen.push(Fallen { if_possible: true, ..unreachable(message) });
                self.impatient.push((job, message.clone(), why));
            }
            Effect::LookAgain { at } => {
                self.looked_in_vain.push(attempt.id.clone());
                self.answer(job, message, wait_until(at, now));
            }
            Effect::Unseen { look_at } => self.answer(job, message, wait_until(look_at, now)),
            Effect::Absent => self.answer(job, message, Outcome::Wait(Duration::ZERO)),
            Effect::Unknowable => self.end(job, Fallen::ended(message, MessageState::Unknown, "unknown")),
        }
    }

    fn answer(&mut self, job: Claimed, message: &message::Model, outcome: Outcome) {
        let outcome = hand_on(&job, message, outcome, &mut self.handed_on);
        self.outcomes.push((job, outcome));
    }

    fn end(&mut self, job: Claimed, fallen: Fallen) {
        self.fallen.push(fallen);
        self.outcomes.push((job, Outcome::Done));
    }
}

fn unreachable(message: &message::Model) -> Fallen {
    Fallen::ended(message, MessageState::Failed, "carrier_unreachable")
}
