//! What bad input gets: a clear 4xx that names the field, and nothing stored.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::house::{House, event_input, invoice_input};

fn raw(house: &House, path: &str, content_type: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header("authorization", format!("Bearer {}", house.ours.key))
        .header("content-type", content_type)
        .body(body.into())
        .unwrap()
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_everywhere_alike() {
    let house = House::new().await;
    let before = house.rows().await;
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let cases: [(&str, Vec<u8>, u16, &str); 9] = [
        ("application/json", b"{\"name\":".to_vec(), 400, "body"),
        ("application/json", b"".to_vec(), 400, "body"),
        ("application/json", b"{\"name\":\"a\"} x".to_vec(), 400, "body"),
        ("application/json", b"{\"name\":\"\xff\"}".to_vec(), 400, "body"),
        ("application/json", br#"{"name":"a\u0000"}"#.to_vec(), 400, "name"),
        ("application/json", br#"{"name":"a","name":"b"}"#.to_vec(), 400, "name"),
        ("application/json", b"[1]".to_vec(), 422, "body"),
        ("text/plain", b"{\"name\":\"a\"}".to_vec(), 415, ""),
        ("application/json", vec![b' '; 300 * 1024], 413, ""),
    ];
    for path in [
        "/v1/customers",
        "/v1/invoices",
        "/v1/campaigns",
        "/v1/events",
        "/v1/opt-outs",
        "/v1/call-permission",
    ] {
        for (content_type, body, status, field) in &cases {
            let (got, _, named) = house.send(raw(&house, path, content_type, body.clone())).await.problem();
            let shown = String::from_utf8_lossy(&body[..body.len().min(40)]);
            assert_eq!((got, named.as_str()), (*status, *field), "{path} {content_type} {shown}");
        }
        let (got, _, _) = house.send(raw(&house, path, "application/json", deep.clone())).await.problem();
        assert_eq!(got, 400, "{path}");
    }
    assert_eq!(house.rows().await, before);
}

#[tokio::test]
async fn a_body_that_lies_about_its_length_is_cut_at_the_limit() {
    let house = House::new().await;
    let chunks = futures::stream::iter((0..100).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024])));
    let asked = raw(&house, "/v1/events", "application/json", Body::from_stream(chunks));
    assert_eq!(house.send(asked).await.problem(), (413, "body_too_large".to_owned(), String::new()));
}

#[tokio::test]
async fn a_compressed_body_is_refused_and_never_unfolded() {
    let house = House::new().await;
    let before = house.rows().await;
    for (path, content_type) in [("/v1/customers", "application/json"), ("/v1/invoices/import", "text/csv")] {
        let mut asked = raw(&house, path, content_type, vec![0x1f, 0x8b, 8, 0]);
        asked.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        let refused = (415, "encoded_body".to_owned(), String::new());
        assert_eq!(house.send(asked).await.problem(), refused, "{path}");
    }
    assert_eq!(house.rows().await, before);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let house = House::new().await;
    let silence = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let asked = raw(&house, "/v1/events", "application/json", silence);
    assert_eq!(house.send(asked).await.problem(), (408, "body_too_slow".to_owned(), String::new()));
}

/// A value put in one place of a good body, and the field that must be named.
type Fault = (&'static str, Value, &'static str);

fn with(mut body: Value, (place, value, _): &Fault) -> Value {
    let (parent, leaf) = place.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap();
    match leaf.parse::<usize>() {
        Ok(position) => parent[position] = value.clone(),
        Err(_) => parent[leaf] = value.clone(),
    }
    body
}

async fn each_is_named(house: &House, path: &str, good: Value, faults: &[Fault]) {
    let before = house.rows().await;
    for fault in faults {
        let reply = house.post(path, with(good.clone(), fault)).await;
        assert_eq!(reply.problem(), (422, "invalid_field".to_owned(), fault.2.to_owned()), "{fault:?}");
    }
    assert_eq!(house.rows().await, before);
}

#[tokio::test]
async fn an_invoice_is_refused_by_the_amount_at_fault() {
    let price = "/line_items/0/unit_minor";
    let faults = [
        (price, json!(-1), "line_items.0.unit_minor"),
        (price, json!(1.5), "line_items.0.unit_minor"),
        (price, json!(1e18), "line_items.0.unit_minor"),
        (price, json!("348.00"), "line_items.0.unit_minor"),
        (price, json!(9_007_199_254_740_992_i64), "total_minor"),
        (price, json!(0), "total_minor"),
        ("/line_items/0/quantity", json!(0), "line_items.0.quantity"),
        ("/line_items/0/description", json!(""), "line_items.0.description"),
        ("/line_items", json!({}), "line_items"),
        ("/line_items", json!([]), "total_minor"),
        ("/total_minor", json!(1), "total_minor"),
        ("/tax_minor", json!(-5), "tax_minor"),
        ("/currency", json!("usd"), "currency"),
        ("/currency", json!("XXX"), "currency"),
        ("/currency", json!(840), "currency"),
    ];
    each_is_named(&House::new().await, "/v1/invoices", invoice_input("7"), &faults).await;
}

#[tokio::test]
async fn an_invoice_is_refused_by_any_other_field_at_fault() {
    let faults = [
        ("/due_on", json!("2026-02-30"), "due_on"),
        ("/due_on", json!("30/11/2026"), "due_on"),
        ("/number", json!(""), "number"),
        ("/number", json!("a\nb"), "number"),
        ("/number", json!("x".repeat(101)), "number"),
        ("/number", Value::Null, "number"),
        ("/colour", json!("red"), "colour"),
        ("/customer_id", json!("cus_1"), "customer"),
        ("/mobile_phone", json!("911"), "mobile_phone"),
        ("/customer/phone", json!("1-800-FLOWERS"), "customer.phone"),
        ("/customer/phone", json!("+14155550142 x3"), "customer.phone"),
        ("/customer/phone", json!("+14155550142 / +14155550143"), "customer.phone"),
        ("/customer/phone", json!("72345"), "customer.phone"),
        ("/customer/email", json!("a@b.example\r\nBcc: c@d.example"), "customer.email"),
        ("/customer/email", json!("nobody"), "customer.email"),
        ("/customer/time_zone", json!("Mars/Olympus"), "customer.time_zone"),
        ("/customer/locale", json!("english please"), "customer.locale"),
        ("/customer/line_type", json!("brick"), "customer.line_type"),
        ("/customer/name", json!(" "), "customer.name"),
        ("/customer/nickname", json!("D"), "customer.nickname"),
    ];
    each_is_named(&House::new().await, "/v1/invoices", invoice_input("7"), &faults).await;
}

#[tokio::test]
async fn an_event_is_refused_by_the_field_at_fault() {
    let promise = json!({"amount_minor": -1});
    let faults = [
        ("/call_id", Value::Null, "call_id"),
        ("/call_id", json!("x".repeat(201)), "call_id"),
        ("/source", json!(7), "source"),
        ("/occurred_at", json!("yesterday"), "occurred_at"),
        ("/outcome/intent", Value::Null, "outcome.intent"),
        ("/outcome/opt_out", json!("no"), "outcome.opt_out"),
        ("/outcome/contact_consent", json!([]), "outcome.contact_consent"),
        ("/outcome/promise_to_pay", promise, "outcome.promise_to_pay.amount_minor"),
        ("/invoice", json!("inv"), "invoice"),
    ];
    let good = event_input("c_1", "7", "send_link");
    each_is_named(&House::new().await, "/v1/events", good, &faults).await;
}

#[tokio::test]
async fn a_number_nobody_can_text_does_not_refuse_the_event() {
    let house = House::new().await;
    house.invoice("7").await;
    for (call, phone) in
        ["911", "call me", "+1415555014213412341234", "+14155550142 x9"].into_iter().enumerate()
    {
        let mut event = event_input(&format!("c_{call}"), "7", "send_link");
        event["customer"]["phone"] = json!(phone);
        let reply = house.post("/v1/events", event).await;
        assert_eq!(reply.json()["disposition"], "accepted", "{phone}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_bad_query_and_a_bad_address_are_told_apart() {
    let house = House::new().await;
    let cases = [
        ("/v1/invoices?limit=0", 422, "limit"),
        ("/v1/invoices?limit=101", 422, "limit"),
        ("/v1/invoices?limit=many", 422, "limit"),
        ("/v1/invoices?status=late", 422, "status"),
        ("/v1/invoices?due_before=soon", 422, "due_before"),
        ("/v1/invoices?customer_id=7", 422, "customer_id"),
        ("/v1/invoices?cursor=cus_1", 422, "cursor"),
        ("/v1/invoices?colour=red", 422, "colour"),
        ("/v1/customers?phone=911", 422, "phone"),
        ("/v1/attention?cursor=%27", 422, "cursor"),
        ("/v1/opt-outs?cursor=zzz", 422, "cursor"),
        ("/v1/invoices?number=%00", 400, ""),
        ("/v1/invoices/7", 404, ""),
        ("/v1/invoices/inv_00000000000000000000000000", 404, ""),
        ("/v1/invoices/%ff%fe", 404, ""),
        ("/v1/invoices/inv_00000000000000000000000000/", 404, ""),
        ("/v2/invoices", 404, ""),
        ("/", 404, ""),
    ];
    for (path, status, field) in cases {
        let (got, _, named) = house.get(path).await.problem();
        assert_eq!((got, named.as_str()), (status, field), "{path}");
    }
    let reply = house.call("PUT", "/v1/invoices", None).await;
    assert_eq!(reply.problem(), (405, "method_not_allowed".to_owned(), String::new()));
    assert!(reply.headers["allow"].to_str().unwrap().contains("GET"));
}

#[tokio::test]
async fn answers_carry_the_headers_of_data() {
    let house = House::new().await;
    for path in ["/v1/invoices", "/v1/nothing"] {
        let headers = house.get(path).await.headers;
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
    }
}
