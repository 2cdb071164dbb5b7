//! Reads a request to send a text as strictly as Twilio does.

use std::collections::HashMap;

use super::errors::Refused;

const BODY_MAX: usize = 1_600;
const VALIDITY_MAX_S: i64 = 36_000;

/// A well-formed request to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Submission {
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) body: String,
    pub(crate) status_callback: Option<String>,
    pub(crate) validity_period_s: i64,
}

pub(crate) fn read(form: &[u8]) -> Result<Submission, Refused> {
    let fields: HashMap<String, String> = url::form_urlencoded::parse(form).into_owned().collect();
    let field = |name: &str| fields.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let to = field("To").ok_or_else(|| Refused::new(21604, "A 'To' phone number is required."))?;
    if !is_e164(to) {
        return Err(Refused::new(21211, &format!("Invalid 'To' Phone Number: {}", shown(to))));
    }
    let from = field("From").ok_or_else(|| Refused::new(21603, "A 'From' phone number is required."))?;
    if !is_sender(from) {
        return Err(Refused::new(21212, &format!("Invalid From Number (caller ID): {}", shown(from))));
    }
    let body = field("Body").ok_or_else(|| Refused::new(21602, "Message body is required."))?;
    if body.chars().count() > BODY_MAX {
        return Err(Refused::new(21617, "The concatenated message body exceeds the 1600 character limit"));
    }
    let status_callback = field("StatusCallback").map(callback).transpose()?;
    let validity_period_s = field("ValidityPeriod").map_or(Ok(VALIDITY_MAX_S), validity)?;
    Ok(Submission { to: to.into(), from: from.into(), body: body.into(), status_callback, validity_period_s })
}

fn callback(text: &str) -> Result<String, Refused> {
    let wrong = || Refused::new(21609, "The 'StatusCallback' URL is not a valid URL.");
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    let host = url.host_str().unwrap_or_default();
    let sound = matches!(url.scheme(), "http" | "https") && !host.is_empty() && !host.contains('_');
    if sound { Ok(text.to_owned()) } else { Err(wrong()) }
}

fn validity(text: &str) -> Result<i64, Refused> {
    let seconds = text.parse().ok().filter(|seconds| (1..=VALIDITY_MAX_S).contains(seconds));
    seconds.ok_or_else(|| Refused::new(21624, "Invalid validity period value"))
}

fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (8..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
}

/// A number, a short code, or an alphanumeric sender.
fn is_sender(text: &str) -> bool {
    let short_code = (5..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let name = text.len() <= 11
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
    is_e164(text) || short_code || name
}

/// Twilio hides most of a number it could not use.
fn shown(number: &str) -> String {
    number.chars().take(5).chain("XXXX".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::read;

    fn code(form: &str) -> u32 {
        read(form.as_bytes()).err().map_or(0, |refused| refused.code)
    }

    #[test]
    fn a_complete_request_is_read() {
        let form = "To=%2B14155550142&From=%2B15005550006&Body=hi&StatusCallback=http%3A%2F%2F127.0.0.1%2Fx&ValidityPeriod=900";
        let read = read(form.as_bytes());
        assert_eq!(read.as_ref().map(|one| one.validity_period_s), Ok(900));
        assert_eq!(read.map(|one| one.status_callback), Ok(Some("http://127.0.0.1/x".into())));
    }

    #[test]
    fn each_fault_has_twilios_number() {
        assert_eq!(code("From=%2B15005550006&Body=hi"), 21604);
        assert_eq!(code("To=4155550142&From=%2B15005550006&Body=hi"), 21211);
        assert_eq!(code("To=%2B14155550142&Body=hi"), 21603);
        assert_eq!(code("To=%2B14155550142&From=a_b&Body=hi"), 21212);
        assert_eq!(code("To=%2B14155550142&From=%2B15005550006&Body="), 21602);
        let long = "a".repeat(1601);
        assert_eq!(code(&format!("To=%2B14155550142&From=%2B15005550006&Body={long}")), 21617);
        let base = "To=%2B14155550142&From=%2B15005550006&Body=hi";
        assert_eq!(code(&format!("{base}&StatusCallback=ftp%3A%2F%2Fa")), 21609);
        assert_eq!(code(&format!("{base}&StatusCallback=https%3A%2F%2Fa_b.example")), 21609);
        assert_eq!(code(&format!("{base}&ValidityPeriod=0")), 21624);
        assert_eq!(code(&format!("{base}&ValidityPeriod=36001")), 21624);
        assert_eq!(code(&format!("{base}&ValidityPeriod=36000")), 0);
    }
}
