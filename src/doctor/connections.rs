//! Whoever we talk to: is it reached, does it know us, what time is it there.

use std::time::Duration;

use gateways::email::{EmailConfig, EmailGateway};
use gateways::http::{Reach, client, date_ms};
use queue::Clock;
use reqwest::RequestBuilder;
use reqwest::header::DATE;
use secrecy::{ExposeSecret, SecretString};

use super::Finding;
use crate::config::Config;

const TIMEOUT: Duration = Duration::from_secs(8);
/// Signatures are refused when they are five minutes old; quiet hours and expiries go by the minute.
const SKEW_BROKEN_MS: i64 = 60_000;
const SKEW_WARNING_MS: i64 = 2_000;
/// An HTTP date is in whole seconds.
const DATE_RESOLUTION_MS: i64 = 1_000;

pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let (redis, stripe, carrier, mail) =
        tokio::join!(redis(config), stripe(config), carrier(config), mail(config));
    [redis, stripe, carrier, mail].concat()
}

/// The machine's time, in milliseconds since 1970.
pub(super) fn now() -> i64 {
    Clock::default().now().millis()
}

/// Compares a clock that was read between two moments of ours.
pub(super) fn skew(
    check: &'static str,
    theirs_ms: i64,
    asked_ms: i64,
    answered_ms: i64,
    resolution_ms: i64,
) -> Finding {
    const ADVICE: &str = "let every machine keep time by NTP (`timedatectl` says whether it does)";
    // Anything between the two moments may have been read; only what lies outside is skew.
    let ahead = (theirs_ms - answered_ms).max(0);
    let behind = (asked_ms - (theirs_ms + resolution_ms)).max(0);
    let (off_ms, where_to) = if ahead > 0 { (ahead, "ahead of") } else { (behind, "behind") };
    let seen = format!("{off_ms} ms {where_to} this machine");
    match off_ms {
        SKEW_BROKEN_MS.. => Finding::broken(check, seen, ADVICE),
        SKEW_WARNING_MS.. => Finding::warning(check, seen, ADVICE),
        i64::MIN..SKEW_WARNING_MS => Finding::fine(check, "agrees with this machine"),
    }
}

async fn redis(config: &Config) -> Vec<Finding> {
    const ADVICE: &str =
        "nothing is lost without it, but work waits up to a second longer; check POSTCALL_REDIS_URL";
    let Some(url) = &config.store.redis_url else {
        return vec![Finding::fine("redis", "not configured: processes find each other's work by a poll")];
    };
    let asked = now();
    match queue::redis_now_ms(url).await {
        Ok(theirs) => {
            let answered = now();
            let seen = format!("answers in {} ms", answered - asked);
            vec![Finding::fine("redis", seen), skew("redis clock", theirs, asked, answered, 0)]
        }
        Err(error) => vec![Finding::warning("redis", error.to_string(), ADVICE)],
    }
}

async fn stripe(config: &Config) -> Vec<Finding> {
    // An intent that does not exist: 404 when the key is good, 401 when it is not.
    let url = format!("{}/v1/payment_intents/pi_doctor", config.stripe_url.trim_end_matches('/'));
    let advice =
        "check POSTCALL_STRIPE_URL and POSTCALL_STRIPE_SECRET_KEY, and that this machine may reach Stripe";
    provider("stripe", "stripe clock", advice, |client| {
        client.get(url).bearer_auth(&config.stripe_secret_key)
    })
    .await
}

async fn carrier(config: &Config) -> Vec<Finding> {
    let base = config.twilio_url.trim_end_matches('/');
    let url = format!("{base}/2010-04-01/Accounts/{}/Messages.json?PageSize=1", config.twilio_account_sid);
    let advice = "check POSTCALL_TWILIO_URL, POSTCALL_TWILIO_ACCOUNT_SID and POSTCALL_TWILIO_AUTH_TOKENS";
    let token = config.twilio_auth_tokens().into_iter().next().unwrap_or_default();
    provider("carrier", "carrier clock", advice, |client| {
        client.get(url).basic_auth(&config.twilio_account_sid, Some(token.expose_secret()))
    })
    .await
}

async fn provider(
    check: &'static str,
    clock_check: &'static str,
    advice: &str,
    request: impl FnOnce(&reqwest::Client) -> RequestBuilder,
) -> Vec<Finding> {
    let client = match client(TIMEOUT, Reach::Anywhere) {
        Ok(client) => client,
        Err(error) => return vec![Finding::broken(check, error.to_string(), advice)],
    };
    let asked = now();
    let answer = match request(&client).send().await {
        Ok(answer) => answer,
        // Without its URL, which holds the account, and with its innermost cause, which says what happened.
        Err(error) => return vec![Finding::broken(check, innermost(&error.without_url()), advice)],
    };
    let answered = now();
    let status = answer.status();
    let finding = match status.as_u16() {
        401 | 403 => Finding::broken(check, format!("refuses our credentials with {status}"), advice),
        500.. => Finding::warning(check, format!("answers {status}"), "look at the provider's status page"),
        0..500 => Finding::fine(check, format!("answers in {} ms", answered - asked)),
    };
    let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok()).and_then(date_ms);
    let clock = date.map(|theirs| skew(clock_check, theirs, asked, answered, DATE_RESOLUTION_MS));
    std::iter::once(finding).chain(clock).collect()
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    format!("was not reached: {cause}")
}

async fn mail(config: &Config) -> Vec<Finding> {
    const ADVICE: &str =
        "check POSTCALL_SMTP_URL, its user and password, and that this machine may reach the relay";
    let Ok(domain) = config.public_host() else {
        return vec![Finding::broken("mail relay", "POSTCALL_PUBLIC_URL names no host", ADVICE)];
    };
    let email = EmailConfig {
        smtp_url: SecretString::from(config.smtp_url.clone()),
        domain,
        timeout_ms: u64::try_from(TIMEOUT.as_millis()).unwrap_or(u64::MAX),
        pool_size: 1,
    };
    let checked = match EmailGateway::new(&email) {
        Ok(gateway) => gateway.check().await,
        Err(error) => Err(error.to_string()),
    };
    vec![match checked {
        Ok(()) => Finding::fine("mail relay", "takes our mail"),
        Err(why) => Finding::broken("mail relay", why, ADVICE),
    }]
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_clock_read_while_we_waited_agrees() {
        assert_eq!(skew("x", 1_500, 1_000, 9_000, 0).verdict, Verdict::Fine);
        assert_eq!(skew("x", 1_000, 1_999, 2_100, 1_000).verdict, Verdict::Fine, "it is in whole seconds");
    }

    #[test]
    fn a_clock_that_is_off_is_told_with_its_direction() {
        let ahead = skew("x", 10_000, 1_000, 1_100, 0);
        assert_eq!((ahead.verdict, ahead.seen.as_str()), (Verdict::Warning, "8900 ms ahead of this machine"));
        let behind = skew("x", 0, 100_000, 100_100, 0);
        assert_eq!(
            (behind.verdict, behind.seen.as_str()),
            (Verdict::Broken, "100000 ms behind this machine")
        );
    }
}
