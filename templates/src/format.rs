//! Amounts, dates and cards as people write them. Digits are moved, never divided.

use domain::money::{Currency, Money};
use domain::time::Day;

use crate::Locale;

/// What a payment was made with, as far as Stripe told us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaidWith {
    Card { brand: String, last4: String },
    Bank { last4: Option<String> },
}

/// An amount for people, `$1,234.50`. Our Spanish is that of the United States, which groups like English.
#[must_use]
pub fn money(_locale: Locale, amount: Money) -> String {
    let sign = if amount.amount_minor < 0 { "-" } else { "" };
    let digits = grouped(amount.amount_minor.unsigned_abs(), amount.currency.exponent());
    match symbol(amount.currency) {
        Some(symbol) => format!("{sign}{symbol}{digits}"),
        None => format!("{sign}{}\u{a0}{digits}", amount.currency.code()),
    }
}

/// A date for people: `Nov 30, 2026`, `30 nov 2026`.
#[must_use]
pub fn date(locale: Locale, day: Day) -> String {
    let date = day.date();
    let month = usize::from(date.month().unsigned_abs()).saturating_sub(1);
    match locale {
        Locale::En => format!("{} {}, {}", MONTHS_EN[month], date.day(), date.year()),
        Locale::Es => format!("{} {} {}", date.day(), MONTHS_ES[month], date.year()),
    }
}

const MONTHS_EN: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTHS_ES: [&str; 12] =
    ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"];

/// Only symbols that name one currency to these readers; the others are written with their code.
fn symbol(currency: Currency) -> Option<&'static str> {
    match currency.code() {
        "USD" => Some("$"),
        "CAD" => Some("CA$"),
        "AUD" => Some("A$"),
        "NZD" => Some("NZ$"),
        "MXN" => Some("MX$"),
        "EUR" => Some("€"),
        "GBP" => Some("£"),
        "JPY" => Some("¥"),
        _ => None,
    }
}

fn grouped(units: u64, exponent: u32) -> String {
    let exponent = usize::try_from(exponent).unwrap_or_default();
    let digits = format!("{units:0>width$}", width = exponent + 1);
    let (whole, fraction) = digits.split_at(digits.len() - exponent);
    let mut text = String::with_capacity(digits.len() * 2);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

impl PaidWith {
    /// `Visa •••• 4242`; in a text message, where a bullet would double its price, `Visa 4242`.
    pub(crate) fn words(&self, bank: &str, dots: &str) -> String {
        let (name, last4) = match self {
            Self::Card { brand, last4 } => (brand_name(brand), Some(last4)),
            Self::Bank { last4 } => (bank.to_owned(), last4.as_ref()),
        };
        match last4 {
            Some(last4) => format!("{name} {dots}{last4}"),
            None => name,
        }
    }
}

/// Stripe's brand ids are lower case and shortened; people know the printed names.
fn brand_name(brand: &str) -> String {
    match brand {
        "amex" => "American Express".to_owned(),
        "diners" => "Diners Club".to_owned(),
        "jcb" => "JCB".to_owned(),
        "unionpay" => "UnionPay".to_owned(),
        "cartes_bancaires" => "Cartes Bancaires".to_owned(),
        "eftpos_au" => "eftpos".to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use proptest::prelude::*;

    fn shown(amount_minor: i64, currency: Currency) -> String {
        money(Locale::En, Money { amount_minor, currency })
    }

    #[test]
    fn amounts_follow_the_exponent_of_their_currency() {
        assert_eq!(shown(123_450, Currency::USD), "$1,234.50");
        assert_eq!(shown(5, Currency::USD), "$0.05");
        assert_eq!(shown(0, Currency::USD), "$0.00");
        assert_eq!(shown(48_000, Currency::JPY), "¥48,000");
        assert_eq!(shown(1_234_560, Currency::KWD), "KWD\u{a0}1,234.560");
        assert_eq!(shown(100_000_000, Currency::EUR), "€1,000,000.00");
        assert_eq!(shown(-2_550, Currency::GBP), "-£25.50");
    }

    #[test]
    fn the_largest_and_the_smallest_amounts_are_written_whole() {
        assert_eq!(shown(i64::MAX, Currency::USD), "$92,233,720,368,547,758.07");
        assert_eq!(shown(i64::MIN, Currency::USD), "-$92,233,720,368,547,758.08");
    }

    #[test]
    fn dates_are_written_as_people_write_them() {
        let day: Day = "2026-11-03".parse().unwrap();
        assert_eq!(date(Locale::En, day), "Nov 3, 2026");
        assert_eq!(date(Locale::Es, day), "3 nov 2026");
    }

    #[test]
    fn cards_carry_their_printed_name() {
        let card = |brand: &str| PaidWith::Card { brand: brand.to_owned(), last4: "4242".to_owned() };
        assert_eq!(card("visa").words("Bank", "•••• "), "Visa •••• 4242");
        assert_eq!(card("amex").words("Bank", ""), "American Express 4242");
        assert_eq!(PaidWith::Bank { last4: None }.words("Bank account", ""), "Bank account");
    }

    proptest! {
        #[test]
        fn no_digit_is_gained_or_lost(amount in 0..=i64::MAX, pick in 0..Currency::ALL.len()) {
            let currency = Currency::ALL[pick];
            let text = shown(amount, currency);
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            prop_assert_eq!(digits.parse::<i64>().unwrap(), amount);
            let fraction = text.rsplit_once('.').map_or(0, |(_, cents)| cents.len());
            prop_assert_eq!(fraction, usize::try_from(currency.exponent()).unwrap());
        }
    }
}
