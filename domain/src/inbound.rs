//! What a customer's text back to us means. The carrier keeps its own opt-out list; this is ours.
//!
//! A stop in any reasonable words is a stop (47 CFR 64.1200(a)(10)): the listed words exactly, everything near them
//! as `ProbableStop`, which opts out just the same and is shown to a person.

use crate::words;

words! {
    pub enum Inbound {
        /// One of the words that opt out by themselves.
        Stop = "stop",
        /// A wish to opt out in other words: honoured, and flagged for review.
        ProbableStop = "probable_stop",
        /// Opts in again.
        Start = "start",
        Help = "help",
        Other = "other",
    }
}

impl Inbound {
    #[must_use]
    pub const fn opts_out(self) -> bool {
        matches!(self, Self::Stop | Self::ProbableStop)
    }
}

const STOP_WORDS: &[&str] =
    &["stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"];
const START_WORDS: &[&str] = &["start", "unstop", "yes"];
const HELP_WORDS: &[&str] = &["help", "info", "ayuda"];

/// Whole messages that can hardly mean anything else: Spanish, and slips of the thumb.
const STOP_LIKE_WORDS: &[&str] = &[
    "alto",
    "parar",
    "pare",
    "paren",
    "para",
    "basta",
    "baja",
    "cancelar",
    "detener",
    "salir",
    "stopp",
    "stpo",
    "sotp",
    "stopt",
    "stop1",
    "stopstop",
    "unsuscribe",
    "unsubcribe",
    "remove",
];

/// Runs of words that ask for an end wherever they stand.
const STOP_LIKE_PHRASES: &[&str] = &[
    "stop text",
    "stop texting",
    "stop texts",
    "stop messaging",
    "stop message",
    "stop messages",
    "stop sending",
    "stop contacting",
    "stop calling",
    "stop bothering",
    "stop harassing",
    "stop sms",
    "stop this",
    "stop it",
    "stop now",
    "stop please",
    "stop all",
    "please stop",
    "pls stop",
    "plz stop",
    "texts to stop",
    "messages to stop",
    "you to stop",
    "this to stop",
    "stopall",
    "unsubscribe",
    "optout",
    "opt out",
    "opt me out",
    "quit texting",
    "quit messaging",
    "quit sending",
    "dont text",
    "dont message",
    "dont contact",
    "do not text",
    "do not message",
    "do not contact",
    "never text",
    "no more texts",
    "no more text",
    "no more messages",
    "leave me alone",
    "remove me",
    "remove my number",
    "take me off",
    "revoke consent",
    "revoke my consent",
    "no me escriba",
    "no me escriban",
    "no me escribas",
    "no me envie",
    "no me envien",
    "no me envies",
    "no me mande",
    "no me manden",
    "no me mandes",
    "no me contacten",
    "no me molesten",
    "no mas mensajes",
    "no quiero mensajes",
    "no quiero mas mensajes",
    "dejen de",
    "deje de escribir",
    "deje de mandar",
    "deja de escribir",
    "dejame en paz",
    "darme de baja",
    "dar de baja",
    "quitenme",
    "borrenme",
];

/// Words that turn a "stop" beside them into something else: "I'll stop by", "don't stop".
const HARMLESS_AFTER_STOP: &[&str] = &["by", "in", "at", "over", "payment", "payments"];
const HARMLESS_BEFORE_STOP: &[&str] = &["dont", "not", "never", "cant", "wont", "non", "bus", "cannot"];

/// Past this many words a last "stop" is more likely a noun than a wish.
const SHORT_MESSAGE_WORDS: usize = 4;

/// Reads a text: case, accents, punctuation, emoji and spacing do not matter.
#[must_use]
pub fn classify(text: &str) -> Inbound {
    let plain = plain(text);
    let is = |list: &[&str]| list.contains(&plain.as_str());
    if is(STOP_WORDS) {
        return Inbound::Stop;
    }
    if is(START_WORDS) {
        return Inbound::Start;
    }
    if is(HELP_WORDS) {
        return Inbound::Help;
    }
    if is(STOP_LIKE_WORDS) || holds_phrase(&plain) || ends_with_a_wish_to_stop(&plain) {
        return Inbound::ProbableStop;
    }
    Inbound::Other
}

/// Lower case, without accents and marks, words one space apart.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        let letter = without_accent(letter);
        if letter.is_alphanumeric() {
            plain.push(letter);
        } else if letter.is_whitespace() && !plain.ends_with(' ') {
            plain.push(' ');
        }
    }
    plain.trim().to_owned()
}

const fn without_accent(letter: char) -> char {
    match letter {
        'á' | 'à' => 'a',
        'é' | 'è' => 'e',
        'í' => 'i',
        'ó' => 'o',
        'ú' | 'ü' => 'u',
        other => other,
    }
}

fn holds_phrase(plain: &str) -> bool {
    // Spaces around both, so that only whole words meet.
    let padded = format!(" {plain} ");
    let denied = HARMLESS_BEFORE_STOP.iter().any(|word| padded.contains(&format!(" {word} stop ")));
    STOP_LIKE_PHRASES
        .iter()
        .filter(|phrase| !(denied && phrase.starts_with("stop")))
        .any(|phrase| padded.contains(&format!(" {phrase} ")))
}

fn ends_with_a_wish_to_stop(plain: &str) -> bool {
    let words: Vec<&str> = plain.split(' ').collect();
    match words.as_slice() {
        ["stop", next, ..] => !HARMLESS_AFTER_STOP.contains(next),
        [.., before, "stop"] => words.len() <= SHORT_MESSAGE_WORDS && !HARMLESS_BEFORE_STOP.contains(before),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
