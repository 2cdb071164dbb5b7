//! A provider that misbehaves: nothing is lost, nothing is said twice.

use domain::time::{HOUR_MS, MINUTE_MS};
use simulator::call::Intent;
use simulator::carrier::{Fate, Journey};
use simulator::mailbox::{MailFault, MailRule};
use simulator::{Fault, FaultRule};

use crate::stage::{PATIENCE, Stage, Store, pay_link};

const MAYA: &str = "+14155550101";

/// Moves the clock in small steps until the texts are there: what waits for two minutes waits for two minutes.
async fn pass_time_until_texts(stage: &Stage, count: usize, most_ms: i64) {
    let mut passed_ms = 0;
    while stage.world.carrier().accepted_to(MAYA).len() < count {
        assert!(passed_ms < most_ms, "no text within {most_ms} ms of business time");
        stage.rest().await;
        stage.clock.advance_ms(5_000);
        passed_ms += 5_000;
    }
}

pub(crate) async fn an_accepted_send_with_a_broken_answer_is_found_and_not_repeated(store: Store) {
    let stage = Stage::set(store).await;
    let faults = [
        Fault::FailAfter { status: 500 },
        Fault::FailAfter { status: 503 },
        Fault::DropAfter,
        Fault::Html { status: 201 },
        Fault::Truncate { bytes: 40 },
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        let phone = format!("+1415555013{n}");
        let invoice = stage.invoice(Some(&phone), None).await;
        // No callback either: only the carrier's own list knows.
        stage.world.carrier().script(Journey {
            fate: Fate::Lost,
            to: Some(phone.clone()),
            ..Journey::default()
        });
        stage.world.carrier().hold_callbacks(true);
        stage.world.carrier().fault(FaultRule::once(fault.clone()).matching(&phone));
        stage.call(&invoice, &format!("call {n}"), Intent::SendLink).await;
        let link = stage.texted_link(&invoice, 1).await;
        for _ in 0..6 {
            stage.rest().await;
            stage.clock.advance_ms(30_000);
        }
        stage
            .until(&format!("{fault:?} is resolved"), async || {
                stage
                    .texts_of(&format!("SELECT status AS text FROM messages WHERE recipient = '{phone}'"))
                    .await
                    == ["sent"]
            })
            .await;
        stage.rest().await;
        assert_eq!(stage.world.carrier().accepted_to(&phone).len(), 1, "{fault:?} led to a second text");
        assert_eq!(simulator::people::Customer::new().unwrap().open(&link).await.unwrap().status, 200);
    }
    stage.finish().await;
}

pub(crate) async fn a_send_that_never_arrived_is_repeated_once_after_proof(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    stage.world.carrier().fault(FaultRule::once(Fault::Refuse { status: 500, retry_after_s: None }));
    let before_ms = stage.clock.now().millis();
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    stage.until("the first try was refused", async || !stage.world.carrier().requests().is_empty()).await;
    pass_time_until_texts(&stage, 1, 5 * MINUTE_MS).await;
    let waited_ms = stage.world.carrier().accepted_to(MAYA)[0].received_at_ms - before_ms;
    assert!(waited_ms >= 120_000, "it was repeated after {waited_ms} ms, before its absence was proven");
    stage.rest().await;
    assert_eq!(stage.world.carrier().accepted_to(MAYA).len(), 1);
    stage.finish().await;
}

pub(crate) async fn a_busy_carrier_is_waited_for(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    stage.world.carrier().fault(FaultRule::times(Fault::Refuse { status: 429, retry_after_s: Some(20) }, 2));
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    stage.until("the first try was refused", async || !stage.world.carrier().requests().is_empty()).await;
    pass_time_until_texts(&stage, 1, 3 * MINUTE_MS).await;
    stage.rest().await;
    assert_eq!(stage.world.carrier().accepted_to(MAYA).len(), 1);
    stage.finish().await;
}

pub(crate) async fn an_undelivered_text_becomes_an_email_with_the_same_link(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), Some("maya@example.com")).await;
    stage.world.carrier().script(Journey {
        fate: Fate::Undelivered { code: 30_006 },
        callback_copies: 2,
        ..Journey::default()
    });
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    let texted = stage.texted_link(&invoice, 1).await;
    let mailed = stage.mailed_link(&invoice, 1).await;
    assert_eq!(texted, mailed);
    stage.rest().await;
    assert_eq!(stage.world.mailbox().emails().len(), 1);
    stage.finish().await;
}

pub(crate) async fn a_stop_reply_suppresses_the_next_text(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(Some(MAYA), None).await;
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    stage.texted_link(&invoice, 1).await;
    let reply = stage.world.carrier().text_from(MAYA, "Stop.").await.unwrap();
    assert_eq!(reply.status, Some(200), "{reply:?}");
    stage.call(&invoice, "call 2", Intent::SendLink).await;
    stage.rest().await;
    assert_eq!(
        stage.world.carrier().accepted_to(MAYA).iter().filter(|text| text.body.contains("/p/")).count(),
        1
    );
    stage.world.carrier().text_from(MAYA, "START").await.unwrap();
    stage.call(&invoice, "call 3", Intent::SendLink).await;
    stage
        .until("texts go out again", async || {
            stage.world.carrier().accepted_to(MAYA).iter().filter(|text| text.body.contains("/p/")).count()
                == 2
        })
        .await;
    stage.finish().await;
}

pub(crate) async fn a_text_at_night_waits_for_the_morning(store: Store) {
    let stage = Stage::set(store).await;
    // Noon in New York is the stage's time; sixteen hours later it is four in the morning.
    stage.clock.advance_ms(16 * HOUR_MS);
    let invoice = stage.invoice(Some("+12125550101"), None).await;
    let (status, _) =
        stage.try_post(&format!("/v1/invoices/{}/links", invoice.id), &serde_json::json!({})).await;
    assert_eq!(status, 201);
    stage.rest().await;
    assert!(stage.world.carrier().requests().is_empty(), "a text at four in the morning");
    stage.clock.advance_ms(5 * HOUR_MS);
    stage.texted_link(&invoice, 1).await;
    stage.finish().await;
}

pub(crate) async fn a_mail_relay_that_is_away_is_waited_for(store: Store) {
    let stage = Stage::set(store).await;
    let invoice = stage.invoice(None, Some("maya@example.com")).await;
    stage.world.mailbox().fault(MailRule { fault: MailFault::DropAtGreeting, to: None, times: Some(3) });
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    for _ in 0..40 {
        if !stage.world.mailbox().emails().is_empty() {
            break;
        }
        stage.rest().await;
        stage.clock.advance_ms(5_000);
    }
    let emails = stage.world.mailbox().wait_for_emails("maya@example.com", 1, PATIENCE).await.unwrap();
    pay_link(&emails[0].text);
    stage.rest().await;
    assert_eq!(stage.world.mailbox().emails().len(), 1);
    stage.finish().await;
}

pub(crate) async fn a_no_said_after_the_message_was_written_is_honoured(store: Store) {
    let stage = Stage::set(store).await;
    // Four in the morning in New York: both texts are written and wait.
    stage.clock.advance_ms(16 * HOUR_MS);
    let refusing = stage.invoice(Some("+12125550101"), None).await;
    let stranger = stage.invoice(Some("+12125550102"), None).await;
    for invoice in [&refusing, &stranger] {
        stage.post(&format!("/v1/invoices/{}/links", invoice.id), &serde_json::json!({})).await;
    }
    stage.rest().await;
    assert_eq!(stage.texts_of("SELECT id AS text FROM messages WHERE status = 'queued'").await.len(), 2);
    let no = stage
        .event(&refusing, "call 1", Intent::None)
        .set("/outcome/contact_consent/sms", serde_json::json!(false));
    assert_eq!(stage.report(&no).await.status, 202);
    assert_eq!(stage.call(&stranger, "call 2", Intent::WrongNumber).await.status, 202);
    stage.clock.advance_ms(5 * HOUR_MS);
    stage
        .until("both were taken back", async || {
            stage.texts_of("SELECT id AS text FROM messages WHERE status = 'suppressed'").await.len() == 2
        })
        .await;
    assert!(stage.world.carrier().requests().is_empty(), "a text to somebody who had said no");
    stage.finish().await;
}
