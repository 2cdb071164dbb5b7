//! Payment details a customer can have at hand: Stripe's test cards and test bank accounts.

/// What a customer pays with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Card {
    /// A card.
    Card {
        /// 13 to 19 digits.
        number: String,
        /// Three or four digits.
        cvc: String,
    },
    /// A bank account in the United States.
    BankAccount {
        /// Digits.
        account_number: String,
        /// The account's holder.
        name: String,
    },
}

impl Card {
    /// Any card.
    #[must_use]
    pub fn numbered(number: &str) -> Self {
        Self::Card { number: number.into(), cvc: "123".into() }
    }

    /// Pays.
    #[must_use]
    pub fn good() -> Self {
        Self::numbered("4242424242424242")
    }

    /// Is declined.
    #[must_use]
    pub fn declined() -> Self {
        Self::numbered("4000000000000002")
    }

    /// Has no money behind it.
    #[must_use]
    pub fn without_funds() -> Self {
        Self::numbered("4000000000009995")
    }

    /// Its bank asks first.
    #[must_use]
    pub fn checked_by_bank() -> Self {
        Self::numbered("4000000000003220")
    }

    /// A bank debit, which takes days.
    #[must_use]
    pub fn bank_account(name: &str) -> Self {
        Self::BankAccount { account_number: "000123456789".into(), name: name.into() }
    }

    pub(crate) fn params(&self) -> Vec<(String, String)> {
        let pairs = match self {
            Self::Card { number, cvc } => vec![
                ("payment_method_data[type]", "card"),
                ("payment_method_data[card][number]", number),
                ("payment_method_data[card][exp_month]", "12"),
                ("payment_method_data[card][exp_year]", "2040"),
                ("payment_method_data[card][cvc]", cvc),
                ("payment_method_data[billing_details][address][postal_code]", "94107"),
            ],
            Self::BankAccount { account_number, name } => vec![
                ("payment_method_data[type]", "us_bank_account"),
                ("payment_method_data[us_bank_account][account_number]", account_number),
                ("payment_method_data[us_bank_account][routing_number]", "110000000"),
                ("payment_method_data[us_bank_account][account_holder_type]", "individual"),
                ("payment_method_data[billing_details][name]", name),
            ],
        };
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}
