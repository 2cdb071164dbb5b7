//! The merchant as its customer sees it: name, logo, colour and how to reach it. Never our name.

use serde_json::{Value, json};

use crate::brand;

/// Who the customer is dealing with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Business {
    pub name: String,
    /// On pages a path of our own origin (the policy allows nothing else), in emails an absolute URL.
    pub logo_url: Option<String>,
    /// The merchant's colour, `#rrggbb`; ours is a calm blue.
    pub accent: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub website: Option<String>,
}

impl Business {
    pub(crate) fn view(&self) -> Value {
        let name = one_line(&self.name);
        // A link is made only of what can be one: nothing that dials nobody, never `javascript:`.
        let email =
            self.email.as_deref().filter(|email| email.contains('@') && !email.contains(['/', ' ', '<']));
        let phone = self.phone.as_deref().filter(|phone| phone.len() < 40 && !dialable(phone).is_empty());
        let website = self.website.as_deref().filter(|url| is_web_address(url));
        json!({
            "name": name,
            "initial": initial(&name),
            "logo_url": present(self.logo_url.as_deref()),
            "brand_url": self.accent.as_deref().and_then(brand::brand_url),
            "colour": brand::email_colours(self.accent.as_deref()),
            "email": present(email),
            "phone": present(phone),
            "phone_link": phone.map(dialable),
            "website": present(website),
            "reachable": email.or(phone).or(website).is_some(),
        })
    }
}

/// One line without control characters: a name that carries a line break must not become two header lines.
pub(crate) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn present(text: Option<&str>) -> Option<String> {
    text.map(one_line).filter(|line| !line.is_empty())
}

/// The letter of the monogram: the first letter or digit of the name.
fn initial(name: &str) -> String {
    name.chars()
        .find(|c| c.is_alphanumeric())
        .map(|c| c.to_uppercase().collect())
        .unwrap_or_else(|| "•".to_owned())
}

/// What follows `tel:`; letters and spacing would break the call.
fn dialable(phone: &str) -> String {
    phone.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
}

fn is_web_address(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monogram_is_the_first_letter_or_digit() {
        assert_eq!(initial("élan"), "É");
        assert_eq!(initial("\"Ace\" Plumbing"), "A");
        assert_eq!(initial("24/7 Towing"), "2");
        assert_eq!(initial("***"), "•");
    }

    #[test]
    fn a_name_is_one_line_whatever_it_holds() {
        assert_eq!(one_line(" Ace\r\nBcc: x@example.com\u{0} "), "Ace Bcc: x@example.com");
    }

    #[test]
    fn only_what_can_be_a_link_becomes_one() {
        let text = |text: &str| Some(text.to_owned());
        let business = Business {
            website: text("javascript:alert(1)"),
            phone: text("call us"),
            email: text("<b>@"),
            ..Business::default()
        };
        let view = business.view();
        assert_eq!([&view["website"], &view["phone"], &view["email"]], [&Value::Null; 3]);
        assert_eq!(view["reachable"], false);
    }
}
