//! The judge: what the product really had sent, and whether any of it twice.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;

use super::Carrier;
use super::callbacks::SignedPost;
use super::text::{Direction, Text};
use crate::error::Error;

impl Carrier {
    /// What the product had accepted through the API: each of these reached, or will reach, a customer.
    #[must_use]
    pub fn accepted(&self) -> Vec<Text> {
        let outbound = |text: &&Text| text.direction == Direction::Outbound;
        self.0.texts.read(|all| all.iter().filter(outbound).cloned().collect())
    }

    /// The accepted texts to one number.
    #[must_use]
    pub fn accepted_to(&self, phone: &str) -> Vec<Text> {
        let mut texts = self.accepted();
        texts.retain(|text| text.to == phone);
        texts
    }

    /// Waits until `count` texts to `phone` were accepted.
    ///
    /// # Errors
    /// [`Error::TimedOut`]
    pub async fn wait_for_texts(
        &self,
        phone: &str,
        count: usize,
        patience: Duration,
    ) -> Result<Vec<Text>, Error> {
        let ours = |text: &&Text| text.direction == Direction::Outbound && text.to == phone;
        // Counted first and copied once: under load this runs for every text there is.
        let enough = |all: &[Text]| {
            let there = all.iter().filter(ours).count() >= count;
            there.then(|| all.iter().filter(ours).cloned().collect())
        };
        self.0.texts.wait_until(patience, enough).await
    }

    /// Texts that said the same to the same number as an earlier one: what must not exist.
    #[must_use]
    pub fn duplicates(&self) -> Vec<Text> {
        let mut seen = HashSet::new();
        let mut repeated = self.accepted();
        repeated.retain(|text| !seen.insert((text.to.clone(), text.body.clone())));
        repeated
    }

    /// Every signed post as one JSON object per line, with the token to check it, for validators outside.
    #[must_use]
    pub fn signed_jsonl(&self) -> String {
        let line = |post: &SignedPost| {
            let record = json!({
                "url": post.url, "params": post.params, "signature": post.signature, "auth_token": self.auth_token(),
            });
            format!("{record}\n")
        };
        self.posts().read(|all| all.iter().map(line).collect())
    }
}
