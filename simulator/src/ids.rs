//! Ids that look like each provider's own and repeat with the seed.

use std::sync::{Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HEX: &[u8] = b"0123456789abcdef";

/// A seeded source of ids.
#[derive(Debug)]
pub(crate) struct Ids(Mutex<StdRng>);

impl Ids {
    /// `stream` keeps the providers' sequences apart, so that one more text does not rename a charge.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed ^ stream.rotate_left(32))))
    }

    /// `pi_3QxR…`: a prefix and 24 letters or digits.
    pub(crate) fn prefixed(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.draw(BASE62, 24))
    }

    /// `SM0a1b…`: a prefix and 32 hexadecimal digits.
    pub(crate) fn hexadecimal(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.draw(HEX, 32))
    }

    fn draw(&self, alphabet: &[u8], length: usize) -> String {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (0..length).map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn the_same_seed_gives_the_same_ids_and_another_stream_others() {
        assert_eq!(Ids::new(7, 1).prefixed("pi_"), Ids::new(7, 1).prefixed("pi_"));
        assert_ne!(Ids::new(7, 1).prefixed("pi_"), Ids::new(7, 2).prefixed("pi_"));
        assert_eq!(Ids::new(7, 1).hexadecimal("SM").len(), 34);
    }
}
