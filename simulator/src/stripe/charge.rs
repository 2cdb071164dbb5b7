//! A charge as the stand-in keeps it: one try to take the money.

use super::cards::Decline;
use super::instrument::Instrument;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChargeStatus {
    Succeeded,
    Pending,
    Failed,
}

#[derive(Clone, Debug)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) balance_transaction: Option<String>,
    pub(crate) intent: String,
    pub(crate) payment_method: String,
    pub(crate) status: ChargeStatus,
    pub(crate) failure: Option<Decline>,
    pub(crate) instrument: Instrument,
    pub(crate) created_s: i64,
}
