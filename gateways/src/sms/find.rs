//! What became of a send whose answer we did not see: the carrier's list, searched for the link that only our text
//! contains.

use domain::send::MessageStatus;
use domain::time::DAY_MS;
use serde_json::Value;
use url::Url;

use super::SmsGateway;
use super::wire::Message;
use crate::calls::{Operation, Verdict};
use crate::http;

/// More than this many texts to one number from one sender is not searched: then a person looks.
const PAGES_MAX: usize = 20;
const PAGE_SIZE: &str = "200";

/// What to look for. Has no `Debug`: it holds a number and a link.
#[derive(Clone)]
pub struct FindMessage {
    pub to: String,
    pub from: String,
    /// When the attempt began. Older pages are not turned; clocks may differ by up to a day.
    pub since_ms: i64,
    /// What the body of ours holds and no other does: the link's token.
    pub needle: String,
    /// Messages of other attempts with the same link. They are not this attempt.
    pub known_ids: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighting {
    Found {
        provider_id: String,
        status: MessageStatus,
        code: Option<i32>,
        segments: Option<u32>,
    },
    /// The whole list was read and it is not there.
    Absent,
}

/// The list could not be read to its end, so nothing is known. Never to be taken for absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    #[error("the carrier was not reached")]
    Unreachable,
    #[error("the carrier answered {status}")]
    Refused { status: u16, retry_after_ms: Option<i64> },
    #[error("the carrier's list cannot be read")]
    Unreadable,
    #[error("the carrier's list is too long")]
    TooLong,
    /// The account keeps no message bodies, so no message can be told from another.
    #[error("the carrier's list does not show what was sent")]
    BodiesHidden,
}

impl SmsGateway {
    /// Searches the carrier's list, newest first.
    ///
    /// # Errors
    /// When the list could not be read far enough to be sure.
    pub async fn find(&self, wanted: &FindMessage) -> Result<Sighting, FindError> {
        let mut next = Some(self.first_page(wanted));
        for _ in 0..PAGES_MAX {
            let Some(url) = next else {
                return Ok(Sighting::Absent);
            };
            let page = self.calls.timed(Operation::FindText, self.page(url), worth).await?;
            if let Some(found) = search(&page.messages, wanted)? {
                return Ok(found);
            }
            if page.ends_before(wanted.since_ms.saturating_sub(DAY_MS)) {
                return Ok(Sighting::Absent);
            }
            next = page.next;
        }
        Err(FindError::TooLong)
    }

    fn first_page(&self, wanted: &FindMessage) -> Url {
        let mut url = self.messages_url.clone();
        // No filter by date: it goes by the day of sending, which a text still in the queue does not have yet.
        url.query_pairs_mut()
            .append_pair("To", &wanted.to)
            .append_pair("From", &wanted.from)
            .append_pair("PageSize", PAGE_SIZE);
        url
    }

    async fn page(&self, url: Url) -> Result<Page, FindError> {
        let request = self.authorised(self.client.get(url));
        let response = request.send().await.map_err(|_| FindError::Unreachable)?;
        let status = response.status();
        if !status.is_success() {
            let retry_after_ms = http::retry_after_ms(response.headers());
            return Err(FindError::Refused { status: status.as_u16(), retry_after_ms });
        }
        let bytes = http::read_body(response).await.map_err(|_| FindError::Unreadable)?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| FindError::Unreadable)?;
        Page::of(&value, &self.messages_url).ok_or(FindError::Unreadable)
    }
}

fn worth(answer: &Result<Page, FindError>) -> Verdict {
    match answer {
        Ok(_) => Verdict::Done,
        Err(FindError::Refused { .. }) => Verdict::Refused,
        Err(
            FindError::Unreachable | FindError::Unreadable | FindError::TooLong | FindError::BodiesHidden,
        ) => Verdict::Failed,
    }
}

struct Page {
    messages: Vec<Message>,
    next: Option<Url>,
}

impl Page {
    /// `None` when anything in it cannot be read: a message we cannot read may be the one.
    fn of(value: &Value, messages_url: &Url) -> Option<Self> {
        let messages =
            value.get("messages")?.as_array()?.iter().map(Message::of).collect::<Option<Vec<_>>>()?;
        let next = match value.get("next_page_uri") {
            None | Some(Value::Null) => None,
            Some(uri) => Some(next_page(uri.as_str()?, messages_url)?),
        };
        Some(Self { messages, next })
    }

    fn ends_before(&self, moment_ms: i64) -> bool {
        let newest_ms = self.messages.iter().map(|message| message.created_ms.unwrap_or(i64::MAX)).max();
        newest_ms.is_some_and(|newest_ms| newest_ms < moment_ms)
    }
}

/// The next page is a path on the same host; credentials go nowhere else.
fn next_page(uri: &str, messages_url: &Url) -> Option<Url> {
    let next = messages_url.join(uri).ok()?;
    (next.origin() == messages_url.origin()).then_some(next)
}

fn search(messages: &[Message], wanted: &FindMessage) -> Result<Option<Sighting>, FindError> {
    for message in messages {
        if wanted.known_ids.contains(&message.provider_id) {
            continue;
        }
        let body = message.body.as_deref().ok_or(FindError::BodiesHidden)?;
        if body.contains(&wanted.needle) {
            return Ok(Some(Sighting::Found {
                provider_id: message.provider_id.clone(),
                status: message.status,
                code: message.code,
                segments: message.segments,
            }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
