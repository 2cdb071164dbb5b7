//! What events lead to, one intent after the other, in the transaction that stores them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::house::{House, event_input};

async fn receive(house: &House, event: Value) -> (StatusCode, Value) {
    let reply = house.post("/v1/events", event).await;
    (reply.status, reply.json())
}

async fn disposition(house: &House, event: Value) -> (String, String) {
    let (status, receipt) = receive(house, event).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{receipt}");
    let word = |name: &str| receipt[name].as_str().unwrap_or_default().to_owned();
    (word("disposition"), word("reason"))
}

fn pair(disposition: &str, reason: &str) -> (String, String) {
    (disposition.to_owned(), reason.to_owned())
}

#[tokio::test]
async fn a_wish_for_a_link_is_kept_with_its_job() {
    let house = House::new().await;
    let invoice = house.invoice("2026-7").await;
    let by_id = receive(&house, event_input("c_1", &invoice, "send_link")).await.1;
    let by_number = receive(&house, event_input("c_2", "2026-7", "pay_online")).await.1;
    for receipt in [&by_id, &by_number] {
        let id = receipt["id"].as_str().unwrap();
        assert_eq!(receipt["disposition"], "accepted");
        assert_eq!(
            house.count(&format!("jobs WHERE kind = 'resolve_channel' AND subject = '{id}'")).await,
            1
        );
        let kept = house.get(&format!("/v1/events/{id}")).await.json();
        assert_eq!(
            (&kept["invoice_id"], &kept["event"]["type"]),
            (&json!(invoice), &json!("call.completed"))
        );
    }
    let timeline = house.get(&format!("/v1/invoices/{invoice}/timeline")).await.json();
    let reported =
        timeline["data"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "call_reported");
    assert_eq!(reported.count(), 2);
}

#[tokio::test]
async fn what_asks_for_nothing_is_ignored_and_what_names_nothing_is_unmatched() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let mut voicemail = event_input("c_1", &invoice, "send_link");
    voicemail["outcome"]["reached"] = json!("voicemail");
    assert_eq!(disposition(&house, voicemail).await, pair("ignored", "voicemail"));
    let mut another_type = event_input("c_2", &invoice, "send_link");
    another_type["type"] = json!("call.started");
    assert_eq!(disposition(&house, another_type).await, pair("ignored", "unknown_event_type"));
    assert_eq!(
        disposition(&house, event_input("c_3", &invoice, "sing")).await,
        pair("ignored", "unknown_intent")
    );
    assert_eq!(disposition(&house, event_input("c_4", &invoice, "none")).await, pair("ignored", "no_intent"));
    assert_eq!(
        disposition(&house, event_input("c_5", "9", "send_link")).await,
        pair("unmatched", "unknown_invoice")
    );
    assert_eq!(house.count("jobs").await, 0);
    let listed = house.get("/v1/events?disposition=unmatched").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_the_invoices_state_forbids_is_suppressed() {
    let house = House::new().await;
    let held = house.invoice("1").await;
    house.made(&format!("/v1/invoices/{held}/holds"), json!({})).await;
    assert_eq!(
        disposition(&house, event_input("c_1", &held, "send_link")).await,
        pair("suppressed", "on_hold")
    );
    for (path, reason) in [("cancel", "canceled"), ("paid-elsewhere", "paid")] {
        let closed = house.invoice(path).await;
        house.post(&format!("/v1/invoices/{closed}/{path}"), json!({})).await;
        assert_eq!(
            disposition(&house, event_input(path, &closed, "pay_online")).await,
            pair("suppressed", reason)
        );
    }
    assert_eq!(house.count("jobs WHERE kind = 'resolve_channel'").await, 0);
}

#[tokio::test]
async fn a_dispute_holds_the_invoice_once_and_pauses_its_calls() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let campaign = house.made("/v1/campaigns", json!({"name": "Autumn"})).await;
    house.made(&format!("/v1/campaigns/{campaign}/enrolments"), json!({"invoice_id": invoice})).await;
    let mut event = event_input("c_1", &invoice, "dispute");
    event["outcome"]["dispute"] = json!({"text": "I returned it"});
    assert_eq!(disposition(&house, event.clone()).await, pair("accepted", "dispute"));
    assert_eq!(receive(&house, event).await.0, StatusCode::OK);
    let holds = house.get("/v1/holds?open=true").await.json();
    assert_eq!(holds["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&holds["data"][0]["reason"], &holds["data"][0]["words"]),
        (&json!("call_dispute"), &json!("I returned it"))
    );
    assert_eq!(house.count("enrolments WHERE status = 'paused'").await, 1);
    assert_eq!(house.count("jobs WHERE kind = 'pause_calls'").await, 1);
}

#[tokio::test]
async fn leave_me_alone_is_kept_for_every_contact_even_without_an_invoice() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    assert_eq!(
        disposition(&house, event_input("c_1", &invoice, "opt_out")).await,
        pair("accepted", "opted_out")
    );
    let listed = house.get("/v1/opt-outs").await.json();
    let mut recipients: Vec<&str> =
        listed["data"].as_array().unwrap().iter().map(|row| row["recipient"].as_str().unwrap()).collect();
    recipients.sort_unstable();
    assert_eq!(recipients, ["+14155550142", "dana@example.com"]);

    let mut unmatched = event_input("c_2", "9", "opt_out");
    unmatched["customer"]["phone"] = json!("+14155550199");
    assert_eq!(disposition(&house, unmatched).await.0, "unmatched");
    assert_eq!(house.count("opt_outs WHERE recipient = '+14155550199' AND channel = '*'").await, 1);

    let mut national = event_input("c_2b", "9", "opt_out");
    national["customer"]["phone"] = json!("(415) 555-0177");
    disposition(&house, national).await;
    assert_eq!(house.count("opt_outs WHERE recipient = '+14155550177' AND channel = '*'").await, 1);
    let mut nobody = event_input("c_3", "9", "opt_out");
    nobody["customer"] = json!({});
    receive(&house, nobody).await;
    assert_eq!(house.count("attention_items WHERE kind = 'probable_opt_out'").await, 1);
}

#[tokio::test]
async fn a_wrong_number_is_taken_off_and_a_callback_waits_for_a_person() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    assert_eq!(
        disposition(&house, event_input("c_1", &invoice, "wrong_number")).await,
        pair("accepted", "wrong_number")
    );
    assert_eq!(house.count("customers WHERE phone IS NULL").await, 1);
    house.api.ledger.clock().advance_ms(1_000);
    assert_eq!(
        disposition(&house, event_input("c_2", &invoice, "callback")).await,
        pair("accepted", "callback")
    );
    let items = house.get("/v1/attention?kind=needs_contact").await.json();
    let reasons: Vec<&str> = items["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["detail"]["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, ["wrong_number", "callback_requested"]);
}

#[tokio::test]
async fn what_was_agreed_to_on_the_call_is_kept_with_its_evidence() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let mut event = event_input("c_1", &invoice, "send_link");
    event["customer"] = json!({"email": "Other@Example.com"});
    event["outcome"]["evidence"] = json!("just text me");
    event["outcome"]["contact_consent"] =
        json!({"sms": true, "email": false, "spoken_at": "2026-11-18T16:58:41Z"});
    receive(&house, event).await;
    let kept = "consents WHERE source = 'call' AND evidence = 'just text me'";
    assert_eq!(
        house
            .count(&format!("{kept} AND channel = 'sms' AND granted = TRUE AND recipient = '+14155550142'"))
            .await,
        1
    );
    assert_eq!(
        house
            .count(&format!(
                "{kept} AND channel = 'email' AND granted = FALSE AND recipient = 'other@example.com'"
            ))
            .await,
        1
    );
}

#[tokio::test]
async fn an_unmatched_event_is_replayed_once_its_invoice_is_there() {
    let house = House::new().await;
    let receipt = receive(&house, event_input("c_1", "2026-7", "send_link")).await.1;
    let path = format!("/v1/events/{}/replay", receipt["id"].as_str().unwrap());
    assert_eq!(house.post(&path, json!({})).await.problem().1, "still_unmatched");
    assert_eq!(house.post(&path, json!({"invoice_id": "nothing"})).await.problem().2, "invoice_id");

    let invoice = house.invoice("2026-7").await;
    let replayed = house.post(&path, json!({})).await;
    assert_eq!(
        replayed.json(),
        json!({"id": receipt["id"], "disposition": "accepted", "reason": "send_link"})
    );
    assert_eq!(house.count(&format!("call_events WHERE invoice_id = '{invoice}'")).await, 1);
    assert_eq!(house.count("jobs WHERE kind = 'resolve_channel'").await, 1);
    assert_eq!(house.get("/v1/attention?kind=unmatched_event").await.json()["data"], json!([]));
    assert_eq!(house.post(&path, json!({})).await.problem().1, "not_replayable");
}

#[tokio::test]
async fn a_crowd_of_different_events_is_stored_whole() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let posts = (0..300).map(|call| {
        let intent = ["send_link", "none", "callback"][call % 3];
        house.post("/v1/events", event_input(&format!("c_{call}"), &invoice, intent))
    });
    let replies = futures::future::join_all(posts).await;
    assert!(replies.iter().all(|reply| reply.status == StatusCode::ACCEPTED));
    assert_eq!((house.count("call_events").await, house.count("jobs").await), (300, 100));
    let counted =
        crate::house::reply(&house.private, crate::house::request("GET", "/metrics", "", None)).await.text;
    let line = r#"postcall_events_total{disposition="accepted",intent="callback"} 100"#;
    assert!(counted.contains(line), "{line} is not in the metrics");
}
