//! What can be read on an invoice's timeline. Events, past tense; stored words, never renamed.

use crate::words;

words! {
    pub enum TimelineKind {
        InvoiceCreated = "invoice_created",
        InvoiceChanged = "invoice_changed",
        InvoiceCanceled = "invoice_canceled",
        MarkedPaidElsewhere = "marked_paid_elsewhere",
        CallReported = "call_reported",
        CallbackRequested = "callback_requested",
        PromiseMade = "promise_made",
        NumberRetired = "number_retired",
        OptedOut = "opted_out",
        OptedIn = "opted_in",
        LinkIssued = "link_issued",
        LinkSuperseded = "link_superseded",
        LinkRevoked = "link_revoked",
        LinkOpened = "link_opened",
        LinkExpired = "link_expired",
        LinkUsed = "link_used",
        ContactMissing = "contact_missing",
        MessageSent = "message_sent",
        MessageDelivered = "message_delivered",
        MessageFailed = "message_failed",
        MessageSuppressed = "message_suppressed",
        MessageUnknown = "message_unknown",
        PaymentStarted = "payment_started",
        PaymentFailed = "payment_failed",
        PaymentSucceeded = "payment_succeeded",
        HoldOpened = "hold_opened",
        HoldResolved = "hold_resolved",
        CallsPaused = "calls_paused",
        CallsResumed = "calls_resumed",
        DialerAcknowledged = "dialer_acknowledged",
        Enrolled = "enrolled",
        EnrolmentEnded = "enrolment_ended",
    }
}
