//! Email addresses: one plain mailbox, or a reason why not. Never shown whole in a log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest address SMTP carries (RFC 5321 4.5.3.1.3, less the angle brackets).
const ADDRESS_MAX: usize = 254;
const LOCAL_MAX: usize = 64;
const LABEL_MAX: usize = 63;

/// An address a message can be sent to. The part before the @ is kept as written, the domain in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress(String);

/// Why a text is no address we send to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadEmail {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// Beyond what SMTP carries.
    #[error("is too long; an address has at most 254 characters, 64 of them before the @")]
    TooLong,
    /// CR, LF, NUL and the like: the way into a message's header.
    #[error("contains a control character")]
    Control,
    /// "Ann <ann@example.com>".
    #[error("must be the address alone, without a name or angle brackets")]
    DisplayName,
    /// A space, or two addresses.
    #[error("must be one address without spaces")]
    Space,
    /// Not exactly one @.
    #[error("must contain exactly one @")]
    At,
    /// The part before the @.
    #[error("has an unusable part before the @")]
    Local,
    /// Letters beyond ASCII: not every server on the way takes them (SMTPUTF8, RFC 6531).
    #[error(
        "contains characters beyond ASCII, which we cannot deliver to; write the domain in its xn-- form"
    )]
    Unicode,
    /// The part after the @.
    #[error("has no usable domain after the @")]
    Domain,
}

impl EmailAddress {
    /// Reads an address. Spaces around it are dropped; nothing else is repaired.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadEmail> {
        if text.chars().any(char::is_control) {
            return Err(BadEmail::Control);
        }
        let text = text.trim();
        if text.is_empty() {
            return Err(BadEmail::Empty);
        }
        if text.contains(['<', '>']) {
            return Err(BadEmail::DisplayName);
        }
        if text.contains([',', ';']) || text.contains(char::is_whitespace) {
            return Err(BadEmail::Space);
        }
        if !text.is_ascii() {
            return Err(BadEmail::Unicode);
        }
        let (local, domain) = text.split_once('@').ok_or(BadEmail::At)?;
        if domain.contains('@') {
            return Err(BadEmail::At);
        }
        if text.len() > ADDRESS_MAX || local.len() > LOCAL_MAX {
            return Err(BadEmail::TooLong);
        }
        if !local_is_usable(local) {
            return Err(BadEmail::Local);
        }
        if !domain_is_usable(domain) {
            return Err(BadEmail::Domain);
        }
        Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address in lower case throughout: the key of an opt-out, because no mailbox in use tells case apart
    /// and a second spelling must not get around a "no".
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The address as a person may see it in a log or a list: `j***@example.com`.
    #[must_use]
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        let first: String = if local.len() > 1 { local.chars().take(1).collect() } else { String::new() };
        format!("{first}***@{domain}")
    }
}

/// A dot-atom (RFC 5321 4.1.2). Quoted parts are legal there and in use nowhere.
fn local_is_usable(local: &str) -> bool {
    const SPECIAL: &[u8] = b"!#$%&'*+-/=?^_`{|}~";
    let atom = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || SPECIAL.contains(&byte))
    };
    local.split('.').all(atom)
}

/// Two labels or more, the last not a number: an IP address is nobody's mailbox.
fn domain_is_usable(domain: &str) -> bool {
    let label = |part: &str| {
        let shaped = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        !part.is_empty()
            && part.len() <= LABEL_MAX
            && shaped
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let Some((_, last)) = domain.rsplit_once('.') else {
        return false;
    };
    domain.split('.').all(label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({})", self.masked())
    }
}

impl FromStr for EmailAddress {
    type Err = BadEmail;

    fn from_str(text: &str) -> Result<Self, BadEmail> {
        Self::parse(text)
    }
}

impl Serialize for EmailAddress {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_addresses_are_taken() {
        let cases = [
            ("ann@example.com", "ann@example.com"),
            (" Ann.Lee+invoices@Example.CO.uk ", "Ann.Lee+invoices@example.co.uk"),
            ("o'hara@example.com", "o'hara@example.com"),
            ("1@2.example", "1@2.example"),
            ("info@xn--mller-kva.example", "info@xn--mller-kva.example"),
        ];
        for (written, read) in cases {
            assert_eq!(EmailAddress::parse(written).unwrap().as_str(), read);
        }
    }

    #[test]
    fn bad_addresses_are_refused_for_their_reason() {
        let cases = [
            ("", BadEmail::Empty),
            ("   ", BadEmail::Empty),
            ("ann@example.com\r\nBcc: eve@example.com", BadEmail::Control),
            ("ann@example.com\n", BadEmail::Control),
            ("ann\0@example.com", BadEmail::Control),
            ("Ann <ann@example.com>", BadEmail::DisplayName),
            ("ann@example.com, bob@example.com", BadEmail::Space),
            ("ann@example.com;bob@example.com", BadEmail::Space),
            ("ann lee@example.com", BadEmail::Space),
            ("ann.example.com", BadEmail::At),
            ("ann@@example.com", BadEmail::At),
            ("ann@bob@example.com", BadEmail::At),
            ("@example.com", BadEmail::Local),
            (".ann@example.com", BadEmail::Local),
            ("ann.@example.com", BadEmail::Local),
            ("ann..lee@example.com", BadEmail::Local),
            ("\"ann\"@example.com", BadEmail::Local),
            ("ann@", BadEmail::Domain),
            ("ann@localhost", BadEmail::Domain),
            ("ann@example..com", BadEmail::Domain),
            ("ann@-example.com", BadEmail::Domain),
            ("ann@example.com.", BadEmail::Domain),
            ("ann@[127.0.0.1]", BadEmail::Domain),
            ("ann@127.0.0.1", BadEmail::Domain),
            ("ann@exam_ple.com", BadEmail::Domain),
            ("änn@example.com", BadEmail::Unicode),
            ("ann@müller.example", BadEmail::Unicode),
        ];
        for (written, reason) in cases {
            assert_eq!(EmailAddress::parse(written), Err(reason), "{written:?}");
        }
    }

    #[test]
    fn lengths_are_bounded_exactly() {
        let local = "a".repeat(64);
        assert!(EmailAddress::parse(&format!("{local}@example.com")).is_ok());
        assert_eq!(EmailAddress::parse(&format!("a{local}@example.com")), Err(BadEmail::TooLong));
        let label = "b".repeat(61);
        let domain = format!("{label}.{label}.{label}");
        assert_eq!(format!("{local}@{domain}.ex").len(), 253);
        assert!(EmailAddress::parse(&format!("{local}@{domain}.exa")).is_ok());
        assert_eq!(EmailAddress::parse(&format!("{local}@{domain}.exam")), Err(BadEmail::TooLong));
        assert_eq!(EmailAddress::parse(&format!("a@{}.com", "b".repeat(64))), Err(BadEmail::Domain));
    }

    #[test]
    fn an_address_never_shows_itself_whole() {
        let address = EmailAddress::parse("Jane.Doe@example.com").unwrap();
        assert_eq!(address.masked(), "J***@example.com");
        assert_eq!(format!("{address:?}"), "EmailAddress(J***@example.com)");
        assert_eq!(EmailAddress::parse("j@example.com").unwrap().masked(), "***@example.com");
    }

    #[test]
    fn an_opt_out_holds_for_every_spelling() {
        let spellings = ["Ann@Example.com", "ann@example.com", "ANN@EXAMPLE.COM"];
        assert!(
            spellings.iter().all(|text| EmailAddress::parse(text).unwrap().folded() == "ann@example.com")
        );
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_one_safe_line_and_reads_back(text in "\\PC{0,40}|[a-z.@<> \r\n\0é]{0,30}|[a-z]{1,8}@[a-z]{1,8}\\.[a-z]{2,4}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert!(address.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert_eq!(address.as_str().matches('@').count(), 1);
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address.clone()));
            }
        }
    }
}
