//! The single entries that an advance is made of. Each is guarded by the state it moves from.

use domain::id::{LinkId, PaymentId};
use domain::invoice::InvoiceStatus;
use domain::job::{JobKind, NewJob, Outbox};
use domain::payment::{PayableStatus, PaymentStatus};
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};
use serde_json::json;

use super::{IntentFacts, Model};
use crate::stored::Stored;
use crate::timeline::{self, NewEntry};
use crate::{enrolment, invoice, payment, sql};

/// Why enrolments stand still while a bank takes its days.
const PAUSED_FOR_PAYMENT: &str = "payment_processing";

/// A payable and its invoice, both locked, and the PaymentIntent they are brought up to.
pub(super) struct Books<'a, C> {
    pub(super) tx: &'a C,
    pub(super) payable: &'a Model,
    pub(super) invoice: &'a invoice::Model,
    pub(super) intent: &'a IntentFacts,
    pub(super) now: Timestamp,
}

#[derive(FromQueryResult)]
struct Named {
    id: String,
}

impl<C: ConnectionTrait> Books<'_, C> {
    pub(super) fn is_of_another_intent(&self) -> bool {
        self.payable.payment_intent_id.as_ref().is_some_and(|bound| *bound != self.intent.intent_id)
    }

    /// Moves the payable from the status it was read in. `false` when it cannot: a second live one would stand beside it.
    pub(super) async fn move_payable(&self, to: PayableStatus) -> Result<bool, DbErr> {
        let (ends, lives) = match to {
            PayableStatus::Open | PayableStatus::Processing => (None, true),
            PayableStatus::Succeeded | PayableStatus::Canceled => (Some(self.now.millis()), false),
        };
        let text = "UPDATE payables SET status = $3, ended_at_ms = $4 WHERE id = $1 AND status = $2 \
             AND (NOT $5 OR NOT EXISTS (SELECT 1 FROM payables AS other WHERE other.invoice_id = $6 AND other.id <> $1 \
             AND other.status IN ('open', 'processing')))";
        let values: [Value; 6] = [
            self.payable.id.as_str().into(),
            self.payable.status.word().into(),
            to.word().into(),
            ends.into(),
            lives.into(),
            self.payable.invoice_id.as_str().into(),
        ];
        Ok(sql::run(self.tx, text, values).await? > 0)
    }

    pub(super) async fn record_payment(&self, status: PaymentStatus) -> Result<Option<PaymentId>, DbErr> {
        let succeeded = status == PaymentStatus::Succeeded;
        let report = payment::Report {
            payable: self.payable,
            intent_id: &self.intent.intent_id,
            charge_id: self.intent.charge_id.as_deref(),
            amount_minor: if succeeded { self.intent.received_minor } else { self.intent.amount_minor },
            method: self.intent.method.as_deref().unwrap_or("unknown"),
            brand: self.intent.brand.as_deref(),
            last4: self.intent.last4.as_deref(),
            status,
            succeeded_at: succeeded.then_some(self.now),
        };
        payment::record(self.tx, &report, self.now).await
    }

    pub(super) async fn write_invoice(&self, status: InvoiceStatus, paid_minor: i64) -> Result<(), DbErr> {
        let text = "UPDATE invoices SET status = $2, paid_minor = $3, updated_at_ms = $4 WHERE id = $1";
        let values: [Value; 4] = [
            self.invoice.id.as_str().into(),
            status.word().into(),
            paid_minor.into(),
            self.now.millis().into(),
        ];
        sql::run(self.tx, text, values).await.map(drop)
    }

    pub(super) async fn tell(
        &self,
        kind: TimelineKind,
        mut detail: serde_json::Value,
        outbox: &mut Outbox,
    ) -> Result<(), DbErr> {
        detail["payable_id"] = json!(self.payable.id.0);
        let entry = NewEntry::new(&self.payable.merchant_id, &self.payable.invoice_id, kind, "stripe");
        timeline::append(self.tx, vec![entry.with(detail)], self.now, outbox).await
    }

    /// The link through which it was paid: the living one, else the one that expired last. A payment confirmed before
    /// the expiry was written down wins over it.
    pub(super) async fn use_link(&self, outbox: &mut Outbox) -> Result<(), DbErr> {
        let text = "UPDATE links SET status = 'used', ended_at_ms = $2 WHERE id = (SELECT id FROM links \
             WHERE invoice_id = $1 AND status IN ('queued', 'sent', 'expired') \
             ORDER BY CASE status WHEN 'expired' THEN 1 ELSE 0 END, created_at_ms DESC, id LIMIT 1) \
             AND status IN ('queued', 'sent', 'expired') RETURNING id";
        let values: [Value; 2] = [self.invoice.id.as_str().into(), self.now.millis().into()];
        let used: Option<Used> = sql::one(self.tx, text, values).await?;
        match used {
            Some(link) => self.tell(TimelineKind::LinkUsed, json!({"link_id": link.id.0}), outbox).await,
            None => Ok(()),
        }
    }

    pub(super) async fn pause_calls(&self, outbox: &mut Outbox) -> Result<(), DbErr> {
        let (merchant_id, invoice_id) = (&self.payable.merchant_id, &self.payable.invoice_id);
        let paused = enrolment::pause_of_invoice(
            self.tx,
            merchant_id,
            invoice_id,
            PAUSED_FOR_PAYMENT,
            self.now,
            outbox,
        );
        paused.await.map(drop)
    }

    pub(super) async fn end_calls(&self, outbox: &mut Outbox) -> Result<(), DbErr> {
        let (merchant_id, invoice_id) = (&self.payable.merchant_id, &self.payable.invoice_id);
        let reason = InvoiceStatus::Paid.word();
        let ended = enrolment::end_of_invoice(self.tx, merchant_id, invoice_id, reason, self.now, outbox);
        ended.await.map(drop)
    }

    /// Calls that stand still for this payment and for nothing else go on. An invoice has one enrolment that has not
    /// ended, so its reason is the reason.
    pub(super) async fn resume_calls(
        &self,
        becomes: InvoiceStatus,
        outbox: &mut Outbox,
    ) -> Result<(), DbErr> {
        let holds = u64::from(self.invoice.on_hold);
        if !domain::hold::calls_resume(holds, becomes) {
            return Ok(());
        }
        let text =
            "SELECT id FROM enrolments WHERE invoice_id = $1 AND status = 'paused' AND pause_reason = $2";
        let values: [Value; 2] = [self.invoice.id.as_str().into(), PAUSED_FOR_PAYMENT.into()];
        let waiting: Option<Named> = sql::one(self.tx, text, values).await?;
        if waiting.is_none() {
            return Ok(());
        }
        let (merchant_id, invoice_id) = (&self.payable.merchant_id, &self.payable.invoice_id);
        enrolment::resume_of_invoice(self.tx, merchant_id, invoice_id, self.now, outbox).await.map(drop)
    }

    /// A payable we had given up was paid after all: its successor must not be paid as well.
    pub(super) async fn cancel_other_payables(&self, outbox: &mut Outbox) -> Result<(), DbErr> {
        let text =
            "SELECT id FROM payables WHERE invoice_id = $1 AND id <> $2 AND status IN ('open', 'processing')";
        let values: [Value; 2] = [self.payable.invoice_id.as_str().into(), self.payable.id.as_str().into()];
        let others: Vec<Named> = sql::all(self.tx, text, values).await?;
        for other in others {
            let key = format!("{}:overtaken", other.id);
            outbox.enqueue(
                NewJob::once(JobKind::CancelPayment, other.id, &self.payable.merchant_id).keyed(key),
            );
        }
        Ok(())
    }
}

#[derive(FromQueryResult)]
struct Used {
    id: Stored<LinkId>,
}
