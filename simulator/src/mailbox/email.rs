//! One mail as the mailbox keeps it.

use mail_parser::{MessageParser, MimeHeaders};
use serde::Serialize;

/// A mail that was taken in: the envelope, and what a mail program makes of the content.
#[derive(Clone, Debug, Serialize)]
pub struct Email {
    /// Counts from 1.
    pub number: usize,
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The `From` header as shown: a name, or the address when there is none.
    pub shown_from: String,
    /// The `Subject` header.
    pub subject: String,
    /// The plain part.
    pub text: String,
    /// The HTML part, when there is one.
    pub html: Option<String>,
    /// The `Message-ID` header without its angle brackets.
    pub message_id: Option<String>,
    /// Every header in order, folded lines joined.
    pub headers: Vec<(String, String)>,
    /// Names of attached files.
    pub attachments: Vec<String>,
    /// The bytes as they came, as far as they are text.
    pub raw: String,
    /// Business time.
    pub received_at_ms: i64,
    /// The same moment on [`crate::Clock::monotonic_us`].
    pub received_at_us: i64,
}

impl Email {
    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The links in the plain part.
    #[must_use]
    pub fn links(&self) -> Vec<String> {
        crate::people::links_in(&self.text)
    }

    pub(crate) fn parse(from: String, to: Vec<String>, raw: &[u8], at_ms: i64, at_us: i64) -> Self {
        let message = MessageParser::default().parse(raw).unwrap_or_default();
        let shown_from = message
            .from()
            .and_then(|address| address.first())
            .map(|address| address.name().or(address.address()).unwrap_or_default().to_owned());
        let has_html = message.html_bodies().any(|part| part.is_text_html());
        Self {
            number: 0,
            shown_from: shown_from.unwrap_or_else(|| from.clone()),
            from,
            to,
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).map(|text| text.into_owned()).unwrap_or_default(),
            html: has_html.then(|| message.body_html(0).map(|html| html.into_owned())).flatten(),
            message_id: message.message_id().map(str::to_owned),
            headers: message
                .headers_raw()
                .map(|(name, value)| {
                    (name.to_owned(), value.split_whitespace().collect::<Vec<_>>().join(" "))
                })
                .collect(),
            attachments: message
                .attachments()
                .filter_map(|part| part.attachment_name().map(str::to_owned))
                .collect(),
            raw: String::from_utf8_lossy(raw).into_owned(),
            received_at_ms: at_ms,
            received_at_us: at_us,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Email;

    #[test]
    fn both_parts_and_the_encoded_subject_are_read() {
        let raw = "From: =?utf-8?q?Bakery_Mu=C3=B1oz?= <pay@bakery.example>\r\nTo: ada@example.com\r\n\
            Subject: =?utf-8?b?UmVjaWJvIMOxYW5kw7o=?=\r\nMessage-ID: <att_1@bakery.example>\r\nMIME-Version: 1.0\r\n\
            Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
            Pay: http://127.0.0.1/p/abc\r\n--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Pay</p>\r\n--x--\r\n";
        let email = Email::parse(
            "bounce@bakery.example".into(),
            vec!["ada@example.com".into()],
            raw.as_bytes(),
            1,
            2,
        );
        assert_eq!((email.shown_from.as_str(), email.subject.as_str()), ("Bakery Muñoz", "Recibo ñandú"));
        assert_eq!(email.links(), ["http://127.0.0.1/p/abc"]);
        assert_eq!(email.html.as_deref().map(str::trim), Some("<p>Pay</p>"));
        assert_eq!(email.message_id.as_deref(), Some("att_1@bakery.example"));
        assert_eq!(email.header("mime-version"), Some("1.0"));
    }

    #[test]
    fn a_plain_mail_has_no_html() {
        let raw = "Subject: hi\r\n\r\nhello\r\n";
        let email = Email::parse("a@b.example".into(), vec![], raw.as_bytes(), 1, 2);
        assert_eq!((email.html, email.text.trim()), (None, "hello"));
    }
}
