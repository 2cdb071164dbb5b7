//! Fetching, canceling and finding PaymentIntents.

use super::*;

#[tokio::test]
async fn a_payment_is_fetched_with_its_charge() {
    let paid = with(intent("pi_1", "succeeded"), &json!({"latest_charge": charge()}));
    let server = ScriptedServer::start([Act::Reply(reply(200, &paid))]).await;
    let fetched = gateway(&server.url, 2_000).retrieve_payment_intent(ACCOUNT, "pi_1").await.unwrap();
    assert_eq!((fetched.status, fetched.amount_received_minor), (IntentStatus::Succeeded, 12_345));
    let details = ChargeDetails {
        amount_minor: 12_345,
        created_at_s: 1_795_100_650,
        paid: true,
        application_fee_minor: Some(1_234),
        method: Some("card".to_owned()),
        card_brand: Some("visa".to_owned()),
        card_last4: Some("4242".to_owned()),
        failure_code: None,
    };
    assert_eq!(fetched.latest_charge, Some(Charge { id: "ch_1".to_owned(), details: Some(details) }));
    let heard = &server.heard()[0];
    assert!(
        heard.request_line().starts_with("GET /v1/payment_intents/pi_1?expand"),
        "{}",
        heard.request_line()
    );
    assert!(heard.request_line().contains("=latest_charge "));
    assert_eq!(heard.header("stripe-account"), Some(ACCOUNT));
    assert_eq!(heard.header("idempotency-key"), None);
}

#[tokio::test]
async fn a_declined_payment_says_why_and_a_new_status_is_no_known_one() {
    let error = json!({"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds",
        "message": "Your card has insufficient funds.", "charge": "ch_1"});
    let declined = with(
        intent("pi_1", "requires_payment_method"),
        &json!({"last_payment_error": error, "latest_charge": "ch_1"}),
    );
    let novel = intent("pi_1", "requires_meditation");
    let server =
        ScriptedServer::start([Act::Reply(reply(200, &declined)), Act::Reply(reply(200, &novel))]).await;
    let gateway = gateway(&server.url, 2_000);
    let fetched = gateway.retrieve_payment_intent(ACCOUNT, "pi_1").await.unwrap();
    let expected = PaymentError {
        code: Some("card_declined".to_owned()),
        decline_code: Some("insufficient_funds".to_owned()),
        message: Some("Your card has insufficient funds.".to_owned()),
    };
    assert_eq!(fetched.last_error, Some(expected));
    assert_eq!(fetched.latest_charge, Some(Charge { id: "ch_1".to_owned(), details: None }));
    let fetched = gateway.retrieve_payment_intent(ACCOUNT, "pi_1").await.unwrap();
    assert_eq!(fetched.status, IntentStatus::Unknown);
}

#[tokio::test]
async fn a_cancel_says_what_became_of_it() {
    let server = ScriptedServer::start([Act::Reply(reply(200, &intent("pi_1", "canceled")))]).await;
    let canceled =
        gateway(&server.url, 2_000).cancel_payment_intent(ACCOUNT, "pi_1", "pi:cancel:pbl_1").await;
    assert_eq!(canceled.unwrap().status, IntentStatus::Canceled);
    let heard = &server.heard()[0];
    assert_eq!(heard.request_line(), "POST /v1/payment_intents/pi_1/cancel HTTP/1.1");
    assert_eq!(heard.header("idempotency-key"), Some("pi:cancel:pbl_1"));
    assert_eq!(heard.header("stripe-account"), Some(ACCOUNT));
}

#[tokio::test]
async fn a_cancel_that_comes_too_late_carries_the_fact() {
    for (status, fact) in [("processing", IntentStatus::Processing), ("succeeded", IntentStatus::Succeeded)] {
        let mut said = refusal("invalid_request_error", "payment_intent_unexpected_state");
        said["error"]["payment_intent"] = intent("pi_1", status);
        let script = [Act::Reply(reply(400, &said)), Act::Reply(reply(200, &intent("pi_1", status)))];
        let server = ScriptedServer::start(script).await;
        let canceled = gateway(&server.url, 2_000).cancel_payment_intent(ACCOUNT, "pi_1", "key").await;
        let Err(StripeError::TooLate(now)) = canceled else { panic!("{status}") };
        assert_eq!((now.id.as_str(), now.status), ("pi_1", fact));
    }
}

#[tokio::test]
async fn canceling_what_is_canceled_is_no_error() {
    let said = refusal("invalid_request_error", "payment_intent_unexpected_state");
    let script = [Act::Reply(reply(400, &said)), Act::Reply(reply(200, &intent("pi_1", "canceled")))];
    let server = ScriptedServer::start(script).await;
    let canceled = gateway(&server.url, 2_000).cancel_payment_intent(ACCOUNT, "pi_1", "key").await;
    assert_eq!(canceled.unwrap().status, IntentStatus::Canceled);
}

fn page(intents: &[Value], has_more: bool) -> Act {
    Act::Reply(reply(
        200,
        &json!({"object": "list", "url": "/v1/payment_intents", "has_more": has_more, "data": intents}),
    ))
}

#[tokio::test]
async fn a_payment_intent_is_found_by_our_metadata_on_any_page() {
    let other = with(intent("pi_1", "canceled"), &json!({"metadata": {"postcall_payable": "pbl_0"}}));
    let pages = [page(&[other], true), page(&[intent("pi_2", "processing")], false)];
    let server = ScriptedServer::start(pages.clone()).await;
    let since = Timestamp::from_millis(1_795_000_000_999);
    let gateway_1 = gateway(&server.url, 2_000);
    let found = gateway_1.find_payment_intent(ACCOUNT, since, "postcall_payable", "pbl_1").await.unwrap();
    assert_eq!(found.unwrap().id, "pi_2");
    let heard = server.heard();
    assert_eq!(heard[0].request_line(), "GET /v1/payment_intents?created[gte]=1795000000&limit=100 HTTP/1.1");
    assert!(heard[1].request_line().contains("starting_after=pi_1"));
    assert_eq!(heard[1].header("stripe-account"), Some(ACCOUNT));

    let server = ScriptedServer::start(pages).await;
    let absent =
        gateway(&server.url, 2_000).find_payment_intent(ACCOUNT, since, "postcall_payable", "pbl_9").await;
    assert!(absent.unwrap().is_none());
}

#[tokio::test]
async fn a_list_without_end_is_not_absence() {
    let again = page(&[intent("pi_1", "canceled")], true);
    let server = ScriptedServer::start(vec![again; PAGES_MAX + 2]).await;
    let listed = gateway(&server.url, 2_000).list_payment_intents(ACCOUNT, Timestamp::from_millis(0)).await;
    assert!(matches!(listed, Err(StripeError::ListTooLong)));
    assert_eq!(server.heard().len(), PAGES_MAX);
}
