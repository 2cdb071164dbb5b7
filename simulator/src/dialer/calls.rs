//! Calls the dialer would like to place: it asks first, and takes silence for a no.

use serde::Serialize;
use serde_json::{Value, json};

use super::Dialer;

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CallOutcome {
    /// Permission was given.
    Placed,
    /// Permission was refused, for these reasons.
    Denied {
        /// As the product names them.
        reasons: Vec<String>,
    },
    /// The dialer itself had been told to pause.
    Paused,
    /// Nobody answered the question, so nobody was called.
    Unanswered {
        /// What went wrong.
        why: String,
    },
}

/// One call, placed or not.
#[derive(Clone, Debug, Serialize)]
pub struct CallAttempt {
    /// Business time.
    pub at_ms: i64,
    /// About which invoice.
    pub invoice_id: String,
    /// To whom.
    pub phone: String,
    /// Whether it was placed.
    pub outcome: CallOutcome,
}

impl CallAttempt {
    /// Whether anybody was called.
    #[must_use]
    pub fn placed(&self) -> bool {
        self.outcome == CallOutcome::Placed
    }
}

impl Dialer {
    /// Places a call about an invoice if nobody objects: first the dialer's own pauses, then the product.
    pub async fn attempt_call(&self, invoice_id: &str, phone: &str) -> CallAttempt {
        let outcome =
            if self.is_paused(invoice_id) { CallOutcome::Paused } else { self.ask(invoice_id).await };
        self.note_call(invoice_id, phone, outcome)
    }

    /// The same without looking at its own pauses: shows that the product alone can stop a call.
    pub async fn attempt_call_forgetting_pauses(&self, invoice_id: &str, phone: &str) -> CallAttempt {
        let outcome = self.ask(invoice_id).await;
        self.note_call(invoice_id, phone, outcome)
    }

    fn note_call(&self, invoice_id: &str, phone: &str, outcome: CallOutcome) -> CallAttempt {
        let attempt = CallAttempt {
            at_ms: self.clock().now_ms(),
            invoice_id: invoice_id.to_owned(),
            phone: phone.to_owned(),
            outcome,
        };
        self.calls().append(attempt.clone());
        attempt
    }

    async fn ask(&self, invoice_id: &str) -> CallOutcome {
        let unanswered = |why: String| CallOutcome::Unanswered { why };
        let Some(url) = self.permission_url() else {
            return unanswered("no permission URL is set".into());
        };
        let mut request = self.client().post(&url).json(&json!({ "invoice_id": invoice_id }));
        if let Some(key) = self.api_key() {
            request = request.bearer_auth(key);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return unanswered(error.without_url().to_string()),
        };
        let status = answer.status();
        if !status.is_success() {
            return unanswered(format!("the answer was {}", status.as_u16()));
        }
        match answer.json::<Value>().await {
            Ok(body) => judge(&body),
            Err(error) => unanswered(error.without_url().to_string()),
        }
    }
}

/// Reads `{"decision":"allow"}`, `{"allowed":true}` and their opposites with `reasons`.
fn judge(body: &Value) -> CallOutcome {
    let allowed = match (&body["decision"], &body["allowed"]) {
        (Value::String(decision), _) => Some(decision == "allow"),
        (_, Value::Bool(allowed)) => Some(*allowed),
        _ => None,
    };
    let reason = |reason: &Value| reason.as_str().or_else(|| reason["code"].as_str()).map(str::to_owned);
    let reasons = body["reasons"].as_array().into_iter().flatten().filter_map(reason).collect();
    match allowed {
        Some(true) => CallOutcome::Placed,
        Some(false) => CallOutcome::Denied { reasons },
        None => CallOutcome::Unanswered { why: "the answer said neither yes nor no".into() },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{CallOutcome, judge};

    #[test]
    fn only_a_clear_yes_places_a_call() {
        assert_eq!(judge(&json!({ "decision": "allow", "reasons": [] })), CallOutcome::Placed);
        assert_eq!(judge(&json!({ "allowed": true })), CallOutcome::Placed);
        assert!(matches!(judge(&json!({ "decision": 1 })), CallOutcome::Unanswered { .. }));
        assert!(matches!(judge(&json!({})), CallOutcome::Unanswered { .. }));
    }

    #[test]
    fn the_reasons_of_a_no_are_kept() {
        let denied = judge(&json!({ "decision": "deny", "reasons": ["on_hold", { "code": "paid" }] }));
        assert_eq!(denied, CallOutcome::Denied { reasons: vec!["on_hold".into(), "paid".into()] });
    }
}
