//! One text as the carrier keeps it: the entry that judges duplicates.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::rfc2822;

/// Which way a text went, and on whose behalf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The product asked for it through the API.
    Outbound,
    /// The product answered an inbound text with it.
    Reply,
    /// The carrier wrote it by itself, after STOP, START or HELP.
    Notice,
    /// A customer wrote it.
    Inbound,
}

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextStatus {
    /// Accepted, not yet on its way.
    Queued,
    /// Handed to the network.
    Sent,
    /// On the handset.
    Delivered,
    /// The network could not deliver it.
    Undelivered,
    /// Never left.
    Failed,
    /// Came in.
    Received,
}

impl TextStatus {
    /// As Twilio writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Received => "received",
        }
    }
}

/// A text.
#[derive(Clone, Debug, Serialize)]
pub struct Text {
    /// `SM…`
    pub sid: String,
    /// Which way it went.
    pub direction: Direction,
    /// Who gets it.
    pub to: String,
    /// Who sent it.
    pub from: String,
    /// What it says.
    pub body: String,
    /// Where it stands.
    pub status: TextStatus,
    /// Why it was not delivered.
    pub error_code: Option<u32>,
    /// Where its fate is to be reported.
    pub status_callback: Option<String>,
    /// How long it may wait in the queue.
    pub validity_period_s: i64,
    /// Business time at which it was accepted.
    pub received_at_ms: i64,
    /// The same moment on [`crate::Clock::monotonic_us`].
    pub received_at_us: i64,
    /// Business time at which it left the queue.
    pub sent_at_ms: Option<i64>,
    /// Business time at which its fate was known.
    pub ended_at_ms: Option<i64>,
}

impl Text {
    /// As the API shows it.
    pub(crate) fn as_json(&self, account_sid: &str) -> Value {
        let updated = self.ended_at_ms.or(self.sent_at_ms).unwrap_or(self.received_at_ms);
        json!({
            "account_sid": account_sid,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": rfc2822(self.received_at_ms),
            "date_sent": self.sent_at_ms.map(rfc2822),
            "date_updated": rfc2822(updated),
            "direction": match self.direction {
                Direction::Outbound => "outbound-api",
                Direction::Reply | Direction::Notice => "outbound-reply",
                Direction::Inbound => "inbound",
            },
            "error_code": self.error_code,
            "error_message": self.error_code.map(|code| format!("See error {code}")),
            "from": self.from,
            "messaging_service_sid": null,
            "num_media": "0",
            "num_segments": segments(&self.body).to_string(),
            "price": null,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status.as_str(),
            "subresource_uris": {
                "media": format!("/2010-04-01/Accounts/{account_sid}/Messages/{}/Media.json", self.sid),
            },
            "tags": null,
            "to": self.to,
            "uri": format!("/2010-04-01/Accounts/{account_sid}/Messages/{}.json", self.sid),
        })
    }
}

const GSM_BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const GSM_ESCAPED: &str = "^{}\\[~]|€\u{c}";

/// How many messages the network makes of it.
#[must_use]
pub fn segments(body: &str) -> usize {
    let septets = body.chars().try_fold(0_usize, |sum, letter| {
        if GSM_BASIC.contains(letter) {
            Some(sum + 1)
        } else if GSM_ESCAPED.contains(letter) {
            Some(sum + 2)
        } else {
            None
        }
    });
    match septets {
        Some(septets) if septets <= 160 => 1,
        Some(_) => packed(body.chars().map(|letter| if GSM_ESCAPED.contains(letter) { 2 } else { 1 }), 153),
        None if body.encode_utf16().count() <= 70 => 1,
        None => packed(body.chars().map(char::len_utf16), 67),
    }
}

/// A character of two units is never split over two parts.
fn packed(units: impl Iterator<Item = usize>, room: usize) -> usize {
    let (parts, _) =
        units.fold(
            (1, 0),
            |(parts, used), width| {
                if used + width > room { (parts + 1, width) } else { (parts, used + width) }
            },
        );
    parts
}

#[cfg(test)]
mod tests {
    use super::segments;

    #[test]
    fn segments_are_counted_as_the_network_does() {
        let of = |letter: &str, count: usize| segments(&letter.repeat(count));
        assert_eq!((of("a", 160), of("a", 161), of("a", 306), of("a", 307)), (1, 2, 2, 3));
        assert_eq!(segments(&format!("{}€", "a".repeat(158))), 1);
        assert_eq!(segments(&format!("{}€", "a".repeat(159))), 2);
        assert_eq!((of("’", 70), of("’", 71), of("’", 134), of("’", 135)), (1, 2, 2, 3));
        assert_eq!(segments("Señor Ñ é è ù"), 1);
    }
}
