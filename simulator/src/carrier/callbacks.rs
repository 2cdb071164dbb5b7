//! A text's way to the handset, and the signed reports about it.

use std::time::Duration;

use serde::Serialize;

use super::Carrier;
use super::script::{Fate, Journey};
use super::text::{Text, TextStatus};
use crate::signatures;

/// A form the carrier posted with its signature: a status report or a text from a customer.
#[derive(Clone, Debug, Serialize)]
pub struct SignedPost {
    /// Business time.
    pub at_ms: i64,
    /// As signed.
    pub url: String,
    /// As sent, in order.
    pub params: Vec<(String, String)>,
    /// The `X-Twilio-Signature` header.
    pub signature: String,
}

const ATTEMPTS: u32 = 3;
const VALIDITY_EXPIRED: u32 = 30036;

/// One attempt to report a text's status.
#[derive(Clone, Debug, Serialize)]
pub struct Callback {
    /// Business time.
    pub at_ms: i64,
    /// Which text.
    pub sid: String,
    /// The status reported.
    pub status: TextStatus,
    /// Where it was posted.
    pub url: String,
    /// What the product answered; `None` when it did not.
    pub answer: Option<u16>,
}

impl Carrier {
    /// Carries one text to its end. The queue may be held; the validity period is checked when it leaves.
    pub(crate) async fn carry(&self, place: usize, journey: Journey) {
        let transit = Duration::from_millis(if journey.callback_first { 0 } else { self.transit_ms() });
        tokio::time::sleep(transit).await;
        self.queue_open().await;
        let steps = self.steps(place, journey.fate);
        let mut reports = Vec::new();
        for (index, (status, code)) in steps.into_iter().enumerate() {
            if index > 0 {
                tokio::time::sleep(transit).await;
            }
            let Some(text) = self.advance_text(place, status, code) else {
                return;
            };
            if journey.callbacks_reversed {
                reports.insert(0, text);
            } else {
                self.report(&text, journey.callback_copies).await;
            }
        }
        for text in reports {
            self.report(&text, journey.callback_copies).await;
        }
    }

    fn steps(&self, place: usize, fate: Fate) -> Vec<(TextStatus, Option<u32>)> {
        let now_ms = self.clock().now_ms();
        let expired = self.texts().read(|all| {
            let deadline = |text: &Text| text.received_at_ms + text.validity_period_s * 1000;
            all.get(place).is_some_and(|text| now_ms > deadline(text))
        });
        if expired {
            return vec![(TextStatus::Failed, Some(VALIDITY_EXPIRED))];
        }
        match fate {
            Fate::Delivered => vec![(TextStatus::Sent, None), (TextStatus::Delivered, None)],
            Fate::Undelivered { code } => {
                vec![(TextStatus::Sent, None), (TextStatus::Undelivered, Some(code))]
            }
            Fate::Failed { code } => vec![(TextStatus::Failed, Some(code))],
            Fate::Lost => vec![(TextStatus::Sent, None)],
        }
    }

    fn advance_text(&self, place: usize, status: TextStatus, code: Option<u32>) -> Option<Text> {
        let now_ms = self.clock().now_ms();
        self.texts().amend(place, |text| {
            text.status = status;
            text.error_code = code;
            match status {
                TextStatus::Sent => text.sent_at_ms = Some(now_ms),
                TextStatus::Delivered | TextStatus::Undelivered | TextStatus::Failed => {
                    text.ended_at_ms = Some(now_ms);
                }
                TextStatus::Queued | TextStatus::Received => {}
            }
        });
        self.texts().read(|all| all.get(place).cloned())
    }

    async fn report(&self, text: &Text, copies: u32) {
        let Some(url) = &text.status_callback else { return };
        self.callbacks_open().await;
        for _ in 0..copies {
            for attempt in 1..=ATTEMPTS {
                let answer = self.post_status(url, text).await;
                let entry = Callback {
                    at_ms: self.clock().now_ms(),
                    sid: text.sid.clone(),
                    status: text.status,
                    url: url.clone(),
                    answer,
                };
                self.callbacks().append(entry);
                if answer.is_some_and(|status| status < 500) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100 * u64::from(attempt))).await;
            }
        }
    }

    async fn post_status(&self, url: &str, text: &Text) -> Option<u16> {
        let mut params = vec![
            ("AccountSid".to_owned(), self.account_sid().to_owned()),
            ("ApiVersion".to_owned(), "2010-04-01".to_owned()),
            ("From".to_owned(), text.from.clone()),
            ("MessageSid".to_owned(), text.sid.clone()),
            ("MessageStatus".to_owned(), text.status.as_str().to_owned()),
            ("SmsSid".to_owned(), text.sid.clone()),
            ("SmsStatus".to_owned(), text.status.as_str().to_owned()),
            ("To".to_owned(), text.to.clone()),
        ];
        if let Some(code) = text.error_code {
            params.push(("ErrorCode".to_owned(), code.to_string()));
        }
        self.post_signed(url, &params).await.ok().map(|answer| answer.status().as_u16())
    }

    /// Posts a form the way Twilio does, signature included.
    pub(crate) async fn post_signed(
        &self,
        url: &str,
        params: &[(String, String)],
    ) -> Result<reqwest::Response, reqwest::Error> {
        let signature = signatures::twilio(self.auth_token(), url, params);
        self.posts().append(SignedPost {
            at_ms: self.clock().now_ms(),
            url: url.to_owned(),
            params: params.to_vec(),
            signature: signature.clone(),
        });
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        self.client()
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
            .header("user-agent", "TwilioProxy/1.1")
            .header("x-twilio-signature", signature)
            .body(body)
            .send()
            .await
    }
}
