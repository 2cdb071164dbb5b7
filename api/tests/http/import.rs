//! Importing invoices: good rows are stored, bad ones are named, and the same file again changes nothing.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::house::{House, Reply};

const HEADER: &str =
    "number,currency,total_minor,due_on,customer_ref,customer_name,customer_phone,customer_email";

async fn import(house: &House, body: impl Into<Body>, key: Option<&str>) -> Reply {
    let mut asked = Request::post("/v1/invoices/import")
        .header("authorization", format!("Bearer {}", house.ours.key))
        .header("content-type", "text/csv; charset=utf-8");
    if let Some(key) = key {
        asked = asked.header("idempotency-key", key);
    }
    house.send(asked.body(body.into()).unwrap()).await
}

fn file(rows: &[&str]) -> String {
    format!("\u{feff}{HEADER}\r\n{}\r\n", rows.join("\r\n"))
}

#[tokio::test]
async fn good_rows_are_stored_and_bad_rows_are_named_with_their_number() {
    let house = House::new().await;
    let text = file(&[
        "A1,USD,34800,2026-11-30,C-1,Dana Fields,(415) 555-0142,dana@example.com",
        "A2,USD,12.50,2026-11-30,C-1,,,",
        "A3,XXX,100,2026-11-30,C-1,,,",
        "A4,USD,100,30.11.2026,C-1,,,",
        "A5,USD,100,2026-11-30,,,,",
        "A6,USD,100,2026-11-30,C-9,,,",
        "A7,USD,100,2026-11-30,,Ann,72345,",
        "A8,USD,100,2026-11-30,,Ann,,no address",
        "A9,USD,100",
        "A1,USD,34800,2026-11-30,C-1,,,",
        "A1,USD,99,2026-11-30,C-1,,,",
        "\"A,10\",JPY,500,2026-12-24,C-1,,,",
    ]);
    let reply = import(&house, text, None).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let report = reply.json();
    let counts = (&report["rows"], &report["created"], &report["unchanged"]);
    assert_eq!(counts, (&json!(12), &json!(2), &json!(1)), "{report}");
    let faults: Vec<(u64, &str)> = report["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["row"].as_u64().unwrap(), fault["field"].as_str().unwrap()))
        .collect();
    let mut sorted = faults.clone();
    sorted.sort_unstable();
    let expected = [
        (3, "total_minor"),
        (4, "currency"),
        (5, "due_on"),
        (6, "customer_name"),
        (7, "customer_ref"),
        (8, "customer_phone"),
        (9, "customer_email"),
        (10, "row"),
        (12, "number"),
    ];
    assert_eq!(sorted, expected);
    assert_eq!(
        (house.count("invoices").await, house.count("customers").await, house.count("timeline").await),
        (2, 1, 2)
    );
    let listed = house.get("/v1/invoices?number=A%2C10").await.json();
    assert_eq!(listed["data"][0]["total_minor"], 500);
}

#[tokio::test]
async fn the_same_file_again_changes_nothing() {
    let house = House::new().await;
    let rows: Vec<String> =
        (0..450).map(|n| format!("N{n},USD,{},2026-11-30,C-{},Dana,,", n + 1, n % 7)).collect();
    let text = file(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let first = import(&house, text.clone(), None).await.json();
    assert_eq!((&first["created"], &first["errors"]), (&json!(450), &json!([])));
    assert_eq!(house.count("customers").await, 7);
    let rows = house.rows().await;
    let second = import(&house, text, None).await.json();
    assert_eq!((&second["created"], &second["unchanged"]), (&json!(0), &json!(450)));
    assert_eq!(house.rows().await, rows);
}

#[tokio::test]
async fn an_import_is_answered_once_per_key() {
    let house = House::new().await;
    let text = file(&["A1,USD,100,2026-11-30,,Ann,,"]);
    let first = import(&house, text.clone(), Some("k-1")).await;
    let again = import(&house, text.clone(), Some("k-1")).await;
    assert_eq!((first.status, &first.text), (StatusCode::OK, &again.text));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(first.json()["created"], 1);
    let other = import(&house, file(&["A2,USD,100,2026-11-30,,Ann,,"]), Some("k-1")).await;
    assert_eq!(other.problem().1, "idempotency_key_reused");
    assert_eq!(house.count("invoices").await, 1);
}

#[tokio::test]
async fn two_imports_at_once_store_each_number_once() {
    let house = House::new().await;
    let rows: Vec<String> = (0..120).map(|n| format!("N{n},USD,100,2026-11-30,,Dana,,")).collect();
    let text = file(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let (a, b) = tokio::join!(import(&house, text.clone(), None), import(&house, text, None));
    let created: u64 = [a.json(), b.json()].iter().map(|report| report["created"].as_u64().unwrap()).sum();
    assert_eq!((created, house.count("invoices").await, house.count("customers").await), (120, 120, 120));
}

#[tokio::test]
async fn a_header_that_cannot_be_understood_stores_nothing() {
    let house = House::new().await;
    let cases: [(Vec<u8>, &str); 5] = [
        (b"number,colour\nA1,red\n".to_vec(), "colour"),
        (b"number,currency,total_minor\n".to_vec(), "due_on"),
        (b"number,number,currency,total_minor,due_on\n".to_vec(), "number"),
        (Vec::new(), "number"),
        (b"\xff\xfe,x\n".to_vec(), "\u{fffd}\u{fffd}"),
    ];
    for (body, field) in cases {
        let reply = import(&house, body, None).await;
        assert_eq!(reply.problem(), (422, "invalid_field".to_owned(), field.to_owned()));
    }
    let json = house.post("/v1/invoices/import", json!({})).await;
    assert_eq!(json.problem().1, "not_csv");
    assert_eq!(house.count("invoices").await, 0);
}

#[tokio::test]
async fn bytes_that_are_no_text_are_a_fault_of_their_row_alone() {
    let house = House::new().await;
    let mut body = file(&[]).into_bytes();
    body.extend(
        b"A1,USD,100,2026-11-30,,\xff\xfe,,\nA2,USD,100,2026-11-30,,A\0B,,\nA3,USD,100,2026-11-30,,Ann,,\n",
    );
    let report = import(&house, body, None).await.json();
    let faults: Vec<&Value> =
        report["errors"].as_array().unwrap().iter().map(|fault| &fault["field"]).collect();
    assert_eq!(faults, [&json!("customer_name"), &json!("customer_name")]);
    assert_eq!(report["created"], 1);
}

#[tokio::test]
async fn an_upload_that_breaks_off_keeps_what_was_whole_and_says_so() {
    let house = House::new().await;
    let whole = file(&["A1,USD,100,2026-11-30,,Ann,,", "A2,USD,100,2026-11-30,,Ann,,"]);
    let chunks = [Ok(whole), Err(std::io::Error::other("cut"))];
    let report = import(&house, Body::from_stream(futures::stream::iter(chunks)), None).await.json();
    assert_eq!(report["created"], 2, "{report}");
    assert_eq!(report["errors"][0]["field"], "body");
    let endless = futures::stream::iter((0..400).map(|_| Ok::<_, std::io::Error>("x".repeat(64 * 1024))));
    let head = futures::stream::iter([Ok(format!("{HEADER}\n"))]);
    let reply = import(&house, Body::from_stream(futures::StreamExt::chain(head, endless)), None).await;
    assert!(reply.text.contains("too large"), "{}", reply.text);
}
