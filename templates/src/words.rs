//! The phrases of the pages, one JSON file per language, and the template helper `t` that says them.

use std::collections::BTreeMap;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason, ScopedJson,
};
use serde_json::Value;

/// The phrases of one language. `{name}` in a phrase is filled in.
#[derive(Debug, Clone)]
pub(crate) struct Words(BTreeMap<String, String>);

impl Words {
    pub(crate) fn read(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json).map(Self)
    }

    #[cfg(test)]
    pub(crate) fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// The phrase with its blanks filled; none when there is no such phrase, or a blank nobody filled.
    pub(crate) fn say<'v>(&self, key: &str, blank: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
        let mut rest = self.0.get(key)?.as_str();
        let mut said = String::with_capacity(rest.len() + 32);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after.split_once('}')?;
            said.push_str(before);
            said.push_str(blank(name)?);
            rest = tail;
        }
        said.push_str(rest);
        Some(said)
    }

    /// The phrases of the page's script: those whose key begins with `js.`, without it.
    pub(crate) fn script(&self, blank: impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
        let filled = |key: &str, phrase: &str| {
            let values: BTreeMap<&str, String> =
                ["amount", "business"].into_iter().filter_map(|name| Some((name, blank(name)?))).collect();
            self.say(key, |name| values.get(name).map(String::as_str)).unwrap_or_else(|| phrase.to_owned())
        };
        self.0
            .iter()
            .filter_map(|(key, phrase)| Some((key.strip_prefix("js.")?.to_owned(), filled(key, phrase))))
            .collect()
    }
}

/// `{{t "key" name=value}}`, escaped like any other value.
impl HelperDef for Words {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let key = helper.param(0).and_then(|param| param.value().as_str()).unwrap_or_default();
        let said = self.say(key, |name| helper.hash_get(name).and_then(|value| value.value().as_str()));
        match said {
            Some(said) => Ok(ScopedJson::Derived(Value::String(said))),
            None => {
                Err(RenderErrorReason::Other(format!("no phrase `{key}`, or a blank in it is not filled"))
                    .into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeSet;

    use super::*;
    use crate::{Locale, Templates};

    /// The blanks of a phrase, in any order: languages differ in that.
    fn blanks(phrase: &str) -> BTreeSet<&str> {
        phrase.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0).collect()
    }

    #[test]
    fn every_language_has_the_same_phrases_with_the_same_blanks() {
        let templates = Templates::new();
        let english = templates.words(Locale::En);
        for locale in Locale::ALL {
            let words = templates.words(locale);
            assert_eq!(words.keys(), english.keys(), "{locale:?}");
            for (key, phrase) in &words.0 {
                assert_eq!(blanks(phrase), blanks(&english.0[key]), "{locale:?} {key}");
                assert!(!phrase.trim().is_empty(), "{locale:?} {key}");
            }
        }
    }

    #[test]
    fn every_phrase_is_said_by_a_page_or_by_the_code() {
        let mut sources = crate::registry::PAGES.map(|(_, page)| page).join("");
        sources += include_str!("pages.rs");
        sources += include_str!("sms.rs");
        sources += crate::asset("pay.js").unwrap().body;
        for key in Templates::new().words(Locale::En).keys() {
            let said = match key.strip_prefix("js.") {
                Some(key) => format!("text.{key}"),
                None => format!("\"{key}\""),
            };
            assert!(sources.contains(&said), "nobody says `{key}`");
        }
    }

    #[test]
    fn a_blank_is_filled_once_and_what_fills_it_is_not_read_again() {
        let words = Words::read(r#"{"a":"{x} and {y}","b":"{"}"#).unwrap();
        let fill = |name: &str| match name {
            "x" => Some("{y}"),
            "y" => Some("why"),
            _ => None,
        };
        assert_eq!(words.say("a", fill), Some("{y} and why".to_owned()));
        assert_eq!(words.say("a", |_| None), None);
        assert_eq!(words.say("b", fill), None);
        assert_eq!(words.say("c", fill), None);
    }
}
