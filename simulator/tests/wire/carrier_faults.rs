//! The ways a carrier can leave its caller in the dark.

use serde_json::json;
use simulator::carrier::{Fate, Journey, TextStatus};
use simulator::{Fault, FaultRule, World};

use crate::carrier::{PHONE, request, send};
use crate::product::Product;
use crate::{PATIENCE, world};

const FORM: [(&str, &str); 3] = [("To", PHONE), ("From", "+15005550006"), ("Body", "hi")];

/// Ends once a text was accepted whose request will never be answered; for other faults it never ends.
async fn silence(world: &World, fault: &Fault) {
    while *fault != Fault::NeverAnswer || world.carrier().accepted().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_accepted_text_counts_however_its_answer_got_lost() {
    for fault in [
        Fault::FailAfter { status: 500 },
        Fault::DropAfter,
        Fault::NeverAnswer,
        Fault::Html { status: 201 },
        Fault::Truncate { bytes: 300 },
    ] {
        let world = world().await;
        world.carrier().fault(FaultRule::once(fault.clone()).matching(PHONE));
        let read = tokio::select! {
            answer = request(&world, &FORM).send() => match answer {
                Ok(answer) if answer.status() == 201 => answer.json::<serde_json::Value>().await.is_ok(),
                Ok(_) | Err(_) => false,
            },
            () = silence(&world, &fault) => false,
        };
        assert!(!read, "{fault:?}");
        assert_eq!(world.carrier().accepted_to(PHONE).len(), 1, "{fault:?}");
        assert!(world.carrier().requests().read(|all| all[0].sid.is_some()), "{fault:?}");
    }
}

#[tokio::test]
async fn a_refused_or_dropped_request_makes_no_text() {
    let world = world().await;
    world.carrier().fault(FaultRule::once(Fault::Refuse { status: 429, retry_after_s: Some(3) }));
    let refused = request(&world, &FORM).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "3"));
    assert_eq!(refused.json::<serde_json::Value>().await.unwrap()["code"], 20429);
    world.carrier().fault(FaultRule::once(Fault::DropBefore));
    assert!(request(&world, &FORM).send().await.is_err());
    assert!(world.carrier().accepted().is_empty());
}

#[tokio::test]
async fn an_answer_cut_at_any_byte_is_never_a_whole_one() {
    let world = world().await;
    for bytes in (0..900).step_by(90) {
        world.carrier().fault(FaultRule::once(Fault::Truncate { bytes }));
        let answer = request(&world, &FORM).send().await;
        let whole = match answer {
            Ok(answer) => answer.bytes().await.is_ok(),
            Err(_) => false,
        };
        assert!(!whole, "{bytes}");
    }
    assert_eq!(world.carrier().accepted().len(), 10);
    assert_eq!(world.carrier().duplicates().len(), 9);
}

#[tokio::test]
async fn an_undelivered_text_is_reported_with_its_code() {
    let (world, product) = (world().await, Product::start().await);
    world.carrier().script(Journey {
        fate: Fate::Undelivered { code: 30006 },
        times: Some(1),
        ..Journey::default()
    });
    send(&world, PHONE, "hi", &product.url).await;
    let heard = product.hears(2).await;
    assert_eq!(
        (heard[1].field("MessageStatus"), heard[1].field("ErrorCode")),
        ("undelivered".into(), "30006".into())
    );
    assert_eq!(world.carrier().accepted()[0].error_code, Some(30006));
}

#[tokio::test]
async fn callbacks_can_come_before_the_answer_twice_and_in_reverse() {
    let (world, product) = (world().await, Product::start().await);
    let journey =
        Journey { callback_first: true, callback_copies: 2, callbacks_reversed: true, ..Journey::default() };
    world.carrier().script(journey);
    let (status, message) = send(&world, PHONE, "hi", &product.url).await;
    assert_eq!((status, &message["status"]), (201, &json!("queued")));
    let statuses: Vec<String> = product.heard().iter().map(|one| one.field("MessageStatus")).collect();
    assert_eq!(statuses, ["delivered", "delivered", "sent", "sent"]);
}

#[tokio::test]
async fn callbacks_can_be_held_and_are_tried_again_after_a_failure() {
    let (world, product) = (world().await, Product::start().await);
    world.carrier().hold_callbacks(true);
    send(&world, PHONE, "hi", &product.url).await;
    let on_its_way = |all: &[simulator::carrier::Text]| (all[0].status != TextStatus::Queued).then_some(());
    world.carrier().texts().wait_until(PATIENCE, on_its_way).await.unwrap();
    assert!(product.heard().is_empty());
    product.will_answer(500, "");
    world.carrier().hold_callbacks(false);
    let statuses: Vec<String> = product.hears(3).await.iter().map(|one| one.field("MessageStatus")).collect();
    assert_eq!(statuses, ["sent", "sent", "delivered"]);
}

#[tokio::test]
async fn a_text_held_past_its_validity_is_never_sent() {
    let (world, product) = (world().await, Product::start().await);
    world.carrier().hold_queue(true);
    send(&world, PHONE, "hi", &product.url).await;
    world.clock().advance(901_000);
    world.carrier().hold_queue(false);
    let heard = product.hears(1).await;
    assert_eq!(
        (heard[0].field("MessageStatus"), heard[0].field("ErrorCode")),
        ("failed".into(), "30036".into())
    );
    assert_eq!(world.carrier().accepted()[0].sent_at_ms, None);
}

#[tokio::test]
async fn the_listing_can_fail_too() {
    let world = world().await;
    world.carrier().set_listing_fault(Some(503));
    let url = format!("{}/2010-04-01/Accounts/{}/Messages.json", world.sms_url(), crate::carrier::ACCOUNT);
    let ask =
        || crate::client().get(&url).basic_auth(crate::carrier::ACCOUNT, Some(crate::carrier::TOKEN)).send();
    assert_eq!(ask().await.unwrap().status(), 503);
    world.carrier().clear_script();
    assert_eq!(ask().await.unwrap().status(), 200);
}
