//! Checks that several resources share. Each names the field and answers with the value in its stored form.

use std::fmt::Display;

use domain::channel::LineType;
use domain::email_address::EmailAddress;
use domain::phone::Phone;

use crate::problem::Problem;

pub(crate) const NAME_MAX: usize = 200;
pub(crate) const REFERENCE_MAX: usize = 100;
pub(crate) const DESCRIPTION_MAX: usize = 500;
pub(crate) const WORDS_MAX: usize = 2_000;
const LOCALE_MAX: usize = 35;

/// Turns a rule's refusal into a problem of the field.
pub(crate) fn valid<T, E: Display>(field: &str, result: Result<T, E>) -> Result<T, Problem> {
    result.map_err(|error| Problem::field(field, error))
}

/// Text on one line: something there, nothing invisible.
pub(crate) fn line(field: &str, text: &str, chars_max: usize) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::field(field, "is empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(Problem::field(field, "must not contain control characters"));
    }
    bounded(field, text, chars_max)
}

/// Text that may run over several lines.
pub(crate) fn words(field: &str, text: &str, chars_max: usize) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::field(field, "is empty"));
    }
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.chars().any(odd) {
        return Err(Problem::field(field, "must not contain control characters"));
    }
    bounded(field, text, chars_max)
}

fn bounded(field: &str, text: &str, chars_max: usize) -> Result<String, Problem> {
    if text.chars().count() > chars_max {
        return Err(Problem::field(field, format!("must have at most {chars_max} characters")));
    }
    Ok(text.to_owned())
}

/// A number as people write it; without `+` it is read as one of the merchant's country.
pub(crate) fn phone(field: &str, text: &str, country: &str) -> Result<Phone, Problem> {
    valid(field, Phone::parse(text, Some(country)))
}

pub(crate) fn email(field: &str, text: &str) -> Result<EmailAddress, Problem> {
    valid(field, EmailAddress::parse(text))
}

/// A language tag (BCP 47) by its shape: `en`, `es-MX`.
pub(crate) fn locale(field: &str, text: &str) -> Result<String, Problem> {
    let plain =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if text.len() > LOCALE_MAX || !text.split('-').all(plain) {
        return Err(Problem::field(field, "is not a language tag, for example en-US"));
    }
    Ok(text.to_owned())
}

pub(crate) fn time_zone(field: &str, text: &str) -> Result<String, Problem> {
    if domain::quiet_hours::zone(text).is_none() {
        return Err(Problem::field(field, "is not an IANA time zone, for example America/New_York"));
    }
    Ok(text.to_owned())
}

/// What is known of a line: the merchant's word, else the numbering plan's.
pub(crate) fn line_type(stated: Option<LineType>, phone: Option<&Phone>) -> LineType {
    stated.unwrap_or_else(|| phone.map_or(LineType::Unknown, Phone::presumed_line_type))
}
