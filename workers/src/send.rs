//! The send protocol: the intention is committed before a provider is called, the outcome after it, and what was not
//! seen is looked up and never repeated before its absence is proven.
//!
//! One pass over a batch of messages: [`intend`] decides inside the claim and commits, [`call`] speaks to providers,
//! [`record`] commits what came back, in groups as it comes. A crash anywhere leaves an attempt in `sending`; past its
//! deadline that is an unknown outcome.

mod call;
mod caps;
mod errand;
mod facts;
pub(crate) mod fall_back;
mod hand_on;
mod intend;
pub(crate) mod pace;
mod record;
mod rule;
mod schedule;
pub(crate) mod taken;

use std::time::Duration;

use call::Answer;
use queue::{Batch, Claimed, failpoint};
use sea_orm::DbErr;
use templates::EmailBody;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::Context;

pub(crate) use caps::Places;
pub(crate) use errand::{Errand, Moment};
pub(crate) use facts::{About, Facts, by};
pub(crate) use intend::intend;

/// Outcomes written in one transaction at most.
const GROUP_MAX: usize = 256;
/// How long the first of a group waits for company.
const GROUP_FOR: Duration = Duration::from_millis(20);

/// What to say, on the message's own channel.
pub(crate) enum Words {
    Text {
        body: String,
        /// What this text holds and no other does, to find it at the carrier; without one it cannot be looked up.
        needle: Option<String>,
    },
    Letter {
        body: EmailBody,
        list_unsubscribe: Option<String>,
    },
}

/// Sends the messages that are the subjects of `jobs`, and answers for each job. `words` says what a message says now;
/// `None` when it can no longer be said.
pub(crate) async fn run<W>(
    context: &Context,
    batch: &Batch,
    jobs: Vec<Claimed>,
    words: W,
) -> Result<(), DbErr>
where
    W: Fn(&About<'_>) -> Option<Words> + Send + Sync,
{
    if jobs.is_empty() {
        return Ok(());
    }
    let errands = intend::commit(context, batch, jobs, &words).await?;
    carry_out(context, batch, errands).await
}

/// Calls the providers and commits what comes back.
pub(crate) async fn carry_out(context: &Context, batch: &Batch, errands: Vec<Errand>) -> Result<(), DbErr> {
    let mut answers = call::all(context, batch, errands);
    let mut ready = Vec::new();
    let mut failed = None;
    while let Some(first) = answers.recv().await {
        ready.push(first);
        gather(&mut answers, &mut ready).await;
        failpoint::reached("send_provider_answered");
        context.senders.heed(&ready);
        match write(context, batch, &std::mem::take(&mut ready)).await {
            Ok(()) => failpoint::reached("send_committed"),
            // What could not be written stays `sending` and becomes unknown; the others are still worth writing.
            Err(error) => {
                tracing::warn!(%error, "outcomes of sends could not be written");
                failed = Some(error);
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Writes outcomes, while the lease holds whatever the store says meanwhile: what we saw must not become unknown. One
/// outcome that cannot be written takes no other with it.
async fn write(context: &Context, batch: &Batch, answers: &[(Errand, Answer)]) -> Result<(), DbErr> {
    let together = batch.persist(|| record::commit(context, batch, answers)).await;
    if together.is_ok() || answers.len() == 1 {
        return together;
    }
    let mut written = Ok(());
    for alone in answers.chunks(1) {
        written = batch.persist(|| record::commit(context, batch, alone)).await.and(written);
    }
    written
}

/// What else is answered within a moment is written down with the first, and nobody waits when nothing is left to come.
async fn gather(answers: &mut UnboundedReceiver<(Errand, Answer)>, ready: &mut Vec<(Errand, Answer)>) {
    let until = tokio::time::Instant::now() + GROUP_FOR;
    while ready.len() < GROUP_MAX {
        match tokio::time::timeout_at(until, answers.recv()).await {
            Ok(Some(answer)) => ready.push(answer),
            Ok(None) | Err(_) => return,
        }
    }
}

#[cfg(test)]
mod examples;
