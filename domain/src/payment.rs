//! Payments: what Stripe says about a PaymentIntent, and what it makes of our payable.

crate::words! {
    /// One amount of one revision of an invoice, with at most one PaymentIntent.
    pub enum PayableStatus {
        /// Waits for the customer.
        Open = "open",
        /// The customer confirmed; the result is on its way.
        Processing = "processing",
        /// The money came.
        Succeeded = "succeeded",
        /// Given up; a successor may take its place.
        Canceled = "canceled",
    }
}

crate::words! {
    /// The first of the three axes: what became of the customer's money.
    pub enum PaymentStatus {
        /// Confirmed, result pending.
        Processing = "processing",
        /// The money came.
        Succeeded = "succeeded",
        /// It did not.
        Failed = "failed",
        /// We gave it back.
        Refunded = "refunded",
        /// The bank took it back.
        Returned = "returned",
        /// The cardholder took it back.
        Disputed = "disputed",
    }
}

crate::words! {
    /// The third axis: how far the money is on its way to the merchant's bank.
    pub enum SettlementStatus {
        /// Paid by the customer, in no payout yet.
        Expected = "expected",
        /// In a payout that has not arrived.
        InPayout = "in_payout",
        /// In the merchant's bank.
        PaidOut = "paid_out",
        /// Later than it should be.
        Stalled = "stalled",
    }
}

crate::words! {
    /// A PaymentIntent's status in Stripe's own words (docs.stripe.com/payments/paymentintents/lifecycle).
    pub enum IntentStatus {
        /// Nothing to pay with, or what there was failed.
        RequiresPaymentMethod = "requires_payment_method",
        /// Waits for the page to confirm.
        RequiresConfirmation = "requires_confirmation",
        /// Waits for the customer: 3-D Secure, a bank login, micro-deposits.
        RequiresAction = "requires_action",
        /// Stripe waits for the bank.
        Processing = "processing",
        /// Authorised only. We never ask for that.
        RequiresCapture = "requires_capture",
        /// The money is the merchant's.
        Succeeded = "succeeded",
        /// It can no longer be paid.
        Canceled = "canceled",
        /// A word Stripe has added since.
        Unknown = "unknown",
    }
}

impl IntentStatus {
    /// Reads Stripe's word. One we do not know must not stop the rest of the object from being read.
    #[must_use]
    pub fn read(word: &str) -> Self {
        word.parse().unwrap_or(Self::Unknown)
    }
}

/// What to do with a payable, given its PaymentIntent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// It stands where it should.
    Nothing,
    /// To `processing`: calls stop, the page shows the state and no form.
    StartProcessing,
    /// To `succeeded`: the invoice is paid by this amount.
    Succeed,
    /// From `processing` back to `open`: the bank said no and the same PaymentIntent can be tried again.
    FailBack,
    /// To `canceled`.
    Cancel,
}

/// What a fetched PaymentIntent makes of a payable.
///
/// Nothing goes back from `succeeded`: refunds, returns and chargebacks are the payment's, not the payable's.
/// Money beats our own bookkeeping: a payable we had canceled still succeeds when its PaymentIntent did.
/// From `processing` only the status Stripe uses for a failed payment leads back; a `requires_action` or
/// `requires_confirmation` there is a fetch that was overtaken by the customer.
#[must_use]
pub const fn advance(payable: PayableStatus, intent: IntentStatus) -> Advance {
    use IntentStatus as Intent;
    match payable {
        PayableStatus::Succeeded => Advance::Nothing,
        PayableStatus::Open => match intent {
            Intent::Succeeded => Advance::Succeed,
            Intent::Processing => Advance::StartProcessing,
            Intent::Canceled => Advance::Cancel,
            Intent::RequiresPaymentMethod
            | Intent::RequiresConfirmation
            | Intent::RequiresAction
            | Intent::RequiresCapture
            | Intent::Unknown => Advance::Nothing,
        },
        PayableStatus::Processing => match intent {
            Intent::Succeeded => Advance::Succeed,
            Intent::RequiresPaymentMethod => Advance::FailBack,
            Intent::Canceled => Advance::Cancel,
            Intent::RequiresConfirmation
            | Intent::RequiresAction
            | Intent::Processing
            | Intent::RequiresCapture
            | Intent::Unknown => Advance::Nothing,
        },
        PayableStatus::Canceled => match intent {
            Intent::Succeeded => Advance::Succeed,
            Intent::Processing => Advance::StartProcessing,
            Intent::RequiresPaymentMethod
            | Intent::RequiresConfirmation
            | Intent::RequiresAction
            | Intent::RequiresCapture
            | Intent::Canceled
            | Intent::Unknown => Advance::Nothing,
        },
    }
}

#[cfg(test)]
mod tests;
