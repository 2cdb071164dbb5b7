//! The phrases of the pages, one JSON file per language, and the template helper `t` that says them.

use std::collections::BTreeMap;

use handlebars::{Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason, ScopedJson};
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
            None => Err(RenderErrorReason::Other(format!("no phrase `{key}`, or a blank in it is not filled")).into()),
        }
    }
}
