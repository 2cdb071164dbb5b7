#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use secrecy::SecretString;
use serde_json::json;

use super::*;
use crate::scripted_server::{Act, ScriptedServer, answer, json, nobody};
use crate::sms::SmsConfig;

const SINCE_MS: i64 = 1_795_100_645_000;

fn gateway(base_url: &str) -> SmsGateway {
    SmsGateway::new(SmsConfig {
        base_url: base_url.to_owned(),
        account_sid: "AC1".to_owned(),
        auth_tokens: vec![SecretString::from("token")],
        timeout_ms: 2_000,
    })
    .unwrap()
}

fn wanted() -> FindMessage {
    FindMessage {
        to: "+14155550142".to_owned(),
        from: "+18005551212".to_owned(),
        since_ms: SINCE_MS,
        needle: "tok_unique".to_owned(),
        known_ids: vec!["SMknown".to_owned()],
    }
}

fn listed(sid: &str, body: &str, created: &str) -> Value {
    json!({"sid": sid, "status": "delivered", "error_code": null, "num_segments": "1", "body": body, "date_created": created})
}

const TODAY: &str = "Thu, 19 Nov 2026 15:04:10 +0000";
const LONG_AGO: &str = "Sun, 01 Nov 2026 00:00:00 +0000";

fn page(messages: &[Value], next: Option<&str>) -> Act {
    Act::Reply(json(200, &json!({"messages": messages, "next_page_uri": next})))
}

async fn find(script: Vec<Act>) -> (Result<Sighting, FindError>, ScriptedServer) {
    let server = ScriptedServer::start(script).await;
    let sighting = gateway(&server.url).find(&wanted()).await;
    (sighting, server)
}

fn found() -> Sighting {
    Sighting::Found {
        provider_id: "SM2".to_owned(),
        status: MessageStatus::Delivered,
        code: None,
        segments: Some(1),
    }
}

#[tokio::test]
async fn our_text_is_found_by_its_link_among_others() {
    let others = [listed("SM1", "another", TODAY), listed("SM2", "pay at /p/tok_unique now", TODAY)];
    let (sighting, server) = find(vec![page(&others, None)]).await;
    assert_eq!(sighting, Ok(found()));
    let expected = "GET /2010-04-01/Accounts/AC1/Messages.json?To=%2B14155550142&From=%2B18005551212&PageSize=200 HTTP/1.1";
    assert_eq!(server.heard()[0].request_line(), expected);
    assert!(server.heard()[0].header("authorization").is_some());
}

#[tokio::test]
async fn every_page_is_turned_before_a_text_is_called_absent() {
    let next = "/2010-04-01/Accounts/AC1/Messages.json?Page=1&PageToken=PASM1";
    let first = page(&[listed("SM1", "another", TODAY)], Some(next));
    let (sighting, server) =
        find(vec![first.clone(), page(&[listed("SM2", "tok_unique", TODAY)], None)]).await;
    assert_eq!(sighting, Ok(found()));
    assert_eq!(server.heard()[1].request_line(), format!("GET {next} HTTP/1.1"));
    let (sighting, server) = find(vec![first, page(&[], None)]).await;
    assert_eq!(sighting, Ok(Sighting::Absent));
    assert_eq!(server.heard().len(), 2);
}

#[tokio::test]
async fn pages_from_long_before_the_attempt_are_not_turned() {
    let (sighting, server) = find(vec![page(&[listed("SM1", "another", LONG_AGO)], Some("/next"))]).await;
    assert_eq!(sighting, Ok(Sighting::Absent));
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn a_text_of_another_attempt_with_the_same_link_is_not_this_one() {
    let (sighting, _) = find(vec![page(&[listed("SMknown", "tok_unique", TODAY)], None)]).await;
    assert_eq!(sighting, Ok(Sighting::Absent));
}

#[tokio::test]
async fn a_text_dated_long_ago_still_counts_when_it_is_ours() {
    let (sighting, _) = find(vec![page(&[listed("SM2", "tok_unique", LONG_AGO)], None)]).await;
    assert_eq!(sighting, Ok(found()));
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_never_absence() {
    let unreadable = [
        answer(200, &[], "<html>"),
        answer(200, &[], "{}"),
        json(200, &json!({"messages": {}})),
        json(200, &json!({"messages": [{"body": "no sid"}], "next_page_uri": null})),
        json(200, &json!({"messages": [], "next_page_uri": 7})),
        json(200, &json!({"messages": [], "next_page_uri": "http://127.0.0.1:9/steal"})),
        json(200, &json!({"messages": [], "next_page_uri": "//127.0.0.1:9/steal"})),
    ];
    for reply in unreadable {
        let shown = String::from_utf8_lossy(&reply).into_owned();
        let (sighting, _) = find(vec![Act::Reply(reply)]).await;
        assert_eq!(sighting, Err(FindError::Unreadable), "{shown}");
    }
    let whole = json(200, &json!({"messages": [], "next_page_uri": null}));
    let (sighting, _) = find(vec![Act::ReplyAndClose(whole[..whole.len() - 1].to_vec())]).await;
    assert_eq!(sighting, Err(FindError::Unreadable));
}

#[tokio::test]
async fn an_account_that_hides_bodies_cannot_prove_absence() {
    let hidden = json!({"sid": "SM1", "status": "sent", "body": "", "date_created": TODAY});
    let (sighting, _) = find(vec![page(&[hidden], None)]).await;
    assert_eq!(sighting, Err(FindError::BodiesHidden));
}

#[tokio::test]
async fn refusals_and_silence_are_told_apart_and_neither_is_absence() {
    let (sighting, _) = find(vec![Act::Reply(answer(429, &[("Retry-After", "3")], ""))]).await;
    assert_eq!(sighting, Err(FindError::Refused { status: 429, retry_after_ms: Some(3_000) }));
    let (sighting, _) = find(vec![Act::Reply(answer(500, &[], ""))]).await;
    assert_eq!(sighting, Err(FindError::Refused { status: 500, retry_after_ms: None }));
    assert_eq!(gateway(&nobody().await).find(&wanted()).await, Err(FindError::Unreachable));
}

#[tokio::test]
async fn a_list_without_end_is_given_to_a_person() {
    let again = page(&[listed("SM1", "another", TODAY)], Some("/again"));
    let (sighting, server) = find(vec![again; PAGES_MAX + 5]).await;
    assert_eq!(sighting, Err(FindError::TooLong));
    assert_eq!(server.heard().len(), PAGES_MAX);
}
