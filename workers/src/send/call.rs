//! The calls, all at once, each on a task of its own: answers come in while others are written down.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use domain::send::SendOutcome;
use domain::time::Timestamp;
use futures::FutureExt;
use gateways::email::EmailGateway;
use gateways::sms::{FindError, Sighting, SmsGateway};
use queue::Batch;
use queue::trace::{self, Exchange};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::errand::{Errand, Order};
use crate::{Context, Metrics};

#[derive(Clone)]
pub(super) enum Answer {
    Sent(SendOutcome),
    Looked(Result<Sighting, FindError>),
}

/// Begins every errand and hands over the answers as they come.
pub(super) fn all(
    context: &Context,
    batch: &Batch,
    errands: Vec<Errand>,
) -> UnboundedReceiver<(Errand, Answer)> {
    let (sender, receiver) = unbounded_channel();
    for errand in errands {
        let sender = sender.clone();
        if !lease_outlasts(batch, &errand) {
            let answer = not_begun(&errand.order);
            let _receiver_lives = sender.send((errand, answer));
            continue;
        }
        let (sms, email) = (Arc::clone(&context.sms), Arc::clone(&context.email));
        let (metrics, begun_at) = (Arc::clone(&context.metrics), context.now());
        tokio::spawn(async move {
            let began = Instant::now();
            let answer = perform(&errand, &sms, &email).await;
            told(&errand, &answer, began);
            count(&metrics, &errand, &answer, begun_at);
            let _receiver_may_be_gone = sender.send((errand, answer));
        });
    }
    receiver
}

fn told(errand: &Errand, answer: &Answer, began: Instant) {
    let name = match errand.order {
        Order::Text(_) => "send_text",
        Order::Letter(_) => "send_email",
        Order::LookUp(_) => "look_up_send",
    };
    let outcome = match answer {
        Answer::Sent(outcome) => outcome.word(),
        Answer::Looked(Ok(Sighting::Found { .. })) => "found",
        Answer::Looked(Ok(Sighting::Absent)) => "absent",
        Answer::Looked(Err(_)) => "unknown",
    };
    let (merchant_id, invoice_id) = (&errand.message.merchant_id.0, &errand.message.invoice_id.0);
    trace::asked(Exchange { name, merchant_id, invoice_id, began, outcome });
}

/// Asked right before the bytes go out: who may lose the lease on the way must not begin. The gateway asks the clock
/// once more when the connection takes the bytes.
fn lease_outlasts(batch: &Batch, errand: &Errand) -> bool {
    batch.remaining(&errand.job) > errand.deadline.saturating_duration_since(Instant::now())
}

/// A send that was not begun is known not to have happened. A look-up that was not begun says nothing about the send it
/// asks after.
fn not_begun(order: &Order) -> Answer {
    match order {
        Order::Text(_) | Order::Letter(_) => Answer::Sent(SendOutcome::NotSent {
            retry_after_ms: Some(0),
            why: "the lease would have ended first".to_owned(),
        }),
        Order::LookUp(_) => Answer::Looked(Err(FindError::Unreachable)),
    }
}

/// The first attempt that a provider may have seen is the one that was waited for.
fn count(metrics: &Metrics, errand: &Errand, answer: &Answer, begun_at: Timestamp) {
    let Answer::Sent(outcome) = answer else { return };
    metrics.attempted(errand.message.channel.0, outcome);
    match (errand.wished_at, outcome) {
        (None, _) | (Some(_), SendOutcome::NotSent { .. }) => {}
        (Some(wished_at), _) => metrics.dispatched(wished_at, begun_at),
    }
}

async fn perform(errand: &Errand, sms: &SmsGateway, email: &EmailGateway) -> Answer {
    match &errand.order {
        Order::Text(text) => Answer::Sent(send(sms.send(text), errand.deadline).await),
        Order::Letter(letter) => Answer::Sent(send(email.send(letter), errand.deadline).await),
        Order::LookUp(wanted) => {
            let looking = AssertUnwindSafe(sms.find(wanted)).catch_unwind();
            let seen = tokio::time::timeout_at(errand.deadline.into(), looking).await;
            Answer::Looked(seen.ok().and_then(Result::ok).unwrap_or(Err(FindError::Unreachable)))
        }
    }
}

/// What was not seen to its end may have been carried out.
async fn send(call: impl Future<Output = SendOutcome>, deadline: Instant) -> SendOutcome {
    let seen = tokio::time::timeout_at(deadline.into(), AssertUnwindSafe(call).catch_unwind()).await;
    match seen {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panic)) => SendOutcome::unknown("the send panicked"),
        Err(_elapsed) => SendOutcome::unknown("no answer before the attempt's deadline"),
    }
}
