#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::send::RejectClass;

use super::scripted_relay::{Script, ScriptedRelay, Word};
use super::*;

fn gateway(smtp_url: &str, timeout_ms: u64) -> EmailGateway {
    let config = EmailConfig {
        smtp_url: SecretString::from(smtp_url),
        domain: "pay.example".to_owned(),
        timeout_ms,
        pool_size: 4,
    };
    EmailGateway::new(&config).unwrap()
}

fn email() -> EmailSend {
    EmailSend {
        message_id: "att_1".to_owned(),
        from_name: "Acme & Söhne".to_owned(),
        from_address: "billing@pay.example".to_owned(),
        reply_to: None,
        to: "ana@customer.example".to_owned(),
        subject: "Your invoice".to_owned(),
        text: "Pay at https://pay.example/p/tok".to_owned(),
        html: "<p>Pay</p>".to_owned(),
        list_unsubscribe: None,
        dated: Timestamp::from_millis(1_795_100_645_000),
        deadline: Instant::now() + Duration::from_secs(60),
    }
}

fn accepted() -> SendOutcome {
    SendOutcome::Accepted { provider_id: "att_1@pay.example".to_owned(), segments: None }
}

async fn send_against(script: Script) -> (SendOutcome, ScriptedRelay) {
    let relay = ScriptedRelay::start(script).await;
    let outcome = gateway(&relay.url(), 5_000).send(&email()).await;
    (outcome, relay)
}

#[tokio::test]
async fn a_message_the_relay_takes_is_accepted_under_our_own_id() {
    let (outcome, relay) = send_against(Script::default()).await;
    assert_eq!(outcome, accepted());
    let commands = relay.commands();
    let expected =
        ["EHLO pay.example", "MAIL FROM:<billing@pay.example>", "RCPT TO:<ana@customer.example>", "DATA"];
    assert_eq!(commands, expected);
    assert_eq!(relay.messages().len(), 1);
}

/// One step of the conversation, changed.
fn changed(step: usize, word: Word) -> Script {
    let mut script = Script::default();
    let steps = [
        &mut script.greeting,
        &mut script.hello,
        &mut script.sender,
        &mut script.recipient,
        &mut script.data,
        &mut script.content,
    ];
    *steps.into_iter().nth(step).unwrap() = word;
    script
}

const CONTENT: usize = 5;

#[tokio::test]
async fn a_line_that_breaks_is_unknown_only_after_the_message_is_out() {
    for step in 0..=CONTENT {
        let (outcome, relay) = send_against(changed(step, Word::HangUp)).await;
        let expected = if step == CONTENT { "unknown" } else { "not_sent" };
        assert_eq!(outcome.word(), expected, "step {step}: {outcome:?}");
        assert_eq!(relay.connections(), 1, "step {step}");
    }
}

#[tokio::test]
async fn silence_is_unknown_only_after_the_message_is_out() {
    let outcome_at = async |step: usize| {
        let relay = ScriptedRelay::start(changed(step, Word::Silence)).await;
        gateway(&relay.url(), 1_500).send(&email()).await
    };
    let outcomes = futures::future::join_all((0..=CONTENT).map(outcome_at)).await;
    for (step, outcome) in outcomes.iter().enumerate() {
        let expected = if step == CONTENT { "unknown" } else { "not_sent" };
        assert_eq!(outcome.word(), expected, "step {step}: {outcome:?}");
    }
}

#[tokio::test]
async fn gibberish_instead_of_an_answer_is_silence() {
    for step in 0..=CONTENT {
        let (outcome, _) = send_against(changed(step, Word::Say("what a nice day"))).await;
        let expected = if step == CONTENT { "unknown" } else { "not_sent" };
        assert_eq!(outcome.word(), expected, "step {step}: {outcome:?}");
    }
}

#[tokio::test]
async fn later_is_not_sent_at_every_step() {
    for step in 0..=CONTENT {
        let (outcome, _) = send_against(changed(step, Word::Say("451 4.7.1 come back later"))).await;
        assert_eq!(outcome.word(), "not_sent", "step {step}: {outcome:?}");
    }
}

#[tokio::test]
async fn no_is_rejected_with_the_class_of_its_step() {
    let cases = [
        (0, "554 no service", RejectClass::SenderNotAllowed),
        (2, "550 5.7.1 not you", RejectClass::SenderNotAllowed),
        (3, "550 5.1.1 <ana@customer.example> unknown", RejectClass::BadAddress),
        (3, "554 5.7.1 relay access denied", RejectClass::SenderNotAllowed),
        (5, "554 5.7.1 looks like spam", RejectClass::Filtered),
        (5, "552 too big", RejectClass::Content),
    ];
    for (step, said, class) in cases {
        let (outcome, _) = send_against(changed(step, Word::Say(said))).await;
        assert!(!format!("{outcome:?}").contains("ana@"), "a relay's words may hold addresses");
        let SendOutcome::Rejected { class: read, .. } = outcome else { panic!("{said}: {outcome:?}") };
        assert_eq!(read, class, "{said}");
    }
}

#[tokio::test]
async fn without_a_relay_nothing_was_sent() {
    let port = {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let outcome = gateway(&format!("smtp://127.0.0.1:{port}"), 2_000).send(&email()).await;
    assert_eq!(outcome.word(), "not_sent");
}

#[tokio::test]
async fn past_its_deadline_the_message_is_not_written() {
    let relay = ScriptedRelay::start(Script::default()).await;
    let late = EmailSend { deadline: Instant::now(), ..email() };
    assert_eq!(gateway(&relay.url(), 2_000).send(&late).await.word(), "not_sent");
    assert!(relay.messages().is_empty());
}

#[tokio::test]
async fn a_message_that_cannot_be_written_never_reaches_the_relay() {
    let relay = ScriptedRelay::start(Script::default()).await;
    let forged = EmailSend { subject: "Hello\r\nBcc: all@customer.example".to_owned(), ..email() };
    let outcome = gateway(&relay.url(), 2_000).send(&forged).await;
    assert!(matches!(outcome, SendOutcome::Rejected { class: RejectClass::Content, .. }));
    assert_eq!(relay.connections(), 0);
}

#[tokio::test]
async fn connections_are_used_again_after_they_were_asked_whether_they_live() {
    let relay = ScriptedRelay::start(Script::default()).await;
    let gateway = gateway(&relay.url(), 2_000);
    for _ in 0..3 {
        assert_eq!(gateway.send(&email()).await, accepted());
    }
    assert_eq!((relay.connections(), relay.messages().len()), (1, 3));
    assert_eq!(relay.commands().iter().filter(|command| command.as_str() == "NOOP").count(), 2);
}

#[tokio::test]
async fn a_connection_with_a_failed_message_is_not_used_again() {
    let relay = ScriptedRelay::start(changed(3, Word::Say("550 unknown"))).await;
    let gateway = gateway(&relay.url(), 2_000);
    for _ in 0..2 {
        assert_eq!(gateway.send(&email()).await.word(), "rejected");
    }
    assert_eq!(relay.connections(), 2);
}

#[tokio::test]
async fn no_more_connections_are_opened_than_the_pool_allows() {
    let relay = ScriptedRelay::start(Script::default()).await;
    let gateway = gateway(&relay.url(), 5_000);
    let letter = email();
    let outcomes = futures::future::join_all((0..40).map(|_| gateway.send(&letter))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == accepted()));
    assert!(relay.connections() <= 4);
    assert_eq!(relay.messages().len(), 40);
}

#[tokio::test]
async fn a_login_is_given_when_the_url_has_one_and_a_refused_one_needs_an_operator() {
    let relay = ScriptedRelay::start(Script::default()).await;
    let url = format!("smtp://user:pass@127.0.0.1:{}", relay.port);
    assert_eq!(gateway(&url, 2_000).send(&email()).await, accepted());
    assert_eq!(relay.commands()[1], "AUTH PLAIN AHVzZXIAcGFzcw==");

    let script = Script { login: Word::Say("535 no"), ..Script::default() };
    let relay = ScriptedRelay::start(script).await;
    let url = format!("smtp://user:pass@127.0.0.1:{}", relay.port);
    let outcome = gateway(&url, 2_000).send(&email()).await;
    assert!(matches!(outcome, SendOutcome::Rejected { class: RejectClass::Auth, .. }));
}

#[tokio::test]
async fn a_relay_without_the_privacy_we_require_gets_nothing() {
    let relay = ScriptedRelay::start(Script::default()).await;
    let url = format!("{}?tls=required", relay.url());
    let outcome = gateway(&url, 2_000).send(&email()).await;
    assert!(matches!(outcome, SendOutcome::Rejected { class: RejectClass::Auth, .. }));
    assert!(relay.commands().iter().all(|command| command.starts_with("EHLO") || command == "QUIT"));

    let url = format!("{}?tls=opportunistic", relay.url());
    assert_eq!(gateway(&url, 2_000).send(&email()).await, accepted());
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let config = |smtp_url: &str, domain: &str| EmailConfig {
        smtp_url: SecretString::from(smtp_url),
        domain: domain.to_owned(),
        timeout_ms: 1,
        pool_size: 0,
    };
    assert!(EmailGateway::new(&config("http://relay", "pay.example")).is_err());
    for domain in ["", "pay example", "pay.example\r\n", ".", "pay.example."] {
        assert!(EmailGateway::new(&config("smtp://relay", domain)).is_err(), "{domain:?}");
    }
    assert!(!format!("{:?}", config("smtp://user:hunter2@relay", "pay.example")).contains("hunter2"));
}
