//! The merchant's dialer, told over HTTP to stop or resume calls about one invoice.
//!
//! A message that is not acknowledged in so many words was not heard: a 2xx alone may come from a proxy.

use std::time::Duration;

use domain::time::Timestamp;
use domain::words;
use reqwest::header::CONTENT_TYPE;
use secrecy::SecretString;
use serde::Serialize;
use url::Url;

use crate::calls::{Calls, Operation, Verdict};
use crate::http::{self, Reach, SetupError};
use crate::signature::standard_webhooks;

words! {
    pub enum DialerCommandKind {
        Pause = "call.pause",
        Resume = "call.resume",
    }
}

/// One command. Saying it again is the same command: its id and its body never change.
#[derive(Debug, Clone)]
pub struct DialerCommand {
    /// Where the merchant's dialer listens, as configured.
    pub url: String,
    /// `whsec_…`, shared with the merchant; several while one is exchanged, and each signs.
    pub secrets: Vec<SecretString>,
    pub command_id: String,
    pub kind: DialerCommandKind,
    pub merchant_id: String,
    pub campaign_id: String,
    pub enrolment_id: String,
    pub invoice_id: String,
    pub reason: String,
    pub occurred_at: Timestamp,
}

/// The dialer says that it has done it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged;

/// Not heard. Tell it again; a pause has no end of patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct DialerError {
    pub fault: DialerFault,
    pub retry_after_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DialerFault {
    #[error("the dialer's URL is not one we may call")]
    BadUrl,
    #[error("the dialer's secret cannot sign")]
    BadSecret,
    #[error("the dialer was not reached")]
    Unreachable,
    #[error("the dialer did not answer in time")]
    TimedOut,
    #[error("the dialer answered {0}")]
    Status(u16),
    #[error("the dialer answered without acknowledging")]
    NotAcknowledged,
}

impl From<DialerFault> for DialerError {
    fn from(fault: DialerFault) -> Self {
        Self { fault, retry_after_ms: None }
    }
}

#[derive(Debug, Clone)]
pub struct DialerConfig {
    pub timeout_ms: u64,
    /// Merchants write these URLs. Only an operator whose merchants are himself lets them lead anywhere.
    pub reach: Reach,
}

pub struct DialerGateway {
    client: reqwest::Client,
    reach: Reach,
    calls: Calls,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: DialerCommandKind,
    command_id: &'a str,
    merchant_id: &'a str,
    campaign_id: &'a str,
    enrolment_id: &'a str,
    invoice_id: &'a str,
    reason: &'a str,
    occurred_at: Timestamp,
}

impl DialerGateway {
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(config: &DialerConfig) -> Result<Self, SetupError> {
        let client = http::client(Duration::from_millis(config.timeout_ms), config.reach)?;
        Ok(Self { client, reach: config.reach, calls: Calls::default() })
    }

    /// The same, its calls counted there.
    #[must_use]
    pub fn counted_in(mut self, calls: Calls) -> Self {
        self.calls = calls;
        self
    }

    /// Tells the dialer, once. `now` dates the signature; the dialer refuses an old one.
    ///
    /// # Errors
    /// Whatever is not an acknowledgement.
    pub async fn tell(&self, command: &DialerCommand, now: Timestamp) -> Result<Acknowledged, DialerError> {
        let url = Url::parse(&command.url).map_err(|_| DialerFault::BadUrl)?;
        if !self.reach.permits(&url) {
            return Err(DialerFault::BadUrl.into());
        }
        let body = body_of(command);
        let signature = signature(command, now, &body)?;
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(standard_webhooks::ID_HEADER, &command.command_id)
            .header(standard_webhooks::TIMESTAMP_HEADER, now.seconds())
            .header(standard_webhooks::SIGNATURE_HEADER, signature)
            .body(body);
        let telling = async { read_answer(request.send().await.map_err(|error| unheard(&error))?).await };
        self.calls.timed(Operation::TellDialer, telling, worth).await
    }
}

fn signature(command: &DialerCommand, now: Timestamp, body: &[u8]) -> Result<String, DialerFault> {
    let sign = |secret| standard_webhooks::sign(secret, &command.command_id, now.seconds(), body);
    let signatures: Result<Vec<String>, _> = command.secrets.iter().map(sign).collect();
    let signatures = signatures.map_err(|_| DialerFault::BadSecret)?;
    if signatures.is_empty() {
        return Err(DialerFault::BadSecret);
    }
    Ok(signatures.join(" "))
}

fn body_of(command: &DialerCommand) -> Vec<u8> {
    let body = Body {
        kind: command.kind,
        command_id: &command.command_id,
        merchant_id: &command.merchant_id,
        campaign_id: &command.campaign_id,
        enrolment_id: &command.enrolment_id,
        invoice_id: &command.invoice_id,
        reason: &command.reason,
        occurred_at: command.occurred_at,
    };
    serde_json::to_vec(&body).expect("texts and a moment are always JSON")
}

async fn read_answer(response: reqwest::Response) -> Result<Acknowledged, DialerError> {
    let status = response.status();
    if !status.is_success() {
        let retry_after_ms = http::retry_after_ms(response.headers());
        return Err(DialerError { fault: DialerFault::Status(status.as_u16()), retry_after_ms });
    }
    let bytes = http::read_body(response).await.map_err(|_| DialerFault::NotAcknowledged)?;
    let answer: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|_| DialerFault::NotAcknowledged)?;
    match answer.get("acknowledged") {
        Some(serde_json::Value::Bool(true)) => Ok(Acknowledged),
        Some(_) | None => Err(DialerFault::NotAcknowledged.into()),
    }
}

fn worth(answer: &Result<Acknowledged, DialerError>) -> Verdict {
    match answer.map_err(|error| error.fault) {
        Ok(Acknowledged) => Verdict::Done,
        Err(DialerFault::Status(_) | DialerFault::NotAcknowledged) => Verdict::Refused,
        Err(
            DialerFault::BadUrl | DialerFault::BadSecret | DialerFault::Unreachable | DialerFault::TimedOut,
        ) => Verdict::Failed,
    }
}

fn unheard(error: &reqwest::Error) -> DialerFault {
    if error.is_timeout() { DialerFault::TimedOut } else { DialerFault::Unreachable }
}

#[cfg(test)]
mod tests;
