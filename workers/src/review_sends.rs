//! Once a minute: puts sends that stay unknown on the attention list, and gives messages whose job died another one.

use domain::attention::AttentionKind;
use domain::job::{JobKind, NewJob, Outbox};
use domain::time::{DAY_MS, MINUTE_MS, Timestamp};
use entities::{attention_item, message, send_attempt};
use queue::{Batch, Claimed, Handler, Outcome};
use sea_orm::{ConnectionTrait, DbErr};

use crate::Context;
use crate::send::fall_back::job_of;

/// What is unknown is listed within five minutes: four, and one until the next look.
const UNKNOWN_AFTER_MS: i64 = 4 * MINUTE_MS;
/// A message that waits this long with a dead job gets another one.
const STUCK_AFTER_MS: i64 = 15 * MINUTE_MS;
const PER_LOOK: u32 = 500;

pub(crate) struct ReviewSends {
    pub(crate) context: Context,
}

impl Handler for ReviewSends {
    const KIND: JobKind = JobKind::ReviewSends;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        let jobs: Vec<Claimed> = batch.jobs().cloned().collect();
        let tx = self.context.db.begin().await?;
        let now = self.context.now();
        let mut outbox = Outbox::default();
        list_the_unknown(&tx, now).await?;
        revive(&tx, now, &mut outbox).await?;
        let settled = batch.settle(&tx, jobs.into_iter().map(|job| (job, Outcome::Done)).collect()).await?;
        batch.ledger().enqueue(&tx, &outbox.jobs).await?;
        tx.commit().await?;
        batch.committed(&settled);
        batch.ledger().announce(&outbox);
        Ok(())
    }
}

async fn list_the_unknown<C: ConnectionTrait>(tx: &C, now: Timestamp) -> Result<(), DbErr> {
    let attempts = send_attempt::open_since(tx, now.plus_ms(-UNKNOWN_AFTER_MS), PER_LOOK).await?;
    let ids: Vec<String> = attempts.iter().map(|attempt| attempt.message_id.to_string()).collect();
    for message in message::by_ids(tx, &ids).await? {
        let detail = serde_json::json!({"message_id": message.id.0, "channel": message.channel.0});
        let (kind, invoice_id) = (AttentionKind::UnknownSend, Some(&message.invoice_id.0));
        attention_item::raise(tx, &message.merchant_id, kind, invoice_id, message.id.as_str(), &detail, now)
            .await?;
    }
    Ok(())
}

/// One more job a day at most.
async fn revive<C: ConnectionTrait>(tx: &C, now: Timestamp, outbox: &mut Outbox) -> Result<(), DbErr> {
    let day = now.millis().div_euclid(DAY_MS);
    for message in message::abandoned_since(tx, now.plus_ms(-STUCK_AFTER_MS), PER_LOOK).await? {
        let key = format!("{}:review:{day}", message.id.0);
        let job = NewJob::once(job_of(message.purpose.0), message.id.as_str(), &message.merchant_id);
        outbox.enqueue(job.keyed(key));
    }
    Ok(())
}
