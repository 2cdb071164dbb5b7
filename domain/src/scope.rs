//! What an API key may do.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::word::UnknownWord;

crate::words! {
    /// One permission of an API key.
    pub enum Scope {
        /// Post call events.
        EventsWrite = "events:write",
        /// List call events.
        EventsRead = "events:read",
        /// Read invoices, their links and timelines.
        InvoicesRead = "invoices:read",
        /// Create, change, import, cancel invoices and mark them paid elsewhere.
        InvoicesWrite = "invoices:write",
        /// Read customers.
        CustomersRead = "customers:read",
        /// Create and change customers.
        CustomersWrite = "customers:write",
        /// Read campaigns and enrolments.
        CampaignsRead = "campaigns:read",
        /// Create and change campaigns and enrolments.
        CampaignsWrite = "campaigns:write",
        /// Send a pay link by hand.
        LinksWrite = "links:write",
        /// Open and end holds.
        HoldsWrite = "holds:write",
        /// Ask whether a call may be placed.
        CallsAsk = "calls:ask",
        /// Read the job ledger.
        JobsRead = "jobs:read",
        /// Redrive dead jobs.
        JobsWrite = "jobs:write",
    }
}

/// The permissions of one key. Its text is the words, sorted and separated by one space.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Everything a key can be allowed.
    #[must_use]
    pub fn all() -> Self {
        Self(Scope::ALL.iter().copied().collect())
    }

    /// Whether the key may do this.
    #[must_use]
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether the key may do nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The permissions in their fixed order.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl FromStr for Scopes {
    type Err = UnknownWord;

    /// Reads words separated by spaces or commas. One unknown word refuses the whole set: a key with less than
    /// was asked for would fail later and further from the cause.
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::parse).collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.word())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_set_survives_text_and_back() {
        let all = Scopes::all();
        assert_eq!(all.to_string().parse(), Ok(all.clone()));
        assert_eq!(all.iter().count(), 13);
    }

    #[test]
    fn spaces_commas_and_repeats_are_taken_as_one_set() {
        let scopes: Scopes = "calls:ask, events:write events:write".parse().unwrap();
        assert_eq!(scopes.to_string(), "events:write calls:ask");
        assert!(scopes.allow(Scope::CallsAsk));
        assert!(!scopes.allow(Scope::EventsRead));
    }

    #[test]
    fn one_unknown_word_refuses_the_set() {
        let error = "events:write,events:*".parse::<Scopes>().unwrap_err();
        assert_eq!(error.word, "events:*");
    }

    #[test]
    fn nothing_is_a_set_that_allows_nothing() {
        let none: Scopes = " ".parse().unwrap();
        assert!(none.is_empty());
        assert!(Scope::ALL.iter().all(|scope| !none.allow(*scope)));
    }
}
