//! The languages we speak. Adding one: a folder beside each `en`, a `pages/xx.json`, and the
//! lines the compiler then asks for, here and in the registry.

/// A language with all its texts. The tests refuse one with a text missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Locale {
    En,
    Es,
}

impl Locale {
    pub const ALL: [Self; 2] = [Self::En, Self::Es];

    /// The language of a BCP 47 tag such as `es-US`, in any case; English for what we do not speak.
    #[must_use]
    pub fn from_tag(tag: &str) -> Self {
        let language = tag.split(['-', '_']).next().unwrap_or_default().trim();
        Self::ALL.into_iter().find(|locale| locale.tag().eq_ignore_ascii_case(language)).unwrap_or(Self::En)
    }

    /// The tag that goes into `lang` attributes and to Stripe.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Locale;

    #[test]
    fn a_tag_is_read_by_its_language() {
        for (tag, locale) in [
            ("en", Locale::En),
            ("es", Locale::Es),
            ("es-US", Locale::Es),
            ("ES_mx", Locale::Es),
            ("est", Locale::En),
            ("fr-CA", Locale::En),
            ("", Locale::En),
        ] {
            assert_eq!(Locale::from_tag(tag), locale, "{tag}");
        }
    }
}
