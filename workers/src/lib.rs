//! What happens: one file per job, named as the job.
//!
//! This crate must never answer a request, never repeat a send whose outcome is unknown, and never keep a promise in
//! memory: everything a job needs to go on after a crash is committed before it acts.

mod advance_payment;
mod cancel_payment;
mod contacts;
mod context;
mod expire_links;
mod forget_old;
mod metrics;
mod pause_calls;
mod payment_truth;
mod reconcile_payments;
mod record_delivery;
mod resolve_channel;
mod review_sends;
mod send;
mod send_link;
mod send_receipt;

pub use context::Context;
pub use metrics::Metrics;
pub use send::pace::SenderPace;

use advance_payment::AdvancePayment;
use cancel_payment::CancelPayment;
use expire_links::ExpireLinks;
use forget_old::ForgetOld;
use pause_calls::{PauseCalls, ResumeCalls};
use reconcile_payments::ReconcilePayments;
use record_delivery::RecordDelivery;
use resolve_channel::ResolveChannel;
use review_sends::ReviewSends;
use send_link::SendLink;
use send_receipt::SendReceipt;

/// Adds every job there is to a runtime.
#[must_use]
pub fn register(runtime: queue::Runtime, context: Context) -> queue::Runtime {
    runtime
        .with(ResolveChannel { context: context.clone() })
        .with(SendLink { context: context.clone() })
        .with(RecordDelivery { context: context.clone() })
        .with(ReviewSends { context: context.clone() })
        .with(SendReceipt { context: context.clone() })
        .with(AdvancePayment { context: context.clone() })
        .with(CancelPayment { context: context.clone() })
        .with(ReconcilePayments { context: context.clone() })
        .with(PauseCalls { context: context.clone() })
        .with(ResumeCalls { context: context.clone() })
        .with(ForgetOld { context: context.clone() })
        .with(ExpireLinks { context })
}
