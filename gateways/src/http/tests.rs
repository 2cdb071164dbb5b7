#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::scripted_server::{Act, ScriptedServer, answer};

fn wish(value: &str, date: Option<&str>) -> Option<i64> {
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    if let Some(date) = date {
        headers.insert(DATE, date.parse().unwrap());
    }
    retry_after_ms(&headers)
}

#[test]
fn a_wish_in_seconds_is_honoured_and_capped() {
    assert_eq!(wish("0", None), Some(0));
    assert_eq!(wish(" 7 ", None), Some(7_000));
    assert_eq!(wish("3600", None), Some(RETRY_AFTER_MAX_MS));
    assert_eq!(wish("3601", None), Some(RETRY_AFTER_MAX_MS));
    assert_eq!(wish("99999999999999999999999999", None), Some(RETRY_AFTER_MAX_MS));
}

#[test]
fn a_wish_as_a_date_is_measured_by_the_servers_own_clock() {
    let now = Some("Fri, 20 Nov 2026 10:00:00 GMT");
    assert_eq!(wish("Fri, 20 Nov 2026 10:00:30 GMT", now), Some(30_000));
    assert_eq!(wish("Fri, 20 Nov 2026 09:00:00 GMT", now), Some(0));
    assert_eq!(wish("Sun, 20 Dec 2026 10:00:00 GMT", now), Some(RETRY_AFTER_MAX_MS));
    assert_eq!(wish("Fri, 20 Nov 2026 10:00:30 GMT", None), None);
}

#[test]
fn nonsense_is_no_wish() {
    for value in ["", "-1", "+5", "1.5", "soon", "7 s", "0x10", "\u{ff11}"] {
        assert_eq!(wish(value, Some("Fri, 20 Nov 2026 10:00:00 GMT")), None, "{value:?}");
    }
    assert_eq!(retry_after_ms(&HeaderMap::new()), None);
}

#[test]
fn dates_of_mail_and_http_are_read() {
    assert_eq!(date_ms("Thu, 19 Nov 2026 15:04:05 +0000"), Some(1_795_100_645_000));
    assert_eq!(date_ms("Thu, 19 Nov 2026 15:04:05 GMT"), Some(1_795_100_645_000));
    assert_eq!(date_ms("2026-11-19T15:04:05Z"), None);
}

async fn post(
    server: &ScriptedServer,
    deadline: Instant,
) -> (reqwest::Result<reqwest::Response>, HandedOver) {
    let client = client(Duration::from_secs(5), Reach::Anywhere).unwrap();
    let (body, handed_over) = body_before(deadline, b"To=somebody".to_vec());
    (client.post(&server.url).header("content-length", 11).body(body).send().await, handed_over)
}

#[tokio::test]
async fn a_body_whose_deadline_has_passed_by_the_time_it_is_wanted_never_leaves() {
    let server = ScriptedServer::start([Act::Reply(answer(201, &[], "{}"))]).await;
    let (outcome, handed_over) = post(&server, Instant::now()).await;
    assert!(outcome.is_err());
    assert!(!handed_over.has_happened());
    assert!(server.heard().iter().all(|heard| heard.body.is_empty() && !heard.is_whole));
}

#[tokio::test]
async fn a_body_in_time_leaves_whole_and_is_marked() {
    let server = ScriptedServer::start([Act::Reply(answer(201, &[], "{}"))]).await;
    let (outcome, handed_over) = post(&server, Instant::now() + Duration::from_secs(60)).await;
    assert_eq!(outcome.unwrap().status(), 201);
    assert!(handed_over.has_happened());
    assert_eq!(server.heard()[0].text(), "To=somebody");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let endless = "x".repeat(ANSWER_MAX_BYTES + 1);
    let server = ScriptedServer::start([Act::Reply(answer(200, &[], &endless))]).await;
    let client = client(Duration::from_secs(20), Reach::Anywhere).unwrap();
    let response = client.get(&server.url).send().await.unwrap();
    assert_eq!(read_body(response).await, Err(BodyError::TooLarge));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = ScriptedServer::start([Act::Reply(answer(200, &[], ""))]).await;
    let server =
        ScriptedServer::start([Act::Reply(answer(302, &[("Location", elsewhere.url.as_str())], ""))]).await;
    let client = client(Duration::from_secs(5), Reach::Anywhere).unwrap();
    assert_eq!(client.get(&server.url).send().await.unwrap().status(), 302);
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_client_for_merchants_urls_does_not_connect_inside() {
    let server = ScriptedServer::start([Act::Reply(answer(200, &[], ""))]).await;
    let client = client(Duration::from_secs(5), Reach::PublicOnly).unwrap();
    let by_name = server.url.replace("http://127.0.0.1", "https://localhost");
    assert!(client.get(&by_name).send().await.is_err());
    assert!(client.get(&server.url).send().await.is_err());
    assert_eq!(server.connections(), 0);
}
