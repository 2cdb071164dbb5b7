#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::send::RejectClass;
use serde_json::json;

use super::*;
use crate::scripted_server::{Act, ScriptedServer, answer, json, nobody};

const TO: &str = "+14155550142";

fn gateway(base_url: &str, timeout_ms: u64) -> SmsGateway {
    SmsGateway::new(SmsConfig {
        base_url: base_url.to_owned(),
        account_sid: "AC1".to_owned(),
        auth_tokens: vec![SecretString::from("new-token"), SecretString::from("12345")],
        timeout_ms,
    })
    .unwrap()
}

fn text() -> SmsSend {
    SmsSend {
        to: TO.to_owned(),
        from: "+18005551212".to_owned(),
        body: "Acme: pay invoice INV-7 at https://pay.example/p/tok & reply STOP".to_owned(),
        status_callback: "https://pay.example/hooks/twilio/att_1".to_owned(),
        validity_s: 900,
        deadline: Instant::now() + Duration::from_secs(60),
    }
}

fn created() -> Vec<u8> {
    let message = json!({
        "sid": "SM1", "status": "queued", "num_segments": "1", "error_code": null, "error_message": null, "to": TO,
        "body": "…", "date_created": "Thu, 19 Nov 2026 15:04:05 +0000",
    });
    json(201, &message)
}

fn accepted() -> SendOutcome {
    SendOutcome::Accepted { provider_id: "SM1".to_owned(), segments: Some(1) }
}

/// What one send comes to when the carrier does this, and how many whole requests it heard.
async fn send_against(act: Act) -> (SendOutcome, ScriptedServer) {
    let server = ScriptedServer::start([act]).await;
    let outcome = gateway(&server.url, 5_000).send(&text()).await;
    (outcome, server)
}

#[tokio::test]
async fn an_accepted_text_names_itself_and_the_request_is_what_the_carrier_documents() {
    let (outcome, server) = send_against(Act::Reply(created())).await;
    assert_eq!(outcome, accepted());
    let heard = &server.heard()[0];
    assert_eq!(heard.request_line(), "POST /2010-04-01/Accounts/AC1/Messages.json HTTP/1.1");
    assert_eq!(heard.header("authorization"), Some("Basic QUMxOm5ldy10b2tlbg=="));
    assert_eq!(heard.header("content-type"), Some("application/x-www-form-urlencoded"));
    let form: Vec<(String, String)> = serde_urlencoded::from_bytes(&heard.body).unwrap();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(field("To"), Some(TO));
    assert_eq!(field("From"), Some("+18005551212"));
    assert_eq!(field("Body"), Some(text().body.as_str()));
    assert_eq!(field("StatusCallback"), Some("https://pay.example/hooks/twilio/att_1"));
    assert_eq!(field("ValidityPeriod"), Some("900"));
    assert_eq!(form.len(), 5);
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let outcome = gateway(&nobody().await, 5_000).send(&text()).await;
    assert_eq!(outcome.word(), "not_sent");
}

#[tokio::test]
async fn a_failed_tls_handshake_means_nothing_was_sent() {
    let server = ScriptedServer::start([Act::Silence]).await;
    let outcome = gateway(&server.url.replace("http:", "https:"), 300).send(&text()).await;
    assert_eq!(outcome.word(), "not_sent");
    assert_eq!(server.whole_requests(), 0);
}

#[tokio::test]
async fn past_its_deadline_nothing_is_written_or_even_connected() {
    let server = ScriptedServer::start([Act::Reply(created())]).await;
    let late = SmsSend { deadline: Instant::now(), ..text() };
    assert_eq!(gateway(&server.url, 5_000).send(&late).await.word(), "not_sent");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_answer_that_never_comes_is_unknown_and_not_asked_for_twice() {
    let server = ScriptedServer::start([Act::Silence]).await;
    let outcome = gateway(&server.url, 1_500).send(&text()).await;
    assert_eq!(outcome, SendOutcome::unknown("timed out after the request was written"));
    assert_eq!(server.whole_requests(), 1);
}

#[tokio::test]
async fn a_connection_cut_at_any_byte_of_the_request_is_never_called_sent_and_never_repeated() {
    let (_, server) = send_against(Act::Reply(created())).await;
    let length = server.heard()[0].head.len() + 4 + server.heard()[0].body.len();
    let server = ScriptedServer::start((0..=length).map(Act::CloseAfterReading)).await;
    let gateway = gateway(&server.url, 5_000);
    for cut in 0..=length {
        let before = server.whole_requests();
        let outcome = gateway.send(&text()).await;
        assert!(matches!(outcome.word(), "unknown" | "not_sent"), "cut at {cut}: {outcome:?}");
        assert_eq!(server.connections(), cut + 1, "cut at {cut}");
        if server.whole_requests() > before {
            assert_eq!(outcome.word(), "unknown", "cut at {cut}");
        }
    }
    assert_eq!(server.whole_requests(), 1);
}

#[tokio::test]
async fn an_answer_cut_at_any_byte_is_accepted_only_when_whole() {
    let whole = created();
    let server =
        ScriptedServer::start((0..=whole.len()).map(|cut| Act::ReplyAndClose(whole[..cut].to_vec()))).await;
    let gateway = gateway(&server.url, 5_000);
    for cut in 0..whole.len() {
        let outcome = gateway.send(&text()).await;
        assert_eq!(outcome.word(), "unknown", "cut at {cut}: {outcome:?}");
        assert_eq!(server.whole_requests(), cut + 1, "cut at {cut}");
    }
    assert_eq!(gateway.send(&text()).await, accepted());
}

#[tokio::test]
async fn a_success_that_does_not_name_our_message_is_unknown() {
    let bodies = [
        "<html>ok</html>".to_owned(),
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        json!({"sid": null}).to_string(),
        json!({"sid": ""}).to_string(),
        json!({"sid": "../SM1"}).to_string(),
        json!({"sid": "SM1", "to": "+14155550199"}).to_string(),
        r#"{"sid":"SM1""#.to_owned(),
    ];
    for body in bodies {
        let (outcome, _) = send_against(Act::Reply(answer(201, &[], &body))).await;
        assert_eq!(outcome.word(), "unknown", "{body}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_unknown() {
    let endless = "x".repeat(http::ANSWER_MAX_BYTES + 1);
    let (outcome, _) = send_against(Act::Reply(answer(201, &[], &endless))).await;
    assert_eq!(outcome.word(), "unknown");
}

#[tokio::test]
async fn server_faults_and_redirects_are_unknown_and_said_once() {
    for status in [301, 302, 307, 408, 500, 502, 503, 504] {
        let headers = [("Retry-After", "1"), ("Location", "/elsewhere")];
        let (outcome, server) = send_against(Act::Reply(answer(status, &headers, "busy"))).await;
        assert_eq!(outcome.word(), "unknown", "{status}");
        assert_eq!(server.heard().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn being_told_to_slow_down_is_not_sent_with_the_carriers_wish() {
    let cases =
        [(Some("7"), Some(7_000)), (Some("soon"), None), (Some("999999999"), Some(3_600_000)), (None, None)];
    for (wish, expected) in cases {
        let headers: Vec<(&str, &str)> = wish.map(|wish| ("Retry-After", wish)).into_iter().collect();
        let body = json!({"code": 20429, "status": 429}).to_string();
        let (outcome, _) = send_against(Act::Reply(answer(429, &headers, &body))).await;
        let SendOutcome::NotSent { retry_after_ms, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(retry_after_ms, expected, "{wish:?}");
    }
}

#[tokio::test]
async fn refusals_are_rejected_with_their_class_and_without_the_carriers_words() {
    let cases = [
        (400, 21610, RejectClass::OptedOut),
        (400, 21211, RejectClass::BadNumber),
        (400, 21614, RejectClass::NotTextable),
        (401, 20003, RejectClass::Auth),
        (403, 20003, RejectClass::Auth),
        (400, 21408, RejectClass::Region),
    ];
    for (status, code, class) in cases {
        let body = json!({"code": code, "message": format!("The 'To' number {TO} is bad"), "status": status});
        let (outcome, _) = send_against(Act::Reply(json(status, &body))).await;
        assert!(!format!("{outcome:?}").contains(TO));
        let SendOutcome::Rejected { code: said, class: read, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!((said, read), (Some(code), class));
    }
    let (outcome, _) = send_against(Act::Reply(answer(403, &[], "<html>"))).await;
    assert!(matches!(outcome, SendOutcome::Rejected { code: None, class: RejectClass::Auth, .. }));
}

#[tokio::test]
async fn the_code_for_an_internal_fault_is_unknown_even_as_a_refusal() {
    for status in [400, 500] {
        let (outcome, _) = send_against(Act::Reply(json(status, &json!({"code": 20500})))).await;
        assert_eq!(outcome.word(), "unknown", "{status}");
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = ScriptedServer::start([Act::Reply(created()), Act::Reply(created())]).await;
    let gateway = gateway(&server.url, 5_000);
    for _ in 0..2 {
        assert_eq!(gateway.send(&text()).await, accepted());
    }
    assert_eq!((server.connections(), server.whole_requests()), (1, 2));
}

/// hyper repeats a request by itself when a reused connection dies under it. Here the second request is read whole
/// before the connection dies, so a repeat would be a second text.
#[tokio::test]
async fn a_request_lost_on_a_reused_connection_is_unknown_and_never_repeated() {
    let lost = Act::CloseAfterReading(usize::MAX - 1);
    let server = ScriptedServer::start([Act::Reply(created()), lost, Act::Reply(created())]).await;
    let gateway = gateway(&server.url, 5_000);
    assert_eq!(gateway.send(&text()).await, accepted());
    let outcome = gateway.send(&text()).await;
    assert_eq!(outcome, SendOutcome::unknown("the connection broke after the request was written"));
    assert_eq!((server.connections(), server.whole_requests()), (1, 2));
}

/// The other side of the same race: the carrier hung up while the connection was idle. Whatever the timing, the
/// number of whole requests heard is the number that were called accepted or unknown.
#[tokio::test]
async fn a_connection_that_died_idle_never_makes_two_texts_of_one() {
    for _ in 0..20 {
        let script = [Act::ReplyAndClose(created()), Act::Reply(created()), Act::Reply(created())];
        let server = ScriptedServer::start(script).await;
        let gateway = gateway(&server.url, 5_000);
        assert_eq!(gateway.send(&text()).await, accepted());
        let second = gateway.send(&text()).await;
        let heard = server.whole_requests();
        match second.word() {
            "accepted" => assert_eq!(heard, 2),
            "not_sent" => assert_eq!(heard, 1),
            "unknown" => assert!(heard <= 2),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let config = |base_url: &str, account_sid: &str, tokens: &[&str]| SmsConfig {
        base_url: base_url.to_owned(),
        account_sid: account_sid.to_owned(),
        auth_tokens: tokens.iter().map(|token| SecretString::from(*token)).collect(),
        timeout_ms: 1,
    };
    assert!(SmsGateway::new(config("no url", "AC1", &["t"])).is_err());
    assert!(SmsGateway::new(config("file:///tmp", "AC1", &["t"])).is_err());
    assert!(SmsGateway::new(config("http://carrier", "AC1/..", &["t"])).is_err());
    assert!(SmsGateway::new(config("http://carrier", "", &["t"])).is_err());
    assert!(SmsGateway::new(config("http://carrier", "AC1", &[])).is_err());
    let secret = format!("{:?}", config("http://carrier", "AC1", &["hunter2"]));
    assert!(!secret.contains("hunter2"));
}

#[tokio::test]
async fn callbacks_are_verified_with_any_live_token() {
    let form =
        b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309";
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let gateway = gateway("http://127.0.0.1:1", 1_000);
    assert_eq!(gateway.verify(url, form, "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Ok(()));
    assert!(gateway.verify(url, b"", "RSOYDt4T1cUTdK1PDd93/VVr8B8=").is_err());
}
