//! How long the outside world takes to answer us, and whether it does. Labels are our own words: bounded by the code.

use std::time::Instant;

use domain::send::SendOutcome;
use prometheus::{HistogramOpts, HistogramVec, Registry};

use crate::stripe::StripeError;

const BUCKETS: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What a provider was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    SendText,
    FindText,
    SendEmail,
    CreatePayment,
    RetrievePayment,
    CancelPayment,
    ListPayments,
    TellDialer,
}

impl Operation {
    const ALL: [Self; 8] = [
        Self::SendText,
        Self::FindText,
        Self::SendEmail,
        Self::CreatePayment,
        Self::RetrievePayment,
        Self::CancelPayment,
        Self::ListPayments,
        Self::TellDialer,
    ];

    const fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::SendText => ("twilio", "send"),
            Self::FindText => ("twilio", "find"),
            Self::SendEmail => ("smtp", "send"),
            Self::CreatePayment => ("stripe", "create"),
            Self::RetrievePayment => ("stripe", "retrieve"),
            Self::CancelPayment => ("stripe", "cancel"),
            Self::ListPayments => ("stripe", "list"),
            Self::TellDialer => ("dialer", "tell"),
        }
    }
}

/// What the answer is worth to an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done,
    /// Understood, and no.
    Refused,
    /// Not reached, too slow, broken or unreadable.
    Failed,
}

impl Verdict {
    const ALL: [Self; 3] = [Self::Done, Self::Refused, Self::Failed];

    const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn of_send(outcome: &SendOutcome) -> Self {
        match outcome {
            SendOutcome::Accepted { .. } => Self::Done,
            SendOutcome::Rejected { .. } => Self::Refused,
            SendOutcome::NotSent { .. } | SendOutcome::Unknown { .. } => Self::Failed,
        }
    }

    pub(crate) fn of_stripe<T>(said: &Result<T, StripeError>) -> Self {
        said.as_ref().map_or_else(Self::of_error, |_| Self::Done)
    }

    pub(crate) fn of_error(error: &StripeError) -> Self {
        match error {
            StripeError::Rejected { .. } | StripeError::TooLate(_) | StripeError::Auth => Self::Refused,
            StripeError::Retryable { .. } | StripeError::Unreadable | StripeError::ListTooLong => {
                Self::Failed
            }
        }
    }
}

/// The times of all calls to providers. Clones share them; the default one is seen by nobody.
#[derive(Debug, Clone)]
pub struct Calls {
    seconds: HistogramVec,
}

impl Default for Calls {
    fn default() -> Self {
        let seconds = HistogramOpts::new(
            "postcall_provider_request_duration_seconds",
            "Time from asking a provider to its whole answer, by provider, operation and what the answer was worth.",
        );
        let seconds = HistogramVec::new(seconds.buckets(BUCKETS.to_vec()), &["provider", "op", "outcome"])
            .expect("a constant name and constant labels are well-formed");
        for operation in Operation::ALL {
            for verdict in Verdict::ALL {
                let (provider, op) = operation.labels();
                // rate() must see a zero before the first call.
                seconds.with_label_values(&[provider, op, verdict.word()]);
            }
        }
        Self { seconds }
    }
}

impl Calls {
    /// # Errors
    /// When a metric of the same name is registered already: one registry sees one set of gateways.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let calls = Self::default();
        registry.register(Box::new(calls.seconds.clone()))?;
        Ok(calls)
    }

    pub(crate) async fn timed<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = T>,
        judge: impl FnOnce(&T) -> Verdict,
    ) -> T {
        let begun = Instant::now();
        let answer = call.await;
        let (provider, op) = operation.labels();
        let seconds = self.seconds.with_label_values(&[provider, op, judge(&answer).word()]);
        seconds.observe(begun.elapsed().as_secs_f64());
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_is_counted_once_under_what_its_answer_was_worth() {
        let calls = Calls::default();
        let answered = calls.timed(Operation::SendText, async { 7 }, |_| Verdict::Refused).await;
        assert_eq!(answered, 7);
        let counted =
            |verdict: &str| calls.seconds.with_label_values(&["twilio", "send", verdict]).get_sample_count();
        assert_eq!((counted("done"), counted("refused"), counted("failed")), (0, 1, 0));
    }

    #[test]
    fn one_registry_takes_one_set_of_calls() {
        let registry = Registry::new();
        assert!(Calls::register(&registry).is_ok());
        assert!(Calls::register(&registry).is_err());
        let series: usize = registry.gather().iter().map(|family| family.get_metric().len()).sum();
        assert_eq!(series, Operation::ALL.len() * Verdict::ALL.len());
    }
}
