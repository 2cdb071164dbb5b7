//! `GET Messages.json`: how the product finds a text whose acceptance it did not see.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::errors::Refused;
use super::text::Text;

const PAGE_SIZE: usize = 50;
const PAGE_SIZE_MAX: usize = 1_000;

/// The filters and the page asked for.
#[derive(Debug)]
pub(crate) struct Query {
    to: Option<String>,
    from: Option<String>,
    since_ms: i64,
    until_ms: i64,
    page: usize,
    page_size: usize,
    filters: Vec<(String, String)>,
}

impl Query {
    pub(crate) fn read(query: &str) -> Result<Self, Refused> {
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let fields: HashMap<&str, &str> =
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let number = |name: &str, default: usize| match fields.get(name) {
            None => Ok(default),
            Some(text) => text
                .parse::<usize>()
                .map_err(|_| Refused::new(20001, &format!("Invalid parameter {name}: {text}"))),
        };
        let day = fields.get("DateSent").map(|text| day_of(text)).transpose()?;
        // "DateSent>=2026-11-21" splits at its equals sign, so the names are "DateSent>" and "DateSent<".
        let since = fields.get("DateSent>").map(|text| moment(text, false)).transpose()?;
        let until = fields.get("DateSent<").map(|text| moment(text, true)).transpose()?;
        Ok(Self {
            to: fields.get("To").map(|text| (*text).to_owned()),
            from: fields.get("From").map(|text| (*text).to_owned()),
            since_ms: since.or(day.map(|(start, _)| start)).unwrap_or(i64::MIN),
            until_ms: until.or(day.map(|(_, end)| end)).unwrap_or(i64::MAX),
            page: number("Page", 0)?,
            page_size: number("PageSize", PAGE_SIZE)?.clamp(1, PAGE_SIZE_MAX),
            filters: pairs.into_iter().filter(|(name, _)| !name.starts_with("Page")).collect(),
        })
    }

    /// Texts that are still queued count by the moment they were accepted, so that none is invisible.
    pub(crate) fn admits(&self, text: &Text) -> bool {
        let at_ms = text.sent_at_ms.unwrap_or(text.received_at_ms);
        self.to.as_ref().is_none_or(|to| *to == text.to)
            && self.from.as_ref().is_none_or(|from| *from == text.from)
            && (self.since_ms..=self.until_ms).contains(&at_ms)
    }

    /// One page of `newest_first`.
    pub(crate) fn cut(&self, newest_first: &[Text], account_sid: &str) -> Value {
        let start = self.page.saturating_mul(self.page_size).min(newest_first.len());
        let end = start.saturating_add(self.page_size).min(newest_first.len());
        let messages: Vec<Value> =
            newest_first[start..end].iter().map(|text| text.as_json(account_sid)).collect();
        let uri = |page: usize| self.uri(account_sid, page);
        json!({
            "end": end.saturating_sub(1).max(start),
            "first_page_uri": uri(0),
            "messages": messages,
            "next_page_uri": (end < newest_first.len()).then(|| uri(self.page + 1)),
            "page": self.page,
            "page_size": self.page_size,
            "previous_page_uri": self.page.checked_sub(1).map(uri),
            "start": start,
            "uri": uri(self.page),
        })
    }

    fn uri(&self, account_sid: &str, page: usize) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.filters)
            .append_pair("PageSize", &self.page_size.to_string())
            .append_pair("Page", &page.to_string())
            .finish();
        format!("/2010-04-01/Accounts/{account_sid}/Messages.json?{query}")
    }
}

/// A day in UTC, or a moment.
fn moment(text: &str, end_of_day: bool) -> Result<i64, Refused> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(moment.as_millisecond());
    }
    day_of(text).map(|(start, end)| if end_of_day { end } else { start })
}

fn day_of(text: &str) -> Result<(i64, i64), Refused> {
    let wrong = || Refused::new(20001, &format!("Invalid date: {text}"));
    let day: Date = text.parse().map_err(|_| wrong())?;
    let start = day.to_zoned(TimeZone::UTC).map_err(|_| wrong())?.timestamp().as_millisecond();
    Ok((start, start + 86_400_000 - 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::carrier::text::{Direction, TextStatus};

    fn text(sid: &str, to: &str, at_ms: i64) -> Text {
        Text {
            sid: sid.into(),
            direction: Direction::Outbound,
            to: to.into(),
            from: "+15005550006".into(),
            body: "hi".into(),
            status: TextStatus::Sent,
            error_code: None,
            status_callback: None,
            validity_period_s: 900,
            received_at_ms: at_ms,
            received_at_us: 0,
            sent_at_ms: None,
            ended_at_ms: None,
        }
    }

    #[test]
    fn the_date_filter_takes_days_and_moments_in_either_spelling() {
        let at = 1_795_219_200_000;
        let admits = |query: &str| Query::read(query).unwrap().admits(&text("SM1", "+1", at));
        assert!(admits("DateSent>=2026-11-20") && admits("DateSent%3E=2026-11-20T00:00:00Z"));
        assert!(!admits("DateSent>=2026-11-30") && !admits("DateSent<=2026-11-01"));
        assert!(Query::read("DateSent>=yesterday").is_err());
    }

    #[test]
    fn pages_link_to_each_other_and_keep_the_filters() {
        let all: Vec<Text> = (0..5).map(|index| text(&format!("SM{index}"), "+1", 0)).collect();
        let first = Query::read("To=%2B1&PageSize=2").unwrap().cut(&all, "AC1");
        assert_eq!(first["messages"].as_array().unwrap().len(), 2);
        let next = first["next_page_uri"].as_str().unwrap();
        assert!(next.contains("To=%2B1") && next.contains("Page=1"));
        let last = Query::read("PageSize=2&Page=2").unwrap().cut(&all, "AC1");
        assert_eq!(last["messages"][0]["sid"], "SM4");
        assert!(last["next_page_uri"].is_null());
    }
}
