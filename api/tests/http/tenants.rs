//! A merchant sees only its own: another's id is answered like one that does not exist, to the letter.

use serde_json::{Value, json};

use crate::house::{House, event_input, invoice_input, request};

const NOTHING: &str = "00000000000000000000000000";

/// One row of ours in every resource.
struct Rows {
    invoice: String,
    customer: String,
    campaign: String,
    enrolment: String,
    hold: String,
    event: String,
}

async fn rows(house: &House) -> Rows {
    let invoice = house.invoice("1").await;
    let shown = house.get(&format!("/v1/invoices/{invoice}")).await.json();
    let campaign = house.made("/v1/campaigns", json!({"name": "Autumn"})).await;
    let enrolments = format!("/v1/campaigns/{campaign}/enrolments");
    let enrolment = house.made(&enrolments, json!({"invoice_id": invoice})).await;
    let hold = house.made(&format!("/v1/invoices/{invoice}/holds"), json!({})).await;
    let event = house.post("/v1/events", event_input("c_1", "nobody", "send_link")).await.json();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    Rows {
        invoice,
        customer: word(&shown["customer_id"]),
        campaign,
        enrolment,
        hold,
        event: word(&event["id"]),
    }
}

#[tokio::test]
async fn another_merchants_ids_cannot_be_read() {
    let house = House::new().await;
    let rows = rows(&house).await;
    for (folder, id, tail) in [
        ("/v1/invoices", &rows.invoice, ""),
        ("/v1/invoices", &rows.invoice, "/timeline"),
        ("/v1/invoices", &rows.invoice, "/links"),
        ("/v1/customers", &rows.customer, ""),
        ("/v1/campaigns", &rows.campaign, ""),
        ("/v1/campaigns", &rows.campaign, "/enrolments"),
        ("/v1/enrolments", &rows.enrolment, ""),
        ("/v1/events", &rows.event, ""),
    ] {
        same_as_unknown(&house, "GET", folder, id, tail, None).await;
    }
}

#[tokio::test]
async fn another_merchants_ids_cannot_be_written_to() {
    let house = House::new().await;
    let rows = rows(&house).await;
    let before = house.rows().await;
    for (method, folder, id, tail, body) in [
        ("PATCH", "/v1/invoices", &rows.invoice, "", json!({"description": "x"})),
        ("POST", "/v1/invoices", &rows.invoice, "/cancel", json!({})),
        ("POST", "/v1/invoices", &rows.invoice, "/paid-elsewhere", json!({})),
        ("POST", "/v1/invoices", &rows.invoice, "/links", json!({})),
        ("POST", "/v1/invoices", &rows.invoice, "/holds", json!({})),
        ("PATCH", "/v1/customers", &rows.customer, "", json!({"name": "x"})),
        ("DELETE", "/v1/customers", &rows.customer, "", json!({})),
        ("PATCH", "/v1/campaigns", &rows.campaign, "", json!({"name": "x"})),
        ("DELETE", "/v1/campaigns", &rows.campaign, "", json!({})),
        ("PATCH", "/v1/enrolments", &rows.enrolment, "", json!({"status": "paused"})),
        ("DELETE", "/v1/enrolments", &rows.enrolment, "", json!({})),
        ("POST", "/v1/holds", &rows.hold, "/resolve", json!({})),
        ("POST", "/v1/events", &rows.event, "/replay", json!({})),
    ] {
        same_as_unknown(&house, method, folder, id, tail, Some(body)).await;
    }
    assert_eq!(house.rows().await, before);
}

/// Asks as the other merchant for this id and for one that nobody has.
async fn same_as_unknown(
    house: &House,
    method: &str,
    folder: &str,
    id: &str,
    tail: &str,
    body: Option<Value>,
) {
    let unknown = format!("{}{NOTHING}", &id[..4]);
    let ask = async |id: &str| {
        house.send(request(method, &format!("{folder}/{id}{tail}"), &house.theirs.key, body.clone())).await
    };
    let (theirs, nobodys) = (ask(id).await, ask(&unknown).await);
    assert_eq!(theirs.problem(), (404, "not_found".to_owned(), String::new()), "{method} {folder}/…{tail}");
    assert_eq!(theirs.text, nobodys.text, "{method} {folder}/…{tail}");
}

#[tokio::test]
async fn another_merchants_ids_in_a_body_do_not_exist_either() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let customer = house.get(&format!("/v1/invoices/{invoice}")).await.json()["customer_id"].clone();
    let as_them = async |path: &str, body: Value| {
        house.send(request("POST", path, &house.theirs.key, Some(body))).await
    };

    let mut input = invoice_input("1");
    input.as_object_mut().unwrap().remove("customer");
    input["customer_id"] = customer;
    assert_eq!(as_them("/v1/invoices", input).await.problem().2, "customer_id");

    let campaign =
        as_them("/v1/campaigns", json!({"name": "Theirs"})).await.json()["id"].as_str().unwrap().to_owned();
    let enrol =
        as_them(&format!("/v1/campaigns/{campaign}/enrolments"), json!({"invoice_id": invoice})).await;
    assert_eq!(enrol.problem().2, "invoice_id");

    let asked = as_them("/v1/call-permission", json!({"invoice_id": invoice})).await.json();
    assert_eq!((&asked["decision"], &asked["reasons"]), (&json!("deny"), &json!(["unknown_invoice"])));

    for name in [invoice.as_str(), "1"] {
        let event = as_them("/v1/events", event_input(&format!("c_{name}"), name, "send_link")).await.json();
        assert_eq!(event["disposition"], "unmatched");
        let path = format!("/v1/events/{}/replay", event["id"].as_str().unwrap());
        assert_eq!(as_them(&path, json!({"invoice_id": invoice})).await.problem().2, "invoice_id");
    }
}

#[tokio::test]
async fn lists_show_nothing_of_another_merchant() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    house.made("/v1/campaigns", json!({"name": "Autumn"})).await;
    house.made(&format!("/v1/invoices/{invoice}/holds"), json!({})).await;
    house.made("/v1/opt-outs", json!({"phone": "+14155550142"})).await;
    house.post("/v1/events", event_input("c_1", "nobody", "send_link")).await;
    for path in [
        "/v1/invoices",
        "/v1/customers",
        "/v1/campaigns",
        "/v1/holds",
        "/v1/opt-outs",
        "/v1/events",
        "/v1/attention",
        "/v1/jobs/dead",
    ] {
        let theirs = house.send(request("GET", path, &house.theirs.key, None)).await.json();
        assert_eq!(theirs, json!({"data": [], "next_cursor": null}), "{path}");
        if path != "/v1/jobs/dead" {
            assert_ne!(house.get(path).await.json()["data"], json!([]), "{path}");
        }
    }
}
