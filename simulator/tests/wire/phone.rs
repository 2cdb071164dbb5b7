//! The page and the control API.

use serde_json::{Value, json};
use simulator::World;

use crate::carrier::{PHONE, request, send};
use crate::{client, world};

async fn read(world: &World, path: &str) -> Value {
    client().get(format!("{}{path}", world.phone_url())).send().await.unwrap().json().await.unwrap()
}

async fn tell(world: &World, path: &str, body: Value) -> (u16, Value) {
    let answer = client().post(format!("{}{path}", world.phone_url())).json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let world = world().await;
    let page = client().get(world.phone_url()).send().await.unwrap();
    assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let html = page.text().await.unwrap();
    for asset in ["/page.css", "/page.js"] {
        assert!(html.contains(asset));
        assert_eq!(client().get(format!("{}{asset}", world.phone_url())).send().await.unwrap().status(), 200);
    }
    assert!(!html.contains("http://") && !html.contains("https://"));
}

#[tokio::test]
async fn texts_can_be_read_and_answered_through_the_control_api() {
    let world = world().await;
    send(&world, PHONE, "hello", "").await;
    let texts = read(&world, "/_sim/texts?to=%2B14155550142").await;
    assert_eq!((texts.as_array().unwrap().len(), &texts[0]["body"]), (1, &json!("hello")));
    let (status, inbound) =
        tell(&world, "/_sim/carrier/inbound", json!({ "from": PHONE, "body": "STOP" })).await;
    assert_eq!((status, &inbound["replies"][0]["direction"]), (200, &json!("notice")));
    assert_eq!(send(&world, PHONE, "again", "").await.1["code"], 21610);
}

#[tokio::test]
async fn every_stand_in_can_be_scripted() {
    let world = world().await;
    let fault = json!({ "fault": { "fault": { "kind": "refuse", "status": 503 }, "times": 1 } });
    for path in ["/_sim/carrier/script", "/_sim/stripe/script", "/_sim/dialer/script"] {
        assert_eq!(tell(&world, path, fault.clone()).await.0, 204, "{path}");
    }
    let form = [("To", PHONE), ("From", "+15005550006"), ("Body", "hi")];
    assert_eq!(request(&world, &form).send().await.unwrap().status(), 503);
    assert_eq!(request(&world, &form).send().await.unwrap().status(), 201);
    let mail = json!({ "fault": { "fault": { "kind": "reject_recipient", "code": 550 }, "times": 1 } });
    assert_eq!(tell(&world, "/_sim/mailbox/script", mail).await.0, 204);
    let journey =
        json!({ "journey": { "fate": { "kind": "undelivered", "code": 30006 }, "callback_copies": 2 } });
    assert_eq!(tell(&world, "/_sim/carrier/script", journey).await.0, 204);
    let knobs = json!({ "webhooks": { "mode": "hold" }, "next_confirm": "process" });
    assert_eq!(tell(&world, "/_sim/stripe/script", knobs).await.0, 204);
    assert_eq!(tell(&world, "/_sim/stripe/script", json!({ "typo": 1 })).await.0, 422);
    assert_eq!(
        tell(&world, "/_sim/stripe/settle", json!({ "payment_intent": "pi_1", "paid": true })).await.0,
        409
    );
    assert_eq!(tell(&world, "/_sim/stripe/release", json!({})).await.1, json!({ "released": 0 }));
}

#[tokio::test]
async fn the_clock_can_be_moved_over_http() {
    let world = world().await;
    let before = read(&world, "/_sim/clock").await["now_ms"].as_i64().unwrap();
    let (_, moved) = tell(&world, "/_sim/clock/advance", json!({ "ms": 604_800_000 })).await;
    assert!(moved["now_ms"].as_i64().unwrap() >= before + 604_800_000);
    assert!(world.clock().now_ms() >= before + 604_800_000);
}

#[tokio::test]
async fn every_journal_can_be_read() {
    let world = world().await;
    for path in [
        "/_sim/emails",
        "/_sim/stripe/requests",
        "/_sim/stripe/payments",
        "/_sim/stripe/events",
        "/_sim/carrier/requests",
        "/_sim/carrier/callbacks",
    ] {
        assert_eq!(read(&world, path).await, json!([]), "{path}");
    }
    assert_eq!(read(&world, "/_sim/dialer").await, json!({ "calls": [], "commands": [] }));
    tell(&world, "/_sim/dialer/call", json!({ "invoice_id": "inv_1", "phone": PHONE })).await;
    assert_eq!(read(&world, "/_sim/dialer").await["calls"][0]["outcome"]["kind"], "unanswered");
}

#[tokio::test]
async fn nothing_listens_any_more_after_a_shutdown_or_a_drop() {
    let mut worlds = vec![world().await, world().await];
    let addresses: Vec<String> = worlds
        .iter()
        .flat_map(|world| {
            let urls = [world.stripe_url(), world.sms_url(), world.dialer_url(), world.phone_url()];
            let mail = world.smtp_addr().to_string();
            urls.map(|url| url.trim_start_matches("http://").to_owned()).into_iter().chain([mail])
        })
        .collect();
    worlds.pop().unwrap().shutdown().await;
    drop(worlds);
    let closed = tokio::time::timeout(crate::PATIENCE, async {
        for address in &addresses {
            while tokio::net::TcpStream::connect(address).await.is_ok() {
                tokio::task::yield_now().await;
            }
        }
    });
    closed.await.unwrap();
}
