//! Form bodies with bracketed names: `metadata[invoice]=…`, `expand[]=…`, `allowed[0]=…`.

use serde_json::{Map, Value};

use super::errors::StripeError;

/// A form as it came, and the tree its brackets spell.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) pairs: Vec<(String, String)>,
    tree: Map<String, Value>,
}

const DEPTH_MAX: usize = 6;

impl Form {
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, StripeError> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(encoded).into_owned().collect();
        let mut tree = Map::new();
        for (name, value) in &pairs {
            let path = path_of(name).ok_or_else(|| StripeError::invalid(name, "Invalid parameter name"))?;
            insert(&mut tree, &path, value).ok_or_else(|| StripeError::invalid(name, "Invalid parameter"))?;
        }
        let tree = tree.into_iter().map(|(name, value)| (name, lists(value))).collect();
        Ok(Self { pairs, tree })
    }

    pub(crate) fn tree(&self) -> Value {
        Value::Object(self.tree.clone())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.tree.contains_key(name)
    }

    /// A plain value; `None` when absent or empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.tree.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A value by its path: `["payment_method_data", "card", "number"]`.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&str> {
        let (first, rest) = path.split_first()?;
        let mut here = self.tree.get(*first)?;
        for step in rest {
            here = here.get(*step)?;
        }
        here.as_str()
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, StripeError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let parsed = text.parse().map(Some);
        parsed.map_err(|_| {
            StripeError::invalid(name, &format!("Invalid integer: {text}")).coded("parameter_invalid_integer")
        })
    }

    /// `name[]=a&name[]=b`.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<String>>, StripeError> {
        let Some(value) = self.tree.get(name) else {
            return Ok(None);
        };
        let Some(items) = value.as_array() else {
            return Err(StripeError::invalid(name, "Invalid array"));
        };
        Ok(Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect()))
    }

    /// `name[key]=value`.
    pub(crate) fn map(&self, name: &str) -> Result<Map<String, Value>, StripeError> {
        match self.tree.get(name) {
            None => Ok(Map::new()),
            Some(value) => match value.as_object() {
                Some(object) => Ok(object.clone()),
                None => Err(StripeError::invalid(name, "Invalid object")),
            },
        }
    }

    /// Names that are not in `known`.
    pub(crate) fn first_unknown<'a>(&'a self, known: &[&str]) -> Option<&'a str> {
        self.tree.keys().map(String::as_str).find(|name| !known.contains(name))
    }
}

fn path_of(name: &str) -> Option<Vec<&str>> {
    let Some((head, rest)) = name.split_once('[') else {
        return Some(vec![name]);
    };
    let inner = rest.strip_suffix(']')?;
    let mut path = vec![head];
    path.extend(inner.split("]["));
    let sound =
        !head.is_empty() && path.len() <= DEPTH_MAX && path[1..].iter().all(|p| !p.contains(['[', ']']));
    sound.then_some(path)
}

fn insert(into: &mut Map<String, Value>, path: &[&str], value: &str) -> Option<()> {
    let (first, rest) = path.split_first()?;
    let key = if first.is_empty() { into.len().to_string() } else { (*first).to_owned() };
    if rest.is_empty() {
        into.insert(key, Value::String(value.to_owned()));
        return Some(());
    }
    let child = into.entry(key).or_insert_with(|| Value::Object(Map::new()));
    insert(child.as_object_mut()?, rest, value)
}

/// Objects whose keys count 0, 1, 2 … are lists. Metadata never is one, and has no such keys in practice.
fn lists(value: Value) -> Value {
    let Value::Object(object) = value else {
        return value;
    };
    let counted = (0..object.len()).all(|index| object.contains_key(&index.to_string()));
    if !counted || object.is_empty() {
        return Value::Object(object.into_iter().map(|(key, child)| (key, lists(child))).collect());
    }
    let mut object = object;
    let items = (0..object.len()).collect::<Vec<_>>();
    Value::Array(items.iter().filter_map(|index| object.remove(&index.to_string())).map(lists).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::Form;

    #[test]
    fn brackets_spell_a_tree() {
        let form = Form::parse(b"amount=500&metadata[a]=1&metadata[b]=&o[x][y][]=p&o[x][y][]=q").unwrap();
        assert_eq!(form.integer("amount").unwrap(), Some(500));
        assert_eq!(form.at(&["metadata", "a"]), Some("1"));
        assert_eq!(form.tree()["o"]["x"]["y"], serde_json::json!(["p", "q"]));
    }

    #[test]
    fn empty_and_counted_brackets_both_make_lists() {
        let form = Form::parse(b"expand[]=a&expand[]=b&types[0]=c&types[1]=d").unwrap();
        assert_eq!(form.list("expand").unwrap().unwrap(), ["a", "b"]);
        assert_eq!(form.list("types").unwrap().unwrap(), ["c", "d"]);
    }

    #[test]
    fn broken_names_and_types_are_refused() {
        assert!(Form::parse(b"a[b=1").is_err());
        assert!(Form::parse(b"a=1&a[b]=2").is_err());
        assert!(Form::parse(b"a[b][c][d][e][f][g]=2").is_err());
        let form = Form::parse(b"amount=ten&expand=x").unwrap();
        assert!(form.integer("amount").is_err());
        assert!(form.list("expand").is_err());
    }
}
