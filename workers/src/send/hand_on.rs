//! Whose job goes on with a message that was not settled by its first attempt.

use domain::job::{NewJob, Outbox};
use entities::message;
use queue::{Claimed, Outcome};

use super::fall_back::job_of;

/// A job that only led to the message ends with the message's first attempt; what is left to do becomes the message's
/// own job.
pub(super) fn hand_on(
    job: &Claimed,
    message: &message::Model,
    outcome: Outcome,
    outbox: &mut Outbox,
) -> Outcome {
    if job.subject == message.id.as_str() {
        return outcome;
    }
    let kind = job_of(message.purpose.0);
    let delay_ms = match &outcome {
        Outcome::Done | Outcome::GiveUp(_) => return outcome,
        Outcome::Wait(span) => i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 2),
        Outcome::Retry(_) => kind.policy().backoff.wait_ms(0, rand::random()),
    };
    outbox.enqueue(NewJob::once(kind, message.id.as_str(), &message.merchant_id).after_ms(delay_ms));
    Outcome::Done
}
