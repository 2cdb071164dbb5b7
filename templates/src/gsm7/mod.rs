//! What a text message costs: GSM 03.38 septets, UCS-2 units, segments; and how to say a name within them.
//!
//! One character outside the alphabet, a curly apostrophe say, turns the whole message into UCS-2 and leaves
//! 70 characters where there were 160.

mod fold;

pub use fold::{fold, shorten};

/// How many septets fit into a text that is not split, and into each part of one that is.
pub const SEPTETS_ALONE: usize = 160;
const SEPTETS_PER_PART: usize = 153;
const UNITS_ALONE: usize = 70;
const UNITS_PER_PART: usize = 67;

/// The basic table of GSM 03.38, without its escape character.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
    ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// The extension table: an escape and a septet each.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// The septets of one character; none when the alphabet lacks it.
#[must_use]
pub fn septets_of(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        return Some(1);
    }
    EXTENSION.contains(c).then_some(2)
}

/// The septets of a text; none when one of its characters is outside the alphabet.
#[must_use]
pub fn septets(text: &str) -> Option<usize> {
    text.chars().map(septets_of).sum()
}

/// How many parts the carrier sends, and bills.
#[must_use]
pub fn segments(text: &str) -> usize {
    let Some(costs) = text.chars().map(septets_of).collect::<Option<Vec<usize>>>() else {
        let units = text.chars().map(char::len_utf16).collect::<Vec<_>>();
        return parts(&units, UNITS_ALONE, UNITS_PER_PART);
    };
    parts(&costs, SEPTETS_ALONE, SEPTETS_PER_PART)
}

/// A character is never split over two parts: neither an escape from its septet nor a surrogate from its pair.
fn parts(costs: &[usize], alone: usize, per_part: usize) -> usize {
    let total: usize = costs.iter().sum();
    if total <= alone {
        return 1;
    }
    let mut parts = 1;
    let mut used = 0;
    for cost in costs {
        if used + cost > per_part {
            parts += 1;
            used = 0;
        }
        used += cost;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(parts: &[(&str, usize)]) -> String {
        parts.iter().map(|(unit, times)| unit.repeat(*times)).collect()
    }

    /// Checked once against the carrier vendor's own calculator (npm `sms-segments-calculator` 1.3.0).
    #[test]
    fn segments_agree_with_the_carriers_calculator() {
        for (parts, expected) in [
            (&[("a", 0)][..], 1),
            (&[("a", 160)], 1),
            (&[("a", 161)], 2),
            (&[("a", 306)], 2),
            (&[("a", 307)], 3),
            (&[("a", 158), ("€", 1)], 1),
            (&[("a", 159), ("€", 1)], 2),
            (&[("a", 152), ("€", 1), ("a", 152)], 3),
            (&[("’", 70)], 1),
            (&[("’", 71)], 2),
            (&[("’", 134)], 2),
            (&[("’", 135)], 3),
            (&[("a", 69), ("’", 1)], 1),
            (&[("a", 70), ("—", 1)], 2),
            (&[("a", 70), ("`", 1)], 2),
            (&[("a", 70), ("\u{a0}", 1)], 2),
            (&[("a", 66), ("😀", 1), ("a", 66)], 3),
            (&[("Señor Ñ é è ù ", 11)], 1),
        ] {
            assert_eq!(segments(&text(parts)), expected, "{parts:?}");
        }
    }

    #[test]
    fn the_alphabet_has_its_127_and_10_characters() {
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
        assert_eq!(septets("Señor Ñ é è ù"), Some(13));
        assert_eq!(septets("[€]"), Some(6));
        assert_eq!(septets("á"), None);
    }
}
