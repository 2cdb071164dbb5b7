//! A number as people write it, reduced to what is dialled.

use super::BadPhone;

/// The longest text that is looked at. A number as people write it has at most 15 digits.
const TEXT_MAX: usize = 40;

/// The digits to dial, with a `+` where it had one; everything that people put between them removed.
pub(super) fn dialled(text: &str) -> Result<String, BadPhone> {
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
        return Err(if names_an_extension(text) { BadPhone::Extension } else { BadPhone::Letters });
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
    if dialled.trim_start_matches('+').is_empty() {
        return Err(BadPhone::Character);
    }
    Ok(dialled)
}

/// Digits and then a word for "extension": "… ext 3", "… x3", "… anexo 3".
fn names_an_extension(text: &str) -> bool {
    let Some(start) = text.find(char::is_alphabetic) else {
        return false;
    };
    let (number, rest) = text.split_at(start);
    let word: String = rest.chars().take_while(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    let after = rest.chars().skip_while(|c| c.is_alphabetic());
    let numbered = after.clone().any(|c| digit(c).is_some()) && !after.clone().any(char::is_alphabetic);
    let enough = number.chars().filter(|c| digit(*c).is_some()).count() >= super::WHOLE_DIGITS;
    enough && numbered && matches!(word.as_str(), "x" | "ext" | "extn" | "extension" | "anexo" | "int")
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
