//! The templates of every language, parsed once. Plain text is not escaped, HTML always is.

use handlebars::{Handlebars, no_escape};
use serde_json::Value;

use crate::Locale;
use crate::words::Words;

/// Everything we can say. Cheap to share, built once at start.
#[derive(Debug)]
pub struct Templates {
    en: Tongue,
    es: Tongue,
}

#[derive(Debug)]
struct Tongue {
    words: Words,
    plain: Handlebars<'static>,
    html: Handlebars<'static>,
}

/// A language's own files; the layouts of the pages are shared and take their words from `words`.
struct Files {
    words: &'static str,
    plain: &'static [(&'static str, &'static str)],
    html: &'static [(&'static str, &'static str)],
}

macro_rules! files_of {
    ($tag:literal) => {
        Files {
            words: include_str!(concat!("../pages/", $tag, ".json")),
            plain: &[
                ("sms_link", include_str!(concat!("../sms/", $tag, "/link.txt"))),
                ("sms_help", include_str!(concat!("../sms/", $tag, "/help.txt"))),
                ("sms_stop", include_str!(concat!("../sms/", $tag, "/stop_confirmation.txt"))),
                ("sms_start", include_str!(concat!("../sms/", $tag, "/start_confirmation.txt"))),
                ("sms_receipt", include_str!(concat!("../sms/", $tag, "/receipt.txt"))),
                ("email_link_subject", include_str!(concat!("../email/", $tag, "/link/subject.txt"))),
                ("email_link_text", include_str!(concat!("../email/", $tag, "/link/body.txt"))),
                ("email_receipt_subject", include_str!(concat!("../email/", $tag, "/receipt/subject.txt"))),
                ("email_receipt_text", include_str!(concat!("../email/", $tag, "/receipt/body.txt"))),
            ],
            html: &[
                ("email_link_html", include_str!(concat!("../email/", $tag, "/link/body.html"))),
                ("email_receipt_html", include_str!(concat!("../email/", $tag, "/receipt/body.html"))),
            ],
        }
    };
}

const EN: Files = files_of!("en");
const ES: Files = files_of!("es");

macro_rules! pages {
    ($($name:literal),+ $(,)?) => { [$(($name, include_str!(concat!("../pages/", $name, ".html")))),+] };
}

/// The pages, and the parts they are made of.
pub(crate) const PAGES: [(&str, &str); 21] = pages![
    "layout",
    "brand",
    "contact",
    "details",
    "question",
    "payable",
    "payment_processing",
    "receipt",
    "already_paid",
    "held",
    "expired",
    "renew_confirm",
    "renewed",
    "dead",
    "unknown",
    "question_received",
    "question_retry",
    "problem",
    "unsubscribe",
    "unsubscribed",
    "docs",
];

/// What every email shares.
const EMAIL_PARTS: [(&str, &str); 2] = [
    ("email_layout", include_str!("../email/layout/layout.html")),
    ("email_contact", include_str!("../email/layout/contact.html")),
];

impl Templates {
    /// Parses everything that was compiled in.
    ///
    /// # Panics
    /// Never in a build whose tests passed: they parse and render every file.
    #[must_use]
    pub fn new() -> Self {
        Self { en: Tongue::of(&EN), es: Tongue::of(&ES) }
    }

    fn tongue(&self, locale: Locale) -> &Tongue {
        match locale {
            Locale::En => &self.en,
            Locale::Es => &self.es,
        }
    }

    pub(crate) fn words(&self, locale: Locale) -> &Words {
        &self.tongue(locale).words
    }

    /// A single phrase, for Rust code that needs one.
    pub(crate) fn word(&self, locale: Locale, key: &str, blanks: &[(&str, &str)]) -> String {
        let blank = |name: &str| blanks.iter().find(|(blank, _)| *blank == name).map(|(_, value)| *value);
        self.words(locale).say(key, blank).expect("the tests say every phrase that Rust code asks for")
    }

    pub(crate) fn plain(&self, locale: Locale, name: &str, view: &Value) -> String {
        let text = self.tongue(locale).plain.render(name, view).expect("the tests render every text");
        text.trim_end().to_owned()
    }

    pub(crate) fn html(&self, locale: Locale, name: &str, view: &Value) -> String {
        self.tongue(locale).html.render(name, view).expect("the tests render every page")
    }
}

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

impl Tongue {
    fn of(files: &Files) -> Self {
        let words = Words::read(files.words).expect("the tests read every phrase book");
        let mut plain = strict();
        plain.register_escape_fn(no_escape);
        let mut html = strict();
        html.register_helper("t", Box::new(words.clone()));
        for (name, text) in files.plain {
            plain.register_template_string(name, text).expect("the tests parse every text");
        }
        for (name, text) in files.html.iter().chain(&EMAIL_PARTS).chain(&PAGES) {
            html.register_template_string(name, text).expect("the tests parse every page");
        }
        Self { words, plain, html }
    }
}

/// Strict: a name that a template spells wrong is an error in the tests, not a hole in a letter.
fn strict() -> Handlebars<'static> {
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    handlebars.set_prevent_indent(true);
    handlebars
}
