//! A merchant sees only its own: another's id is answered like one that does not exist, to the letter.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::description::operations;
use crate::examples::examples;
use crate::house::{House, event_input, invoice_input, request};

const NOTHING: &str = "00000000000000000000000000";

/// Asked by the other merchant, each of these must be answered with the same bytes.
#[tokio::test]
async fn every_path_id_of_another_merchant_is_answered_as_one_that_nobody_has() {
    let house = House::new().await;
    let examples = examples(&house).await;
    let operations = operations(&house.get("/openapi.json").await.json());
    let made = request("POST", "/v1/invoices", &house.theirs.key, Some(invoice_input("theirs")));
    let their_invoice = house.send(made).await.json()["id"].clone();
    let before = house.content().await;
    let mut asked = BTreeSet::new();
    for operation in operations.iter().filter(|operation| operation.path.contains("{id}")) {
        let example = &examples[operation.id.as_str()];
        let unknown = format!("{}{NOTHING}", &example.id[..4]);
        let mut sensible = example.body.clone();
        if let Some(id) = sensible.as_mut().and_then(|body| body.get_mut("invoice_id")) {
            *id = their_invoice.clone();
        }
        for body in [sensible, example.body.clone(), Some(json!({})), None] {
            let ask = async |id: &str| {
                let (method, path) = (operation.method.to_uppercase(), operation.path_of(id));
                house.send(request(&method, &path, &house.theirs.key, body.clone())).await
            };
            let (ours, nobodys) = (ask(&example.id).await, ask(&unknown).await);
            assert_eq!(ours.status, nobodys.status, "{operation}: {}", ours.text);
            assert_eq!((&ours.text, &ours.headers), (&nobodys.text, &nobodys.headers), "{operation}");
            let is_judged_by_its_body = matches!(nobodys.status.as_u16(), 415 | 422);
            if is_judged_by_its_body {
                continue;
            }
            asked.insert(operation.id.clone());
            for id in
                [&unknown, house.ours.id.as_str(), &example.id.to_uppercase(), "..", "%00", "%F0%9F%98%80"]
            {
                let malformed = ask(id).await;
                assert_eq!(malformed.problem().1, "not_found", "{operation} of {id}");
                assert_eq!(malformed.text, nobodys.text, "{operation} of {id}");
            }
        }
    }
    assert_eq!(house.content().await, before, "a stranger wrote something");
    let with_id = operations.iter().filter(|operation| operation.path.contains("{id}"));
    assert_eq!(asked, with_id.map(|operation| operation.id.clone()).collect());
}

/// Ids a request can carry elsewhere than in its path, by operation: each has its case in this file.
#[tokio::test]
async fn no_id_can_be_said_in_a_body_or_a_query_without_a_test_here() {
    let house = House::new().await;
    let description = house.get("/openapi.json").await.json();
    let mut named = BTreeSet::new();
    for operation in operations(&description).iter().filter(|operation| operation.path.starts_with("/v1/")) {
        let schema = &operation.described["requestBody"]["content"]["application/json"]["schema"];
        let mut fields = Vec::new();
        fields_of(&description, schema, "", &mut fields);
        let parameters = operation.described["parameters"].as_array().into_iter().flatten();
        let asked_for = parameters.filter(|parameter| parameter["in"] == "query");
        fields.extend(asked_for.map(|parameter| parameter["name"].as_str().unwrap().to_owned()));
        let ids = fields.into_iter().filter(|field| field.ends_with("id") || field == "cursor");
        named.extend(ids.map(|field| format!("{} {field}", operation.id)));
    }
    let expected = [
        "ask_call_permission enrolment_id",
        "ask_call_permission invoice_id",
        "create_invoice customer_id",
        "enrol_invoice invoice_id",
        "list_attention cursor",
        "list_campaigns cursor",
        "list_customers cursor",
        "list_dead_jobs cursor",
        "list_enrolments cursor",
        "list_events cursor",
        "list_holds cursor",
        "list_holds invoice_id",
        "list_invoices cursor",
        "list_invoices customer_id",
        "list_opt_outs cursor",
        "read_timeline cursor",
        "receive_event call_id",
        "receive_event campaign_id",
        "receive_event invoice.id",
        "receive_event merchant_id",
        "replay_event invoice_id",
    ];
    assert_eq!(named, expected.map(str::to_owned).into());
}

/// The fields of an object's schema, nested ones with their path.
fn fields_of(description: &Value, schema: &Value, at: &str, fields: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        return fields_of(description, description.pointer(&reference[1..]).unwrap(), at, fields);
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        for schema in schema[choice].as_array().into_iter().flatten() {
            fields_of(description, schema, at, fields);
        }
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let name = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        fields_of(description, schema, &name, fields);
        fields.push(name);
    }
}

#[tokio::test]
async fn another_merchants_ids_in_a_body_do_not_exist_either() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let customer = house.get(&format!("/v1/invoices/{invoice}")).await.json()["customer_id"].clone();
    let campaign = house.made("/v1/campaigns", json!({"name": "Autumn"})).await;
    let enrolment =
        house.made(&format!("/v1/campaigns/{campaign}/enrolments"), json!({"invoice_id": invoice})).await;
    let as_them = async |path: &str, body: Value| {
        house.send(request("POST", path, &house.theirs.key, Some(body))).await
    };

    let mut input = invoice_input("1");
    input.as_object_mut().unwrap().remove("customer");
    input["customer_id"] = customer;
    assert_eq!(as_them("/v1/invoices", input).await.problem().2, "customer_id");

    let own = as_them("/v1/campaigns", json!({"name": "Theirs"})).await.json();
    let path = format!("/v1/campaigns/{}/enrolments", own["id"].as_str().unwrap());
    assert_eq!(as_them(&path, json!({"invoice_id": invoice})).await.problem().2, "invoice_id");

    let asked = as_them("/v1/call-permission", json!({"invoice_id": invoice})).await.json();
    assert_eq!((&asked["decision"], &asked["reasons"]), (&json!("deny"), &json!(["unknown_invoice"])));
    let own = as_them("/v1/invoices", invoice_input("2")).await.json();
    let answers = [enrolment.as_str(), "enr_00000000000000000000000000"].map(async |enrolment| {
        let body = json!({"invoice_id": own["id"], "enrolment_id": enrolment});
        let mut answer = as_them("/v1/call-permission", body).await.json();
        answer["expires_at"].take();
        answer
    });
    let [ours, nobodys] = answers;
    assert_eq!(ours.await, nobodys.await);

    for name in [invoice.as_str(), "1"] {
        let mut event = event_input(&format!("c_{name}"), name, "send_link");
        event["campaign_id"] = json!(campaign);
        let event = as_them("/v1/events", event).await.json();
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
    house.dead_job().await;
    let timeline = house.get(&format!("/v1/invoices/{invoice}/timeline")).await.json();
    let shown = house.get(&format!("/v1/invoices/{invoice}")).await.json();
    let mine = json!({
        "customer_id": shown["customer_id"], "invoice_id": invoice, "number": "1", "phone": "%2B14155550142",
        "email": "dana@example.com",
    });
    let described = operations(&house.get("/openapi.json").await.json());
    let lists = described.iter().filter(|operation| operation.described.to_string().contains("\"cursor\""));
    let mut paths = Vec::new();
    for list in lists.filter(|operation| !operation.path.contains('{')) {
        paths.push(list.path.clone());
        let ours = house.get(&list.path).await.json();
        let newest = ours["data"][0]["id"].as_str().unwrap_or_else(|| panic!("{list}: {ours}")).to_owned();
        let newest = if list.id == "list_attention" { &newest[4..] } else { &newest };
        let mut asked = vec![list.path.clone(), format!("{}?cursor={newest}", list.path)];
        for parameter in list.described["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            let Some(value) = mine[name].as_str() else { continue };
            let filtered = format!("{}?{name}={value}", list.path);
            assert_ne!(house.get(&filtered).await.json()["data"], json!([]), "{filtered}");
            asked.push(filtered);
        }
        for path in asked {
            let theirs = house.send(request("GET", &path, &house.theirs.key, None)).await.json();
            assert_eq!(theirs, json!({"data": [], "next_cursor": null}), "{path}");
        }
    }
    assert_eq!(paths.len(), 8, "{paths:?}");

    // A cursor is only a place in the list of whoever uses it.
    let own = request("POST", "/v1/invoices", &house.theirs.key, Some(invoice_input("2")));
    let own = house.send(own).await.json()["id"].as_str().unwrap().to_owned();
    let cursor = timeline["data"][0]["id"].as_str().unwrap();
    let path = format!("/v1/invoices/{own}/timeline?cursor={cursor}");
    let read = house.send(request("GET", &path, &house.theirs.key, None)).await.json();
    assert_eq!(read["data"].as_array().map(Vec::len), Some(1), "{read}");
    assert!(!read.to_string().contains(&invoice));
}
