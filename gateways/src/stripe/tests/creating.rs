//! Making a PaymentIntent, and every way in which that fails.

use super::*;

#[tokio::test]
async fn a_create_is_a_direct_charge_under_the_callers_key() {
    let (made, server) =
        create_against(Act::Reply(reply(200, &intent("pi_1", "requires_payment_method")))).await;
    let made = made.unwrap();
    assert_eq!((made.id.as_str(), made.status), ("pi_1", IntentStatus::RequiresPaymentMethod));
    assert_eq!((made.amount_minor, made.amount_received_minor), (12_345, 0));
    assert_eq!((made.currency.as_str(), made.application_fee_minor), ("USD", Some(1_234)));
    assert_eq!(made.client_secret.as_ref().unwrap().expose_secret(), "pi_1_secret_x");
    assert_eq!(made.metadata.get("postcall_payable").map(String::as_str), Some("pbl_1"));
    assert_eq!(made.payment_method_types, ["card"]);
    assert!(!format!("{made:?}").contains("secret_x"), "a client secret must not be printed");

    let heard = &server.heard()[0];
    assert_eq!(heard.request_line(), "POST /v1/payment_intents HTTP/1.1");
    assert_eq!(heard.header("stripe-account"), Some(ACCOUNT));
    assert_eq!(heard.header("stripe-version"), Some(API_VERSION));
    assert_eq!(heard.header("idempotency-key"), Some("pi:create:pbl_1"));
    assert_eq!(heard.header("authorization"), Some("Bearer sk_test_1"));
    let form = form(heard);
    assert_eq!(field(&form, "amount"), Some("12345"));
    assert_eq!(field(&form, "currency"), Some("usd"));
    assert_eq!(field(&form, "application_fee_amount"), Some("1234"));
    assert_eq!(field(&form, "allowed_payment_method_types[0]"), Some("card"));
    assert_eq!(field(&form, "description"), Some("Invoice INV-7 & more"));
    assert_eq!(field(&form, "metadata[postcall_revision]"), Some("3"));
    assert_eq!(form.len(), 8);
}

#[tokio::test]
async fn a_fee_of_nothing_is_left_out_and_a_suffix_and_bank_accounts_are_said() {
    for fee_minor in [None, Some(0)] {
        let server = ScriptedServer::start([Act::Reply(reply(200, &intent("pi_1", "canceled")))]).await;
        let wanted = CreatePaymentIntent {
            application_fee_minor: fee_minor,
            statement_descriptor_suffix: Some("INV7".to_owned()),
            payment_method_types: vec![PaymentMethodType::Card, PaymentMethodType::UsBankAccount],
            ..wanted()
        };
        gateway(&server.url, 2_000).create_payment_intent(&wanted).await.unwrap();
        let form = form(&server.heard()[0]);
        assert_eq!(field(&form, "application_fee_amount"), None);
        assert_eq!(field(&form, "statement_descriptor_suffix"), Some("INV7"));
        assert_eq!(field(&form, "allowed_payment_method_types[1]"), Some("us_bank_account"));
    }
}

#[tokio::test]
async fn a_repeat_is_byte_for_byte_the_same() {
    let made = Act::Reply(reply(200, &intent("pi_1", "requires_payment_method")));
    let server = ScriptedServer::start(vec![made; 8]).await;
    let gateway = gateway(&server.url, 2_000);
    for _ in 0..8 {
        gateway.create_payment_intent(&wanted()).await.unwrap();
    }
    let heard = server.heard();
    assert!(heard.iter().all(|request| request.body == heard[0].body));
}

#[tokio::test]
async fn every_currency_is_one_that_stripe_is_told_in_its_own_spelling() {
    for currency in Currency::ALL {
        let wanted =
            CreatePaymentIntent { amount: Money { amount_minor: 100, currency: *currency }, ..wanted() };
        let body = create::request(&wanted).unwrap().build().body.unwrap();
        let expected = format!("currency={}", currency.code().to_lowercase());
        assert!(body.split('&').any(|pair| pair == expected), "{body}");
    }
}

#[tokio::test]
async fn what_stripe_did_not_carry_out_may_be_said_again() {
    let cases = [
        (409, "idempotency_error", "idempotency_key_in_use"),
        (429, "invalid_request_error", "rate_limit"),
        (500, "api_error", "internal"),
        (503, "api_error", "busy"),
        (424, "api_error", "dependency"),
    ];
    for (status, kind, code) in cases {
        let (made, server) = create_against(Act::Reply(reply(status, &refusal(kind, code)))).await;
        assert!(
            matches!(made, Err(StripeError::Retryable { status: Some(said) }) if said == status),
            "{status}"
        );
        assert_eq!(server.heard().len(), 1, "nothing repeats by itself");
    }
    let unreached = gateway(&nobody().await, 2_000).create_payment_intent(&wanted()).await;
    assert!(matches!(unreached, Err(StripeError::Retryable { status: None })));
    let server = ScriptedServer::start([Act::Silence]).await;
    let silent = gateway(&server.url, 200).create_payment_intent(&wanted()).await;
    assert!(matches!(silent, Err(StripeError::Retryable { status: None })));
    let (cut, _) = create_against(Act::CloseAfterReading(100)).await;
    assert!(matches!(cut, Err(StripeError::Retryable { status: None })));
}

#[tokio::test]
async fn refusals_keep_their_code() {
    let cases = [
        (400, "invalid_request_error", "amount_too_small"),
        (402, "card_error", "card_declined"),
        (404, "invalid_request_error", "resource_missing"),
        (400, "idempotency_error", "idempotency_error"),
    ];
    for (status, kind, code) in cases {
        let (made, _) = create_against(Act::Reply(reply(status, &refusal(kind, code)))).await;
        let Err(StripeError::Rejected { code: said, message }) = made else { panic!("{status}") };
        assert_eq!(said.as_deref(), Some(code));
        assert_eq!(message.as_deref(), Some("no"));
    }
    for status in [401, 403] {
        let (made, _) =
            create_against(Act::Reply(reply(status, &refusal("invalid_request_error", "x")))).await;
        assert!(matches!(made, Err(StripeError::Auth)), "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_said_to_be_so() {
    let mut lacking = intent("pi_1", "requires_payment_method");
    lacking.as_object_mut().unwrap().remove("amount");
    for (status, body) in [(200, "<html>".to_owned()), (200, lacking.to_string()), (502, "<html>".to_owned())]
    {
        let (made, _) = create_against(Act::Reply(answer(status, &[], &body))).await;
        assert!(matches!(made, Err(StripeError::Unreadable)), "{status} {body}");
    }
}
