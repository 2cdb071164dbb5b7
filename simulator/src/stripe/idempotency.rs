//! The idempotency layer: the first answer under a key is the answer, for a day.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::errors::StripeError;

const KEPT_MS: i64 = 24 * 60 * 60 * 1000;
const LENGTH_MAX: usize = 255;

/// An answer that was given once and is given again.
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

#[derive(Debug)]
struct Entry {
    fingerprint: String,
    begun_ms: i64,
    in_use: bool,
    saved: Option<Saved>,
}

type Entries = HashMap<(Option<String>, String), Entry>;

/// Every key seen in the last day, per account.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdempotencyKeys(Arc<Mutex<Entries>>);

/// What a key says about a request.
pub(crate) enum Verdict {
    /// Not seen: carry it out, and keep the hold until the request ends.
    Fresh(Hold),
    /// Seen: this was the answer.
    Replay(Saved),
}

impl IdempotencyKeys {
    pub(crate) fn begin(
        &self,
        account: Option<&str>,
        key: &str,
        fingerprint: String,
        now_ms: i64,
    ) -> Result<Verdict, StripeError> {
        if key.is_empty() || key.chars().count() > LENGTH_MAX {
            return Err(StripeError::request(400, "Idempotency keys are 1 to 255 characters long."));
        }
        let scope = (account.map(str::to_owned), key.to_owned());
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| entry.in_use || now_ms.saturating_sub(entry.begun_ms) < KEPT_MS);
        if let Some(entry) = entries.get(&scope) {
            return entry.judge(&fingerprint, key);
        }
        entries.insert(scope.clone(), Entry { fingerprint, begun_ms: now_ms, in_use: true, saved: None });
        drop(entries);
        Ok(Verdict::Fresh(Hold { keys: self.clone(), scope, saved: None }))
    }

    fn settle(&self, scope: &(Option<String>, String), saved: Option<Saved>) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(saved) = saved else {
            entries.remove(scope);
            return;
        };
        if let Some(entry) = entries.get_mut(scope) {
            entry.in_use = false;
            entry.saved = Some(saved);
        }
    }
}

impl Entry {
    fn judge(&self, fingerprint: &str, key: &str) -> Result<Verdict, StripeError> {
        if self.fingerprint != fingerprint {
            let message = format!(
                "Keys for idempotent requests can only be used with the same parameters they were first \
                 used with. Try using a key other than '{key}' if you meant to execute a different request."
            );
            return Err(StripeError::idempotency(400, &message));
        }
        match (&self.saved, self.in_use) {
            (Some(saved), false) => Ok(Verdict::Replay(saved.clone())),
            (_, true) | (None, false) => {
                let message = format!(
                    "There is currently another in-progress request using this Stripe-Account and \
                     Idempotency-Key '{key}'. Please try again later."
                );
                Err(StripeError::idempotency(409, &message).coded("idempotency_key_in_use"))
            }
        }
    }
}

/// A key in use. When the request ends, however it ends, the key is free or has its answer.
pub(crate) struct Hold {
    keys: IdempotencyKeys,
    scope: (Option<String>, String),
    saved: Option<Saved>,
}

impl Hold {
    /// The answer to keep; without one the key is free again.
    pub(crate) fn save(&mut self, saved: Saved) {
        self.saved = Some(saved);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.keys.settle(&self.scope, self.saved.take());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
    use serde_json::json;

    use super::*;

    fn begin(
        keys: &IdempotencyKeys,
        account: Option<&str>,
        print: &str,
        now_ms: i64,
    ) -> Result<Verdict, u16> {
        keys.begin(account, "k", print.into(), now_ms).map_err(|error| error.status())
    }

    fn answered(keys: &IdempotencyKeys) {
        let Ok(Verdict::Fresh(mut hold)) = begin(keys, None, "a", 0) else { panic!("the key is fresh") };
        hold.save(Saved { status: 200, body: json!(1) });
    }

    #[test]
    fn the_first_answer_is_given_again_for_a_day() {
        let keys = IdempotencyKeys::default();
        answered(&keys);
        assert!(matches!(
            begin(&keys, None, "a", KEPT_MS - 1),
            Ok(Verdict::Replay(Saved { status: 200, .. }))
        ));
        assert!(matches!(begin(&keys, None, "a", KEPT_MS), Ok(Verdict::Fresh(_))));
    }

    #[test]
    fn other_parameters_under_the_same_key_are_an_error() {
        let keys = IdempotencyKeys::default();
        answered(&keys);
        assert_eq!(begin(&keys, None, "b", 1).err(), Some(400));
    }

    #[test]
    fn a_key_belongs_to_its_account() {
        let keys = IdempotencyKeys::default();
        answered(&keys);
        assert!(matches!(begin(&keys, Some("acct_1"), "b", 1), Ok(Verdict::Fresh(_))));
    }

    #[test]
    fn a_key_in_use_conflicts_and_is_free_again_when_nothing_was_saved() {
        let keys = IdempotencyKeys::default();
        let hold = begin(&keys, None, "a", 0);
        assert_eq!(begin(&keys, None, "a", 0).err(), Some(409));
        drop(hold);
        assert!(matches!(begin(&keys, None, "a", 0), Ok(Verdict::Fresh(_))));
    }
}
