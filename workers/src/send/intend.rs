//! The intention: decides about every message of a batch in one transaction, and commits what will be tried before
//! anything is tried.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use domain::job::Outbox;
use domain::message::{AttemptState, MessageState};
use domain::time::Timestamp;
use entities::send_attempt::{self, NewAttempt, Verdict};
use queue::{Batch, Claimed, Outcome, failpoint};
use sea_orm::{ConnectionTrait, DbErr};

use super::errand::{Errand, Moment, Order};
use super::facts::{About, Facts};
use super::fall_back::{self, Fallen};
use super::hand_on::hand_on;
use super::rule::{Ruling, rule};
use super::{Words, schedule};
use crate::Context;

/// A second job about the same message waits for the first.
const TWIN_WAIT: Duration = Duration::from_secs(1);

pub(super) async fn commit<W>(
    context: &Context,
    batch: &Batch,
    jobs: Vec<Claimed>,
    words: &W,
) -> Result<Vec<Errand>, DbErr>
where
    W: Fn(&About<'_>) -> Option<Words>,
{
    let ids: Vec<String> = jobs.iter().map(|job| job.subject.clone()).collect();
    let tx = context.db.begin().await?;
    // Taken once the lock is held: the wait for it must not eat into the attempts' time.
    let moment = Moment { now: context.now(), begun: Instant::now() };
    let facts = Facts::load(&tx, &ids, moment.now).await?;
    let wanted = jobs.into_iter().map(|job| (job.subject.clone(), job)).collect();
    let mut outbox = Outbox::default();
    let intention = intend(&tx, context, &facts, wanted, words, moment, &mut outbox).await?;
    failpoint::reached("send_before_intention");
    let settled = batch.settle(&tx, intention.outcomes).await?;
    batch.ledger().enqueue(&tx, &outbox.jobs).await?;
    tx.commit().await?;
    failpoint::reached("send_intention_committed");
    batch.committed(&settled);
    batch.ledger().announce(&outbox);
    Ok(intention.errands)
}

/// What was decided about a batch of messages.
pub(crate) struct Intention {
    /// To be done once the transaction is committed.
    pub errands: Vec<Errand>,
    /// Of the jobs that lead to no errand.
    pub outcomes: Vec<(Claimed, Outcome)>,
}

/// Decides about every message, each with the job that asks for it, and writes down what will be tried.
pub(crate) async fn intend<C: ConnectionTrait, W>(
    tx: &C,
    context: &Context,
    facts: &Facts,
    wanted: Vec<(String, Claimed)>,
    words: &W,
    moment: Moment,
    outbox: &mut Outbox,
) -> Result<Intention, DbErr>
where
    W: Fn(&About<'_>) -> Option<Words>,
{
    let mut plan = Plan::default();
    for (message_id, job) in wanted {
        // One message that makes a rule panic is its own trouble.
        let adding = AssertUnwindSafe(|| plan.add(context, facts, &message_id, job.clone(), words, moment));
        if catch_unwind(adding).is_err() {
            plan.outcomes.push((job, Outcome::Retry("a rule panicked over this message".to_owned())));
        }
    }
    plan.write(tx, facts, moment.now, outbox).await?;
    outbox.jobs.append(&mut plan.handed_on.jobs);
    let suppressed = plan.fallen.iter().filter(|one| one.state == MessageState::Suppressed);
    suppressed.for_each(|one| context.metrics.suppressed(one.reason));
    Ok(Intention { errands: plan.errands, outcomes: plan.outcomes })
}

#[derive(Default)]
struct Plan {
    seen: HashSet<String>,
    errands: Vec<Errand>,
    lost: Vec<Verdict>,
    fallen: Vec<Fallen>,
    outcomes: Vec<(Claimed, Outcome)>,
    handed_on: Outbox,
}

impl Plan {
    fn add<W>(
        &mut self,
        context: &Context,
        facts: &Facts,
        message_id: &str,
        job: Claimed,
        words: &W,
        moment: Moment,
    ) where
        W: Fn(&About<'_>) -> Option<Words>,
    {
        let Some(about) = facts.about(message_id) else {
            return self.outcomes.push((job, Outcome::GiveUp("there is no such message".to_owned())));
        };
        if !self.seen.insert(message_id.to_owned()) {
            return self.answer(job, &about, Outcome::Wait(TWIN_WAIT));
        }
        let now = moment.now;
        match rule(&about, now) {
            Ruling::Settled => self.answer(job, &about, Outcome::Done),
            Ruling::WaitUntil(later) => self.answer(job, &about, wait_until(later, now)),
            Ruling::Suppress(reason) => self.end(job, Fallen::suppressed(about.message, reason)),
            Ruling::Elsewhere { state, reason, class } => {
                self.end(job, Fallen { class, ..Fallen::ended(about.message, state, reason) });
            }
            Ruling::Lost(attempt) => {
                self.lost.push(lost(attempt));
                let deadline = Timestamp::from_millis(attempt.deadline_at_ms);
                self.answer(job, &about, wait_until(schedule::lookup_due(deadline, 0), now));
            }
            Ruling::LookUp(attempt) => match said(words, &about) {
                Some(Words::Text { needle: Some(needle), .. }) => {
                    self.errands.push(Errand::look_up(&about, job, attempt, needle, moment));
                }
                // Nothing to look for: the same as a provider that cannot be asked.
                Some(Words::Text { needle: None, .. } | Words::Letter { .. }) | None => {
                    self.end(job, Fallen::ended(about.message, MessageState::Unknown, "unknown"));
                }
            },
            Ruling::Send { ordinal } => {
                if let Err(wait) = context.senders.turn(&about) {
                    return self.answer(job, &about, Outcome::Wait(wait));
                }
                let errand = said(words, &about)
                    .and_then(|words| Errand::send(context, &about, job.clone(), ordinal, words, moment));
                match errand {
                    Some(errand) => self.errands.push(errand),
                    None => {
                        self.end(job, Fallen::ended(about.message, MessageState::Failed, "cannot_be_said"))
                    }
                }
            }
        }
    }

    fn answer(&mut self, job: Claimed, about: &About<'_>, outcome: Outcome) {
        let outcome = hand_on(&job, about.message, outcome, &mut self.handed_on);
        self.outcomes.push((job, outcome));
    }

    fn end(&mut self, job: Claimed, fallen: Fallen) {
        self.fallen.push(fallen);
        self.outcomes.push((job, Outcome::Done));
    }

    async fn write<C: ConnectionTrait>(
        &self,
        tx: &C,
        facts: &Facts,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Result<(), DbErr> {
        let sends = self.errands.iter().filter(|errand| !matches!(errand.order, Order::LookUp(_)));
        let attempts: Vec<NewAttempt> = sends.map(Errand::as_new_attempt).collect();
        send_attempt::begin(tx, &attempts, now).await?;
        send_attempt::close(tx, &self.lost, now).await?;
        fall_back::commit(tx, &self.fallen, facts.invoices(), now, outbox).await.map(drop)
    }
}

/// A template that panics is a message that cannot be said, not a batch that dies.
fn said<W: Fn(&About<'_>) -> Option<Words>>(words: &W, about: &About<'_>) -> Option<Words> {
    catch_unwind(AssertUnwindSafe(|| words(about))).unwrap_or(None)
}

fn lost(attempt: &send_attempt::Model) -> Verdict {
    Verdict {
        id: attempt.id.0.clone(),
        fence: attempt.fence,
        state: AttemptState::Unknown,
        provider_id: None,
        code: None,
        reason: Some("nobody lived to see the outcome".to_owned()),
    }
}

pub(super) fn wait_until(moment: Timestamp, now: Timestamp) -> Outcome {
    Outcome::Wait(Duration::from_millis(u64::try_from(moment.since_ms(now)).unwrap_or(0)))
}
