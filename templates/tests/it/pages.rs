//! Every page in every language: it renders, it keeps to the policy, it shows what it should and nothing more.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::money::{Currency, Money};
use serde_json::Value;
use templates::*;

use crate::data;

pub(crate) fn config_of(page: &str) -> Value {
    let (_, after) = page.split_once("id=\"pay-config\">").unwrap();
    let (json, _) = after.split_once("</script>").unwrap();
    serde_json::from_str(json).unwrap()
}

/// What is between the tags, scripts left out.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<').skip(1) {
        let (tag, after) = piece.split_once('>').unwrap();
        if !tag.starts_with("script") {
            text.push(' ');
            text.push_str(after);
        }
    }
    text
}

#[test]
fn every_page_renders_in_every_language() {
    let templates = Templates::new();
    for locale in Locale::ALL {
        for (name, page) in data::pages(&templates, locale) {
            assert!(
                page.starts_with(&format!("<!doctype html>\n<html lang=\"{}\">", locale.tag())),
                "{name}"
            );
            assert_eq!(page.matches("<h1").count(), 1, "{name} has one heading");
            assert_eq!(page.matches("<main").count(), 1, "{name}");
            let text = text_of(&page);
            assert!(!text.contains('{') && !text.contains('}'), "{name} has a blank: {text}");
            assert!(!text.contains("[object]"), "{name}");
        }
    }
}

#[test]
fn every_page_renders_whatever_the_merchant_left_out() {
    let templates = Templates::new();
    for present in 0..32_u8 {
        let given = |bit: u8, value: &str| (present & (1 << bit) != 0).then(|| value.to_owned());
        let business = Business {
            name: "Ace".to_owned(),
            logo_url: given(0, "/logo.png"),
            accent: given(1, "#ff6a00"),
            email: given(2, "ace@example.com"),
            phone: given(3, "+14155550132"),
            website: given(4, "https://ace.example"),
        };
        for locale in Locale::ALL {
            let page =
                templates.page_payable(locale, &PayPage { business: business.clone(), ..data::payable() });
            assert_eq!(page.contains("/assets/brand/ff6a00.css"), present & 2 != 0);
            assert_eq!(page.contains("src=\"/logo.png\""), present & 1 != 0);
            assert_eq!(page.contains("mailto:ace@example.com"), present & 4 != 0);
            assert_eq!(page.contains("tel:+14155550132"), present & 8 != 0);
            let receipt = ReceiptPage { business: business.clone(), ..data::receipt(ReceiptBy::Text) };
            for page in
                [templates.page_already_paid(locale, &business), templates.page_receipt(locale, &receipt)]
            {
                assert_eq!(page.contains("<ul class=\"contact\">"), present & 28 != 0);
            }
        }
    }
}

#[test]
fn the_first_view_has_five_facts_and_a_way_to_object() {
    let templates = Templates::new();
    let page = templates.page_payable(Locale::En, &data::payable());
    let facts: Vec<&str> =
        page.split("data-fact=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(facts, ["business", "amount", "invoice", "due", "form"]);
    assert!(page.contains("<summary>I have a question about this invoice</summary>"));
    let mut unfolded = page.clone();
    while let Some(start) = unfolded.find("<details") {
        let summary = start + unfolded[start..].find("</summary>").unwrap();
        let end = start + unfolded[start..].find("</details>").unwrap();
        unfolded.replace_range(summary..end + "</details>".len(), "");
        unfolded.replace_range(start..start + "<details".len(), "<folded");
    }
    let text = text_of(&unfolded);
    assert!(!text.contains("mixer tap") && !text.contains("$104.50") && !text.contains("Stripe"), "{text}");
}

#[test]
fn the_page_its_style_and_its_script_stay_below_30_kb() {
    let templates = Templates::new();
    for locale in Locale::ALL {
        for page in [data::payable(), PayPage { on_hold: true, ..data::payable() }] {
            let brand = brand_css(page.business.accent.as_deref().unwrap()).unwrap();
            let assets: usize =
                ["pay.css", "pay.js"].map(|name| asset(name).unwrap().body.len()).iter().sum();
            let total = templates.page_payable(locale, &page).len() + assets + brand.len();
            assert!(total < 30_000, "{locale:?}: {total} bytes");
        }
    }
}

#[test]
fn a_preview_shows_the_business_and_nothing_of_the_invoice() {
    let templates = Templates::new();
    let page = templates.page_payable(Locale::En, &data::payable());
    let (head, _) = page.split_once("</head>").unwrap();
    assert!(head.contains("<meta property=\"og:title\" content=\"Alder &amp; Finch Plumbing\">"));
    assert!(head.contains("<meta property=\"og:description\" content=\"Secure payment page\">"));
    assert!(!head.contains("INV-1042") && !head.contains("1,234") && !head.contains("123450"));
    assert!(!head.contains(&data::token()));
}

#[test]
fn pages_for_anybody_show_no_invoice() {
    let templates = Templates::new();
    for (name, page) in data::pages(&templates, Locale::En) {
        let for_the_payer =
            ["payable", "on_hold", "receipt", "processing_bank"].iter().any(|own| name.starts_with(own));
        let shows = page.contains("INV-1042") || page.contains("1,234") || page.contains("4242");
        assert_eq!(shows, for_the_payer, "{name}");
    }
}

#[test]
fn no_page_breaks_the_policy_or_loads_from_elsewhere() {
    let templates = Templates::new();
    for locale in Locale::ALL {
        for (name, page) in data::pages(&templates, locale) {
            assert!(!page.contains(" style=") && !page.contains("<style"), "{name} has inline style");
            assert!(
                !page.contains(" onclick") && !page.contains(" onload") && !page.contains(" onsubmit"),
                "{name}"
            );
            for script in page.split("<script").skip(1) {
                let own = script.starts_with(" src=\"/assets/pay.js?v")
                    || script.starts_with(" type=\"application/json\"");
                assert!(own, "{name} has an inline script");
            }
            for source in page.split(" src=\"").skip(1) {
                assert!(source.starts_with('/'), "{name} loads {source:.60}");
            }
            for link in page.split("<link ").skip(1) {
                let own = link.contains("href=\"/assets/") || link.contains("href=\"data:,\"");
                assert!(own, "{name} links {link:.60}");
            }
        }
    }
}

#[test]
fn the_config_carries_what_the_script_reads() {
    let templates = Templates::new();
    let yen = Money { amount_minor: 48_000, currency: Currency::JPY };
    let page = templates.page_payable(Locale::Es, &PayPage { amount: yen, ..data::payable() });
    let config = config_of(&page);
    assert_eq!(config["amount_minor"], 48_000);
    assert_eq!(config["currency"], "jpy");
    assert_eq!(config["revision"], 3);
    assert_eq!(config["locale"], "es");
    assert_eq!(config["state"], "payable");
    assert_eq!(config["methods"], serde_json::json!(["card", "us_bank_account"]));
    assert_eq!(config["strings"]["pay"], "Pagar ¥48,000");
    let script = asset("pay.js").unwrap().body;
    for word in script.split("text.").skip(1) {
        let key: String = word.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        assert!(config["strings"][&key].is_string(), "the script says `{key}`");
    }
    for key in script.split("config.").skip(1) {
        let key: String = key.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        assert!(!config[&key].is_null() || key == "poll", "the script reads `{key}`");
    }
}

#[test]
fn the_script_clears_the_address_before_it_loads_stripe() {
    let script = asset("pay.js").unwrap().body;
    assert!(script.find("history.replaceState").unwrap() < script.find("config.stripe_js_url").unwrap());
}

#[test]
fn a_long_amount_is_set_smaller() {
    let templates = Templates::new();
    assert!(templates.page_payable(Locale::En, &data::payable_bare()).contains("class=\"owed long\""));
    assert!(templates.page_payable(Locale::En, &data::payable()).contains("class=\"owed\""));
}
