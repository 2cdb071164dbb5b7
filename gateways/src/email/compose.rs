//! The message itself: multipart/alternative, headers that nobody can break out of.

use std::time::{Duration, SystemTime};

use domain::send::RejectClass;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use url::Url;

use super::EmailSend;

/// A message ready for the wire, and its envelope.
pub(super) struct Letter {
    pub from: Address,
    pub to: Address,
    /// Without the angle brackets.
    pub message_id: String,
    pub bytes: Vec<u8>,
}

/// A message that must not be sent as it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub class: RejectClass,
    pub why: &'static str,
}

const fn bad_content(why: &'static str) -> Refusal {
    Refusal { class: RejectClass::Content, why }
}

pub(super) fn letter(email: &EmailSend, domain: &str) -> Result<Letter, Refusal> {
    refuse_control_characters(email)?;
    let from = address(&email.from_address).ok_or(bad_content("the sender's address cannot be used"))?;
    let to = address(&email.to)
        .ok_or(Refusal { class: RejectClass::BadAddress, why: "the recipient's address cannot be used" })?;
    if !is_dot_atom(&email.message_id) {
        return Err(bad_content("the message id has characters that no Message-ID may have"));
    }
    let message_id = format!("{}@{domain}", email.message_id);
    let name = Some(email.from_name.trim().to_owned()).filter(|name| !name.is_empty());
    let mut message = Message::builder()
        .message_id(Some(format!("<{message_id}>")))
        .date(
            SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(email.dated.millis()).unwrap_or(0)),
        )
        .from(Mailbox::new(name, from.clone()))
        .to(Mailbox::new(None, to.clone()))
        .subject(&email.subject);
    if let Some(reply_to) = &email.reply_to {
        let reply_to = address(reply_to).ok_or(bad_content("the reply address cannot be used"))?;
        message = message.reply_to(Mailbox::new(None, reply_to));
    }
    if let Some(unsubscribe) = &email.list_unsubscribe {
        for header in unsubscribe_headers(unsubscribe)? {
            message = message.raw_header(header);
        }
    }
    let message = message
        .multipart(MultiPart::alternative_plain_html(email.text.clone(), email.html.clone()))
        .map_err(|_| bad_content("the message cannot be put together"))?;
    Ok(Letter { from, to, message_id, bytes: message.formatted() })
}

/// A line break in a header starts another header, or the body.
fn refuse_control_characters(email: &EmailSend) -> Result<(), Refusal> {
    let headers = [&email.message_id, &email.from_name, &email.from_address, &email.to, &email.subject];
    let optional = [&email.reply_to, &email.list_unsubscribe];
    let mut all = headers.into_iter().chain(optional.into_iter().flatten());
    if all.any(|text| text.chars().any(is_line_breaking)) {
        return Err(bad_content("a header field holds a line break or another control character"));
    }
    Ok(())
}

fn is_line_breaking(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// ASCII only: few relays take more, and an address that cannot be written must be seen to be wrong.
fn address(text: &str) -> Option<Address> {
    if text.is_ascii() { text.parse().ok() } else { None }
}

fn unsubscribe_headers(address: &str) -> Result<[HeaderValue; 2], Refusal> {
    let is_https = Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
    let is_plain = address.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'));
    if !is_https || !is_plain {
        return Err(bad_content("the unsubscribe address cannot be used"));
    }
    let one_click = "List-Unsubscribe=One-Click".to_owned();
    Ok([
        HeaderValue::new(HeaderName::new_from_ascii_str("List-Unsubscribe"), format!("<{address}>")),
        HeaderValue::new(HeaderName::new_from_ascii_str("List-Unsubscribe-Post"), one_click),
    ])
}

fn is_dot_atom(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !text.is_empty() && text.len() <= 128 && text.bytes().all(is_plain)
}

pub(super) fn is_domain(text: &str) -> bool {
    is_dot_atom(text) && !text.starts_with('.') && !text.ends_with('.')
}

#[cfg(test)]
mod tests;
