//! Customers, invoices, campaigns, enrolments and holds, from their beginning to their end.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::house::{House, invoice_input};

#[tokio::test]
async fn a_customer_is_added_changed_and_deleted() {
    let house = House::new().await;
    let new = json!({"name": "Dana Fields", "external_ref": "C-1", "phone": "(415) 555-0142", "email": "Dana@Example.com"});
    let made = house.post("/v1/customers", new).await.json();
    assert_eq!((&made["phone"], &made["email"]), (&json!("+14155550142"), &json!("Dana@example.com")));
    let path = format!("/v1/customers/{}", made["id"].as_str().unwrap());

    let change = json!({"email": null, "phone": "+442071838750", "line_type": "landline", "locale": "en-GB"});
    let changed = house.call("PATCH", &path, Some(change)).await.json();
    assert_eq!(changed["email"], Value::Null);
    assert_eq!((&changed["line_type"], &changed["name"]), (&json!("landline"), &json!("Dana Fields")));
    assert_eq!(house.get(&path).await.json(), changed);

    let second = json!({"name": "Ann", "external_ref": "C-1"});
    assert_eq!(house.post("/v1/customers", second).await.problem().1, "external_ref_taken");
    assert_eq!(house.call("DELETE", &path, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_customer_who_owes_is_kept() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let customer = house.get(&format!("/v1/invoices/{invoice}")).await.json()["customer_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let reply = house.call("DELETE", &format!("/v1/customers/{customer}"), None).await;
    assert_eq!(reply.problem().1, "customer_has_invoices");
}

#[tokio::test]
async fn an_invoice_adds_up_to_the_last_minor_unit() {
    let house = House::new().await;
    let mut input = invoice_input("1");
    input["currency"] = json!("JPY");
    input["tax_minor"] = json!(1);
    input["line_items"] = json!([
        {"description": "A", "quantity": 3, "unit_minor": 1_000_000_000_000_000_i64},
        {"description": "B", "quantity": 1, "unit_minor": 6_007_199_254_740_990_i64},
    ]);
    let made = house.post("/v1/invoices", input).await;
    assert_eq!(made.json()["total_minor"], 9_007_199_254_740_991_i64, "{}", made.text);
    assert_eq!(made.json()["line_items"].as_array().unwrap().len(), 2);
    let again = house.post("/v1/invoices", invoice_input("1")).await;
    assert_eq!(again.problem().1, "number_taken");
}

#[tokio::test]
async fn only_money_and_the_due_date_make_a_new_revision() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let path = format!("/v1/invoices/{invoice}");
    let changes = [
        (json!({"description": "Winter storage"}), 1, 34_800),
        (json!({"mobile_phone": "+14155550143"}), 1, 34_800),
        (json!({"due_on": "2026-11-30"}), 1, 34_800),
        (json!({"due_on": "2026-12-24"}), 2, 34_800),
        (json!({"tax_minor": 200}), 3, 35_000),
        (json!({"line_items": [{"description": "B", "quantity": 2, "unit_minor": 50}]}), 4, 300),
        (json!({"line_items": [], "total_minor": 700}), 5, 700),
        (json!({"total_minor": 701}), 6, 701),
    ];
    for (change, revision, total) in changes {
        let changed = house.call("PATCH", &path, Some(change.clone())).await.json();
        assert_eq!(
            (&changed["revision"], &changed["total_minor"]),
            (&json!(revision), &json!(total)),
            "{change}"
        );
        assert_eq!(house.get(&path).await.json(), changed);
    }
    house.post(&format!("{path}/cancel"), json!({})).await;
    let late = house.call("PATCH", &path, Some(json!({"description": "x"}))).await;
    assert_eq!(late.problem().1, "invoice_not_open");
}

#[tokio::test]
async fn one_invoice_is_in_one_campaign() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let autumn = house.made("/v1/campaigns", json!({"name": "Autumn"})).await;
    let winter = house.made("/v1/campaigns", json!({"name": "Winter"})).await;
    let enrolments = |campaign: &str| format!("/v1/campaigns/{campaign}/enrolments");
    let enrolment = house.made(&enrolments(&autumn), json!({"invoice_id": invoice})).await;
    for campaign in [&autumn, &winter] {
        let again = house.post(&enrolments(campaign), json!({"invoice_id": invoice})).await;
        assert_eq!(again.problem().1, "already_enrolled");
    }
    let listed = house.get(&enrolments(&autumn)).await.json();
    assert_eq!(listed["data"][0]["id"], json!(enrolment));

    let ended = house.call("DELETE", &format!("/v1/enrolments/{enrolment}"), None).await.json();
    assert_eq!((&ended["status"], &ended["dialer_acknowledged"]), (&json!("ended"), &json!(false)));
    let moved = house.made(&enrolments(&winter), json!({"invoice_id": invoice})).await;
    house.call("DELETE", &format!("/v1/campaigns/{winter}"), None).await;
    assert_eq!(house.get(&format!("/v1/enrolments/{moved}")).await.json()["status"], "ended");
    assert_eq!(house.count("jobs WHERE kind = 'pause_calls'").await, 2);
    let late = house.post(&enrolments(&winter), json!({"invoice_id": invoice})).await;
    assert_eq!(late.problem().1, "campaign_ended");
    let late = house.call("PATCH", &format!("/v1/campaigns/{winter}"), Some(json!({"name": "x"}))).await;
    assert_eq!(late.problem().1, "campaign_ended");
}

#[tokio::test]
async fn a_hold_pauses_one_enrolment_and_its_resolution_resumes_it() {
    let house = House::new().await;
    let (held, other) = (house.invoice("1").await, house.invoice("2").await);
    let campaign = house.made("/v1/campaigns", json!({"name": "Autumn"})).await;
    let path = format!("/v1/campaigns/{campaign}/enrolments");
    let first = house.made(&path, json!({"invoice_id": held})).await;
    let second = house.made(&path, json!({"invoice_id": other})).await;
    let status = async |id: &str| house.get(&format!("/v1/enrolments/{id}")).await.json()["status"].clone();

    let holds = format!("/v1/invoices/{held}/holds");
    let one = house.made(&holds, json!({"words": "is this mine?"})).await;
    let two = house.made(&holds, json!({})).await;
    assert_eq!((status(&first).await, status(&second).await), (json!("paused"), json!("active")));
    let change = Some(json!({"status": "active"}));
    assert_eq!(house.call("PATCH", &format!("/v1/enrolments/{first}"), change).await.problem().1, "on_hold");

    let resolve =
        async |id: &str| house.post(&format!("/v1/holds/{id}/resolve"), json!({"note": "answered"})).await;
    assert_eq!(resolve(&one).await.json()["still_held"], true);
    assert_eq!(status(&first).await, "paused");
    let resolved = resolve(&two).await.json();
    assert_eq!(
        (&resolved["still_held"], &resolved["hold"]["resolution"]),
        (&json!(false), &json!("resolved"))
    );
    assert_eq!((status(&first).await, status(&second).await), (json!("active"), json!("active")));
    assert_eq!(resolve(&two).await.problem().1, "already_resolved");
    let listed = house.get(&format!("/v1/holds?invoice_id={held}&open=false")).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_pause_by_hand_is_told_and_taken_back_by_hand() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let campaign = house.made("/v1/campaigns", json!({"name": "Autumn"})).await;
    let enrolment =
        house.made(&format!("/v1/campaigns/{campaign}/enrolments"), json!({"invoice_id": invoice})).await;
    let path = format!("/v1/enrolments/{enrolment}");
    for status in ["paused", "paused", "active"] {
        let changed = house.call("PATCH", &path, Some(json!({"status": status}))).await.json();
        assert_eq!(changed["status"], status);
    }
    assert_eq!(house.count("jobs WHERE kind = 'pause_calls'").await, 1);
    assert_eq!(house.count("jobs WHERE kind = 'resume_calls'").await, 1);
    let ended = house.call("PATCH", &path, Some(json!({"status": "ended"}))).await;
    assert_eq!(ended.problem().2, "status");
}

#[tokio::test]
async fn the_merchant_sees_what_the_key_may_do() {
    let house = House::new().await;
    let key = house.key_with([domain::scope::Scope::CallsAsk]).await;
    let merchant = house.send(crate::house::request("GET", "/v1/merchant", &key, None)).await.json();
    assert_eq!((&merchant["id"], &merchant["scopes"]), (&json!(house.ours.id), &json!(["calls:ask"])));
}
