//! The keys that live outside the database, and everything that is derived from them: pay-link tokens, the secrets
//! that webhooks and dialers share with us, and signed nonces.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::id::LinkId;
use crate::time::Timestamp;

/// The length of a key, in bytes.
pub const KEY_BYTES: usize = 32;

const KEY_ID_MAX: usize = 16;

/// A named key.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name, kept beside what was derived from it.
    pub id: String,
    secret: [u8; KEY_BYTES],
}

/// The keys in use. The first makes new things; the others still check old ones while keys are exchanged.
#[derive(Clone, PartialEq, Eq)]
pub struct Keyring {
    current: Key,
    former: Vec<Key>,
}

/// Text that is no keyring. Never shows a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyring {
    /// No key at all.
    #[error("holds no key; give id:base64 of 32 random bytes, for example k1:$(openssl rand -base64 32)")]
    Empty,
    /// An entry that is not `id:base64`.
    #[error("key number {position} is not of the form id:base64")]
    Malformed {
        /// Which entry, counted from one.
        position: usize,
    },
    /// A name that is empty, long or not plain.
    #[error("key number {position} has a bad id: 1 to 16 lower-case letters, digits, - or _")]
    BadId {
        /// Which entry, counted from one.
        position: usize,
    },
    /// Not 32 bytes.
    #[error("key {id:?} must be the base64 of exactly 32 bytes")]
    Length {
        /// Its name.
        id: String,
    },
    /// Two keys of one name.
    #[error("key {id:?} appears twice")]
    Twice {
        /// The name.
        id: String,
    },
}

/// The secret part of a pay link's address.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token, to be written into a message.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the database keeps of it.
    #[must_use]
    pub fn hash(&self) -> String {
        token_hash(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Keyring {
    /// Reads `k2:base64,k1:base64`, the current key first.
    ///
    /// # Errors
    /// Says which entry is wrong, without showing it.
    pub fn parse(text: &str) -> Result<Self, BadKeyring> {
        if text.trim().is_empty() {
            return Err(BadKeyring::Empty);
        }
        let mut keys: Vec<Key> = Vec::new();
        for (index, entry) in text.split(',').map(str::trim).enumerate() {
            let key = Key::parse(entry, index + 1)?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(BadKeyring::Twice { id: key.id });
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or(BadKeyring::Empty)?;
        Ok(Self { current, former: keys.collect() })
    }

    /// A keyring of one key, for a first start and for tests; the caller brings the randomness.
    #[must_use]
    pub fn single(id: &str, secret: [u8; KEY_BYTES]) -> Self {
        Self { current: Key { id: id.to_owned(), secret }, former: Vec::new() }
    }

    /// The name of the key that new things are made with.
    #[must_use]
    pub fn current_id(&self) -> &str {
        &self.current.id
    }

    /// Whether a key of this name is on the ring.
    #[must_use]
    pub fn holds(&self, key_id: &str) -> bool {
        self.keys().any(|key| key.id == key_id)
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.former)
    }

    /// The token of a link, made with the key its row names: the same every time, so that a retry or a fallback
    /// can say it again. `None` when the key is no longer on the ring.
    #[must_use]
    pub fn link_token(&self, key_id: &str, link: &LinkId) -> Option<Token> {
        let key = self.keys().find(|key| key.id == key_id)?;
        Some(Token(URL_SAFE_NO_PAD.encode(key.mac(link.as_str()))))
    }

    /// A secret shared with one counterpart, in the form Standard Webhooks libraries take. `label` says what it
    /// is for, `subject` whose it is; a higher `generation` is another secret. Neither may contain a colon.
    #[must_use]
    pub fn derived_secret(&self, label: &str, subject: &str, generation: u32) -> String {
        secret_from(&self.current, label, subject, generation)
    }

    /// The same from every key, the current first: what is accepted while keys are exchanged.
    #[must_use]
    pub fn derived_secrets(&self, label: &str, subject: &str, generation: u32) -> Vec<String> {
        self.keys().map(|key| secret_from(key, label, subject, generation)).collect()
    }

    /// A proof that we asked this ourselves, good until `expires_at`: the second step of anything in two steps.
    #[must_use]
    pub fn nonce(&self, label: &str, subject: &str, expires_at: Timestamp) -> String {
        let mac = self.current.mac(&nonce_text(label, subject, expires_at));
        format!("{}.{}", expires_at.millis(), URL_SAFE_NO_PAD.encode(mac))
    }

    /// Whether `nonce` is ours, for this, and still good. Compares in constant time.
    #[must_use]
    pub fn check_nonce(&self, label: &str, subject: &str, nonce: &str, now: Timestamp) -> bool {
        let Some((millis, mac)) = nonce.split_once('.') else {
            return false;
        };
        let (Ok(millis), Ok(mac)) = (millis.parse::<i64>(), URL_SAFE_NO_PAD.decode(mac)) else {
            return false;
        };
        let expires_at = Timestamp::from_millis(millis);
        let text = nonce_text(label, subject, expires_at);
        expires_at > now && self.keys().any(|key| key.signed(&text, &mac))
    }
}

/// What the database keeps of a token: hexadecimal SHA-256.
#[must_use]
pub fn token_hash(token: &str) -> String {
    format!("{:x}", Sha256::digest(token.as_bytes()))
}

/// What the database keeps of the cookie that marks the browser which paid. Not the hash of a token of the same
/// text: one must not stand in for the other.
#[must_use]
pub fn payer_hash(cookie: &str) -> String {
    format!("{:x}", Sha256::new().chain_update(b"payer:").chain_update(cookie.as_bytes()).finalize())
}

fn secret_from(key: &Key, label: &str, subject: &str, generation: u32) -> String {
    format!("whsec_{}", STANDARD.encode(key.mac(&format!("{label}:{subject}:{generation}"))))
}

/// Bars instead of colons: no nonce is ever the text of a derived secret or of a link.
fn nonce_text(label: &str, subject: &str, expires_at: Timestamp) -> String {
    format!("nonce|{label}|{subject}|{}", expires_at.millis())
}

impl Key {
    fn parse(entry: &str, position: usize) -> Result<Self, BadKeyring> {
        let (id, secret) = entry.split_once(':').ok_or(BadKeyring::Malformed { position })?;
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        if id.is_empty() || id.len() > KEY_ID_MAX || !id.bytes().all(plain) {
            return Err(BadKeyring::BadId { position });
        }
        let bytes = STANDARD.decode(secret).ok();
        let secret = bytes.and_then(|bytes| bytes.try_into().ok());
        let secret = secret.ok_or_else(|| BadKeyring::Length { id: id.to_owned() })?;
        Ok(Self { id: id.to_owned(), secret })
    }

    fn hmac(&self, text: &str) -> Hmac<Sha256> {
        // HMAC pads a short key with zeros to the block; doing it here leaves no length that could be wrong.
        let mut block = [0_u8; 64];
        block[..KEY_BYTES].copy_from_slice(&self.secret);
        let mut hmac = <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block.into());
        hmac.update(text.as_bytes());
        hmac
    }

    fn mac(&self, text: &str) -> [u8; 32] {
        self.hmac(text).finalize().into_bytes().into()
    }

    fn signed(&self, text: &str, mac: &[u8]) -> bool {
        self.hmac(text).verify_slice(mac).is_ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, …)", self.id)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
