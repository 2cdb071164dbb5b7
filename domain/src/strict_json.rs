//! JSON that says one thing only: valid UTF-8, no key twice, no NUL, not deeper than anybody needs. Two readers of
//! the same bytes must not see two different events.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How many objects and arrays may be inside one another.
pub const DEPTH_MAX: usize = 32;

/// What is wrong, and where: `outcome.promise_to_pay.date`, `line_items.2.quantity`, or `body` for the whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {message}")]
pub struct FieldError {
    /// The path of the field, its steps joined by dots.
    pub field: String,
    /// What is wrong, as the rest of a sentence that begins with the field. Never quotes the value.
    pub message: String,
}

impl FieldError {
    /// A fault of one field.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    /// A fault of the whole.
    #[must_use]
    pub fn body(message: impl Into<String>) -> Self {
        Self::new("body", message)
    }
}

/// Reads JSON strictly.
///
/// # Errors
/// Names the field at fault.
pub fn parse(body: &[u8]) -> Result<Value, FieldError> {
    let text = std::str::from_utf8(body)
        .map_err(|error| FieldError::body(format!("is not UTF-8 at byte {}", error.valid_up_to())))?;
    let mut trail = Trail::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Strict { trail: &mut trail }.deserialize(&mut deserializer);
    match read.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(error) => Err(trail.fault.unwrap_or_else(|| not_json(&error))),
    }
}

fn not_json(error: &serde_json::Error) -> FieldError {
    let what = if error.is_eof() { "ends too early" } else { "is not valid JSON" };
    FieldError::body(format!("{what} at line {} column {}", error.line(), error.column()))
}

/// Where the reader is, and the first fault it found.
#[derive(Default)]
struct Trail {
    steps: Vec<String>,
    fault: Option<FieldError>,
}

impl Trail {
    fn fail<E: Error>(&mut self, message: &str) -> E {
        let field = if self.steps.is_empty() { "body".to_owned() } else { self.steps.join(".") };
        self.fault.get_or_insert_with(|| FieldError::new(field, message));
        E::custom(message)
    }

    fn check_depth<E: Error>(&mut self) -> Result<(), E> {
        if self.steps.len() < DEPTH_MAX {
            return Ok(());
        }
        Err(self.fail("is nested too deeply"))
    }

    fn check_text<E: Error>(&mut self, text: &str) -> Result<(), E> {
        if text.contains('\0') {
            return Err(self.fail("must not contain NUL"));
        }
        Ok(())
    }
}

struct Strict<'a> {
    trail: &'a mut Trail,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        number.map(Value::Number).ok_or_else(|| self.trail.fail("is not a finite number"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.trail.check_text(text)?;
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.trail.check_depth()?;
        let mut list = Vec::new();
        loop {
            self.trail.steps.push(list.len().to_string());
            let item = items.next_element_seed(Strict { trail: &mut *self.trail })?;
            self.trail.steps.pop();
            match item {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.trail.check_depth()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.trail.check_text(&key)?;
            self.trail.steps.push(key.clone());
            if object.contains_key(&key) {
                return Err(self.trail.fail("appears twice"));
            }
            let value = entries.next_value_seed(Strict { trail: &mut *self.trail })?;
            self.trail.steps.pop();
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use proptest::prelude::*;

    fn refused(body: &[u8]) -> (String, String) {
        let error = parse(body).unwrap_err();
        (error.field, error.message)
    }

    #[test]
    fn a_key_that_appears_twice_is_named_with_its_path() {
        assert_eq!(refused(br#"{"a":1,"b":{"c":1,"c":2}}"#), ("b.c".to_owned(), "appears twice".to_owned()));
        assert_eq!(refused(br#"{"a":1,"\u0061":1}"#).0, "a");
        assert_eq!(refused(br#"[{"x":1},{"y":{"z":1,"z":1}}]"#).0, "1.y.z");
    }

    #[test]
    fn nul_is_named_wherever_it_hides() {
        assert_eq!(refused(br#"{"a":["x","\u0000"]}"#).0, "a.1");
        assert_eq!(refused(br#"{"a":{"b\u0000":1}}"#).0, "a");
        assert_eq!(refused(b"{\"a\":\"\0\"}").0, "body");
    }

    #[test]
    fn what_is_no_json_says_where_it_stops() {
        assert_eq!(refused(b"{\"a\":").1, "ends too early at line 1 column 5");
        assert_eq!(refused(b"{\"a\":1} x").0, "body");
        assert_eq!(refused(b"{\"a\":\xff}").1, "is not UTF-8 at byte 5");
        assert_eq!(refused(b"").1, "ends too early at line 1 column 0");
        assert!(parse(b"{\"a\":NaN}").is_err());
        assert!(parse(b"{\"a\":1e999}").is_err());
        assert!(parse(br#"{"a":"\ud800"}"#).is_err());
    }

    #[test]
    fn depth_is_bounded_exactly() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        assert_eq!(refused(nested(DEPTH_MAX + 1).as_bytes()).1, "is nested too deeply");
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(|number| Value::Number(number.into())),
            "[^\0]{0,12}".prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                proptest::collection::btree_map("[^\0]{0,6}", inner, 0..5)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_said_once_is_read_as_any_reader_would(value in values()) {
            prop_assert_eq!(parse(value.to_string().as_bytes()), Ok(value));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }
    }
}
