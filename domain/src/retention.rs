//! How long things are kept that nobody needs any more.

use crate::time::DAY_MS;

/// Ages in milliseconds of business time. What has no age here is kept for ever: invoices, payments, disputes, their
/// timeline, opt-outs and consents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ages {
    /// Jobs that are done.
    pub jobs_ms: i64,
    /// Bodies of call events; the events themselves stay.
    pub bodies_ms: i64,
    /// Stripe's events, inbound texts, answers under an `Idempotency-Key`.
    pub webhooks_ms: i64,
    /// Call events, messages with attempts and deliveries, ended links with their opens, closed items of the attention list.
    pub events_ms: i64,
}

impl Default for Ages {
    fn default() -> Self {
        Self {
            jobs_ms: 7 * DAY_MS,
            bodies_ms: 30 * DAY_MS,
            webhooks_ms: 30 * DAY_MS,
            events_ms: 396 * DAY_MS,
        }
    }
}
