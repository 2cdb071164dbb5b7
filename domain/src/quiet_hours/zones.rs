//! Where a customer may be: their own word, or else every zone their number's prefix covers and the merchant's.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::tz::TimeZone;

use crate::phone::Phone;

/// Prefix to zone names; see the head of the file for its source.
const PREFIXES: &str = include_str!("../../data/phone_zones.tsv");

/// The longest prefix in the file: `1` and an area code.
const PREFIX_MAX: usize = 4;

static ZONES_BY_PREFIX: LazyLock<HashMap<&'static str, Vec<TimeZone>>> =
    LazyLock::new(|| PREFIXES.lines().filter(|line| !line.starts_with('#')).filter_map(entry).collect());

fn entry(line: &'static str) -> Option<(&'static str, Vec<TimeZone>)> {
    let (prefix, names) = line.split_once('\t')?;
    Some((prefix, names.split(' ').filter_map(zone).collect()))
}

/// The zone of an IANA name, from the data compiled in.
#[must_use]
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())
}

/// Every zone the customer may be in, the merchant's last.
///
/// A zone that was stated for the customer decides alone. Otherwise: people keep their number when they move, so
/// the number's zones are never taken without the merchant's. A merchant's zone that cannot be read counts as UTC.
#[must_use]
pub fn plausible_zones(
    customer_zone: Option<&str>,
    phone: Option<&Phone>,
    merchant_zone: &str,
) -> Vec<TimeZone> {
    if let Some(stated) = customer_zone.and_then(zone) {
        return vec![stated];
    }
    let mut zones = phone.map_or_else(Vec::new, |phone| of_number(phone.as_str()).to_vec());
    zones.push(zone(merchant_zone).unwrap_or(TimeZone::UTC));
    zones
}

/// The zones of the longest prefix that is listed.
fn of_number(e164: &str) -> &'static [TimeZone] {
    let digits = e164.trim_start_matches('+');
    let longest = digits.len().min(PREFIX_MAX);
    let found = (1..=longest).rev().find_map(|length| ZONES_BY_PREFIX.get(&digits[..length]));
    found.map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(e164: &str) -> Vec<&'static str> {
        of_number(e164).iter().filter_map(TimeZone::iana_name).collect()
    }

    #[test]
    fn every_line_of_the_data_is_read_and_every_zone_known() {
        for line in PREFIXES.lines().filter(|line| !line.starts_with('#')) {
            let (prefix, zones) = line.split_once('\t').unwrap_or_else(|| panic!("{line:?} has no tab"));
            assert!((1..=PREFIX_MAX).contains(&prefix.len()), "{prefix}");
            assert!(prefix.bytes().all(|byte| byte.is_ascii_digit()), "{prefix}");
            for name in zones.split(' ') {
                assert!(zone(name).is_some(), "{prefix}: {name}");
            }
        }
        assert!(ZONES_BY_PREFIX.len() > 500);
    }

    #[test]
    fn an_area_code_has_its_zones_and_one_in_two_zones_both() {
        assert_eq!(names("+12125550123"), ["America/New_York"]);
        assert_eq!(names("+14155550142"), ["America/Los_Angeles"]);
        assert_eq!(names("+18085550123"), ["Pacific/Honolulu"]);
        assert_eq!(names("+18505550123"), ["America/Chicago", "America/New_York"]);
    }

    #[test]
    fn other_countries_are_taken_whole() {
        assert_eq!(names("+493012345678"), ["Europe/Berlin"]);
        assert!(names("+61412345678").contains(&"Australia/Perth"));
        assert!(names("+61412345678").contains(&"Australia/Sydney"));
    }

    #[test]
    fn an_area_code_nobody_listed_may_be_anywhere_in_the_plan() {
        let everywhere = names("+18005550123");
        assert!(everywhere.contains(&"America/New_York"));
        assert!(everywhere.contains(&"Pacific/Honolulu"));
    }

    #[test]
    fn a_stated_zone_decides_alone_if_it_exists() {
        let stated = plausible_zones(Some("Asia/Tokyo"), None, "America/New_York");
        assert_eq!(stated.iter().map(TimeZone::iana_name).collect::<Vec<_>>(), [Some("Asia/Tokyo")]);
        for nonsense in ["", "Mars/Olympus", "Etc/Unknown", "../etc/passwd"] {
            let zones = plausible_zones(Some(nonsense), None, "America/New_York");
            assert_eq!(zones.iter().map(TimeZone::iana_name).collect::<Vec<_>>(), [Some("America/New_York")]);
        }
    }

    #[test]
    fn the_number_s_zones_come_before_the_merchant_s() {
        let phone = Phone::from_e164("+14155550142").ok();
        let zones = plausible_zones(None, phone.as_ref(), "America/New_York");
        let names: Vec<_> = zones.iter().filter_map(TimeZone::iana_name).collect();
        assert_eq!(names, ["America/Los_Angeles", "America/New_York"]);
    }
}
