//! How every operation is called so that it succeeds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::house::{House, event_input, invoice_input};

pub(crate) struct Example {
    /// The id that stands in the path.
    pub(crate) id: String,
    pub(crate) body: Option<Value>,
    pub(crate) status: u16,
}

type Named = (&'static str, Example);

fn example(id: &str, body: Value, status: u16) -> Example {
    Example { id: id.to_owned(), body: Some(body), status }
}

fn bare(id: &str, status: u16) -> Example {
    Example { id: id.to_owned(), body: None, status }
}

fn read(id: &str) -> Example {
    bare(id, 200)
}

/// One example per operation id; the rows they need are made here.
pub(crate) async fn examples(house: &House) -> BTreeMap<&'static str, Example> {
    let mut all = BTreeMap::new();
    all.extend(of_events(house).await);
    all.extend(of_invoices(house).await);
    all.extend(of_customers(house).await);
    all.extend(of_campaigns(house).await);
    all.extend(of_attention(house).await);
    all.extend([
        ("show_merchant", read("")),
        ("healthz", read("")),
        ("readyz", read("")),
        ("metrics", read("")),
        // Unsigned: what the signed ones come to is tested beside them.
        ("stripe_webhook", example("", json!({}), 400)),
        ("carrier_status_webhook", bare("att_00000000000000000000000001", 403)),
        ("carrier_inbound_webhook", bare("", 403)),
    ]);
    all
}

async fn of_events(house: &House) -> [Named; 5] {
    let invoice = house.invoice("events").await;
    let event = house.post("/v1/events", event_input("c_0", "nobody", "send_link")).await.json();
    let event = event["id"].as_str().unwrap();
    [
        ("receive_event", example("", event_input("c_1", &invoice, "none"), 202)),
        ("list_events", read("")),
        ("show_event", read(event)),
        ("replay_event", example(event, json!({"invoice_id": invoice}), 200)),
        ("ask_call_permission", example("", json!({"invoice_id": invoice}), 200)),
    ]
}

async fn of_invoices(house: &House) -> [Named; 13] {
    let invoice = house.invoice("invoices").await;
    let (canceled, paid) = (house.invoice("canceled").await, house.invoice("paid").await);
    let held = house.invoice("held").await;
    let hold = house.made(&format!("/v1/invoices/{held}/holds"), json!({})).await;
    [
        ("create_invoice", example("", invoice_input("new"), 201)),
        ("list_invoices", read("")),
        ("import_invoices", bare("", 200)),
        ("show_invoice", read(&invoice)),
        ("change_invoice", example(&invoice, json!({"due_on": "2026-12-01"}), 200)),
        ("cancel_invoice", bare(&canceled, 200)),
        ("mark_invoice_paid_elsewhere", example(&paid, json!({"note": "cash"}), 200)),
        ("send_link", example(&invoice, json!({"channel": "sms"}), 201)),
        ("list_links", read(&invoice)),
        ("read_timeline", read(&invoice)),
        ("open_hold", example(&invoice, json!({"words": "wait"}), 201)),
        ("list_holds", read("")),
        ("resolve_hold", bare(&hold, 200)),
    ]
}

async fn of_customers(house: &House) -> [Named; 7] {
    let customer = house.made("/v1/customers", json!({"name": "Dana"})).await;
    [
        ("create_customer", example("", json!({"name": "Ann"}), 201)),
        ("list_customers", read("")),
        ("show_customer", read(&customer)),
        ("change_customer", example(&customer, json!({"name": "Anna"}), 200)),
        ("delete_customer", bare(&customer, 204)),
        ("record_opt_out", example("", json!({"phone": "+14155550199"}), 201)),
        ("list_opt_outs", read("")),
    ]
}

async fn of_campaigns(house: &House) -> [Named; 10] {
    let (enrolled, free) = (house.invoice("enrolled").await, house.invoice("free").await);
    let campaign = house.made("/v1/campaigns", json!({"name": "Autumn"})).await;
    let ended = house.made("/v1/campaigns", json!({"name": "Winter"})).await;
    let path = format!("/v1/campaigns/{campaign}/enrolments");
    let enrolment = house.made(&path, json!({"invoice_id": enrolled})).await;
    [
        ("create_campaign", example("", json!({"name": "Spring"}), 201)),
        ("list_campaigns", read("")),
        ("show_campaign", read(&campaign)),
        ("change_campaign", example(&campaign, json!({"status": "paused"}), 200)),
        ("end_campaign", bare(&ended, 200)),
        ("enrol_invoice", example(&campaign, json!({"invoice_id": free}), 201)),
        ("list_enrolments", read(&campaign)),
        ("show_enrolment", read(&enrolment)),
        ("change_enrolment", example(&enrolment, json!({"status": "paused"}), 200)),
        ("end_enrolment", bare(&enrolment, 200)),
    ]
}

async fn of_attention(house: &House) -> [Named; 3] {
    let job = house.dead_job().await;
    [("list_attention", read("")), ("list_dead_jobs", read("")), ("redrive_job", bare(&job, 202))]
}
