//! Money: an integer of minor units and its currency, from the wire to the page. Nothing here divides by a float.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The largest amount accepted, in minor units: 2^53 − 1, so that every JSON reader gets it exactly.
pub const AMOUNT_MAX_MINOR: i64 = 9_007_199_254_740_991;

/// Stripe takes at most eight digits of minor units (docs.stripe.com/api/payment_intents, `amount`).
pub const CHARGE_MAX_MINOR: i64 = 99_999_999;

macro_rules! currencies {
    ($($code:ident $exponent:literal $least:literal,)+) => {
        /// An ISO 4217 currency that Stripe charges in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Currency { $($code),+ }

        impl Currency {
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// The ISO code, upper case.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$code => stringify!($code)),+ }
            }

            /// How many digits of the minor unit follow the decimal point: 2 for USD, 0 for JPY, 3 for KWD.
            /// Source: ISO 4217, and Stripe's list of zero-decimal currencies where the two differ.
            #[must_use]
            pub const fn exponent(self) -> u32 {
                match self { $(Self::$code => $exponent),+ }
            }

            /// The least amount Stripe charges, in minor units (docs.stripe.com/currencies, minimum amounts); one
            /// minor unit where it names none.
            #[must_use]
            pub const fn least_charge_minor(self) -> i64 {
                match self { $(Self::$code => $least),+ }
            }
        }

        impl FromStr for Currency {
            type Err = UnknownCurrency;

            fn from_str(code: &str) -> Result<Self, UnknownCurrency> {
                match code {
                    $(stringify!($code) => Ok(Self::$code),)+
                    _ => Err(UnknownCurrency),
                }
            }
        }
    };
}

currencies! {
    USD 2 50, CAD 2 50, EUR 2 50, GBP 2 30, AUD 2 50, NZD 2 50, CHF 2 50, MXN 2 1000, BRL 2 50, SEK 2 300, NOK 2 300,
    DKK 2 250, PLN 2 200, CZK 2 1500, HUF 2 17500, RON 2 200, BGN 2 100, SGD 2 50, HKD 2 400, INR 2 50, MYR 2 200,
    THB 2 1000, AED 2 200, ZAR 2 1, ILS 2 1, PHP 2 1, IDR 2 1, TWD 2 1, COP 2 1, PEN 2 1, ARS 2 1, CRC 2 1, DOP 2 1,
    GTQ 2 1, HNL 2 1, NIO 2 1, BOB 2 1, UYU 2 1, SAR 2 1, QAR 2 1, EGP 2 1, MAD 2 1, NGN 2 1, KES 2 1, TRY 2 1, UAH 2 1,
    ISK 2 1, JPY 0 50, KRW 0 1, VND 0 1, CLP 0 1, PYG 0 1, BIF 0 1, DJF 0 1, GNF 0 1, KMF 0 1, MGA 0 1, RWF 0 1, UGX 0 1,
    VUV 0 1, XAF 0 1, XOF 0 1, XPF 0 1, BHD 3 1, JOD 3 1, KWD 3 1, OMR 3 1, TND 3 1,
}

impl Currency {
    /// Stripe refuses amounts of three-decimal currencies that are no multiple of ten minor units.
    #[must_use]
    pub const fn step_minor(self) -> i64 {
        if self.exponent() == 3 { 10 } else { 1 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a currency we can charge in; give the ISO 4217 code in capitals, for example USD")]
pub struct UnknownCurrency;

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        code.parse().map_err(serde::de::Error::custom)
    }
}

/// An amount that cannot stand on an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAmount {
    #[error("must be at least 1 minor unit")]
    NotPositive,
    #[error("must not exceed 9007199254740991 minor units")]
    TooLarge,
    #[error("must be a multiple of {step} minor units in this currency")]
    OffStep { step: i64 },
}

/// An amount in minor units with its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    pub amount_minor: i64,
    pub currency: Currency,
}

impl Money {
    /// Checks an amount that somebody owes: positive, at most 2^53 − 1, on the currency's step.
    ///
    /// # Errors
    /// Says which bound was broken.
    pub fn owed(amount_minor: i64, currency: Currency) -> Result<Self, BadAmount> {
        if amount_minor <= 0 {
            return Err(BadAmount::NotPositive);
        }
        if amount_minor > AMOUNT_MAX_MINOR {
            return Err(BadAmount::TooLarge);
        }
        let step = currency.step_minor();
        if amount_minor % step != 0 {
            return Err(BadAmount::OffStep { step });
        }
        Ok(Self { amount_minor, currency })
    }

    /// Whether Stripe takes a charge of this size.
    #[must_use]
    pub const fn chargeable(self) -> bool {
        self.amount_minor >= self.currency.least_charge_minor() && self.amount_minor <= CHARGE_MAX_MINOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_currency_reads_back_from_its_code() {
        for currency in Currency::ALL {
            assert_eq!(currency.code().parse(), Ok(*currency));
            assert!(currency.exponent() <= 3);
            assert!(currency.least_charge_minor() >= 1);
        }
    }

    #[test]
    fn exponents_are_those_of_the_standard() {
        assert_eq!((Currency::USD.exponent(), Currency::JPY.exponent(), Currency::KWD.exponent()), (2, 0, 3));
    }

    #[test]
    fn lower_case_and_unknown_codes_are_refused() {
        assert!("usd".parse::<Currency>().is_err());
        assert!("XXX".parse::<Currency>().is_err());
        assert!("".parse::<Currency>().is_err());
    }

    #[test]
    fn bounds_are_exact() {
        assert_eq!(Money::owed(0, Currency::USD), Err(BadAmount::NotPositive));
        assert_eq!(Money::owed(-1, Currency::USD), Err(BadAmount::NotPositive));
        assert!(Money::owed(AMOUNT_MAX_MINOR, Currency::USD).is_ok());
        assert_eq!(Money::owed(AMOUNT_MAX_MINOR + 1, Currency::USD), Err(BadAmount::TooLarge));
        assert_eq!(Money::owed(1_001, Currency::KWD), Err(BadAmount::OffStep { step: 10 }));
        assert!(Money::owed(1_010, Currency::KWD).is_ok());
    }

    #[test]
    fn stripes_limits_decide_what_can_be_charged() {
        let usd = |amount_minor| Money { amount_minor, currency: Currency::USD };
        assert!(!usd(49).chargeable());
        assert!(usd(50).chargeable());
        assert!(usd(99_999_999).chargeable());
        assert!(!usd(100_000_000).chargeable());
    }

    proptest! {
        #[test]
        fn what_is_owed_is_kept_to_the_unit(amount in 1..=AMOUNT_MAX_MINOR) {
            prop_assert_eq!(Money::owed(amount, Currency::USD).map(|money| money.amount_minor), Ok(amount));
        }
    }
}
