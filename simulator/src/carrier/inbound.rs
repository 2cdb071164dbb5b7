//! Texts from customers: the carrier's own keywords, the signed webhook, and the replies in its answer.

use super::keywords::{self, Keyword};
use super::text::{Direction, Text, TextStatus};
use super::{Carrier, FROM_THE_API_S};
use crate::error::Error;
use crate::outbound;

/// What became of a text from a customer.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// `SM…`
    pub sid: String,
    /// What the product answered; `None` when no inbound URL is set.
    pub status: Option<u16>,
    /// What the customer was sent in return, by the carrier or the product.
    pub replies: Vec<Text>,
}

impl Carrier {
    /// A customer writes, to the number that last texted them.
    ///
    /// # Errors
    /// When the product does not answer.
    pub async fn text_from(&self, phone: &str, body: &str) -> Result<Inbound, Error> {
        let number = self.texts().read(|all| {
            let last =
                all.iter().rev().find(|text| text.to == phone && text.direction == Direction::Outbound);
            last.map(|text| text.from.clone())
        });
        self.text_between(phone, &number.unwrap_or_else(|| self.number().to_owned()), body).await
    }

    /// A customer writes to a number of their choice.
    ///
    /// # Errors
    /// When the product does not answer.
    pub async fn text_between(&self, phone: &str, number: &str, body: &str) -> Result<Inbound, Error> {
        let sid = self.write_down(Direction::Inbound, number, phone, body);
        let keyword = keywords::read(body);
        match keyword {
            Keyword::Stop => self.block(phone, number, true),
            Keyword::Start => self.block(phone, number, false),
            Keyword::Help | Keyword::None => {}
        }
        let mut replies = Vec::new();
        if let Some(notice) = keyword.notice() {
            replies.push(self.write_down(Direction::Notice, phone, number, notice));
        }
        let Some(url) = self.inbound_url() else {
            return Ok(Inbound { sid: sid.clone(), status: None, replies: self.found(&replies) });
        };
        let params = self.inbound_params(&sid, phone, number, body);
        let answer = self.post_signed(&url, &params).await.map_err(outbound::unreachable(&url))?;
        let status = answer.status().as_u16();
        let twiml = if answer.status().is_success() {
            answer.text().await.unwrap_or_default()
        } else {
            String::new()
        };
        for message in messages_in(&twiml) {
            // The block holds against the product's own replies, too.
            if !self.is_blocked(phone, number) {
                replies.push(self.write_down(Direction::Reply, phone, number, &message));
            }
        }
        Ok(Inbound { sid, status: Some(status), replies: self.found(&replies) })
    }

    fn inbound_params(&self, sid: &str, phone: &str, number: &str, body: &str) -> Vec<(String, String)> {
        let segments = super::text::segments(body).to_string();
        [
            ("AccountSid", self.account_sid()),
            ("ApiVersion", "2010-04-01"),
            ("Body", body),
            ("From", phone),
            ("MessageSid", sid),
            ("NumMedia", "0"),
            ("NumSegments", &segments),
            ("SmsMessageSid", sid),
            ("SmsSid", sid),
            ("SmsStatus", "received"),
            ("To", number),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Notes a text that did not come through the API. Returns its id.
    fn write_down(&self, direction: Direction, to: &str, from: &str, body: &str) -> String {
        let now_ms = self.clock().now_ms();
        let status = match direction {
            Direction::Inbound => TextStatus::Received,
            Direction::Outbound | Direction::Reply | Direction::Notice => TextStatus::Delivered,
        };
        let sid = self.ids().hexadecimal("SM");
        self.texts().append(Text {
            sid: sid.clone(),
            direction,
            to: to.to_owned(),
            from: from.to_owned(),
            body: body.to_owned(),
            status,
            error_code: None,
            status_callback: None,
            validity_period_s: FROM_THE_API_S,
            received_at_ms: now_ms,
            received_at_us: self.clock().monotonic_us(),
            sent_at_ms: Some(now_ms),
            ended_at_ms: Some(now_ms),
        });
        sid
    }

    fn found(&self, sids: &[String]) -> Vec<Text> {
        self.texts().read(|all| all.iter().filter(|text| sids.contains(&text.sid)).cloned().collect())
    }
}

/// The texts of `<Message>` and `<Message><Body>` elements in a TwiML answer.
fn messages_in(twiml: &str) -> Vec<String> {
    let mut rest = twiml;
    let mut found = Vec::new();
    while let Some((_, after)) = rest.split_once("<Message") {
        let Some((_, content)) = after.split_once('>') else {
            break;
        };
        let Some((content, tail)) = content.split_once("</Message>") else {
            break;
        };
        let inner = content.split_once("<Body>").and_then(|(_, body)| body.split_once("</Body>"));
        let text = unescaped(inner.map_or(content, |(body, _)| body).trim());
        if !text.is_empty() {
            found.push(text);
        }
        rest = tail;
    }
    found
}

fn unescaped(xml: &str) -> String {
    let named =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    named.iter().fold(xml.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
}

#[cfg(test)]
mod tests {
    use super::messages_in;

    #[test]
    fn replies_are_read_from_both_forms_of_twiml() {
        let twiml = r#"<?xml version="1.0"?><Response><Message>A &amp; B</Message><Message to="+1"><Body>C</Body></Message></Response>"#;
        assert_eq!(messages_in(twiml), ["A & B", "C"]);
        assert!(messages_in("<Response/>").is_empty());
        assert!(messages_in("<Response><Message></Message></Response>").is_empty());
    }
}
