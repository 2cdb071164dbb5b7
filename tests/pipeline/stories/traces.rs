//! What a collector sees of an invoice's way from event to text to payment.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use simulator::people::{Attempt, Card, Customer};

use crate::child::ChildProduct;
use crate::stage::{Stage, Store};

const MAYA: &str = "+14155550101";
const OMAR: &str = "+14155550112";
const CALLER_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Takes OTLP over HTTP, as a collector does.
#[derive(Clone, Default)]
struct Collector {
    requests: Arc<Mutex<Vec<Bytes>>>,
}

impl Collector {
    async fn listen(&self) -> String {
        let kept = Arc::clone(&self.requests);
        let take = move |body: Bytes| async move { kept.lock().unwrap().push(body) };
        let router = axum::Router::new().route("/v1/traces", axum::routing::post(take));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}")
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().unwrap();
        let decoded = requests.iter().map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap());
        let resources = decoded.flat_map(|request| request.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    fn spans_about(&self, invoice_id: &str) -> Vec<Span> {
        let is_about = |span: &Span| {
            span.attributes.iter().any(|attribute| format!("{attribute:?}").contains(invoice_id))
        };
        self.spans().into_iter().filter(is_about).collect()
    }

    fn has_seen(&self, text: &str) -> bool {
        let requests = self.requests.lock().unwrap();
        requests.iter().any(|body| body.windows(text.len()).any(|window| window == text.as_bytes()))
    }
}

pub(crate) async fn event_text_and_payment_are_one_trace() {
    let collector = Collector::default();
    let endpoint = collector.listen().await;
    let mut stage = Stage::set_without_product(Store::sqlite()).await;
    let more = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    let mut child = ChildProduct::start_with("serve", &stage.config, stage.clock.offset_ms(), &more);
    child.listening(&stage.config.listen).await;
    stage.furnish().await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    let other = stage.invoice(Some(OMAR), None).await;

    let event = stage.event(&invoice, "call 1", simulator::call::Intent::SendLink);
    let traceparent = format!("00-{CALLER_TRACE}-b7ad6b7169203331-01");
    stage.post_event(&event, &[("traceparent", &traceparent)]).await;
    let link = stage.texted_link(&invoice, 1).await;
    let paid = Customer::new().unwrap().pay(&link, &Card::good()).await.unwrap();
    assert!(matches!(paid, Attempt::Paid(_)), "{paid:?}");
    stage.until_status(&invoice, "paid").await;
    stage.world.carrier().wait_for_texts(MAYA, 2, crate::stage::PATIENCE).await.unwrap();
    stage.quiet().await;
    assert!(child.terminate().await.success());

    let spans = collector.spans_about(&invoice.id);
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    assert!(spans.iter().all(|span| span.trace_id == spans[0].trace_id), "it is one trace");
    let steps = [
        "receive_event",
        "call_reported",
        "link_issued",
        "send_text",
        "message_sent",
        "create_payment_intent",
    ];
    for step in steps.into_iter().chain(["payment_succeeded", "link_used"]) {
        assert!(!named(step).is_empty(), "{step} is missing among {:?}", names(&spans));
    }
    assert_eq!(named("send_text").len(), 2, "the link and the receipt");
    assert!(named("send_text").iter().all(|span| span.end_time_unix_nano > span.start_time_unix_nano));
    let root = named("invoice_created")[0];
    for span in &spans {
        let parent = if span.span_id == root.span_id { &[] } else { root.span_id.as_slice() };
        assert_eq!(span.parent_span_id, parent, "{}", span.name);
    }
    assert_eq!(
        named("receive_event")[0].links[0].trace_id,
        hex(CALLER_TRACE),
        "the sender's trace is linked"
    );
    assert_ne!(collector.spans_about(&other.id)[0].trace_id, root.trace_id, "another invoice, another trace");

    let token = link.rsplit('/').next().unwrap();
    for private in [MAYA, &MAYA[1..], "Lindqvist", token, "4242"] {
        assert!(!collector.has_seen(private), "{private} left the house");
    }
    stage.finish().await;
}

fn names(spans: &[Span]) -> Vec<&str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// A collector that is not there, or does not answer, costs no event and no time.
pub(crate) async fn a_collector_that_is_away_is_no_trouble() {
    let mut stage = Stage::set_without_product(Store::sqlite()).await;
    let more = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")];
    let mut child = ChildProduct::start_with("serve", &stage.config, stage.clock.offset_ms(), &more);
    child.listening(&stage.config.listen).await;
    stage.furnish().await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    let event = stage.event(&invoice, "call 1", simulator::call::Intent::SendLink);
    stage.post_event(&event, &[]).await;
    stage.texted_link(&invoice, 1).await;
    stage.quiet().await;
    assert!(child.terminate().await.success());
    stage.finish().await;
}
