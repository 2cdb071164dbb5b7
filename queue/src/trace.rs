//! Traces: one for each invoice, from its making over event, text and payment to the receipt. Its id follows from the
//! invoice's, so that no row has to carry it and every process knows it; its root is the moment the invoice was made.
//!
//! Off unless a process installs a processor, and then it costs one look at a flag. Spans carry ids and fixed words only:
//! no number, address, name, amount or token.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use domain::id::{InvoiceId, MerchantId};
use domain::job::Change;
use domain::timeline::TimelineKind;
use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanProcessor};
use sha2::{Digest, Sha256};

use crate::Clock;

/// The span of whoever asked us.
pub type Caller = SpanContext;

static PROCESSOR: OnceLock<Box<dyn SpanProcessor>> = OnceLock::new();

/// Switches traces on for this process, for good. Says whether it was the first to do so.
pub fn install(processor: Box<dyn SpanProcessor>) -> bool {
    PROCESSOR.set(processor).is_ok()
}

#[must_use]
pub fn is_on() -> bool {
    PROCESSOR.get().is_some()
}

/// Hands over what was not sent yet, for as long as `patience`.
pub fn end(patience: Duration) {
    if let Some(processor) = PROCESSOR.get()
        && let Err(error) = processor.shutdown_with_timeout(patience)
    {
        tracing::warn!(%error, "the last traces were not delivered");
    }
}

/// The sender's own span, out of its `traceparent`, to be linked to ours. Nothing while traces are off.
#[must_use]
pub fn caller(traceparent: Option<&str>) -> Option<Caller> {
    if !is_on() {
        return None;
    }
    // W3C Trace Context, 3.2: version-trace-parent-flags.
    let mut parts = traceparent?.split('-').skip(1);
    let trace_id = TraceId::from_hex(parts.next()?).ok()?;
    let span_id = SpanId::from_hex(parts.next()?).ok()?;
    let context = SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, true, TraceState::NONE);
    context.is_valid().then_some(context)
}

/// An exchange about an invoice: whose it is, what it is called, how long ago it began, and how it ended, in one word.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    pub name: &'static str,
    pub merchant_id: &'a MerchantId,
    pub invoice_id: &'a InvoiceId,
    pub began: Instant,
    pub outcome: &'static str,
}

/// We asked somebody, until now.
pub fn asked(exchange: Exchange<'_>) {
    took_place(exchange, SpanKind::Client, None);
}

/// Somebody asked us, until now.
pub fn was_asked(exchange: Exchange<'_>, caller: Option<Caller>) {
    took_place(exchange, SpanKind::Server, caller);
}

fn took_place(exchange: Exchange<'_>, kind: SpanKind, caller: Option<Caller>) {
    let Some(processor) = PROCESSOR.get() else { return };
    let root = Root::of(exchange.invoice_id);
    let span_id = SpanId::from_bytes(rand::random());
    let mut span = root.span(exchange.name, span_id, exchange.merchant_id, exchange.invoice_id);
    span.start_time -= exchange.began.elapsed();
    span.span_kind = kind;
    span.attributes.push(KeyValue::new("postcall.outcome", exchange.outcome));
    span.links.links.extend(caller.map(|context| Link::new(context, Vec::new(), 0)));
    processor.on_end(span);
}

/// What was committed about invoices: each entry of a timeline is a span without length.
pub(crate) fn tell(changes: &[Change]) {
    let Some(processor) = PROCESSOR.get() else { return };
    for change in changes {
        let root = Root::of(&change.invoice_id);
        let span_id = SpanId::from_bytes(first(&hash(change.entry_id.as_str())));
        let mut span = root.span(change.kind.word(), span_id, &change.merchant_id, &change.invoice_id);
        if change.kind == TimelineKind::InvoiceCreated {
            span.span_context = root.context(root.span_id);
            span.parent_span_id = SpanId::INVALID;
        }
        span.attributes.push(KeyValue::new("postcall.timeline_entry_id", change.entry_id.to_string()));
        processor.on_end(span);
    }
}

/// Where an invoice's trace begins.
struct Root {
    trace_id: TraceId,
    span_id: SpanId,
}

impl Root {
    fn of(invoice_id: &InvoiceId) -> Self {
        let hash = hash(invoice_id.as_str());
        Self { trace_id: TraceId::from_bytes(first(&hash)), span_id: SpanId::from_bytes(first(&hash[16..])) }
    }

    fn context(&self, span_id: SpanId) -> SpanContext {
        SpanContext::new(self.trace_id, span_id, TraceFlags::SAMPLED, false, TraceState::NONE)
    }

    /// A child of the root, now.
    fn span(
        &self,
        name: &'static str,
        span_id: SpanId,
        merchant_id: &MerchantId,
        invoice_id: &InvoiceId,
    ) -> SpanData {
        let now: SystemTime = Clock::machine_time();
        SpanData {
            span_context: self.context(span_id),
            parent_span_id: self.span_id,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: name.into(),
            start_time: now,
            end_time: now,
            attributes: vec![
                KeyValue::new("postcall.merchant_id", merchant_id.to_string()),
                KeyValue::new("postcall.invoice_id", invoice_id.to_string()),
            ],
            dropped_attributes_count: 0,
            events: opentelemetry_sdk::trace::SpanEvents::default(),
            links: opentelemetry_sdk::trace::SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::builder("postcall").build(),
        }
    }
}

fn hash(id: &str) -> [u8; 32] {
    // A word of its own: no hash that the database keeps is ever the same.
    Sha256::new().chain_update(b"trace:").chain_update(id.as_bytes()).finalize().into()
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut taken = [0; N];
    for (slot, byte) in taken.iter_mut().zip(bytes) {
        *slot = *byte;
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_has_one_trace_and_another_invoice_another() {
        let (one, other) = (InvoiceId::random([1; 16]), InvoiceId::random([2; 16]));
        assert_eq!(Root::of(&one).trace_id, Root::of(&one).trace_id);
        assert_ne!(Root::of(&one).trace_id, Root::of(&other).trace_id);
        assert_ne!(Root::of(&one).span_id, Root::of(&other).span_id);
    }

    #[test]
    fn nothing_is_read_from_a_sender_while_traces_are_off() {
        assert!(!is_on());
        assert_eq!(caller(Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")), None);
    }
}
