//! Work to be done: what a job is called, which lane it takes and how long it may try.
//!
//! Kinds are written by hand and stored: rename a file freely, never a word.

use crate::id::MerchantId;
use crate::words;

words! {
    /// Every job. Named as a command.
    pub enum JobKind {
        /// Subject: a call event or a link. Issues the link, picks the channel, writes the message, and makes its first
        /// attempt.
        ResolveChannel = "resolve_channel",
        /// Subject: a message that carries a link and was not settled by its first attempt, or takes another's place.
        SendLink = "send_link",
        /// Subject: a payment (writes the message), then that message.
        SendReceipt = "send_receipt",
        /// Subject: a send attempt with a stored carrier callback.
        RecordDelivery = "record_delivery",
        /// Subject: a payable. Fetches the PaymentIntent and advances payment and invoice.
        AdvancePayment = "advance_payment",
        /// Subject: a payable whose PaymentIntent has to die at Stripe.
        CancelPayment = "cancel_payment",
        /// Subject: an enrolment. Tells the dialer to pause until it acknowledges.
        PauseCalls = "pause_calls",
        /// Subject: an enrolment. Tells the dialer to resume until it acknowledges.
        ResumeCalls = "resume_calls",
        /// Subject: a tick. Records the expiry of links past their time.
        ExpireLinks = "expire_links",
        /// Subject: a tick. Fetches every payable nobody has looked at for a while.
        ReconcilePayments = "reconcile_payments",
        /// Subject: a tick. Puts sends unknown for long on the attention list and wakes lost sends.
        ReviewSends = "review_sends",
        /// Subject: a tick. Deletes what is older than it is kept and needed by nobody.
        ForgetOld = "forget_old",
    }
}

words! {
    /// Lanes are claimed by their own workers: a burst in one never delays another.
    pub enum Lane {
        /// What a customer asked for on a call or page, and what stops calls.
        Intents = "intents",
        /// What follows by itself: receipts, deliveries, payments.
        Follow = "follow",
        /// Sweeps and schedules.
        Scheduled = "scheduled",
        /// Large amounts of work nobody waits for.
        Bulk = "bulk",
    }
}

words! {
    pub enum JobStatus {
        Waiting = "waiting",
        Leased = "leased",
        Done = "done",
        Dead = "dead",
    }
}

/// How a kind of job behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Most rows in one claim.
    pub batch_max: u32,
    /// Claims worked on at the same time.
    pub batches_at_once: usize,
    /// How long a claim is held, in milliseconds of the database's clock; renewed while work goes on.
    pub lease_ms: i64,
    /// `Retry`s before the job is dead.
    pub attempts_max: i64,
    /// Expired leases before the job is dead: it kills the process that takes it.
    pub crashes_max: i64,
    pub backoff: Backoff,
}

/// Exponential back-off with full jitter in its upper half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    pub first_ms: i64,
    pub cap_ms: i64,
}

impl Backoff {
    /// The wait before attempt `attempts + 1`, in milliseconds. `random` is any number; it moves the wait between
    /// half and all of the exponential step, so that a crowd that failed together does not return together.
    #[must_use]
    pub fn wait_ms(self, attempts: i64, random: u64) -> i64 {
        let doublings = u32::try_from(attempts.clamp(0, 30)).unwrap_or(30);
        let step = self.first_ms.saturating_mul(1_i64 << doublings).min(self.cap_ms).max(1);
        let half = step / 2;
        let spread = u64::try_from(step - half).unwrap_or(0).saturating_add(1);
        half.saturating_add(i64::try_from(random % spread).unwrap_or(0))
    }
}

impl JobKind {
    #[must_use]
    pub const fn lane(self) -> Lane {
        match self {
            Self::ResolveChannel | Self::SendLink | Self::PauseCalls | Self::ResumeCalls => Lane::Intents,
            Self::SendReceipt | Self::RecordDelivery | Self::AdvancePayment | Self::CancelPayment => {
                Lane::Follow
            }
            Self::ExpireLinks | Self::ReconcilePayments | Self::ReviewSends | Self::ForgetOld => {
                Lane::Scheduled
            }
        }
    }

    #[must_use]
    pub const fn policy(self) -> Policy {
        let quick = Backoff { first_ms: 500, cap_ms: 60_000 };
        let patient = Backoff { first_ms: 2_000, cap_ms: 600_000 };
        let base = Policy {
            batch_max: 200,
            batches_at_once: 2,
            lease_ms: 15_000,
            attempts_max: 30,
            crashes_max: 5,
            backoff: quick,
        };
        match self {
            Self::RecordDelivery => base,
            // While one batch waits for the provider, the next is made ready.
            Self::ResolveChannel => Policy { batch_max: 256, batches_at_once: 3, ..base },
            Self::SendLink => {
                Policy { batch_max: 256, batches_at_once: 3, attempts_max: 60, backoff: patient, ..base }
            }
            Self::SendReceipt => {
                Policy { batch_max: 32, lease_ms: 15_000, attempts_max: 60, backoff: patient, ..base }
            }
            Self::AdvancePayment | Self::CancelPayment => {
                Policy { batch_max: 16, attempts_max: 100, backoff: patient, ..base }
            }
            // Told until it acknowledges: some 30 days at the cap.
            Self::PauseCalls | Self::ResumeCalls => Policy {
                batch_max: 32,
                attempts_max: 50_000,
                backoff: Backoff { first_ms: 500, cap_ms: 60_000 },
                ..base
            },
            Self::ExpireLinks | Self::ReconcilePayments | Self::ReviewSends | Self::ForgetOld => {
                Policy { batch_max: 1, batches_at_once: 1, lease_ms: 30_000, ..base }
            }
        }
    }

    /// How often a periodic job ticks, in milliseconds of business time; `None` for jobs that somebody asks for.
    #[must_use]
    pub const fn period_ms(self) -> Option<i64> {
        match self {
            Self::ExpireLinks | Self::ReviewSends | Self::ForgetOld => Some(60_000),
            Self::ReconcilePayments => Some(300_000),
            Self::ResolveChannel
            | Self::SendLink
            | Self::SendReceipt
            | Self::RecordDelivery
            | Self::AdvancePayment
            | Self::CancelPayment
            | Self::PauseCalls
            | Self::ResumeCalls => None,
        }
    }
}

/// A job to be enqueued in the transaction of the change that causes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    pub kind: JobKind,
    /// The id of the row the job is about.
    pub subject: String,
    /// At most one job of a kind ever has this key: enqueueing it again does nothing.
    pub unique_key: String,
    pub merchant_id: Option<MerchantId>,
    /// Milliseconds of business time before it may run.
    pub delay_ms: i64,
}

impl NewJob {
    /// A job that runs now and once per subject.
    #[must_use]
    pub fn once(kind: JobKind, subject: impl Into<String>, merchant_id: &MerchantId) -> Self {
        let subject = subject.into();
        Self {
            kind,
            unique_key: subject.clone(),
            subject,
            merchant_id: Some(merchant_id.clone()),
            delay_ms: 0,
        }
    }

    /// The same with a key of its own, for work that the same subject may need again.
    #[must_use]
    pub fn keyed(mut self, unique_key: impl Into<String>) -> Self {
        self.unique_key = unique_key.into();
        self
    }

    #[must_use]
    pub fn after_ms(mut self, delay_ms: i64) -> Self {
        self.delay_ms = delay_ms;
        self
    }
}

/// Something on an invoice's timeline that a dashboard wants to hear about at once.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    pub merchant_id: MerchantId,
    pub invoice_id: crate::id::InvoiceId,
    /// The timeline entry that says what changed.
    pub entry_id: crate::id::TimelineEntryId,
    pub kind: crate::timeline::TimelineKind,
}

/// What a transaction causes: jobs that commit with it, and changes told to listeners after it.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    pub jobs: Vec<NewJob>,
    pub changes: Vec<Change>,
}

impl Outbox {
    pub fn enqueue(&mut self, job: NewJob) {
        self.jobs.push(job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_kind_reads_back_from_its_word() {
        for kind in JobKind::ALL {
            assert_eq!(kind.word().parse(), Ok(*kind));
        }
    }

    #[test]
    fn periodic_jobs_are_scheduled_and_the_others_are_not() {
        for kind in JobKind::ALL {
            assert_eq!(kind.period_ms().is_some(), kind.lane() == Lane::Scheduled, "{kind}");
        }
    }

    #[test]
    fn a_job_is_claimed_one_attempt_at_least() {
        for kind in JobKind::ALL {
            let policy = kind.policy();
            assert!(
                policy.batch_max > 0
                    && policy.batches_at_once > 0
                    && policy.attempts_max > 0
                    && policy.crashes_max > 0
            );
            assert!(policy.lease_ms >= 5_000, "a lease must outlive two renewals");
        }
    }

    proptest! {
        #[test]
        fn back_off_grows_to_its_cap_and_never_beyond(first in 1..10_000_i64, more in 0..1_000_000_i64, attempts in 0..1_000_i64, random: u64) {
            let backoff = Backoff { first_ms: first, cap_ms: first + more };
            let wait = backoff.wait_ms(attempts, random);
            prop_assert!(wait >= first / 2 && wait <= backoff.cap_ms);
        }
    }
}
