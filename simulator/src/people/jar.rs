//! A small cookie jar for one site, with paths and deletion.

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, SET_COOKIE};

/// The cookies one browser holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jar(BTreeMap<(String, String), String>);

impl Jar {
    /// Takes what a response sets.
    pub(crate) fn take(&mut self, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let mut parts = header.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            let attributes: Vec<(String, &str)> = parts
                .map(|part| part.split_once('=').unwrap_or((part, "")))
                .map(|(key, value)| (key.to_ascii_lowercase(), value))
                .collect();
            let attribute =
                |key: &str| attributes.iter().find(|(name, _)| name == key).map(|(_, value)| *value);
            let path = attribute("path").filter(|path| path.starts_with('/')).unwrap_or("/").to_owned();
            let gone =
                attribute("max-age").and_then(|age| age.parse::<i64>().ok()).is_some_and(|age| age <= 0);
            if gone {
                self.0.remove(&(path, name.to_owned()));
            } else {
                self.0.insert((path, name.to_owned()), value.to_owned());
            }
        }
    }

    /// The `Cookie` header for a path; longest paths first.
    pub(crate) fn header(&self, path: &str) -> Option<String> {
        let fits = |cookie: &str| {
            let under = path.strip_prefix(cookie);
            cookie == "/"
                || under.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || cookie.ends_with('/'))
        };
        let mut found: Vec<_> = self.0.iter().filter(|((cookie, _), _)| fits(cookie)).collect();
        found.sort_by_key(|((path, _), _)| std::cmp::Reverse(path.len()));
        let pairs: Vec<String> = found.iter().map(|((_, name), value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::Jar;
    use reqwest::header::{HeaderMap, SET_COOKIE};

    fn jar(cookies: &[&str]) -> Jar {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(SET_COOKIE, cookie.parse().unwrap());
        }
        let mut jar = Jar::default();
        jar.take(&headers);
        jar
    }

    #[test]
    fn cookies_go_back_only_where_their_path_says() {
        let jar = jar(&["a=1; Path=/p; HttpOnly; SameSite=Lax", "b=2; Path=/"]);
        assert_eq!(jar.header("/p/pay").as_deref(), Some("a=1; b=2"));
        assert_eq!(jar.header("/p").as_deref(), Some("a=1; b=2"));
        assert_eq!(jar.header("/pay").as_deref(), Some("b=2"));
    }

    #[test]
    fn a_cookie_can_be_taken_back() {
        assert_eq!(jar(&["a=1; Path=/p", "a=; Path=/p; Max-Age=0"]).header("/p"), None);
    }
}
