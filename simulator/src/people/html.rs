//! As much of HTML as a person's hands need: links, forms, and the pay page's data block.

use std::collections::BTreeMap;

/// A form as it stands on a page, untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HtmlForm {
    /// The `action`, as written; empty for the page itself.
    pub action: String,
    /// `get` or `post`.
    pub method: String,
    /// Names and values, in order.
    pub fields: Vec<(String, String)>,
}

impl HtmlForm {
    /// Fills in a field, adding it if it is not there.
    pub fn fill(&mut self, name: &str, value: &str) {
        match self.fields.iter_mut().find(|(field, _)| field == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
    }
}

/// A start or end tag.
struct Tag {
    name: String,
    attributes: BTreeMap<String, String>,
    /// What follows, up to the next tag.
    text: String,
}

/// Every `http(s)` link in a plain text.
#[must_use]
pub fn links_in(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| letter.is_whitespace() || matches!(letter, '<' | '>' | '"' | '('));
    let links = words.filter(|word| word.starts_with("http://") || word.starts_with("https://"));
    links.map(|word| word.trim_end_matches(['.', ',', ';', ')', '!', '?']).to_owned()).collect()
}

/// Every form on a page.
pub(crate) fn forms_in(html: &str) -> Vec<HtmlForm> {
    let mut forms: Vec<HtmlForm> = Vec::new();
    let mut open = false;
    for tag in tags(html) {
        let attribute = |name: &str| tag.attributes.get(name).cloned().unwrap_or_default();
        match (tag.name.as_str(), open) {
            ("form", _) => {
                let method = attribute("method").to_ascii_lowercase();
                let method = if method == "post" { method } else { "get".into() };
                forms.push(HtmlForm { action: attribute("action"), method, fields: Vec::new() });
                open = true;
            }
            ("/form", _) => open = false,
            ("input" | "textarea" | "button", true) => {
                let value = if tag.name == "textarea" { tag.text.clone() } else { attribute("value") };
                let name = attribute("name");
                let ticked = !matches!(attribute("type").as_str(), "checkbox" | "radio")
                    || tag.attributes.contains_key("checked");
                if let (Some(form), false, true) = (forms.last_mut(), name.is_empty(), ticked) {
                    form.fields.push((name, value));
                }
            }
            _ => {}
        }
    }
    forms
}

/// The text of the `<script id="…">` data block.
pub(crate) fn data_block<'h>(html: &'h str, id: &str) -> Option<&'h str> {
    let (_, after) = html.split_once(&format!("id=\"{id}\""))?;
    let (_, content) = after.split_once('>')?;
    content.split_once("</script>").map(|(content, _)| content.trim())
}

fn tags(html: &str) -> Vec<Tag> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, tail)| tail);
            continue;
        }
        let Some((inside, tail)) = split_tag(after) else {
            break;
        };
        let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        let name = name.trim_end_matches('/').to_ascii_lowercase();
        rest = match name.as_str() {
            // Their content is not markup.
            "script" | "style" => tail.split_once("</").map_or("", |(_, tail)| tail),
            _ => tail,
        };
        let text = unescaped(tail.split('<').next().unwrap_or_default());
        found.push(Tag { name, attributes: attributes_in(attributes), text });
    }
    found
}

/// Splits at the `>` that ends a tag; one inside quotes does not.
fn split_tag(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (place, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '>') => return Some((&text[..place], &text[place + 1..])),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            _ => {}
        }
    }
    None
}

fn attributes_in(text: &str) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|letter: char| letter.is_whitespace() || letter == '=').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let after = after.trim_start();
        let (value, tail) = match after.strip_prefix('=') {
            None => ("", after),
            Some(value) => {
                let value = value.trim_start();
                let quoted = value.chars().next().filter(|letter| matches!(letter, '"' | '\''));
                match quoted {
                    Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
                    None => value.split_once(char::is_whitespace).unwrap_or((value, "")),
                }
            }
        };
        if !name.is_empty() {
            attributes.insert(name.to_ascii_lowercase(), unescaped(value));
        }
        // A stray sign would otherwise be looked at for ever.
        rest = if name.is_empty() { tail.get(1..).unwrap_or_default() } else { tail }.trim_start();
    }
    attributes
}

fn unescaped(text: &str) -> String {
    let named = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&#x3D;", "="),
        ("&amp;", "&"),
    ];
    named.iter().fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
}

#[cfg(test)]
mod tests {
    use super::{data_block, forms_in, links_in};

    #[test]
    fn links_lose_the_punctuation_around_them() {
        let text = "Bakery: pay here (https://pay.example/p/abc_-9). Reply STOP to opt out http://x/y?a=b!";
        assert_eq!(links_in(text), ["https://pay.example/p/abc_-9", "http://x/y?a=b"]);
    }

    #[test]
    fn forms_are_read_with_what_stands_in_them() {
        let html = r#"<!-- <form> --><script>if (1 < 2) {}</script>
            <form method="POST" action="/p/question"><input type=hidden name="token" value="a&amp;b">
            <textarea name="message" title="a > b"></textarea><input type="checkbox" name="x" value="1">
            <input name=y checked type=checkbox value=2><button>Send</button></form><form><input name="q"></form>"#;
        let forms = forms_in(html);
        assert_eq!((forms[0].method.as_str(), forms[0].action.as_str()), ("post", "/p/question"));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(forms[0].fields, [pair("token", "a&b"), pair("message", ""), pair("y", "2")]);
        assert_eq!((forms[1].method.as_str(), forms[1].action.as_str()), ("get", ""));
    }

    #[test]
    fn broken_markup_ends_without_a_panic() {
        for html in ["<", "<form", "<form =", "<form a='", "<input ==x>", "<!--", "<é ü=ö>"] {
            forms_in(html);
        }
    }

    #[test]
    fn the_data_block_is_found_by_its_id() {
        let html = r#"<script type="application/json" id="pay-config"> {"a":1} </script>"#;
        assert_eq!(data_block(html, "pay-config"), Some(r#"{"a":1}"#));
        assert_eq!(data_block(html, "other"), None);
    }
}
