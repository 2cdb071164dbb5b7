//! Phone numbers: E.164, or a reason why not. Never shown whole in a log.

use std::fmt;
use std::str::FromStr;

use phonenumber::country::Id as Country;
use phonenumber::{Mode, PhoneNumber, Type};
use serde::{Deserialize, Serialize};

use crate::channel::LineType;

/// The longest text that is looked at. A number as people write it has at most 15 digits.
const TEXT_MAX: usize = 40;

/// Two digits less than this and it is a short code or part of a number.
const DIGITS_MIN: usize = 7;

/// A phone number in E.164: `+14155552671`. Valid by the numbering plan, which does not mean that it rings.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(String);

/// Why a text is no phone number that could be called or texted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPhone {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// More than a number can need.
    #[error("is too long for a phone number")]
    TooLong,
    /// NUL, line breaks and the like.
    #[error("contains a control character")]
    Control,
    /// "x 3", "ext. 3", ";ext=3": a text cannot be sent to an extension.
    #[error("has an extension; give the number alone")]
    Extension,
    /// Vanity numbers and words.
    #[error("contains letters")]
    Letters,
    /// "415 555 2671 / 415 555 2672".
    #[error("looks like two numbers; give one")]
    TwoNumbers,
    /// Anything else that is neither digit nor separator.
    #[error("contains a character that does not belong in a phone number")]
    Character,
    /// Emergency numbers, short codes, local parts.
    #[error("is too short to be dialled from elsewhere")]
    TooShort,
    /// No `+` and no default country to read it by.
    #[error("has no country; write it with + and the country code, for example +14155552671")]
    NoCountry,
    /// The numbering plan has no such number.
    #[error("is not a number that can exist")]
    Invalid,
}

impl Phone {
    /// Reads a number as people write it. Without a `+`, `default_country` (ISO, two capitals) says how.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str, default_country: Option<&str>) -> Result<Self, BadPhone> {
        let digits = dialled(text)?;
        let international = digits.starts_with('+');
        let country = default_country.and_then(|code| code.parse::<Country>().ok());
        if !international && country.is_none() {
            return Err(BadPhone::NoCountry);
        }
        let country = country.filter(|_| !international);
        let number = phonenumber::parse(country, &digits).map_err(|_| BadPhone::Invalid)?;
        Self::checked(&number)
    }

    /// Reads a number that was stored, or that must already be E.164.
    ///
    /// # Errors
    /// When it is not exactly E.164 or no such number can exist.
    pub fn from_e164(text: &str) -> Result<Self, BadPhone> {
        let phone = Self::parse(text, None)?;
        if phone.0 != text {
            return Err(BadPhone::Invalid);
        }
        Ok(phone)
    }

    fn checked(number: &PhoneNumber) -> Result<Self, BadPhone> {
        if !number.is_valid() || number.extension().is_some() {
            return Err(BadPhone::Invalid);
        }
        Ok(Self(number.format().mode(Mode::E164).to_string()))
    }

    /// The number in E.164.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ISO code of the country or territory whose number this is: `US`, `CA`, `PR`, `GB`.
    #[must_use]
    pub fn country(&self) -> Option<String> {
        self.number()?.country().id().map(|id| id.as_ref().to_owned())
    }

    /// What the numbering plan says about the line. North American numbers do not say whether they are mobile:
    /// they are `unknown` here.
    #[must_use]
    pub fn presumed_line_type(&self) -> LineType {
        let Some(number) = self.number() else {
            return LineType::Unknown;
        };
        match number.number_type(&phonenumber::metadata::DATABASE) {
            Type::Mobile => LineType::Mobile,
            Type::FixedLineOrMobile | Type::PersonalNumber | Type::Unknown => LineType::Unknown,
            Type::FixedLine => LineType::Landline,
            Type::TollFree => LineType::TollFree,
            Type::PremiumRate | Type::SharedCost => LineType::Premium,
            Type::Voip => LineType::Voip,
            Type::Pager => LineType::Pager,
            Type::Uan
            | Type::Emergency
            | Type::Voicemail
            | Type::ShortCode
            | Type::StandardRate
            | Type::Carrier
            | Type::NoInternational => LineType::Other,
        }
    }

    /// Whether a text may be tried: the country is allowed and the line can take one. What is known about the
    /// line comes first, the numbering plan second; an unknown line is tried, because the carrier's answer is
    /// the only way to learn.
    ///
    /// # Errors
    /// Says which of the two it is.
    pub fn textable<S: AsRef<str>>(
        &self,
        line_type: LineType,
        allowed_countries: &[S],
    ) -> Result<(), NotTextable> {
        let country = self.country();
        let allowed = country.as_deref().is_some_and(|country| {
            allowed_countries
                .iter()
                .any(|allowed| allowed.as_ref() == country)
        });
        if !allowed {
            return Err(NotTextable::Country);
        }
        let line = if line_type == LineType::Unknown {
            self.presumed_line_type()
        } else {
            line_type
        };
        match line {
            LineType::Unknown | LineType::Mobile | LineType::Voip => Ok(()),
            LineType::Landline => Err(NotTextable::Landline),
            LineType::TollFree | LineType::Premium | LineType::Pager | LineType::Other => {
                Err(NotTextable::Line)
            }
        }
    }

    /// The number as a person may see it in a log or a list: `+1415***2671`.
    #[must_use]
    pub fn masked(&self) -> String {
        let tail = self.0.len().saturating_sub(4);
        // At least three digits stay hidden, however short the number is.
        let head = tail.saturating_sub(3).min(5);
        format!("{}***{}", &self.0[..head], &self.0[tail..])
    }

    fn number(&self) -> Option<PhoneNumber> {
        phonenumber::parse(None, &self.0).ok()
    }
}

/// Why a number gets no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTextable {
    /// Its country is not on the allow-list, which keeps toll fraud out.
    Country,
    /// A landline.
    Landline,
    /// A toll-free, premium, pager or other line that is nobody's mobile.
    Line,
}

/// The digits to dial, with a `+` where it had one; everything that people put between them removed.
fn dialled(text: &str) -> Result<String, BadPhone> {
    if text.chars().any(char::is_control) {
        return Err(BadPhone::Control);
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(BadPhone::Empty);
    }
    if text.chars().count() > TEXT_MAX {
        return Err(BadPhone::TooLong);
    }
    if text.chars().any(char::is_alphabetic) {
        return Err(if names_an_extension(text) {
            BadPhone::Extension
        } else {
            BadPhone::Letters
        });
    }
    if text.contains('#') {
        return Err(BadPhone::Extension);
    }
    let two = text.contains(['/', ',', ';', '|', '&']) || text.chars().filter(|c| is_plus(*c)).count() > 1;
    if two {
        return Err(BadPhone::TwoNumbers);
    }
    let mut dialled = String::with_capacity(16);
    for character in text.chars() {
        if let Some(digit) = digit(character) {
            dialled.push(digit);
        } else if is_plus(character) {
            // "(+1) 415…" is usual; a plus after a digit is not.
            if !dialled.is_empty() {
                return Err(BadPhone::Character);
            }
            dialled.push('+');
        } else if !is_separator(character) {
            return Err(BadPhone::Character);
        }
    }
    if dialled.trim_start_matches('+').len() < DIGITS_MIN {
        return Err(BadPhone::TooShort);
    }
    Ok(dialled)
}

/// Digits and then a word for "extension": "… ext 3", "… x3", "… anexo 3".
fn names_an_extension(text: &str) -> bool {
    let Some(start) = text.find(char::is_alphabetic) else {
        return false;
    };
    let (number, rest) = text.split_at(start);
    let word: String = rest
        .chars()
        .take_while(|c| c.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect();
    let after = rest.chars().skip_while(|c| c.is_alphabetic());
    let numbered = after.clone().any(|c| digit(c).is_some()) && !after.clone().any(char::is_alphabetic);
    let enough = number.chars().filter(|c| digit(*c).is_some()).count() >= DIGITS_MIN;
    enough
        && numbered
        && matches!(
            word.as_str(),
            "x" | "ext" | "extn" | "extension" | "anexo" | "int"
        )
}

const fn is_plus(character: char) -> bool {
    matches!(character, '+' | '\u{FF0B}')
}

const fn is_separator(character: char) -> bool {
    matches!(
        character,
        ' ' | '-' | '.' | '(' | ')' | '\u{A0}' | '\u{202F}' | '\u{2009}' | '\u{2010}'
            ..='\u{2015}' | '\u{2212}'
    )
}

/// The ASCII digit of a digit as phones and keyboards write it: ASCII, full-width, Arabic-Indic, Persian.
fn digit(character: char) -> Option<char> {
    let zero = match character {
        '0'..='9' => '0',
        '\u{FF10}'..='\u{FF19}' => '\u{FF10}',
        '\u{0660}'..='\u{0669}' => '\u{0660}',
        '\u{06F0}'..='\u{06F9}' => '\u{06F0}',
        _ => return None,
    };
    char::from_digit(u32::from(character) - u32::from(zero), 10)
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}

impl FromStr for Phone {
    type Err = BadPhone;

    fn from_str(text: &str) -> Result<Self, BadPhone> {
        Self::from_e164(text)
    }
}

impl Serialize for Phone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Phone {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::from_e164(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
