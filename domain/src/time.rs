//! Moments and spans, as arguments. Whole milliseconds since 1970 in UTC: both stores compare them as integers.

use std::fmt;

use serde::{Deserialize, Serialize};

pub const SECOND_MS: i64 = 1_000;
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A moment. On the wire it is RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND_MS)
    }

    /// The moment `span_ms` later (earlier when negative); stops at the ends of time instead of wrapping.
    #[must_use]
    pub const fn plus_ms(self, span_ms: i64) -> Self {
        Self(self.0.saturating_add(span_ms))
    }

    /// Milliseconds from `earlier` to `self`; negative when `earlier` is later.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same moment for calendar work; the ends of the calendar stand in for anything beyond them.
    #[must_use]
    pub fn calendar(self) -> jiff::Timestamp {
        let edge = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(edge)
    }

    /// Reads RFC 3339, with any offset.
    ///
    /// # Errors
    /// When the text is no RFC 3339 moment.
    pub fn parse(text: &str) -> Result<Self, NotAMoment> {
        let moment: jiff::Timestamp = text.parse().map_err(|_| NotAMoment)?;
        Ok(Self(moment.as_millisecond()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 date and time, for example 2026-11-19T15:04:05Z")]
pub struct NotAMoment;

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.calendar())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A calendar date without a time, `2026-11-30`: a due date is a day where the merchant is, not a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(jiff::civil::Date);

impl Day {
    #[must_use]
    pub const fn date(self) -> jiff::civil::Date {
        self.0
    }

    /// The day it is at `moment` in `zone`.
    #[must_use]
    pub fn at(moment: Timestamp, zone: &jiff::tz::TimeZone) -> Self {
        Self(moment.calendar().to_zoned(zone.clone()).date())
    }
}

impl std::str::FromStr for Day {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        let shaped = text.len() == 10 && text.is_ascii();
        if !shaped {
            return Err(NotADay);
        }
        text.parse().map(Self).map_err(|_| NotADay)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date of the form YYYY-MM-DD")]
pub struct NotADay;

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_text_and_back() {
        let moment = Timestamp::from_millis(1_763_564_645_123);
        assert_eq!(moment.to_string(), "2025-11-19T15:04:05.123Z");
        assert_eq!(Timestamp::parse(&moment.to_string()), Ok(moment));
    }

    #[test]
    fn an_offset_is_understood() {
        assert_eq!(Timestamp::parse("2025-11-19T16:04:05+01:00"), Timestamp::parse("2025-11-19T15:04:05Z"));
    }

    #[test]
    fn the_ends_of_time_do_not_wrap() {
        assert_eq!(Timestamp::from_millis(i64::MAX).plus_ms(1), Timestamp::from_millis(i64::MAX));
        assert!(Timestamp::from_millis(i64::MAX).calendar() == jiff::Timestamp::MAX);
    }

    #[test]
    fn a_day_is_read_strictly() {
        assert!("2026-02-30".parse::<Day>().is_err());
        assert!("2026-2-3".parse::<Day>().is_err());
        assert!("2026-02-28T00:00".parse::<Day>().is_err());
        assert_eq!("2026-02-28".parse::<Day>().unwrap().to_string(), "2026-02-28");
    }
}
