//! What a merchant or a customer typed stays text, wherever it is shown.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use templates::*;

use crate::data;
use crate::pages::config_of;

const EVIL: &str = "Ace </script><script>alert('x')</script> \"&\" <!-- O'Neil {{business}}";

fn evil_business() -> Business {
    Business {
        name: EVIL.to_owned(),
        logo_url: Some("/logo\" onerror=\"alert(1)".to_owned()),
        accent: Some("#123456;}*{display:none".to_owned()),
        email: Some(EVIL.to_owned()),
        phone: Some(EVIL.to_owned()),
        website: Some("javascript:alert(1)".to_owned()),
    }
}

/// Each kind of page and email with markup wherever a merchant can type.
fn evil_pages(templates: &Templates, locale: Locale) -> Vec<String> {
    let business = evil_business();
    let receipt = ReceiptPage {
        business: business.clone(),
        invoice_number: EVIL.to_owned(),
        reference: EVIL.to_owned(),
        paid_with: Some(PaidWith::Card { brand: EVIL.to_owned(), last4: EVIL.to_owned() }),
        ..data::receipt(ReceiptBy::Email)
    };
    let expired = ExpiredPage { business: business.clone(), token: EVIL.to_owned(), renewable: true };
    let dead = DeadPage { business: business.clone(), reason: DeadReason::Superseded };
    let link = LinkEmail { business: business.clone(), ..data::link_email() };
    vec![
        templates.page_payable(locale, &evil_payable()),
        templates.page_receipt(locale, &receipt),
        templates.page_expired(locale, &expired),
        templates.page_dead(locale, &dead),
        templates.email_link(locale, &link).html,
        templates.email_receipt(locale, &ReceiptEmail { business, ..data::receipt_email() }).html,
    ]
}

fn evil_payable() -> PayPage {
    let line = Line { description: EVIL.to_owned(), quantity: Some(EVIL.to_owned()), amount: data::usd(1) };
    PayPage {
        business: evil_business(),
        invoice_number: EVIL.to_owned(),
        details: InvoiceDetails { lines: vec![line], ..InvoiceDetails::default() },
        config: PayConfig { token: EVIL.to_owned(), ..data::config() },
        ..data::payable()
    }
}

#[test]
fn what_a_merchant_typed_is_text_and_never_markup() {
    let templates = Templates::new();
    for locale in Locale::ALL {
        for page in evil_pages(&templates, locale) {
            assert!(!page.contains("<script>") && !page.contains("</script><"), "{page}");
            assert!(
                !page.contains("onerror=\"") && !page.contains("javascript:") && !page.contains("}*{"),
                "{page}"
            );
            assert!(page.contains("Ace &lt;/script&gt;&lt;script&gt;alert("), "{page}");
        }
        let config = config_of(&templates.page_payable(locale, &evil_payable()));
        assert_eq!((config["token"].as_str(), config["business"].as_str()), (Some(EVIL), Some(EVIL)));
    }
}
