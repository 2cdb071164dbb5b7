//! Typed, prefixed ids: `inv_01h…` names an invoice and nothing else.
//!
//! An id is a prefix and 128 bits in lower-case Crockford base32 (26 characters). Row ids begin with 48 bits of
//! time so that they sort by age; link ids are 128 random bits, because a link's token is derived from its id.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const BODY_LENGTH: usize = 26;

/// The kind of thing an id names.
pub trait Kind {
    const PREFIX: &'static str;
}

macro_rules! kinds {
    ($($(#[$meta:meta])* $kind:ident, $alias:ident, $prefix:literal;)+) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub enum $kind {}
            impl Kind for $kind { const PREFIX: &'static str = $prefix; }
            pub type $alias = Id<$kind>;
        )+
    };
}

kinds! {
    Merchant, MerchantId, "mer_";
    ApiKey, ApiKeyId, "key_";
    Customer, CustomerId, "cus_";
    Invoice, InvoiceId, "inv_";
    Campaign, CampaignId, "cmp_";
    Enrolment, EnrolmentId, "enr_";
    CallEvent, CallEventId, "evt_";
    Link, LinkId, "lnk_";
    Message, MessageId, "msg_";
    Attempt, AttemptId, "att_";
    Payable, PayableId, "pbl_";
    Payment, PaymentId, "pay_";
    Hold, HoldId, "hld_";
    DialerCommand, DialerCommandId, "dlr_";
    TimelineEntry, TimelineEntryId, "tle_";
    Job, JobId, "job_";
}

/// Text that is not an id of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id that begins with {prefix}")]
pub struct NotAnId {
    pub prefix: &'static str,
}

/// A typed id, kept as the text that is stored and spoken.
pub struct Id<K> {
    text: String,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Id<K> {
    /// An id that sorts by age: 48 bits of time, 80 random bits.
    #[must_use]
    pub fn ordered(now: Timestamp, random: [u8; 10]) -> Self {
        let mut bytes = [0_u8; 16];
        bytes[..6].copy_from_slice(&now.millis().to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        Self::from_bits(u128::from_be_bytes(bytes))
    }

    /// An id nobody can guess: 128 random bits.
    #[must_use]
    pub fn random(random: [u8; 16]) -> Self {
        Self::from_bits(u128::from_be_bytes(random))
    }

    /// An id that follows from what it names, so that doing the same thing twice makes the same row.
    #[must_use]
    pub fn derived(seed: &[u8]) -> Self {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(seed);
        let mut bytes = [0_u8; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self::from_bits(u128::from_be_bytes(bytes))
    }

    /// When an id that sorts by age was made. Of one that does not, some moment.
    #[must_use]
    pub fn made_at(&self) -> Timestamp {
        let value = |sign: u8| {
            (0_u128..).zip(ALPHABET).find(|(_, known)| **known == sign).map_or(0, |(value, _)| value)
        };
        let body = self.text.bytes().skip(K::PREFIX.len());
        let bits = body.fold(0_u128, |bits, sign| (bits << 5) | value(sign));
        Timestamp::from_millis(i64::try_from(bits >> 80).unwrap_or(0))
    }

    fn from_bits(mut bits: u128) -> Self {
        let mut body = [0_u8; BODY_LENGTH];
        for slot in body.iter_mut().rev() {
            *slot = ALPHABET[usize::from(bits.to_be_bytes()[15] & 31)];
            bits >>= 5;
        }
        let mut text = String::with_capacity(K::PREFIX.len() + BODY_LENGTH);
        text.push_str(K::PREFIX);
        text.extend(body.iter().map(|byte| char::from(*byte)));
        Self { text, kind: PhantomData }
    }
}

impl<K> Id<K> {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn into_string(self) -> String {
        self.text
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let body = text.strip_prefix(K::PREFIX).ok_or(NotAnId { prefix: K::PREFIX })?;
        let well_formed = body.len() == BODY_LENGTH && body.bytes().all(|byte| ALPHABET.contains(&byte));
        if !well_formed {
            return Err(NotAnId { prefix: K::PREFIX });
        }
        Ok(Self { text: text.to_owned(), kind: PhantomData })
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), kind: PhantomData }
    }
}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_back() {
        let id = InvoiceId::ordered(Timestamp::from_millis(1_700_000_000_000), [7; 10]);
        assert_eq!(id.as_str().parse::<InvoiceId>(), Ok(id.clone()));
        assert_eq!(id.as_str().len(), 30);
    }

    #[test]
    fn an_id_that_sorts_by_age_tells_its_age() {
        for millis in [0, 1, 1_795_107_600_123] {
            let moment = Timestamp::from_millis(millis);
            assert_eq!(InvoiceId::ordered(moment, [255; 10]).made_at(), moment);
        }
    }

    #[test]
    fn another_kinds_id_is_refused() {
        let id = InvoiceId::random([9; 16]);
        assert_eq!(id.as_str().parse::<LinkId>(), Err(NotAnId { prefix: "lnk_" }));
    }

    #[test]
    fn ordered_ids_sort_by_age() {
        let older = JobId::ordered(Timestamp::from_millis(1), [255; 10]);
        let newer = JobId::ordered(Timestamp::from_millis(2), [0; 10]);
        assert!(older < newer);
    }

    #[test]
    fn letters_outside_the_alphabet_are_refused() {
        assert!("inv_0000000000000000000000000u".parse::<InvoiceId>().is_err());
        assert!("inv_0000000000000000000000000".parse::<InvoiceId>().is_err());
        assert!("inv_00000000000000000000000000".parse::<InvoiceId>().is_ok());
    }

    #[test]
    fn the_same_seed_derives_the_same_id_and_another_seed_another() {
        assert_eq!(HoldId::derived(b"a"), HoldId::derived(b"a"));
        assert_ne!(HoldId::derived(b"a"), HoldId::derived(b"b"));
    }
}
