//! One thing to do at a provider, with all it takes, so that it needs no transaction while it is done.

use std::time::{Duration, Instant};

use domain::channel::Channel;
use domain::id::AttemptId;
use domain::message::AttemptState;
use domain::quiet_hours::{exempt_until, validity_s};
use domain::time::Timestamp;
use entities::{message, send_attempt};
use gateways::email::EmailSend;
use gateways::sms::{FindMessage, SmsSend};
use queue::Claimed;

use super::facts::About;
use super::{Words, schedule};
use crate::Context;

pub(crate) struct Errand {
    pub job: Claimed,
    pub message: message::Model,
    pub attempt: Attempt,
    pub earlier: Earlier,
    pub order: Order,
    /// On this process's monotonic clock: past it the answer is not waited for.
    pub deadline: Instant,
    /// The moment of the intention: what a provider's list says is true of then, however late it is written down.
    pub asked_at: Timestamp,
    /// Since when somebody waits for it, while no provider has seen it: for the metrics.
    pub wished_at: Option<Timestamp>,
}

pub(crate) struct Attempt {
    pub id: AttemptId,
    /// Of who began it.
    pub fence: i64,
    pub ordinal: i64,
    pub lookups: i64,
    pub deadline: Timestamp,
}

/// What the attempts before this one came to.
pub(crate) struct Earlier {
    pub refused: bool,
    pub first_started_at: Timestamp,
}

pub(crate) enum Order {
    Text(Box<SmsSend>),
    Letter(Box<EmailSend>),
    LookUp(Box<FindMessage>),
}

/// The moment of the intention, on both clocks.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub now: Timestamp,
    pub begun: Instant,
}

impl Moment {
    fn after(self, span_ms: i64) -> Instant {
        self.begun + Duration::from_millis(u64::try_from(span_ms).unwrap_or(0))
    }
}

impl Earlier {
    fn of(about: &About<'_>, now: Timestamp) -> Self {
        Self {
            refused: about.attempts.iter().any(|attempt| attempt.status.0 == AttemptState::Rejected),
            first_started_at: about
                .attempts
                .first()
                .map_or(now, |first| Timestamp::from_millis(first.started_at_ms)),
        }
    }
}

impl Errand {
    /// A new attempt. `None` when the words are for another channel.
    pub(super) fn send(
        context: &Context,
        about: &About<'_>,
        job: Claimed,
        ordinal: i64,
        words: Words,
        moment: Moment,
    ) -> Option<Self> {
        let id: AttemptId = entities::fresh::id(moment.now);
        let write_by = moment.after(schedule::WRITE_WITHIN_MS);
        let order = match (about.message.channel.0, words) {
            (Channel::Sms, Words::Text { body, .. }) => {
                Order::Text(Box::new(text(context, about, &id, body, moment.now, write_by)))
            }
            (Channel::Email, Words::Letter { body, list_unsubscribe }) => {
                Order::Letter(Box::new(EmailSend {
                    // The message's id, not the attempt's: whoever gets a repeat can tell that it is one.
                    message_id: about.message.id.to_string(),
                    from_name: about.merchant.name.clone(),
                    from_address: about.message.sender.clone(),
                    reply_to: about.merchant.support_email.clone(),
                    to: about.message.recipient.clone(),
                    subject: body.subject,
                    text: body.text,
                    html: body.html,
                    list_unsubscribe,
                    dated: moment.now,
                    deadline: write_by,
                }))
            }
            (Channel::Sms, Words::Letter { .. }) | (Channel::Email, Words::Text { .. }) => return None,
        };
        let deadline = moment.now.plus_ms(schedule::DEADLINE_MS);
        let attempt = Attempt { id, fence: job.fence, ordinal, lookups: 0, deadline };
        Some(Self {
            job,
            message: about.message.clone(),
            attempt,
            earlier: Earlier::of(about, moment.now),
            order,
            deadline: moment.after(schedule::DEADLINE_MS),
            asked_at: moment.now,
            wished_at: about.wished_at(moment.now),
        })
    }

    /// A look-up of an attempt whose outcome was not seen.
    pub(super) fn look_up(
        about: &About<'_>,
        job: Claimed,
        attempt: &send_attempt::Model,
        needle: String,
        moment: Moment,
    ) -> Self {
        let others = about.attempts.iter().filter(|other| other.id != attempt.id);
        let wanted = FindMessage {
            to: about.message.recipient.clone(),
            from: about.message.sender.clone(),
            since_ms: attempt.started_at_ms,
            needle,
            known_ids: others.filter_map(|other| other.provider_id.clone()).collect(),
        };
        Self {
            job,
            message: about.message.clone(),
            attempt: Attempt {
                id: attempt.id.0.clone(),
                fence: attempt.fence,
                ordinal: attempt.ordinal,
                lookups: attempt.lookups,
                deadline: Timestamp::from_millis(attempt.deadline_at_ms),
            },
            earlier: Earlier::of(about, moment.now),
            order: Order::LookUp(Box::new(wanted)),
            deadline: moment.after(schedule::DEADLINE_MS),
            asked_at: moment.now,
            wished_at: None,
        }
    }

    pub(super) fn as_new_attempt(&self) -> send_attempt::NewAttempt {
        send_attempt::NewAttempt {
            id: self.attempt.id.clone(),
            merchant_id: self.message.merchant_id.0.clone(),
            message_id: self.message.id.0.clone(),
            ordinal: self.attempt.ordinal,
            fence: self.attempt.fence,
            deadline: self.attempt.deadline,
        }
    }
}

fn text(
    context: &Context,
    about: &About<'_>,
    id: &AttemptId,
    body: String,
    now: Timestamp,
    deadline: Instant,
) -> SmsSend {
    let asked_at = about.message.asked_at_ms.map(Timestamp::from_millis);
    let exempt = exempt_until(now, asked_at, asked_at.is_some(), about.merchant.asked_exempt_from_hours);
    SmsSend {
        to: about.message.recipient.clone(),
        from: about.message.sender.clone(),
        body,
        status_callback: format!("{}/webhooks/carrier/status/{id}", context.public_url),
        validity_s: u32::try_from(validity_s(now, &about.zones(), exempt)).unwrap_or(0),
        deadline,
    }
}
