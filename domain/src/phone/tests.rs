#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use proptest::prelude::*;

const NORTH_AMERICA: [&str; 2] = ["US", "CA"];

fn phone(e164: &str) -> Phone {
    Phone::from_e164(e164).unwrap()
}

#[test]
fn numbers_are_read_as_people_write_them() {
    let cases = [
        ("+14155552671", None, "+14155552671"),
        (" +1 (415) 555-2671 ", None, "+14155552671"),
        ("415.555.2671", Some("US"), "+14155552671"),
        ("1-415-555-2671", Some("US"), "+14155552671"),
        ("(+1) 415 555 2671", None, "+14155552671"),
        ("415\u{2013}555\u{2013}2671", Some("US"), "+14155552671"),
        ("(416) 555\u{A0}0142", Some("CA"), "+14165550142"),
        ("0151 23456789", Some("DE"), "+4915123456789"),
        ("+44 20 7946 0958", Some("US"), "+442079460958"),
        ("21 12 34", Some("FO"), "+298211234"),
        ("٤١٥٥٥٥٢٦٧١", Some("US"), "+14155552671"),
        ("۴۱۵۵۵۵۲۶۷۱", Some("US"), "+14155552671"),
        ("+１４１５５５５２６７１", None, "+14155552671"),
    ];
    for (written, country, read) in cases {
        assert_eq!(Phone::parse(written, country).unwrap().as_str(), read, "{written}");
    }
}

#[test]
fn bad_numbers_are_refused_for_their_reason() {
    let cases = [
        ("", BadPhone::Empty),
        ("  ", BadPhone::Empty),
        ("+1415555\x002671", BadPhone::Control),
        ("+14155552671\r\n", BadPhone::Control),
        ("1-800-FLOWERS", BadPhone::Letters),
        ("call me", BadPhone::Letters),
        ("+1415555267l", BadPhone::Letters),
        ("+1 415 555 2671 ext 3", BadPhone::Extension),
        ("+1 415 555 2671 ext. 3", BadPhone::Extension),
        ("+1 415 555 2671 x3", BadPhone::Extension),
        ("+14155552671;ext=3", BadPhone::Extension),
        ("+1 415 555 2671 #3", BadPhone::Extension),
        ("415 555 2671 / 415 555 2672", BadPhone::TwoNumbers),
        ("415 555 2671, 415 555 2672", BadPhone::TwoNumbers),
        ("+14155552671 +14155552672", BadPhone::TwoNumbers),
        ("4155552671 4155552672", BadPhone::Invalid),
        ("415 555 267*", BadPhone::Character),
        ("415+5552671", BadPhone::Character),
        ("+", BadPhone::Character),
        ("---", BadPhone::Character),
        ("911", BadPhone::TooShort),
        ("12345", BadPhone::TooShort),
        ("+1 911", BadPhone::TooShort),
        ("5552671", BadPhone::Invalid),
        ("0014155552671", BadPhone::Invalid),
        ("+1 555 555 0100", BadPhone::Invalid),
        ("+999 123 4567 890", BadPhone::Invalid),
        ("+00000000000", BadPhone::Invalid),
    ];
    for (written, reason) in cases {
        assert_eq!(Phone::parse(written, Some("US")), Err(reason), "{written:?}");
    }
    assert_eq!(Phone::parse(&"4".repeat(41), Some("US")), Err(BadPhone::TooLong));
}

#[test]
fn a_national_number_needs_a_country_to_be_read_by() {
    assert_eq!(Phone::parse("415 555 2671", None), Err(BadPhone::NoCountry));
    assert_eq!(Phone::parse("415 555 2671", Some("Utopia")), Err(BadPhone::NoCountry));
}

#[test]
fn what_is_stored_must_be_exactly_e164() {
    for text in ["+1 4155552671", "14155552671", "+14155552671 ", "+15555550100"] {
        assert!(Phone::from_e164(text).is_err(), "{text:?}");
    }
    let stored = serde_json::to_string(&phone("+14155552671")).unwrap();
    assert_eq!(serde_json::from_str::<Phone>(&stored).unwrap(), phone("+14155552671"));
    assert!(serde_json::from_str::<Phone>("\"415\"").is_err());
}

#[test]
fn the_north_american_plan_is_more_than_one_country() {
    let cases = [
        ("+14155552671", "US"),
        ("+14165550142", "CA"),
        ("+12423591234", "BS"),
        ("+17872341234", "PR"),
        ("+442079460958", "GB"),
    ];
    for (number, country) in cases {
        assert_eq!(phone(number).country().as_deref(), Some(country), "{number}");
    }
}

#[test]
fn north_american_numbers_do_not_tell_whether_they_are_mobile() {
    let cases = [
        ("+14155552671", LineType::Unknown),
        ("+14165550142", LineType::Unknown),
        ("+18005550123", LineType::TollFree),
        ("+19002345678", LineType::Premium),
        ("+4915123456789", LineType::Mobile),
        ("+493012345678", LineType::Landline),
    ];
    for (number, line) in cases {
        assert_eq!(phone(number).presumed_line_type(), line, "{number}");
    }
}

#[test]
fn every_line_type_is_texted_or_not_for_its_reason() {
    let cases = [
        (LineType::Unknown, Ok(())),
        (LineType::Mobile, Ok(())),
        (LineType::Landline, Err(NotTextable::Landline)),
        (LineType::Voip, Ok(())),
        (LineType::TollFree, Err(NotTextable::Line)),
        (LineType::Premium, Err(NotTextable::Line)),
        (LineType::Pager, Err(NotTextable::Line)),
        (LineType::Other, Err(NotTextable::Line)),
    ];
    assert_eq!(cases.len(), LineType::ALL.len());
    for (line, expected) in cases {
        assert_eq!(phone("+14155552671").textable(line, &NORTH_AMERICA), expected, "{line}");
    }
}

#[test]
fn the_plan_decides_where_nobody_knows_the_line() {
    let textable = |number, allowed: &[&str]| phone(number).textable(LineType::Unknown, allowed);
    assert_eq!(textable("+18005550123", &NORTH_AMERICA), Err(NotTextable::Line));
    assert_eq!(textable("+19002345678", &NORTH_AMERICA), Err(NotTextable::Line));
    assert_eq!(textable("+493012345678", &["DE"]), Err(NotTextable::Landline));
    assert_eq!(textable("+4915123456789", &["DE"]), Ok(()));
}

#[test]
fn a_neighbour_in_the_same_plan_is_not_a_domestic_number() {
    for number in ["+12423591234", "+17872341234", "+442079460958"] {
        let textable = phone(number).textable(LineType::Mobile, &NORTH_AMERICA);
        assert_eq!(textable, Err(NotTextable::Country), "{number}");
    }
    assert_eq!(phone("+17872341234").textable(LineType::Mobile, &["PR"]), Ok(()));
    assert_eq!(phone("+14155552671").textable::<&str>(LineType::Mobile, &[]), Err(NotTextable::Country));
}

#[test]
fn a_number_never_shows_itself_whole() {
    assert_eq!(phone("+14155552671").masked(), "+1415***2671");
    assert_eq!(format!("{:?}", phone("+14155552671")), "Phone(+1415***2671)");
    assert_eq!(Phone("+2901234".to_owned()).masked(), "+***1234");
}

proptest! {
    #[test]
    fn whatever_is_taken_is_e164_and_reads_back(text in "[+0-9 ().-]{0,20}|\\PC{0,24}|\\+1[2-9][0-9]{9}") {
        if let Ok(phone) = Phone::parse(&text, Some("US")) {
            let (plus, digits) = phone.as_str().split_at(1);
            prop_assert_eq!(plus, "+");
            prop_assert!((7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
            prop_assert_eq!(Phone::from_e164(phone.as_str()), Ok(phone.clone()));
            let masked = phone.masked();
            let shown = masked.bytes().filter(u8::is_ascii_digit).count();
            prop_assert!(shown + 3 <= digits.len());
        }
    }

    #[test]
    fn separators_never_change_the_number(digits in "[2-9][0-9]{2}[2-9][0-9]{6}") {
        let spaced = format!("({}) {}-{}", &digits[..3], &digits[3..6], &digits[6..]);
        prop_assert_eq!(Phone::parse(&spaced, Some("US")), Phone::parse(&format!("+1{digits}"), None));
    }
}

#[test]
fn a_stored_number_is_taken_by_its_form() {
    assert_eq!(Phone::stored("+14155552671"), Phone::from_e164("+14155552671").ok());
    for text in ["", "+", "4155552671", "+1415555267a", "+123456", "+1234567890123456", "tel:+14155552671"] {
        assert_eq!(Phone::stored(text), None, "{text}");
    }
}
