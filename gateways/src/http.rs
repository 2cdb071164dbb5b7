//! The one place that builds an HTTP client: time-outs, no redirects, no proxies from the environment, no repeats,
//! and a cap on what is read.

mod reach;

use std::time::{Duration, Instant};

use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

use crate::hand_over::HandedOver;

pub use reach::Reach;

/// A page of the carrier's message list is the largest answer we expect; a tenth of this would do.
pub const ANSWER_MAX_BYTES: usize = 2 * 1024 * 1024;

/// No provider's wish keeps us waiting longer than this before we look again.
pub const RETRY_AFTER_MAX_MS: i64 = 3_600_000;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Shorter than the idle time-outs of the services we call, so that we hang up first: a request written to a
/// connection that the other side has just closed is an outcome we cannot know.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
    #[error("not a usable URL: {what}")]
    Url { what: &'static str },
    #[error("{what}")]
    Setting { what: &'static str },
}

/// Builds a client whose whole exchange, connecting included, ends within `timeout`.
///
/// # Errors
/// When the system's certificate store cannot be read.
pub fn client(timeout: Duration, reach: Reach) -> Result<reqwest::Client, SetupError> {
    install_crypto();
    let builder = reqwest::Client::builder()
        .user_agent(concat!("postcall/", env!("CARGO_PKG_VERSION")))
        .timeout(timeout)
        .connect_timeout(timeout.min(CONNECT_TIMEOUT))
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_nodelay(true)
        // One request at a time on a connection: when it breaks, one outcome is unknown and not a hundred.
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy();
    reach.limit(builder).build().map_err(SetupError::Client)
}

/// TLS with ring, for every library here that asks rustls for the process's default.
pub fn install_crypto() {
    // Refused when another part of the process was first: then there is a provider, which is all we need.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A body that is handed over at most once, and not after `deadline`.
///
/// The check runs when the connection asks for the bytes, so time lost in look-up, connect and TLS counts. Because
/// the bytes can be taken only once, no layer below can send the request a second time.
pub(crate) fn body_before(deadline: Instant, bytes: Vec<u8>) -> (reqwest::Body, HandedOver) {
    let handed_over = HandedOver::default();
    let flag = handed_over.clone();
    let hand_over = async move {
        if Instant::now() >= deadline {
            return Err(std::io::Error::other("the deadline passed before the request was written"));
        }
        flag.mark();
        Ok(bytes)
    };
    (reqwest::Body::wrap_stream(futures::stream::once(hand_over)), handed_over)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the answer is larger than {ANSWER_MAX_BYTES} bytes")]
    TooLarge,
    #[error("the answer broke off")]
    Torn,
}

/// Reads an answer to its end, up to the cap.
///
/// # Errors
/// When it is too large or breaks off.
pub async fn read_body(mut response: reqwest::Response) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| BodyError::Torn)? {
        if body.len().saturating_add(chunk.len()) > ANSWER_MAX_BYTES {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// How long the other side asks us to wait: seconds, or a date measured against its own `Date` header, so that
/// neither clock matters. Nonsense is no wish; a long wish is capped.
#[must_use]
pub fn retry_after_ms(headers: &HeaderMap) -> Option<i64> {
    let wish = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !wish.is_empty() && wish.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large for the type is a very long wait.
        let wish_ms = wish.parse::<i64>().map_or(i64::MAX, |seconds| seconds.saturating_mul(1_000));
        return Some(wish_ms.min(RETRY_AFTER_MAX_MS));
    }
    let until_ms = date_ms(wish)?;
    let now_ms = headers.get(DATE).map(HeaderValue::to_str)?.ok().and_then(date_ms)?;
    Some(until_ms.saturating_sub(now_ms).clamp(0, RETRY_AFTER_MAX_MS))
}

/// An HTTP or RFC 2822 date in milliseconds since 1970.
#[must_use]
pub fn date_ms(text: &str) -> Option<i64> {
    let moment = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(moment.as_millisecond())
}

#[cfg(test)]
mod tests;
