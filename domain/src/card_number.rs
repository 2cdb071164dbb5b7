//! Card numbers in what people say and write. Nobody asks for one here, but people tell them; what is kept shows no more
//! than the last four digits.

use std::borrow::Cow;

use serde_json::Value;

const KEPT_DIGITS: usize = 4;
const DIGITS_MAX: usize = 19;

/// The text with every card number in it masked: `4000 0566 5566 5556` becomes `**** **** **** 5556`.
///
/// A card number is 13 to 19 digits, with single spaces, dashes or dots between groups, that begin as the networks'
/// numbers do and end in the right check digit (ISO/IEC 7812-1). What follows a `+`, or stands inside a longer word, is
/// none.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    let groups = groups(text.as_bytes());
    let mut masked: Option<Vec<u8>> = None;
    let mut first = 0;
    while first < groups.len() {
        let end = groups.len().min(first + DIGITS_MAX);
        let found = (first..end).rev().find(|last| is_card(text.as_bytes(), &groups[first..=*last]));
        let Some(last) = found else {
            first += 1;
            continue;
        };
        let bytes = masked.get_or_insert_with(|| text.as_bytes().to_vec());
        let digits = (groups[first].start..groups[last].end).filter(|at| bytes[*at].is_ascii_digit());
        let digits: Vec<usize> = digits.collect();
        for at in &digits[..digits.len() - KEPT_DIGITS] {
            bytes[*at] = b'*';
        }
        first = last + 1;
    }
    masked.and_then(|bytes| String::from_utf8(bytes).ok()).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Masks the card numbers in every text of a JSON value but under these names of its outermost object; `true` when there
/// were any.
pub fn mask_texts(value: &mut Value, but: &[&str]) -> bool {
    match value {
        Value::Object(fields) => fields
            .iter_mut()
            .filter(|(name, _)| !but.contains(&name.as_str()))
            .fold(false, |any, (_, field)| mask_texts(field, &[]) | any),
        Value::Array(values) => values.iter_mut().fold(false, |any, value| mask_texts(value, &[]) | any),
        Value::String(text) => {
            let Cow::Owned(masked) = masked(text) else { return false };
            *text = masked;
            true
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => false,
    }
}

/// Digits in a row.
struct Group {
    start: usize,
    end: usize,
    /// Nothing but one separator stands between it and the group before.
    continues: bool,
}

fn groups(text: &[u8]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        while at < text.len() && text[at].is_ascii_digit() {
            at += 1;
        }
        let is_separated = start > 0 && matches!(text[start - 1], b' ' | b'-' | b'.');
        let continues = is_separated && groups.last().is_some_and(|before| before.end + 1 == start);
        groups.push(Group { start, end: at, continues });
    }
    groups
}

fn is_card(text: &[u8], groups: &[Group]) -> bool {
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return false };
    let is_too_long = last.end - first.start > 2 * DIGITS_MAX;
    if is_too_long || groups.iter().skip(1).any(|group| !group.continues) {
        return false;
    }
    let is_inside =
        |sign: Option<&u8>| sign.is_some_and(|sign| sign.is_ascii_alphanumeric() || *sign == b'_');
    let before = first.start.checked_sub(1).and_then(|at| text.get(at));
    if before == Some(&b'+') || is_inside(before) || is_inside(text.get(last.end)) {
        return false;
    }
    let digits: Vec<u8> = text[first.start..last.end].iter().copied().filter(u8::is_ascii_digit).collect();
    begins_like_a_card(&digits) && has_check_digit(&digits)
}

fn begins_like_a_card(digits: &[u8]) -> bool {
    match digits {
        [b'4', ..] => matches!(digits.len(), 13 | 16 | 19),
        [b'5', b'1'..=b'5', ..] | [b'2', b'2'..=b'7', ..] | [b'3', b'5', ..] => digits.len() == 16,
        [b'3', b'4' | b'7', ..] => digits.len() == 15,
        [b'3', b'0' | b'6' | b'8' | b'9', ..] => digits.len() == 14 || digits.len() == 16,
        [b'6', ..] => (16..=19).contains(&digits.len()),
        _ => false,
    }
}

/// Luhn's check.
fn has_check_digit(digits: &[u8]) -> bool {
    let value = |(place, digit): (usize, &u8)| {
        let digit = u32::from(digit - b'0');
        let doubled = if place % 2 == 1 { digit * 2 } else { digit };
        doubled / 10 + doubled % 10
    };
    digits.iter().rev().enumerate().map(value).sum::<u32>() % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_networks_test_numbers_are_masked_however_they_are_written() {
        for (said, kept) in [
            ("4242424242424242", "************4242"),
            ("4242 4242 4242 4242", "**** **** **** 4242"),
            ("5555-5555-5555-4444", "****-****-****-4444"),
            ("2223003122003222", "************3222"),
            ("3782 822463 10005", "**** ****** *0005"),
            ("3056.9300.0902.0004", "****.****.****.0004"),
            ("6011111111111117", "************1117"),
            ("3566002020360505", "************0505"),
            ("6205500000000000004", "***************0004"),
            ("it is 4242424242424242, valid to 12/29", "it is ************4242, valid to 12/29"),
            ("call 212-555-0135 4242 4242 4242 4242 please", "call 212-555-0135 **** **** **** 4242 please"),
            ("ñ4242424242424242ñ 5555555555554444.", "ñ************4242ñ ************4444."),
        ] {
            assert_eq!(masked(said), kept);
        }
    }

    #[test]
    fn other_long_numbers_are_left_alone() {
        for text in [
            "4242424242424241",
            "+4915112345678",
            "+42424242424242424",
            "INV-2026-000123",
            "pi_4242424242424242",
            "4242424242424242a",
            "1700000000000000",
            "1234567812345670",
            "2026-11-21 16:59 and 34800 and 18500",
            "4242 4242  4242 4242",
            "",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn texts_in_json_are_masked_and_what_is_named_is_not() {
        let mut value =
            json!({"call_id": "4242424242424242", "said": [{"text": "4242424242424242"}], "n": 1});
        assert!(mask_texts(&mut value, &["call_id"]));
        assert_eq!(
            value,
            json!({"call_id": "4242424242424242", "said": [{"text": "************4242"}], "n": 1})
        );
        assert!(!mask_texts(&mut value, &["call_id"]));
    }
}
