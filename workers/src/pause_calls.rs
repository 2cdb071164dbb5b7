//! Tells a merchant's dialer to stop or resume calls about one invoice, again and again until it acknowledges. Both jobs
//! tell what is wished for now, whichever of them it was that brought them here.

use std::collections::HashMap;
use std::time::Duration;

use domain::campaign::EnrolmentStatus;
use domain::id::DialerCommandId;
use domain::job::{JobKind, NewJob, Outbox};
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use entities::timeline::{self, NewEntry};
use entities::{enrolment, invoice, merchant};
use futures::StreamExt;
use futures::stream;
use gateways::dialer::{Acknowledged, DialerCommand, DialerCommandKind, DialerError};
use queue::{Batch, Claimed, Handler, Outcome, failpoint};
use sea_orm::DbErr;

use crate::Context;
use crate::payment_truth::{all, by_subject};

const TOLD_AT_ONCE: usize = 16;
/// What the secret that a dialer shares with us is derived under.
const SECRET_LABEL: &str = "dialer";

pub(crate) struct PauseCalls {
    pub(crate) context: Context,
}

impl Handler for PauseCalls {
    const KIND: JobKind = JobKind::PauseCalls;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        tell(&self.context, batch).await
    }
}

pub(crate) struct ResumeCalls {
    pub(crate) context: Context,
}

impl Handler for ResumeCalls {
    const KIND: JobKind = JobKind::ResumeCalls;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        tell(&self.context, batch).await
    }
}

/// An enrolment, and the command its dialer has to hear.
struct Untold {
    enrolment: enrolment::Model,
    command: DialerCommand,
}

async fn tell(context: &Context, batch: &Batch) -> Result<(), DbErr> {
    let mut jobs = by_subject(batch);
    let untold = untold(context, jobs.keys().cloned().collect()).await?;
    let now = context.now();
    let telling = untold.into_iter().map(|one| async move {
        let said = context.dialer.tell(&one.command, now).await;
        (one.enrolment, said)
    });
    let mut heard = stream::iter(telling).buffer_unordered(TOLD_AT_ONCE);
    let mut answers = Vec::new();
    while let Some((enrolment, said)) = heard.next().await {
        let of_it = jobs.remove(enrolment.id.as_str()).unwrap_or_default();
        match said {
            Ok(Acknowledged) => {
                failpoint::reached("dialer_acknowledged");
                acknowledge(context, batch, &enrolment, of_it).await?;
            }
            Err(error) => answers.extend(all(of_it, &later(&error))),
        }
    }
    // Nobody to tell, or nothing they do not know.
    answers.extend(jobs.into_values().flat_map(|of_it| all(of_it, &Outcome::Done)));
    batch.finish(answers).await
}

/// What has to be told about these enrolments as they stand now.
async fn untold(context: &Context, ids: Vec<String>) -> Result<Vec<Untold>, DbErr> {
    let db = &context.db.read;
    let enrolments = enrolment::by_ids(db, &ids).await?;
    let merchant_ids: Vec<String> =
        enrolments.iter().map(|enrolment| enrolment.merchant_id.to_string()).collect();
    let merchants = merchant::by_ids(db, &merchant_ids).await?;
    let merchants: HashMap<&str, &merchant::Model> =
        merchants.iter().map(|merchant| (merchant.id.as_str(), merchant)).collect();
    let waiting = enrolments.into_iter().filter(|one| one.acknowledged_revision < one.told_revision);
    let untold = waiting.filter_map(|enrolment| {
        let merchant = merchants.get(enrolment.merchant_id.as_str())?;
        let command = command(context, merchant, &enrolment)?;
        Some(Untold { enrolment, command })
    });
    Ok(untold.collect())
}

/// The command of an enrolment's revision, the same however often it is told. `None` without a dialer to tell.
fn command(
    context: &Context,
    merchant: &merchant::Model,
    enrolment: &enrolment::Model,
) -> Option<DialerCommand> {
    let url = merchant.dialer_url.clone()?;
    // The dialer checks with the secret it was given, the new one or the former.
    let of = |generation| context.keyring.derived_secrets(SECRET_LABEL, merchant.id.as_str(), generation);
    let secrets = merchant.secret_generations(context.now()).into_iter().flat_map(of);
    let (kind, otherwise) = match enrolment.status.0 {
        EnrolmentStatus::Active => (DialerCommandKind::Resume, "resolved"),
        EnrolmentStatus::Paused => (DialerCommandKind::Pause, "paused"),
        EnrolmentStatus::Ended => (DialerCommandKind::Pause, "ended"),
    };
    let seed = format!("{}:{}", enrolment.id.0, enrolment.told_revision);
    Some(DialerCommand {
        url,
        secrets: secrets.map(Into::into).collect(),
        command_id: DialerCommandId::derived(seed.as_bytes()).into_string(),
        kind,
        merchant_id: enrolment.merchant_id.to_string(),
        campaign_id: enrolment.campaign_id.to_string(),
        enrolment_id: enrolment.id.to_string(),
        invoice_id: enrolment.invoice_id.to_string(),
        reason: enrolment.pause_reason.clone().unwrap_or_else(|| otherwise.to_owned()),
        occurred_at: Timestamp::from_millis(enrolment.updated_at_ms),
    })
}

/// Writes down what the dialer acknowledged and answers the jobs, in one transaction. Where the wish changed while this
/// was on its way, the dialer may have heard the two in either order: what is wished for now becomes a command of its own.
async fn acknowledge(
    context: &Context,
    batch: &Batch,
    told: &enrolment::Model,
    jobs: Vec<Claimed>,
) -> Result<(), DbErr> {
    let tx = context.db.begin().await?;
    // Invoice first, as everybody does: the timeline's foreign key would lock it second and meet a question halfway.
    invoice::lock_all(&tx, &[told.invoice_id.to_string()]).await?;
    let mut outbox = Outbox::default();
    match enrolment::acknowledge(&tx, &told.id, told.told_revision).await? {
        enrolment::Heard::InTime => {
            let detail = serde_json::json!({"enrolment_id": told.id.0, "told_revision": told.told_revision});
            let kind = TimelineKind::DialerAcknowledged;
            let entry = NewEntry::new(&told.merchant_id, &told.invoice_id, kind, "dialer").with(detail);
            timeline::append(&tx, vec![entry], context.now(), &mut outbox).await?;
        }
        enrolment::Heard::Overtaken { told_revision } => {
            let key = format!("{}:{told_revision}", told.id.0);
            outbox.enqueue(NewJob::once(batch.kind(), told.id.as_str(), &told.merchant_id).keyed(key));
        }
        enrolment::Heard::Before => {}
    }
    let settled = batch.settle(&tx, all(jobs, &Outcome::Done)).await?;
    context.ledger.commit(tx, outbox).await?;
    failpoint::reached("dialer_committed");
    if told.status.0 == EnrolmentStatus::Paused {
        context.metrics.paused(Timestamp::from_millis(told.updated_at_ms), context.now());
    }
    batch.committed(&settled);
    Ok(())
}

/// Told again until it acknowledges; when the dialer says when, then.
fn later(error: &DialerError) -> Outcome {
    let asked = error.retry_after_ms.and_then(|wait_ms| u64::try_from(wait_ms).ok());
    match asked {
        Some(wait_ms) if wait_ms > 0 => Outcome::Wait(Duration::from_millis(wait_ms)),
        Some(_) | None => Outcome::Retry(error.to_string()),
    }
}
