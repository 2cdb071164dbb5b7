//! The success fee: a policy per merchant, copied onto every payable, rounded down, never above the amount.

use serde::{Deserialize, Serialize};

/// What the platform takes of a payment. Amounts are minor units of the payment's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeePolicy {
    /// Hundredths of a percent: 1,000 is ten percent.
    pub basis_points: u32,
    pub fixed_minor: i64,
    pub min_minor: i64,
    pub max_minor: Option<i64>,
}

impl Default for FeePolicy {
    fn default() -> Self {
        Self { basis_points: 1_000, fixed_minor: 0, min_minor: 0, max_minor: None }
    }
}

/// A policy that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFeePolicy {
    #[error("basis_points must not exceed 10000")]
    AboveWhole,
    #[error("amounts must not be negative")]
    Negative,
    #[error("max_minor must not be below min_minor")]
    MaxBelowMin,
}

impl FeePolicy {
    /// # Errors
    /// Says which bound the policy breaks.
    pub fn check(self) -> Result<Self, BadFeePolicy> {
        if self.basis_points > 10_000 {
            return Err(BadFeePolicy::AboveWhole);
        }
        if self.fixed_minor < 0 || self.min_minor < 0 || self.max_minor.is_some_and(|max| max < 0) {
            return Err(BadFeePolicy::Negative);
        }
        if self.max_minor.is_some_and(|max| max < self.min_minor) {
            return Err(BadFeePolicy::MaxBelowMin);
        }
        Ok(self)
    }

    /// The fee on `amount_minor`, rounded down, between zero and the amount.
    #[must_use]
    pub fn fee_minor(self, amount_minor: i64) -> i64 {
        let amount = i128::from(amount_minor.max(0));
        let share = amount * i128::from(self.basis_points) / 10_000;
        let raised = (share + i128::from(self.fixed_minor)).max(i128::from(self.min_minor));
        let capped = self.max_minor.map_or(raised, |max| raised.min(i128::from(max)));
        let fee = capped.clamp(0, amount);
        i64::try_from(fee).unwrap_or(amount_minor)
    }

    /// The fee on an instalment when `charged_minor` was charged before and `taken_minor` taken as fee:
    /// rounded on the running total, so that the parts never exceed the fee on the whole.
    #[must_use]
    pub fn instalment_fee_minor(self, charged_minor: i64, taken_minor: i64, amount_minor: i64) -> i64 {
        let on_total = self.fee_minor(charged_minor.saturating_add(amount_minor));
        on_total.saturating_sub(taken_minor).clamp(0, amount_minor.max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policies() -> impl Strategy<Value = FeePolicy> {
        (0..=10_000_u32, 0..10_000_i64, 0..10_000_i64, proptest::option::of(0..50_000_i64)).prop_map(
            |(basis_points, fixed_minor, min_minor, extra)| FeePolicy {
                basis_points,
                fixed_minor,
                min_minor,
                max_minor: extra.map(|extra| min_minor + extra),
            },
        )
    }

    #[test]
    fn ten_percent_of_a_cent_is_nothing() {
        assert_eq!(FeePolicy::default().fee_minor(1), 0);
        assert_eq!(FeePolicy::default().fee_minor(348_000), 34_800);
        assert_eq!(FeePolicy::default().fee_minor(9_999), 999);
    }

    #[test]
    fn the_largest_amount_does_not_overflow() {
        let whole = FeePolicy { basis_points: 10_000, ..FeePolicy::default() };
        assert_eq!(whole.fee_minor(i64::MAX), i64::MAX);
    }

    #[test]
    fn nonsense_policies_are_refused() {
        let base = FeePolicy::default();
        assert_eq!(FeePolicy { basis_points: 10_001, ..base }.check(), Err(BadFeePolicy::AboveWhole));
        assert_eq!(FeePolicy { fixed_minor: -1, ..base }.check(), Err(BadFeePolicy::Negative));
        assert_eq!(
            FeePolicy { min_minor: 5, max_minor: Some(4), ..base }.check(),
            Err(BadFeePolicy::MaxBelowMin)
        );
    }

    proptest! {
        #[test]
        fn a_fee_is_never_negative_nor_above_the_amount(policy in policies(), amount in 0..10_000_000_i64) {
            let fee = policy.fee_minor(amount);
            prop_assert!((0..=amount).contains(&fee));
        }

        #[test]
        fn instalments_never_cost_more_than_the_whole(policy in policies(), parts in proptest::collection::vec(1..100_000_i64, 1..12)) {
            let (mut charged, mut taken) = (0, 0);
            for part in &parts {
                taken += policy.instalment_fee_minor(charged, taken, *part);
                charged += part;
            }
            prop_assert!(taken <= policy.fee_minor(charged));
        }

        #[test]
        fn a_larger_amount_never_has_a_smaller_fee(policy in policies(), amount in 0..1_000_000_i64, more in 0..1_000_i64) {
            prop_assert!(policy.fee_minor(amount) <= policy.fee_minor(amount + more));
        }
    }
}
