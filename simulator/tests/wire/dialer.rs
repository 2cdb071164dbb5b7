//! Commands to the dialer, and the question before each call.

use serde_json::{Value, json};
use simulator::call::{Intent, PostCallEvent, Sender};
use simulator::dialer::{CallOutcome, CommandKind};
use simulator::{Fault, FaultRule, ProductEndpoints, World, signatures};

use crate::product::Product;
use crate::{PATIENCE, client, world};

const SECRET: &str = "whsec_c2ltdWxhdGVkLWRpYWxlci1zZWNyZXQ=";

fn command(kind: &str, id: &str) -> String {
    json!({
        "type": kind, "command_id": id, "merchant_id": "mer_1", "campaign_id": "cmp_1", "enrolment_id": "enr_1",
        "invoice_id": "inv_1", "reason": "question", "occurred_at": "2026-11-21T10:00:00Z",
    })
    .to_string()
}

async fn tell(world: &World, body: &str, secret: &str) -> u16 {
    let at = world.clock().now_s();
    let request = client()
        .post(format!("{}/commands", world.dialer_url()))
        .header("content-type", "application/json")
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", at)
        .header(
            "webhook-signature",
            signatures::standard_webhook(secret, "msg_1", at, body.as_bytes()).unwrap(),
        );
    request.body(body.to_owned()).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_pause_holds_until_a_resume_and_counts_once() {
    let world = world().await;
    assert_eq!(tell(&world, &command("call.pause", "c1"), SECRET).await, 200);
    assert_eq!(tell(&world, &command("call.pause", "c1"), SECRET).await, 200);
    world.dialer().wait_for_pause("inv_1", true, PATIENCE).await.unwrap();
    assert_eq!((world.dialer().commands().len(), world.dialer().obeyed().len()), (2, 1));
    assert_eq!(tell(&world, &command("call.resume", "c2"), SECRET).await, 200);
    assert_eq!(world.dialer().enrolment_is_paused("enr_1"), Some(false));
    // A late repetition of the pause must not undo the resume.
    tell(&world, &command("call.pause", "c1"), SECRET).await;
    assert!(!world.dialer().is_paused("inv_1"));
    let lines = world.dialer().commands_jsonl();
    let record: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&record["secret"], &record["body"]), (&json!(SECRET), &json!(command("call.pause", "c1"))));
    assert!(record["headers"]["webhook-signature"].as_str().unwrap().starts_with("v1,"));
}

#[tokio::test]
async fn unsigned_and_unreadable_commands_are_refused() {
    let world = world().await;
    let other = "whsec_c29tZWJvZHktZWxzZQ==";
    assert_eq!(tell(&world, &command("call.pause", "c1"), other).await, 401);
    assert_eq!(tell(&world, "{}", SECRET).await, 422);
    assert_eq!(tell(&world, &command("call.cancel", "c1"), SECRET).await, 422);
    let bare = client().post(format!("{}/commands", world.dialer_url())).body(command("call.pause", "c1"));
    assert_eq!(bare.send().await.unwrap().status(), 401);
    assert!(!world.dialer().is_paused("inv_1"));
}

#[tokio::test]
async fn a_command_is_obeyed_even_when_its_acknowledgement_is_lost() {
    let world = world().await;
    world.dialer().fault(FaultRule::once(Fault::Refuse { status: 500, retry_after_s: None }));
    world.dialer().fault(FaultRule::once(Fault::FailAfter { status: 502 }));
    assert_eq!(tell(&world, &command("call.pause", "c1"), SECRET).await, 500);
    assert!(!world.dialer().is_paused("inv_1"));
    assert_eq!(tell(&world, &command("call.pause", "c1"), SECRET).await, 502);
    assert!(world.dialer().is_paused("inv_1"));
    assert_eq!(tell(&world, &command("call.pause", "c1"), SECRET).await, 200);
    let seen = world.dialer().wait_for_command(CommandKind::Pause, "inv_1", PATIENCE).await.unwrap();
    assert_eq!((seen.command_id.as_str(), world.dialer().obeyed().len()), ("c1", 1));
}

#[tokio::test]
async fn a_call_is_placed_only_after_a_clear_yes() {
    let (world, product) = (world().await, Product::start().await);
    let dialer = world.dialer();
    assert!(matches!(dialer.attempt_call("inv_1", "+1").await.outcome, CallOutcome::Unanswered { .. }));
    world.connect(ProductEndpoints {
        call_permission_url: Some(format!("{}/v1/call-permission", product.url)),
        call_permission_key: Some("key_1".into()),
        ..ProductEndpoints::default()
    });
    product.will_answer(200, r#"{"decision":"allow","reasons":[]}"#);
    assert!(dialer.attempt_call("inv_1", "+1").await.placed());
    product.will_answer(200, r#"{"decision":"deny","reasons":["on_hold"]}"#);
    let denied = dialer.attempt_call("inv_1", "+1").await.outcome;
    assert_eq!(denied, CallOutcome::Denied { reasons: vec!["on_hold".into()] });
    product.will_answer(500, "");
    assert!(matches!(dialer.attempt_call("inv_1", "+1").await.outcome, CallOutcome::Unanswered { .. }));
    let asked = product.heard();
    assert_eq!(
        (asked[0].header("authorization"), asked[0].json()),
        ("Bearer key_1", json!({ "invoice_id": "inv_1" }))
    );
    tell(&world, &command("call.pause", "c1"), SECRET).await;
    assert_eq!(dialer.attempt_call("inv_1", "+1").await.outcome, CallOutcome::Paused);
    assert_eq!((product.heard().len(), dialer.calls().len()), (3, 5));
}

#[tokio::test]
async fn the_end_of_a_call_is_posted_signed_or_with_a_key() {
    let (world, product) = (world().await, Product::start().await);
    let event = PostCallEvent::new("c_1", "mer_1", "inv_1", Intent::Dispute, world.clock().now_ms())
        .disputed("too much");
    product.will_answer(202, r#"{"id":"evt_1","disposition":"accepted"}"#);
    let url = format!("{}/v1/events", product.url);
    let receipt = world.dialer().report(&Sender::signing(&url, SECRET), &event).await.unwrap();
    assert_eq!((receipt.status, receipt.disposition(), receipt.id()), (202, Some("accepted"), Some("evt_1")));
    world.dialer().report(&Sender::with_key(&url, "key_9"), &event).await.unwrap();
    let heard = product.heard();
    let (id, at) = (heard[0].header("webhook-id"), heard[0].header("webhook-timestamp"));
    let signature = Some(heard[0].header("webhook-signature"));
    let now_s = world.clock().now_s();
    let verified = signatures::verify_standard_webhook(
        SECRET,
        Some(id),
        Some(at),
        signature,
        heard[0].body.as_bytes(),
        now_s,
    );
    assert_eq!(verified, Ok(()));
    let body: Value = heard[0].json();
    assert_eq!(
        (&body["outcome"]["intent"], &body["outcome"]["dispute"]["text"]),
        (&json!("dispute"), &json!("too much"))
    );
    assert_eq!(heard[1].header("authorization"), "Bearer key_9");
}
