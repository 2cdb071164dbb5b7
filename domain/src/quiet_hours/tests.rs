#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn zones(names: &[&str]) -> Vec<TimeZone> {
    names.iter().map(|name| zone(name).unwrap()).collect()
}

fn opening(now: &str, names: &[&str]) -> Opening {
    opens_at(at(now), &zones(names), WINDOW)
}

#[test]
fn the_window_is_open_from_eight_until_before_nine() {
    let new_york = &["America/New_York"][..];
    assert_eq!(opening("2026-11-19T12:59:59Z", new_york), Opening::At(at("2026-11-19T13:00:00Z")));
    assert_eq!(opening("2026-11-19T13:00:00Z", new_york), Opening::Now);
    assert_eq!(opening("2026-11-20T01:59:59Z", new_york), Opening::Now);
    assert_eq!(opening("2026-11-20T02:00:00Z", new_york), Opening::At(at("2026-11-20T13:00:00Z")));
}

#[test]
fn all_zones_must_be_open_at_once() {
    let coasts = &["America/Los_Angeles", "America/New_York"][..];
    assert_eq!(opening("2026-11-19T13:00:00Z", coasts), Opening::At(at("2026-11-19T16:00:00Z")));
    assert_eq!(opening("2026-11-19T16:00:00Z", coasts), Opening::Now);
    // Nine in New York ends it, though Los Angeles has three hours left.
    assert_eq!(opening("2026-11-20T02:00:00Z", coasts), Opening::At(at("2026-11-20T16:00:00Z")));
}

#[test]
fn the_opening_follows_the_clock_when_it_is_changed() {
    let new_york = &["America/New_York"][..];
    // Saturday night before the clocks go forward (8 March 2026) and back (1 November 2026).
    assert_eq!(opening("2026-03-08T03:00:00Z", new_york), Opening::At(at("2026-03-08T12:00:00Z")));
    assert_eq!(opening("2026-11-01T03:00:00Z", new_york), Opening::At(at("2026-11-01T13:00:00Z")));
}

#[test]
fn europe_and_america_change_their_clocks_on_different_days() {
    let both = &["Europe/London", "America/New_York"][..];
    // Eight in New York is noon in London between 8 and 29 March 2026, 13:00 otherwise.
    assert_eq!(opening("2026-03-02T06:00:00Z", both), Opening::At(at("2026-03-02T13:00:00Z")));
    assert_eq!(opening("2026-03-10T06:00:00Z", both), Opening::At(at("2026-03-10T12:00:00Z")));
    assert_eq!(opening("2026-04-01T06:00:00Z", both), Opening::At(at("2026-04-01T12:00:00Z")));
}

#[test]
fn a_window_that_opens_in_a_skipped_hour_opens_after_it() {
    let window = Window::new(time(2, 30, 0, 0), time(9, 0, 0, 0)).unwrap();
    let new_york = zones(&["America/New_York"]);
    let night = at("2026-03-08T06:00:00Z");
    assert_eq!(opens_at(night, &new_york, window), Opening::At(at("2026-03-08T07:30:00Z")));
}

#[test]
fn a_window_that_opens_in_a_repeated_hour_does_not_hang() {
    let window = Window::new(time(1, 30, 0, 0), time(9, 0, 0, 0)).unwrap();
    let new_york = zones(&["America/New_York"]);
    // 1:10 for the second time on 1 November 2026; 1:30 comes for the second time at 6:30 UTC.
    let Opening::At(opening) = opens_at(at("2026-11-01T06:10:00Z"), &new_york, window) else {
        panic!("closed at 1:10");
    };
    assert_eq!(opening, at("2026-11-01T06:30:00Z"));
}

#[test]
fn an_empty_window_cannot_be_made() {
    assert!(Window::new(time(9, 0, 0, 0), time(9, 0, 0, 0)).is_none());
    assert!(Window::new(time(21, 0, 0, 0), time(8, 0, 0, 0)).is_none());
}

#[test]
fn where_the_merchant_is_too_far_away_the_numbers_zones_decide() {
    // Kaliningrad to Kamchatka are open together from 6:00 to 9:00 UTC, when New York sleeps.
    let names = &["Europe/Kaliningrad", "Asia/Kamchatka", "America/New_York"][..];
    assert_eq!(opening("2026-11-19T05:00:00Z", names), Opening::At(at("2026-11-19T06:00:00Z")));
    assert_eq!(opening("2026-11-19T06:00:00Z", names), Opening::Now);
    assert_eq!(opening("2026-11-19T09:00:00Z", names), Opening::At(at("2026-11-20T06:00:00Z")));
}

#[test]
fn zones_all_around_the_world_say_nothing_and_the_merchants_decides() {
    let names = &["Pacific/Pago_Pago", "Europe/London", "Asia/Tokyo", "America/New_York"][..];
    assert_eq!(opening("2026-11-19T12:00:00Z", names), Opening::At(at("2026-11-19T13:00:00Z")));
    assert_eq!(opening("2026-11-19T13:00:00Z", names), Opening::Now);
}

#[test]
fn a_number_from_anywhere_in_north_america_waits_until_saipan_wakes() {
    let phone = crate::phone::Phone::from_e164("+18005550123").unwrap();
    let anywhere = plausible_zones(None, Some(&phone), "America/New_York");
    let noon = at("2026-11-19T17:00:00Z");
    assert_eq!(opens_at(noon, &anywhere, WINDOW), Opening::At(at("2026-11-19T22:00:00Z")));
}

#[test]
fn without_any_zone_nothing_goes_out() {
    let noon = at("2026-11-19T17:00:00Z");
    assert_eq!(opens_at(noon, &[], WINDOW), Opening::At(noon.plus_ms(HOUR_MS)));
}

#[test]
fn what_was_asked_for_on_the_call_goes_at_any_hour_for_fifteen_minutes() {
    let new_york = zones(&["America/New_York"]);
    let ended = at("2026-11-20T02:30:00Z");
    let night = |after_ms: i64, asked, allowed| {
        may_send(ended.plus_ms(after_ms), Some(ended), asked, allowed, &new_york)
    };
    let morning = Opening::At(at("2026-11-20T13:00:00Z"));
    assert_eq!(night(0, true, true), Opening::Now);
    assert_eq!(night(EXEMPT_MS, true, true), Opening::Now);
    assert_eq!(night(EXEMPT_MS + 1, true, true), morning);
    assert_eq!(night(0, false, true), morning);
    assert_eq!(night(0, true, false), morning);
    assert_eq!(may_send(ended, None, true, true, &new_york), morning);
}

#[test]
fn a_call_that_ends_in_the_future_buys_no_exemption() {
    let now = at("2026-11-20T02:30:00Z");
    let until = |ahead_ms| exempt_until(now, Some(now.plus_ms(ahead_ms)), true, true);
    assert!(until(CLOCK_SKEW_MS).is_some());
    assert_eq!(until(CLOCK_SKEW_MS + 1), None);
}

#[test]
fn a_text_may_wait_at_the_provider_until_the_window_closes_and_an_hour_at_most() {
    let coasts = zones(&["America/Los_Angeles", "America/New_York"]);
    let validity = |now| validity_s(at(now), &coasts, None);
    assert_eq!(validity("2026-11-19T18:00:00Z"), 3_600);
    assert_eq!(validity("2026-11-20T01:30:00Z"), 1_800);
    assert_eq!(validity("2026-11-20T01:59:50Z"), 30);
}

#[test]
fn an_exempt_text_may_wait_until_the_exemption_ends() {
    let new_york = zones(&["America/New_York"]);
    let ended = at("2026-11-20T02:30:00Z");
    let validity = |now, until| validity_s(now, &new_york, until);
    let until = exempt_until(ended, Some(ended), true, true);
    assert_eq!(validity(ended, until), 900);
    assert_eq!(validity(ended.plus_ms(10 * MINUTE_MS), until), 300);
    assert_eq!(validity(ended, None), VALIDITY_LEAST_S);
    // Still open for five minutes, exempt for fifteen: the later end counts.
    let evening = at("2026-11-20T01:55:00Z");
    assert_eq!(validity(evening, exempt_until(evening, Some(evening), true, true)), 900);
}

fn zone_names() -> impl Strategy<Value = Vec<&'static str>> {
    let names = [
        "America/New_York",
        "America/Chicago",
        "America/Phoenix",
        "America/Los_Angeles",
        "Pacific/Honolulu",
        "America/St_Johns",
        "Europe/London",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
    ];
    proptest::collection::vec(proptest::sample::select(names.to_vec()), 1..3)
}

fn moments() -> impl Strategy<Value = Timestamp> {
    // The years 2024 to 2028, to the second.
    (1_704_067_200_i64..1_830_297_600).prop_map(|seconds| Timestamp::from_millis(seconds * SECOND_MS))
}

fn inside(moment: Timestamp, zones: &[TimeZone]) -> bool {
    zones.iter().all(|zone| {
        let local = moment.calendar().to_zoned(zone.clone());
        (8..21).contains(&local.hour())
    })
}

proptest! {
    /// Two windows of thirteen hours always meet, so the fallback is never needed here.
    #[test]
    fn the_opening_is_inside_every_window_and_no_earlier_moment_is(now in moments(), names in zone_names()) {
        let zones = zones(&names);
        match opens_at(now, &zones, WINDOW) {
            Opening::Now => prop_assert!(inside(now, &zones)),
            Opening::At(opening) => {
                prop_assert!(opening > now && inside(opening, &zones));
                prop_assert!(opening.since_ms(now) <= 25 * HOUR_MS);
                let mut before = now;
                while before < opening {
                    prop_assert!(!inside(before, &zones), "{} was open already", before);
                    before = before.plus_ms(13 * MINUTE_MS);
                }
                prop_assert!(!inside(opening.plus_ms(-1), &zones));
            }
        }
    }

    #[test]
    fn a_text_never_outlives_the_window_by_more_than_the_least_validity(now in moments(), names in zone_names()) {
        let zones = zones(&names);
        let validity = validity_s(now, &zones, None);
        prop_assert!((VALIDITY_LEAST_S..=VALIDITY_MOST_S).contains(&validity));
        if inside(now, &zones) && validity > VALIDITY_LEAST_S {
            prop_assert!(inside(now.plus_ms(validity * SECOND_MS - 1), &zones));
        }
    }
}
