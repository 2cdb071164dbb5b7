//! Quiet hours: messages and calls only between 8:00 and 21:00, in every place the customer may plausibly be.

use jiff::civil::{Time, time};
use jiff::tz::TimeZone;

use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};

mod zones;

pub use zones::{plausible_zones, zone};

/// What the customer asked for on a call may follow it at any hour for so long.
pub const EXEMPT_MS: i64 = 15 * MINUTE_MS;

/// How far a sender's clock may run ahead of ours before we stop believing when its call ended.
const CLOCK_SKEW_MS: i64 = 5 * MINUTE_MS;

/// The most a text may wait at the provider.
pub const VALIDITY_MOST_S: i64 = 3_600;

/// The least, below which it would fail instead of leave; so a text may be half a minute late, never more.
pub const VALIDITY_LEAST_S: i64 = 30;

/// The hours of a day, in local time: from `opens` on, until before `closes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    opens: Time,
    closes: Time,
}

/// 8:00 to 21:00 (12 CFR 1006.6(b)(1)(i)).
pub const WINDOW: Window = Window { opens: time(8, 0, 0, 0), closes: time(21, 0, 0, 0) };

impl Window {
    /// A window within one day; `None` when it would be empty.
    #[must_use]
    pub fn new(opens: Time, closes: Time) -> Option<Self> {
        (opens < closes).then_some(Self { opens, closes })
    }
}

/// When a message may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// At once.
    Now,
    /// Not before.
    At(Timestamp),
}

/// When the window is next open in all of `zones` at once.
///
/// `zones` is what [`plausible_zones`] answers: the merchant's zone last. Zones that lie too far apart are never
/// open together. Then the merchant's zone is left out, because a number says more about where its owner is than
/// the merchant's own address; and where the number's zones alone are still too far apart, they say nothing and
/// the merchant's zone decides.
#[must_use]
pub fn opens_at(now: Timestamp, zones: &[TimeZone], window: Window) -> Opening {
    let (_, opening) = deciding(now, zones, window);
    if opening == now { Opening::Now } else { Opening::At(opening) }
}

/// When a message may go, the exemption considered: what the customer asked for (`asked`) on a call that ended at
/// most 15 minutes ago goes at any hour, unless the merchant says otherwise (`exempt_allowed`).
#[must_use]
pub fn may_send(
    now: Timestamp,
    call_ended: Option<Timestamp>,
    asked: bool,
    exempt_allowed: bool,
    zones: &[TimeZone],
) -> Opening {
    match exempt_until(now, call_ended, asked, exempt_allowed) {
        Some(_) => Opening::Now,
        None => opens_at(now, zones, WINDOW),
    }
}

/// The end of the exemption, while it lasts.
#[must_use]
pub fn exempt_until(
    now: Timestamp,
    call_ended: Option<Timestamp>,
    asked: bool,
    exempt_allowed: bool,
) -> Option<Timestamp> {
    let ended = call_ended.filter(|_| asked && exempt_allowed)?;
    // A call that ends in the future is a wrong clock, and must not buy an exemption without end.
    let believable = ended.since_ms(now) <= CLOCK_SKEW_MS;
    let until = ended.plus_ms(EXEMPT_MS);
    (believable && now <= until).then_some(until)
}

/// How long a provider may hold a text that is handed over now: until the window closes or the exemption ends,
/// whichever is later; at most an hour, at least half a minute.
#[must_use]
pub fn validity_s(now: Timestamp, zones: &[TimeZone], exempt_until: Option<Timestamp>) -> i64 {
    let (zones, opening) = deciding(now, zones, WINDOW);
    let open = opening == now;
    let closing = zones.iter().map(|zone| closes(now, zone, WINDOW)).min().filter(|_| open);
    let end = closing.max(exempt_until).unwrap_or(now);
    (end.since_ms(now) / SECOND_MS).clamp(VALIDITY_LEAST_S, VALIDITY_MOST_S)
}

/// The zones that decide, and when they are next open together: `now` itself when they are.
fn deciding(now: Timestamp, zones: &[TimeZone], window: Window) -> (&[TimeZone], Timestamp) {
    let (merchant, of_the_number) = match zones.split_last() {
        Some((_, rest)) => (&zones[rest.len()..], rest),
        None => (zones, zones),
    };
    for candidates in [zones, of_the_number, merchant] {
        if let Some(opening) = common_opening(now, candidates, window) {
            return (candidates, opening);
        }
    }
    // Only without any zone: wait, rather than send at night.
    (zones, now.plus_ms(HOUR_MS))
}

/// The first moment from `now` on at which every zone is open; `None` when there is none within three days.
fn common_opening(now: Timestamp, zones: &[TimeZone], window: Window) -> Option<Timestamp> {
    let horizon = now.plus_ms(3 * DAY_MS);
    let mut moment = now;
    while moment <= horizon {
        let latest = zones.iter().map(|zone| opens(moment, zone, window)).max()?;
        if latest == moment {
            return Some(moment);
        }
        moment = latest;
    }
    None
}

/// When one zone is next open: `moment` itself when it is.
fn opens(moment: Timestamp, zone: &TimeZone, window: Window) -> Timestamp {
    let local = moment.calendar().to_zoned(zone.clone());
    let clock = local.time();
    if window.opens <= clock && clock < window.closes {
        return moment;
    }
    let today = local.date();
    let date = if clock < window.opens { Ok(today) } else { today.tomorrow() };
    let opening = date.and_then(|date| date.to_datetime(window.opens).to_zoned(zone.clone()));
    let opening = opening.map(|zoned| Timestamp::from_millis(zoned.timestamp().as_millisecond()));
    // Where the clock is set back over the opening, the hour comes twice and the first may be past.
    opening.ok().filter(|opening| *opening > moment).unwrap_or_else(|| moment.plus_ms(MINUTE_MS))
}

/// When a zone that is open at `moment` closes.
fn closes(moment: Timestamp, zone: &TimeZone, window: Window) -> Timestamp {
    let local = moment.calendar().to_zoned(zone.clone());
    let closing = local.date().to_datetime(window.closes).to_zoned(zone.clone());
    closing.map_or(moment, |zoned| Timestamp::from_millis(zoned.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests;
