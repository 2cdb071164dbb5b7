#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;

use super::*;
use crate::scripted_server::{Act, ScriptedServer, answer, nobody};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW: Timestamp = Timestamp::from_millis(1_795_100_645_900);

fn command(url: &str) -> DialerCommand {
    DialerCommand {
        url: url.to_owned(),
        secrets: vec![SecretString::from(KEY)],
        command_id: "cmd_1".to_owned(),
        kind: DialerCommandKind::Pause,
        merchant_id: "mer_1".to_owned(),
        campaign_id: "cmp_1".to_owned(),
        enrolment_id: "enr_1".to_owned(),
        invoice_id: "inv_1".to_owned(),
        reason: "question".to_owned(),
        occurred_at: Timestamp::from_millis(1_795_100_000_000),
    }
}

fn gateway(timeout_ms: u64) -> DialerGateway {
    DialerGateway::new(&DialerConfig { timeout_ms, reach: Reach::Anywhere }).unwrap()
}

async fn tell_against(act: Act) -> (Result<Acknowledged, DialerError>, ScriptedServer) {
    let server = ScriptedServer::start([act]).await;
    let told = gateway(2_000).tell(&command(&format!("{}/hook?x=1", server.url)), NOW).await;
    (told, server)
}

#[tokio::test]
async fn a_command_is_signed_so_that_the_reference_library_agrees() {
    let (told, server) = tell_against(Act::Reply(answer(200, &[], r#"{"acknowledged":true}"#))).await;
    assert_eq!(told, Ok(Acknowledged));
    let heard = &server.heard()[0];
    assert_eq!(heard.request_line(), "POST /hook?x=1 HTTP/1.1");
    assert_eq!(heard.header("content-type"), Some("application/json"));
    assert_eq!(heard.header("webhook-id"), Some("cmd_1"));
    assert_eq!(heard.header("webhook-timestamp"), Some("1795100645"));
    let reference = standardwebhooks::Webhook::new(KEY).unwrap();
    let expected = reference.sign("cmd_1", 1_795_100_645, &heard.body).unwrap();
    assert_eq!(heard.header("webhook-signature"), Some(expected.as_str()));
    let body: serde_json::Value = serde_json::from_slice(&heard.body).unwrap();
    let expected = json!({
        "type": "call.pause", "command_id": "cmd_1", "merchant_id": "mer_1", "campaign_id": "cmp_1",
        "enrolment_id": "enr_1", "invoice_id": "inv_1", "reason": "question", "occurred_at": "2026-11-19T14:53:20.000Z",
    });
    assert_eq!(body, expected);
}

#[test]
fn a_repeated_command_has_the_same_body_and_a_resume_its_own_type() {
    let command = command("http://dialer");
    assert_eq!(body_of(&command), body_of(&command.clone()));
    let resume = DialerCommand { kind: DialerCommandKind::Resume, ..command };
    assert!(String::from_utf8(body_of(&resume)).unwrap().starts_with(r#"{"type":"call.resume","#));
}

#[tokio::test]
async fn only_an_acknowledgement_in_so_many_words_counts() {
    let bodies = [
        "",
        "ok",
        "<html>",
        "{}",
        "true",
        "[true]",
        r#"{"acknowledged":"true"}"#,
        r#"{"acknowledged":1}"#,
        r#"{"acknowledged":false}"#,
        r#"{"acknowledged":null}"#,
        r#"{"acknowledged":true"#,
    ];
    for body in bodies {
        let (told, _) = tell_against(Act::Reply(answer(200, &[], body))).await;
        assert_eq!(told, Err(DialerFault::NotAcknowledged.into()), "{body:?}");
    }
    let (told, _) = tell_against(Act::Reply(answer(202, &[], r#"{"acknowledged":true,"more":1}"#))).await;
    assert_eq!(told, Ok(Acknowledged));
}

#[tokio::test]
async fn another_status_is_not_heard_whatever_it_says() {
    for status in [301, 307, 400, 401, 404, 410, 500, 503] {
        let headers = [("Retry-After", "7"), ("Location", "/hook")];
        let (told, server) =
            tell_against(Act::Reply(answer(status, &headers, r#"{"acknowledged":true}"#))).await;
        let expected = DialerError { fault: DialerFault::Status(status), retry_after_ms: Some(7_000) };
        assert_eq!(told, Err(expected));
        assert_eq!(server.heard().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn silence_and_absence_are_told_apart() {
    let server = ScriptedServer::start([Act::Silence]).await;
    let told = gateway(200).tell(&command(&server.url), NOW).await;
    assert_eq!(told, Err(DialerFault::TimedOut.into()));
    let told = gateway(2_000).tell(&command(&nobody().await), NOW).await;
    assert_eq!(told, Err(DialerFault::Unreachable.into()));
    let (told, _) = tell_against(Act::CloseAfterReading(10)).await;
    assert_eq!(told, Err(DialerFault::Unreachable.into()));
}

#[tokio::test]
async fn urls_and_secrets_that_cannot_work_are_named() {
    for url in ["", "dialer", "file:///etc/passwd", "http://"] {
        assert_eq!(gateway(2_000).tell(&command(url), NOW).await, Err(DialerFault::BadUrl.into()), "{url}");
    }
    let unsigned =
        DialerCommand { secrets: vec![SecretString::from("whsec_")], ..command("http://127.0.0.1:1/") };
    assert_eq!(gateway(2_000).tell(&unsigned, NOW).await, Err(DialerFault::BadSecret.into()));
}

#[tokio::test]
async fn while_a_secret_is_exchanged_a_dialer_may_check_with_either() {
    let former = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let server = ScriptedServer::start([Act::Reply(answer(200, &[], r#"{"acknowledged":true}"#))]).await;
    let both = vec![SecretString::from(KEY), SecretString::from(former)];
    let command = DialerCommand { secrets: both, ..command(&server.url) };
    assert_eq!(gateway(2_000).tell(&command, NOW).await, Ok(Acknowledged));
    let heard = &server.heard()[0];
    let signatures: Vec<&str> = heard.header("webhook-signature").unwrap().split(' ').collect();
    for (position, secret) in [KEY, former].into_iter().enumerate() {
        let reference = standardwebhooks::Webhook::new(secret).unwrap();
        assert_eq!(signatures[position], reference.sign("cmd_1", 1_795_100_645, &heard.body).unwrap());
    }
}

#[tokio::test]
async fn a_merchants_url_does_not_lead_inside() {
    let server = ScriptedServer::start([Act::Reply(answer(200, &[], r#"{"acknowledged":true}"#))]).await;
    let gateway = DialerGateway::new(&DialerConfig { timeout_ms: 2_000, reach: Reach::PublicOnly }).unwrap();
    for url in [server.url.clone(), server.url.replace("http:", "https:"), "https://[::1]/".to_owned()] {
        assert_eq!(gateway.tell(&command(&url), NOW).await, Err(DialerFault::BadUrl.into()), "{url}");
    }
    let by_name = server.url.replace("http://127.0.0.1", "https://localhost");
    assert_eq!(gateway.tell(&command(&by_name), NOW).await, Err(DialerFault::Unreachable.into()));
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_command_in_a_log_shows_no_secret() {
    assert!(!format!("{:?}", command("http://dialer")).contains("MfKQ9r8G"));
}
