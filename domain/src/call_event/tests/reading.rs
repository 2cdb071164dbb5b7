use super::*;
use proptest::prelude::*;

#[test]
fn the_published_example_is_read_whole() {
    let event = read(&canonical()).unwrap();
    assert_eq!((event.kind.as_str(), event.source.as_str()), ("call.completed", "inhouse"));
    assert_eq!(event.call_id, "c_9f2");
    assert_eq!(event.occurred_at, Timestamp::parse("2026-11-19T15:04:05Z").unwrap());
    assert_eq!(event.invoice.as_ref().map(|invoice| invoice.id.as_str()), Some("inv_42"));
    assert_eq!(event.customer.phone.as_deref(), Some("+14155550142"));
    assert_eq!(event.customer.email, None);
    let outcome = &event.outcome;
    assert_eq!((outcome.intent, outcome.reached), (Intent::SendLink, Reached::Human));
    assert_eq!(outcome.confidence.as_ref().map(ToString::to_string).as_deref(), Some("0.94"));
    assert_eq!(outcome.preferred_channel, Some(Channel::Sms));
    assert_eq!(outcome.contact_consent.sms, Some(true));
    assert_eq!(outcome.contact_consent.email, None);
    assert!(!outcome.opt_out && outcome.dispute.is_none() && outcome.promise_to_pay.is_none());
}

#[test]
fn the_least_event_is_enough() {
    let least = json!({
        "type": "call.completed", "source": "x", "call_id": "1", "occurred_at": "2026-11-19T15:04:05+01:00",
        "outcome": {"intent": "none"}
    });
    let event = read(&least).unwrap();
    assert_eq!(event.spec_version, "1");
    assert_eq!(event.invoice, None);
    assert_eq!(event.outcome.reached, Reached::Unknown);
}

#[test]
fn an_event_survives_its_json() {
    for event in [event("/outcome/intent", json!("levitate")), read(&canonical()).unwrap()] {
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(parse(json.as_bytes()).unwrap(), event);
        assert_eq!(serde_json::from_str::<CallEvent>(&json).unwrap(), event);
    }
}

#[test]
fn each_required_field_is_missed_by_name() {
    let required = ["/type", "/source", "/call_id", "/occurred_at", "/outcome/intent"];
    for pointer in required {
        let field = pointer[1..].replace('/', ".");
        for nothing in [Value::Null, json!("")] {
            let error = read(&with(pointer, nothing)).unwrap_err();
            assert_eq!((error.field.as_str(), error.message.as_str()), (field.as_str(), "is required"));
        }
    }
    assert_eq!(read(&with("/outcome", Value::Null)).unwrap_err().field, "outcome.intent");
}

#[test]
fn a_wrong_type_is_refused_and_named() {
    let wrong = [
        ("/type", json!(1)),
        ("/spec_version", json!(1)),
        ("/call_id", json!(17)),
        ("/occurred_at", json!(1_763_564_645)),
        ("/occurred_at", json!("yesterday")),
        ("/occurred_at", json!("2026-11-19")),
        ("/merchant_id", json!({})),
        ("/campaign_id", json!([])),
        ("/invoice", json!("inv_42")),
        ("/invoice/id", json!(42)),
        ("/customer", json!([])),
        ("/customer/phone", json!(14_155_550_142_i64)),
        ("/outcome", json!("send_link")),
        ("/outcome/intent", json!(["send_link"])),
        ("/outcome/confidence", json!("high")),
        ("/outcome/preferred_channel", json!(1)),
        ("/outcome/evidence", json!({})),
        ("/outcome/contact_consent", json!(true)),
        ("/outcome/contact_consent/sms", json!("yes")),
        ("/outcome/contact_consent/spoken_at", json!("now")),
        ("/outcome/dispute", json!("too expensive")),
        ("/outcome/promise_to_pay", json!("2026-12-01")),
        ("/outcome/opt_out", json!("true")),
        ("/outcome/opt_out", json!(1)),
        ("/outcome/reached", json!(true)),
    ];
    for (pointer, value) in wrong {
        let error = read(&with(pointer, value.clone())).unwrap_err();
        assert_eq!(error.field, pointer[1..].replace('/', "."), "{value}");
    }
    for body in ["[]", "null", "\"call.completed\"", "7"] {
        assert_eq!(parse(body.as_bytes()).unwrap_err().field, "body");
    }
}

#[test]
fn negative_fractional_and_endless_amounts_are_refused() {
    for amount in
        [json!(-1), json!(0), json!(12.5), json!(100.0), json!(9_007_199_254_740_992_i64), json!(1e30)]
    {
        let error = read(&with("/outcome/promise_to_pay", json!({"amount_minor": amount}))).unwrap_err();
        assert_eq!(error.field, "outcome.promise_to_pay.amount_minor");
    }
    let most = event("/outcome/promise_to_pay", json!({"amount_minor": 9_007_199_254_740_991_i64}));
    assert_eq!(most.outcome.promise_to_pay.unwrap().amount_minor, Some(9_007_199_254_740_991));
}

#[test]
fn lengths_and_control_characters_of_ids_are_bounded() {
    assert!(read(&with("/call_id", json!("c".repeat(CALL_ID_MAX)))).is_ok());
    assert!(read(&with("/call_id", json!("é".repeat(CALL_ID_MAX)))).is_ok());
    let bad = [
        ("/call_id", json!("c".repeat(CALL_ID_MAX + 1))),
        ("/call_id", json!("c\n1")),
        ("/source", json!("s".repeat(65))),
        ("/invoice/id", json!("i".repeat(201))),
        ("/customer/phone", json!("1".repeat(321))),
        ("/call_id", json!("c\0")),
        ("/outcome/evidence", json!("\0")),
    ];
    for (pointer, value) in bad {
        assert_eq!(read(&with(pointer, value)).unwrap_err().field, pointer[1..].replace('/', "."));
    }
}

#[test]
fn duplicate_keys_are_named() {
    let body = canonical().to_string().replace("\"opt_out\":false", "\"opt_out\":true,\"opt_out\":false");
    assert_eq!(parse(body.as_bytes()).unwrap_err(), FieldError::new("outcome.opt_out", "appears twice"));
}

#[test]
fn words_and_fields_we_have_not_met_do_not_lose_the_event() {
    let odd = event("/outcome/intent", json!("Send_Link!"));
    assert_eq!((odd.outcome.intent, odd.outcome.intent_said.as_str()), (Intent::Unknown, "Send_Link!"));
    let odd = event("/outcome/reached", json!("android"));
    assert_eq!(
        (odd.outcome.reached, odd.outcome.reached_said.as_deref()),
        (Reached::Unknown, Some("android"))
    );
    for channel in ["none", "whatsapp", ""] {
        assert_eq!(event("/outcome/preferred_channel", json!(channel)).outcome.preferred_channel, None);
    }
    assert_eq!(event("/type", json!("call.started")).kind, "call.started");
    assert_eq!(event("/invoice", json!({})).invoice, None);
    assert!(read(&with("/call_id", json!("x"))).is_ok());
    assert!(read(&with("/weather", json!({"rain": true}))).is_ok());
}

#[test]
fn contacts_that_cannot_be_used_do_not_lose_the_event() {
    for phone in ["911", "+1 415 555 2671 ext 3", "FLOWERS", "a / b"] {
        assert_eq!(event("/customer/phone", json!(phone)).customer.phone.as_deref(), Some(phone));
    }
    assert!(event("/customer/email", json!("nobody")).customer.email.is_some());
}

#[test]
fn an_event_without_an_intent_must_say_something_else() {
    for (pointer, value) in [
        ("/outcome", json!({"opt_out": true})),
        ("/outcome", json!({"reached": "voicemail"})),
        ("/outcome", json!({"reached": "no_answer", "intent": null})),
    ] {
        assert_eq!(event(pointer, value).outcome.intent, Intent::None);
    }
    assert_eq!(read(&with("/outcome", json!({"reached": "human"}))).unwrap_err().field, "outcome.intent");
}

#[test]
fn a_day_nobody_can_be_held_to_is_no_promise() {
    assert_eq!(event("/outcome/promise_to_pay", json!({"date": "next Friday"})).outcome.promise_to_pay, None);
    assert_eq!(event("/outcome/promise_to_pay", json!({})).outcome.promise_to_pay, None);
    let promise = event("/outcome/promise_to_pay", json!({"date": "2026-12-01"})).outcome.promise_to_pay;
    assert_eq!(promise.unwrap().date, Some("2026-12-01".parse().unwrap()));
}

#[test]
fn free_text_is_cut_instead_of_refused() {
    let long = event("/outcome/evidence", json!("é".repeat(5_000)));
    assert_eq!(long.outcome.evidence.unwrap().chars().count(), 2_000);
    assert_eq!(event("/outcome/dispute", json!({"reason": "", "text": "  "})).outcome.dispute, None);
}

#[test]
fn no_contact_and_no_words_of_the_customer_show_in_a_log() {
    let shown = format!("{:?}", event("/outcome/dispute", json!({"text": "canary-text"})));
    for canary in ["4155550142", "text me the link", "canary-text"] {
        assert!(!shown.contains(canary), "{shown}");
    }
}

proptest! {
    #[test]
    fn no_body_makes_it_panic_and_every_error_names_a_field(body in "\\PC{0,80}|\\{(\"[a-z_]{1,9}\":(1|null|\"x\"|\\{\\}),?){0,5}\\}") {
        if let Err(error) = parse(body.as_bytes()) {
            prop_assert!(!error.field.is_empty() && !error.message.is_empty());
        }
    }
}
