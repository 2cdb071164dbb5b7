//! What an answer means for its attempt, its message and its job. Pure.

use domain::channel::Channel;
use domain::message::AttemptState;
use domain::send::{NextStep, RejectClass, SendOutcome, twilio_class};
use domain::time::Timestamp;
use entities::send_attempt::Verdict;
use gateways::sms::{FindError, Sighting};

use crate::send::call::Answer;
use crate::send::errand::Errand;
use crate::send::schedule;

pub(super) struct Conclusion {
    /// How the attempt is closed; `None` while it stays as it is.
    pub verdict: Option<Verdict>,
    pub effect: Effect,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Taken {
        segments: Option<u32>,
    },
    Refused {
        class: RejectClass,
    },
    /// Refused for a reason that may be gone in a while; once.
    RetryLater,
    NotSent {
        retry_after_ms: Option<i64>,
        why: String,
    },
    /// Not sent for so long that another channel is better.
    Impatient {
        why: String,
    },
    Unseen {
        look_at: Timestamp,
    },
    LookAgain {
        at: Timestamp,
    },
    /// Proven: the provider never had it.
    Absent,
    /// Nobody will ever tell.
    Unknowable,
}

pub(super) fn conclude(errand: &Errand, answer: Answer, now: Timestamp) -> Conclusion {
    match answer {
        Answer::Sent(outcome) => of_send(errand, outcome, now),
        Answer::Looked(seen) => of_look_up(errand, seen, now),
    }
}

fn closed(errand: &Errand, state: AttemptState, effect: Effect) -> Conclusion {
    let verdict = Verdict {
        id: errand.attempt.id.clone(),
        fence: errand.attempt.fence,
        state,
        provider_id: None,
        code: None,
        reason: None,
    };
    Conclusion { verdict: Some(verdict), effect }
}

impl Conclusion {
    fn because(mut self, why: &str) -> Self {
        if let Some(verdict) = &mut self.verdict {
            verdict.reason = Some(why.to_owned());
        }
        self
    }
}

fn of_send(errand: &Errand, outcome: SendOutcome, now: Timestamp) -> Conclusion {
    match outcome {
        SendOutcome::Accepted { provider_id, segments } => taken(errand, provider_id, segments),
        SendOutcome::Rejected { code, class, why } => refused(errand, None, code, class).because(&why),
        SendOutcome::NotSent { retry_after_ms, why } => {
            let by_text = errand.message.channel.0 == Channel::Sms;
            let tried_for_ms = now.since_ms(errand.earlier.first_started_at);
            let effect = if by_text && tried_for_ms >= schedule::PATIENCE_MS {
                Effect::Impatient { why: why.clone() }
            } else {
                Effect::NotSent { retry_after_ms, why: why.clone() }
            };
            closed(errand, AttemptState::NotSent, effect).because(&why)
        }
        SendOutcome::Unknown { why } => {
            let look_at = match errand.message.channel.0 {
                Channel::Sms => schedule::lookup_due(errand.attempt.deadline, 0),
                Channel::Email => now,
            };
            closed(errand, AttemptState::Unknown, Effect::Unseen { look_at }).because(&why)
        }
    }
}

fn taken(errand: &Errand, provider_id: String, segments: Option<u32>) -> Conclusion {
    let mut conclusion = closed(errand, AttemptState::Accepted, Effect::Taken { segments });
    if let Some(verdict) = &mut conclusion.verdict {
        verdict.provider_id = Some(provider_id);
    }
    conclusion
}

fn refused(
    errand: &Errand,
    provider_id: Option<String>,
    code: Option<i32>,
    class: RejectClass,
) -> Conclusion {
    let step = match errand.message.channel.0 {
        Channel::Sms => class.next_step(),
        Channel::Email => class.next_step_after_email(),
    };
    let effect = match step {
        NextStep::RetryLaterOnce if !errand.earlier.refused => Effect::RetryLater,
        NextStep::RetryLaterOnce
        | NextStep::SuppressNumber
        | NextStep::TryEmail
        | NextStep::ConfigError
        | NextStep::GiveUp => Effect::Refused { class },
    };
    if step == NextStep::ConfigError {
        tracing::error!(
            class = class.word(),
            "a provider refuses what every message of this sender would meet"
        );
    }
    let mut conclusion = closed(errand, AttemptState::Rejected, effect);
    if let Some(verdict) = &mut conclusion.verdict {
        verdict.code = code;
        verdict.provider_id = provider_id;
    }
    conclusion
}

fn of_look_up(errand: &Errand, seen: Result<Sighting, FindError>, now: Timestamp) -> Conclusion {
    let since_deadline_ms = errand.asked_at.since_ms(errand.attempt.deadline);
    let next = schedule::lookup_due(errand.attempt.deadline, errand.attempt.lookups.saturating_add(1));
    let again = |at: Timestamp| Conclusion { verdict: None, effect: Effect::LookAgain { at } };
    match seen {
        Ok(Sighting::Found { provider_id, status, code, .. }) if status.is_known_failure() => {
            let class = code.map_or(RejectClass::Other, twilio_class);
            refused(errand, Some(provider_id), code, class).because("found at the provider, failed")
        }
        Ok(Sighting::Found { provider_id, segments, .. }) => {
            taken(errand, provider_id, segments).because("found at the provider")
        }
        Ok(Sighting::Absent) if since_deadline_ms >= schedule::ABSENCE_AFTER_MS => {
            closed(errand, AttemptState::Absent, Effect::Absent).because("not listed at the provider")
        }
        Ok(Sighting::Absent) => again(next),
        Err(error) => {
            let hopeless = match error {
                FindError::TooLong | FindError::BodiesHidden => {
                    since_deadline_ms >= schedule::ABSENCE_AFTER_MS
                }
                FindError::Unreachable | FindError::Refused { .. } | FindError::Unreadable => {
                    since_deadline_ms >= schedule::GIVE_UP_AFTER_MS
                }
            };
            tracing::warn!(attempt = %errand.attempt.id, %error, hopeless, "a send could not be looked up");
            if hopeless {
                return Conclusion { verdict: None, effect: Effect::Unknowable };
            }
            again(next.max(now.plus_ms(retry_after_ms(error))))
        }
    }
}

fn retry_after_ms(error: FindError) -> i64 {
    match error {
        FindError::Refused { retry_after_ms, .. } => retry_after_ms.unwrap_or(0),
        FindError::Unreachable | FindError::Unreadable | FindError::TooLong | FindError::BodiesHidden => 0,
    }
}

#[cfg(test)]
mod tests;
