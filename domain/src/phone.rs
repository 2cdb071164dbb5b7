//! Phone numbers: E.164, or a reason why not. Never shown whole in a log.

use std::fmt;
use std::str::FromStr;

use phonenumber::country::Id as Country;
use phonenumber::{Mode, PhoneNumber, Type};
use serde::{Deserialize, Serialize};

use crate::channel::LineType;

mod text;

/// With fewer digits than this, what is no number is most likely a short code or part of one.
const WHOLE_DIGITS: usize = 7;

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
        let digits = text::dialled(text)?;
        let international = digits.starts_with('+');
        let country = default_country.and_then(|code| code.parse::<Country>().ok());
        if !international && country.is_none() {
            return Err(BadPhone::NoCountry);
        }
        let country = country.filter(|_| !international);
        let short = digits.trim_start_matches('+').len() < WHOLE_DIGITS;
        let refusal = if short { BadPhone::TooShort } else { BadPhone::Invalid };
        let number = phonenumber::parse(country, &digits).map_err(|_| refusal)?;
        if !number.is_valid() || number.extension().is_some() {
            return Err(refusal);
        }
        Ok(Self(number.format().mode(Mode::E164).to_string()))
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

    /// A number that was read before it was stored: only its form is looked at, because asking the numbering plan again
    /// costs more than everything else about a text.
    #[must_use]
    pub fn stored(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let whole =
            (WHOLE_DIGITS..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        whole.then(|| Self(text.to_owned()))
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
        let allowed = country
            .as_deref()
            .is_some_and(|country| allowed_countries.iter().any(|allowed| allowed.as_ref() == country));
        if !allowed {
            return Err(NotTextable::Country);
        }
        let line = if line_type == LineType::Unknown { self.presumed_line_type() } else { line_type };
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
