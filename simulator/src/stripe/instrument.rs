//! What a customer pays with, read from a form as strictly as Stripe does.

use super::cards::{Behaviour, behaviour_of};
use super::errors::StripeError;
use super::form::Form;

/// How the money would be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instrument {
    pub(crate) kind: Kind,
    pub(crate) last4: String,
    pub(crate) behaviour: Behaviour,
    pub(crate) billing_name: Option<String>,
    pub(crate) billing_email: Option<String>,
    pub(crate) postal_code: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Card { brand: &'static str, exp_month: i64, exp_year: i64 },
    BankAccount,
}

impl Instrument {
    /// Reads `payment_method` or `payment_method_data`; `None` when the form carries neither.
    pub(crate) fn from_form(form: &Form, now_s: i64) -> Result<Option<Self>, StripeError> {
        if let Some(id) = form.text("payment_method") {
            return Self::named(id).map(Some);
        }
        if !form.has("payment_method_data") {
            return Ok(None);
        }
        match form.at(&["payment_method_data", "type"]) {
            Some("card") => Self::card(form, now_s).map(Some),
            Some("us_bank_account") => Self::bank(form).map(Some),
            Some(other) => {
                let message = format!(
                    "Invalid payment_method_data[type]: must be one of card, us_bank_account; got {other}"
                );
                Err(StripeError::invalid("payment_method_data[type]", &message))
            }
            None => Err(StripeError::missing("payment_method_data[type]")),
        }
    }

    /// Stripe's ready-made test payment methods.
    fn named(id: &str) -> Result<Self, StripeError> {
        let number = match id {
            "pm_card_visa" => "4242424242424242",
            "pm_card_mastercard" => "5555555555554444",
            "pm_card_visa_chargeDeclined" => "4000000000000002",
            "pm_card_visa_chargeDeclinedInsufficientFunds" => "4000000000009995",
            "pm_card_threeDSecure2Required" => "4000000000003220",
            "pm_card_authenticationRequired" => "4000002760003184",
            _ => return Err(StripeError::no_such("PaymentMethod", id)),
        };
        Ok(Self::of_card(number, 12, 2040))
    }

    fn of_card(number: &str, exp_month: i64, exp_year: i64) -> Self {
        Self {
            kind: Kind::Card { brand: brand_of(number), exp_month, exp_year },
            last4: last4(number),
            behaviour: behaviour_of(number),
            billing_name: None,
            billing_email: None,
            postal_code: None,
        }
    }

    fn card(form: &Form, now_s: i64) -> Result<Self, StripeError> {
        let field = |name: &'static str| form.at(&["payment_method_data", "card", name]).unwrap_or_default();
        let number: String = field("number").chars().filter(|c| !c.is_whitespace()).collect();
        if !is_card_number(&number) {
            return Err(StripeError::malformed_card(
                "incorrect_number",
                "number",
                "Your card number is incorrect.",
            ));
        }
        let (exp_month, exp_year) = expiry(field("exp_month"), field("exp_year"), now_s)?;
        let cvc = field("cvc");
        if !(3..=4).contains(&cvc.len()) || !cvc.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(StripeError::malformed_card(
                "invalid_cvc",
                "cvc",
                "Your card's security code is invalid.",
            ));
        }
        Ok(Self::of_card(&number, exp_month, exp_year).billed(form))
    }

    fn bank(form: &Form) -> Result<Self, StripeError> {
        let field = |name: &'static str| form.at(&["payment_method_data", "us_bank_account", name]);
        let number = field("account_number").unwrap_or_default();
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(number) || field("routing_number") != Some("110000000") {
            let name = "payment_method_data[us_bank_account][account_number]";
            return Err(StripeError::invalid(
                name,
                "Use one of the test bank accounts with routing number 110000000.",
            ));
        }
        if form.at(&["payment_method_data", "billing_details", "name"]).is_none_or(str::is_empty) {
            return Err(StripeError::missing("payment_method_data[billing_details][name]"));
        }
        let instrument = Self {
            kind: Kind::BankAccount,
            last4: last4(number),
            behaviour: Behaviour::Process,
            billing_name: None,
            billing_email: None,
            postal_code: None,
        };
        Ok(instrument.billed(form))
    }

    fn billed(mut self, form: &Form) -> Self {
        let detail = |path: &[&str]| {
            let full: Vec<&str> =
                ["payment_method_data", "billing_details"].iter().chain(path).copied().collect();
            form.at(&full).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        self.billing_name = detail(&["name"]);
        self.billing_email = detail(&["email"]);
        self.postal_code = detail(&["address", "postal_code"]);
        self
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Card { .. } => "card",
            Kind::BankAccount => "us_bank_account",
        }
    }
}

fn brand_of(number: &str) -> &'static str {
    match number.as_bytes().first() {
        Some(b'5') => "mastercard",
        Some(b'3') => "amex",
        _ => "visa",
    }
}

fn last4(number: &str) -> String {
    number.get(number.len().saturating_sub(4)..).unwrap_or_default().to_owned()
}

fn expiry(month: &str, year: &str, now_s: i64) -> Result<(i64, i64), StripeError> {
    let wrong_month = || {
        StripeError::malformed_card(
            "invalid_expiry_month",
            "exp_month",
            "Your card's expiration month is invalid.",
        )
    };
    let wrong_year = || {
        StripeError::malformed_card(
            "invalid_expiry_year",
            "exp_year",
            "Your card's expiration year is invalid.",
        )
    };
    let month: i64 = month.parse().map_err(|_| wrong_month())?;
    let short: i64 = year.parse().map_err(|_| wrong_year())?;
    if !(1..=12).contains(&month) {
        return Err(wrong_month());
    }
    let year = if short < 100 { short + 2000 } else { short };
    let today = jiff::Timestamp::from_second(now_s).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let today = today.to_zoned(jiff::tz::TimeZone::UTC).date();
    if (year, month) < (i64::from(today.year()), i64::from(today.month())) || year > 2100 {
        return Err(wrong_year());
    }
    Ok((month, year))
}

/// Length and the check digit of ISO/IEC 7812.
fn is_card_number(number: &str) -> bool {
    if !(13..=19).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            let doubled = if place % 2 == 1 { digit * 2 } else { digit };
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::stripe::cards::INSUFFICIENT_FUNDS;

    const NOW_S: i64 = 1_795_000_000;

    fn read(number: &str, month: &str, year: &str, cvc: &str) -> Result<Instrument, String> {
        let body = format!(
            "payment_method_data[type]=card&payment_method_data[card][number]={number}&payment_method_data[card][exp_month]={month}\
             &payment_method_data[card][exp_year]={year}&payment_method_data[card][cvc]={cvc}"
        );
        let form = Form::parse(body.as_bytes()).unwrap();
        let read = Instrument::from_form(&form, NOW_S).map(Option::unwrap);
        read.map_err(|error| error.body()["error"]["code"].as_str().unwrap().to_owned())
    }

    #[test]
    fn each_test_card_behaves_as_stripe_documents() {
        assert_eq!(read("4242424242424242", "12", "34", "123").unwrap().behaviour, Behaviour::Approve);
        assert_eq!(
            read("4000 0000 0000 9995", "12", "34", "123").unwrap().behaviour,
            Behaviour::Decline(INSUFFICIENT_FUNDS)
        );
        assert_eq!(
            read("4000002500003155", "12", "34", "123").unwrap().behaviour,
            Behaviour::Authenticate(None)
        );
    }

    #[test]
    fn card_data_that_cannot_be_is_refused_with_stripes_codes() {
        assert_eq!(read("4242424242424241", "12", "34", "123").unwrap_err(), "incorrect_number");
        assert_eq!(read("42424242", "12", "34", "123").unwrap_err(), "incorrect_number");
        assert_eq!(read("4242424242424242", "13", "34", "123").unwrap_err(), "invalid_expiry_month");
        assert_eq!(read("4242424242424242", "12", "20", "123").unwrap_err(), "invalid_expiry_year");
        assert_eq!(read("4242424242424242", "12", "34", "12").unwrap_err(), "invalid_cvc");
    }

    #[test]
    fn a_bank_account_needs_a_name_and_the_test_routing_number() {
        let body = "payment_method_data[type]=us_bank_account\
            &payment_method_data[us_bank_account][account_number]=000123456789\
            &payment_method_data[us_bank_account][routing_number]=110000000";
        assert!(Instrument::from_form(&Form::parse(body.as_bytes()).unwrap(), NOW_S).is_err());
        let named = format!("{body}&payment_method_data[billing_details][name]=Ada");
        let bank = Instrument::from_form(&Form::parse(named.as_bytes()).unwrap(), NOW_S).unwrap().unwrap();
        assert_eq!((bank.type_name(), bank.last4.as_str()), ("us_bank_account", "6789"));
    }
}
