//! Idempotency keys, and answers that get lost.

use simulator::{Fault, FaultRule, World};

use crate::stripe_calls::{ACCOUNT, get, post};
use crate::{PATIENCE, client, pairs, world};

const SECRET: &str = "sk_test_simulated";
const FORM: [(&str, &str); 2] = [("amount", "500"), ("currency", "usd")];

async fn send(
    world: &World,
    client: reqwest::Client,
    key: &str,
) -> Result<reqwest::Response, reqwest::Error> {
    client
        .post(format!("{}/v1/payment_intents", world.stripe_url()))
        .bearer_auth(SECRET)
        .header("stripe-account", ACCOUNT)
        .header("idempotency-key", key)
        .form(&pairs(&FORM))
        .send()
        .await
}

/// Ends once a request was executed that will never be answered; for other faults it never ends.
async fn silence(world: &World, fault: &Fault) {
    while *fault != Fault::NeverAnswer || count(world) == 0 {
        tokio::task::yield_now().await;
    }
}

fn count(world: &World) -> usize {
    world.stripe().payment_views().len()
}

#[tokio::test]
async fn the_same_key_with_the_same_parameters_replays_the_answer() {
    let world = world().await;
    let first = post(&world, "/v1/payment_intents", SECRET, Some("pi:create:1"), &FORM).await;
    let again = post(&world, "/v1/payment_intents", SECRET, Some("pi:create:1"), &FORM).await;
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!(first.body, again.body);
    assert_eq!(count(&world), 1);
}

#[tokio::test]
async fn the_same_key_with_other_parameters_is_an_error() {
    let world = world().await;
    post(&world, "/v1/payment_intents", SECRET, Some("k"), &FORM).await;
    let other = [("amount", "501"), ("currency", "usd")];
    let refused = post(&world, "/v1/payment_intents", SECRET, Some("k"), &other).await;
    assert_eq!((refused.status, refused.body["error"]["type"].as_str()), (400, Some("idempotency_error")));
    assert_eq!(count(&world), 1);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day_and_free_after_a_refusal() {
    let world = world().await;
    let wrong = [("amount", "1"), ("currency", "usd")];
    assert_eq!(post(&world, "/v1/payment_intents", SECRET, Some("k"), &wrong).await.status, 400);
    assert_eq!(post(&world, "/v1/payment_intents", SECRET, Some("k"), &FORM).await.status, 200);
    world.clock().advance(24 * 60 * 60 * 1000);
    assert!(!post(&world, "/v1/payment_intents", SECRET, Some("k"), &FORM).await.replayed);
    assert_eq!(count(&world), 2);
}

#[tokio::test]
async fn an_answer_lost_after_execution_is_found_again_under_its_key() {
    for fault in [Fault::DropAfter, Fault::NeverAnswer, Fault::Truncate { bytes: 40 }] {
        let world = world().await;
        world.stripe().fault(FaultRule::once(fault.clone()).matching("POST /v1/payment_intents"));
        let unread = tokio::select! {
            answer = send(&world, client(), "k") => match answer {
                Ok(answer) => answer.text().await.is_err(),
                Err(_) => true,
            },
            () = silence(&world, &fault) => true,
        };
        assert!(unread, "{fault:?}");
        assert_eq!(count(&world), 1, "{fault:?}");
        let found = loop {
            // The key is in use until the stand-in has noticed that its caller is gone.
            let answer = send(&world, client(), "k").await.unwrap();
            if answer.status() != 409 {
                break answer;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(
            (found.status().as_u16(), found.headers().contains_key("idempotent-replayed")),
            (200, true)
        );
        assert_eq!(count(&world), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_connection_dropped_before_execution_leaves_nothing_behind() {
    let world = world().await;
    world.stripe().fault(FaultRule::once(Fault::DropBefore));
    assert!(send(&world, client(), "k").await.is_err());
    assert_eq!(count(&world), 0);
    assert_eq!(send(&world, client(), "k").await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_key_in_use_conflicts_until_its_request_ends() {
    let world = world().await;
    world.stripe().fault(FaultRule::once(Fault::NeverAnswer));
    {
        let open = send(&world, client(), "k");
        tokio::pin!(open);
        tokio::select! {
            _ = &mut open => panic!("this request is never answered"),
            () = silence(&world, &Fault::NeverAnswer) => {}
        }
        let meanwhile = send(&world, client(), "k").await.unwrap();
        assert_eq!((meanwhile.status().as_u16(), count(&world)), (409, 1));
    }
    let freed = tokio::time::timeout(PATIENCE, async {
        while send(&world, client(), "k").await.unwrap().status() == 409 {
            tokio::task::yield_now().await;
        }
    });
    freed.await.unwrap();
    assert_eq!(count(&world), 1);
}

#[tokio::test]
async fn a_failure_after_execution_and_a_refusal_look_like_stripes_own() {
    let world = world().await;
    world.stripe().fault(FaultRule::once(Fault::FailAfter { status: 500 }));
    let failed = send(&world, client(), "a").await.unwrap();
    assert_eq!((failed.status().as_u16(), count(&world)), (500, 1));
    world.stripe().fault(FaultRule::once(Fault::Refuse { status: 429, retry_after_s: Some(2) }));
    let refused = send(&world, client(), "b").await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "2"));
    assert_eq!(count(&world), 1);
}

#[tokio::test]
async fn a_shut_door_refuses_connections_and_reopens_on_the_same_port() {
    let world = world().await;
    world.stripe().door().shut();
    let refused = tokio::time::timeout(PATIENCE, async {
        loop {
            if send(&world, client(), "k").await.is_err_and(|error| error.is_connect()) {
                return;
            }
        }
    });
    refused.await.unwrap();
    world.stripe().door().reopen();
    let reopened = tokio::time::timeout(PATIENCE, async {
        while send(&world, client(), "k").await.is_err() {
            tokio::task::yield_now().await;
        }
    });
    reopened.await.unwrap();
    assert_eq!(get(&world, "/v1/payment_intents").await.status, 200);
}
