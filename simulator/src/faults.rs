//! Scripted misbehaviour of an HTTP provider, the same vocabulary for all of them.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::server::Wire;

/// One way to misbehave. "Executed" means the provider did what it was asked before it misbehaved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// Waits, then executes and answers properly.
    Delay {
        /// How long.
        ms: u64,
    },
    /// Executes, waits, then answers properly.
    SlowAnswer {
        /// How long.
        ms: u64,
    },
    /// Not executed; answers this status.
    Refuse {
        /// 429, 503, …
        status: u16,
        /// The `Retry-After` header, in seconds.
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
    /// Not executed; answers this status with this `Retry-After`, word for word.
    RefuseSaying {
        /// 429, 503, …
        status: u16,
        /// Seconds, a date, or nonsense.
        retry_after: String,
    },
    /// Executed, then answers this status as if it had failed.
    FailAfter {
        /// 500, 502, …
        status: u16,
    },
    /// Not executed; the connection ends.
    DropBefore,
    /// Executed; the connection ends without an answer.
    DropAfter,
    /// Executed; the connection stays open and silent.
    NeverAnswer,
    /// Executed; the body is a web page.
    Html {
        /// Usually 200 or 201.
        status: u16,
    },
    /// Executed; the answer breaks off after so many bytes, its head included.
    Truncate {
        /// How many get through.
        bytes: usize,
    },
}

/// A fault, and whom it strikes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    /// What happens.
    pub fault: Fault,
    /// Strikes only requests whose subject contains this. The subject is the recipient at the carrier,
    /// `POST /v1/…` at Stripe, the command's type and invoice at the dialer.
    #[serde(default)]
    pub matching: Option<String>,
    /// How often; `None` until cleared.
    #[serde(default)]
    pub times: Option<u32>,
}

impl FaultRule {
    /// Strikes the next request, whatever it is.
    #[must_use]
    pub fn once(fault: Fault) -> Self {
        Self::times(fault, 1)
    }

    /// Strikes the next `times` requests.
    #[must_use]
    pub fn times(fault: Fault, times: u32) -> Self {
        Self { fault, matching: None, times: Some(times) }
    }

    /// Strikes every request until cleared.
    #[must_use]
    pub fn always(fault: Fault) -> Self {
        Self { fault, matching: None, times: None }
    }

    /// Strikes only subjects that contain `part`.
    #[must_use]
    pub fn matching(mut self, part: &str) -> Self {
        self.matching = Some(part.into());
        self
    }
}

/// The rules in force at one provider; the first that matches strikes.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<FaultRule>>);

impl Faults {
    pub(crate) fn add(&self, rule: FaultRule) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(rule);
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn strike(&self, subject: &str) -> Option<Fault> {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hits = |rule: &FaultRule| rule.matching.as_deref().is_none_or(|part| subject.contains(part));
        let place = rules.iter().position(hits)?;
        let fault = rules[place].fault.clone();
        if let Some(left) = &mut rules[place].times {
            *left = left.saturating_sub(1);
            if *left == 0 {
                rules.remove(place);
            }
        }
        Some(fault)
    }
}

/// Carries a request out as `fault` demands. `refusal` writes an error as this provider would.
pub(crate) async fn carry_out(
    fault: Option<Fault>,
    wire: &Wire,
    refusal: fn(StatusCode) -> Response,
    execute: impl Future<Output = Response>,
) -> Response {
    let Some(fault) = fault else { return execute.await };
    match fault {
        Fault::Delay { ms } => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            execute.await
        }
        Fault::SlowAnswer { ms } => {
            let answer = execute.await;
            tokio::time::sleep(Duration::from_millis(ms)).await;
            answer
        }
        Fault::Refuse { status, retry_after_s } => {
            let mut answer = refusal(code(status));
            if let Some(seconds) = retry_after_s {
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            answer
        }
        Fault::RefuseSaying { status, retry_after } => {
            let mut answer = refusal(code(status));
            if let Ok(value) = HeaderValue::from_str(&retry_after) {
                answer.headers_mut().insert(header::RETRY_AFTER, value);
            }
            answer
        }
        Fault::FailAfter { status } => {
            execute.await;
            refusal(code(status))
        }
        Fault::DropBefore => cut(wire).await,
        Fault::DropAfter => {
            execute.await;
            cut(wire).await
        }
        Fault::NeverAnswer => {
            execute.await;
            std::future::pending().await
        }
        Fault::Html { status } => {
            execute.await;
            (code(status), Html("<!doctype html><title>Please wait</title><p>Please wait</p>"))
                .into_response()
        }
        Fault::Truncate { bytes } => {
            let answer = execute.await;
            wire.cut_after(bytes);
            answer
        }
    }
}

async fn cut(wire: &Wire) -> Response {
    wire.cut();
    std::future::pending().await
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultRule, Faults};

    #[test]
    fn a_rule_strikes_as_often_as_it_says_and_only_whom_it_names() {
        let faults = Faults::default();
        faults.add(FaultRule::times(Fault::DropAfter, 2).matching("+1415"));
        assert_eq!(faults.strike("+12125550100"), None);
        assert_eq!(faults.strike("+14155550100"), Some(Fault::DropAfter));
        assert_eq!(faults.strike("+14155550101"), Some(Fault::DropAfter));
        assert_eq!(faults.strike("+14155550102"), None);
    }

    #[test]
    fn a_standing_rule_holds_until_cleared() {
        let faults = Faults::default();
        faults.add(FaultRule::always(Fault::NeverAnswer));
        assert_eq!(faults.strike("a"), Some(Fault::NeverAnswer));
        assert_eq!(faults.strike("b"), Some(Fault::NeverAnswer));
        faults.clear();
        assert_eq!(faults.strike("c"), None);
    }
}
