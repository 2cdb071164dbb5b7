//! The SMS carrier, spoken to as Twilio's `Messages.json`: send, look up what became of a send, read what it posts.

mod callback;
mod find;
mod twiml;
mod wire;

use std::time::{Duration, Instant};

use domain::send::{AnswerBody, Observation, SendOutcome, classify};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::calls::{Calls, Operation, Verdict};
use crate::http::{self, Reach, SetupError};
use crate::signature::{self, SignatureError};

pub use callback::{FormError, InboundText, StatusCallback, parse_inbound, parse_status_callback};
pub use find::{FindError, FindMessage, Sighting};
pub use twiml::reply as twiml_reply;

/// Twilio's bounds for a message's validity.
pub const VALIDITY_MAX_S: u32 = 36_000;

#[derive(Debug, Clone)]
pub struct SmsConfig {
    /// Where the carrier is, without a path: `https://api.twilio.com`.
    pub base_url: String,
    pub account_sid: String,
    /// The first one signs our requests; all of them may have signed a callback, so that a token can be rotated.
    pub auth_tokens: Vec<SecretString>,
    /// The longest one exchange may take. A caller's lease must outlast the send's deadline by this much.
    pub timeout_ms: u64,
}

/// One text to be sent. Has no `Debug`: it holds a number and a link.
#[derive(Clone)]
pub struct SmsSend {
    /// E.164.
    pub to: String,
    pub from: String,
    pub body: String,
    /// Names the attempt, so that a callback can settle it even when the answer was lost.
    pub status_callback: String,
    /// How long the carrier may keep the text before it must drop it, in seconds.
    pub validity_s: u32,
    /// Past this moment not a byte is written. Checked when the connection asks for the bytes.
    pub deadline: Instant,
}

pub struct SmsGateway {
    client: reqwest::Client,
    messages_url: Url,
    account_sid: String,
    auth_tokens: Vec<SecretString>,
    calls: Calls,
}

impl SmsGateway {
    /// # Errors
    /// When the base URL or the account cannot be used, or no token is given.
    pub fn new(config: SmsConfig) -> Result<Self, SetupError> {
        let base =
            Url::parse(&config.base_url).map_err(|_| SetupError::Url { what: "the carrier's base URL" })?;
        if !Reach::Anywhere.permits(&base) {
            return Err(SetupError::Url { what: "the carrier's base URL" });
        }
        let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_plain(&config.account_sid) {
            return Err(SetupError::Setting { what: "the carrier account id must be letters and digits" });
        }
        if config.auth_tokens.is_empty() {
            return Err(SetupError::Setting { what: "the carrier needs an auth token" });
        }
        let path = format!("2010-04-01/Accounts/{}/Messages.json", config.account_sid);
        let messages_url = Url::parse(&format!("{}/{path}", config.base_url.trim_end_matches('/')))
            .map_err(|_| SetupError::Url { what: "the carrier's base URL" })?;
        Ok(Self {
            client: http::client(Duration::from_millis(config.timeout_ms), Reach::Anywhere)?,
            messages_url,
            account_sid: config.account_sid,
            auth_tokens: config.auth_tokens,
            calls: Calls::default(),
        })
    }

    /// The same, its calls counted there.
    #[must_use]
    pub fn counted_in(mut self, calls: Calls) -> Self {
        self.calls = calls;
        self
    }

    /// Hands one text to the carrier, once, and says what that came to.
    pub async fn send(&self, message: &SmsSend) -> SendOutcome {
        let sending = async { classify(self.observe(message).await) };
        self.calls.timed(Operation::SendText, sending, Verdict::of_send).await
    }

    /// Checks a callback or an inbound text; see [`signature::twilio::verify`].
    ///
    /// # Errors
    /// Says why it is not to be believed.
    pub fn verify(&self, public_url: &str, raw_body: &[u8], header: &str) -> Result<(), SignatureError> {
        signature::twilio::verify(&self.auth_tokens, public_url, raw_body, header)
    }

    async fn observe(&self, message: &SmsSend) -> Observation {
        if Instant::now() >= message.deadline {
            return Observation::NotWritten { why: "the deadline passed before the request" };
        }
        let form = form_of(message);
        let length = form.len();
        let (body, handed_over) = http::body_before(message.deadline, form);
        let request = self
            .authorised(self.client.post(self.messages_url.clone()))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(CONTENT_LENGTH, length)
            .body(body);
        match request.send().await {
            Ok(response) => read_answer(response, &message.to).await,
            Err(error) if !handed_over.has_happened() => {
                Observation::NotWritten { why: why_not_written(&error) }
            }
            Err(error) => Observation::NoAnswer { why: why_no_answer(&error) },
        }
    }

    fn authorised(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let token = self.auth_tokens.first().map(ExposeSecret::expose_secret);
        request.basic_auth(&self.account_sid, token)
    }
}

fn form_of(message: &SmsSend) -> Vec<u8> {
    let validity = message.validity_s.clamp(1, VALIDITY_MAX_S).to_string();
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("To", &message.to)
        .append_pair("From", &message.from)
        .append_pair("Body", &message.body)
        .append_pair("StatusCallback", &message.status_callback)
        .append_pair("ValidityPeriod", &validity)
        .finish()
        .into_bytes()
}

async fn read_answer(response: reqwest::Response, to: &str) -> Observation {
    let status = response.status().as_u16();
    let retry_after_ms = http::retry_after_ms(response.headers());
    // An answer that breaks off still has its status: a refusal stays a refusal, a success without a name is unknown.
    let body = match http::read_body(response).await {
        Ok(bytes) => wire::answer(&bytes, to),
        Err(http::BodyError::TooLarge | http::BodyError::Torn) => AnswerBody::Unreadable,
    };
    Observation::Answered { status, retry_after_ms, body }
}

fn why_not_written(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timed out before the request was written"
    } else if error.is_connect() {
        "no connection to the carrier"
    } else {
        "the request was not written"
    }
}

fn why_no_answer(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timed out after the request was written"
    } else {
        "the connection broke after the request was written"
    }
}

#[cfg(test)]
mod tests;
