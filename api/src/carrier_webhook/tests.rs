#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use tower::ServiceExt;

use crate::Settings;
use crate::pay_page::tests::house::House;

const TOKEN: &str = "carrier-token";
const PUBLIC_URL: &str = "https://pay.example";
const SENDER: &str = "+12125550199";
const CUSTOMER: &str = "+12125550142";
const ATTEMPT: &str = "att_00000000000000000000000001";

struct Carrier {
    house: House,
    routes: Router,
}

impl Carrier {
    /// Beside a merchant that texts, and one attempt.
    async fn new() -> Self {
        let house = House::new().await;
        house.change(&format!("UPDATE merchants SET sms_sender = '{SENDER}'")).await;
        house
            .change(&format!(
                "INSERT INTO messages (id, merchant_id, invoice_id, purpose, purpose_ref, channel, recipient, sender, \
                 locale, status, created_at_ms) SELECT 'msg_00000000000000000000000001', merchant_id, invoice_id, 'link', \
                 id, 'sms', '{CUSTOMER}', '{SENDER}', 'en', 'sent', 0 FROM links; \
                 INSERT INTO send_attempts (id, merchant_id, message_id, ordinal, status, fence, started_at_ms, \
                 deadline_at_ms, lookups) SELECT '{ATTEMPT}', merchant_id, id, 1, 'accepted', 1, 0, 0, 0 FROM messages"
            ))
            .await;
        let mut api = house.api.clone();
        let settings: &Settings = &api.settings;
        api.settings = Arc::new(Settings {
            public_url: PUBLIC_URL.to_owned(),
            twilio_auth_tokens: vec!["retired".into(), TOKEN.into()],
            ..settings.clone()
        });
        let routes = super::routes().with_state(api);
        Self { house, routes }
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (StatusCode, String) {
        self.post_signed(path, form, TOKEN).await
    }

    async fn post_signed(&self, path: &str, form: &[(&str, &str)], token: &str) -> (StatusCode, String) {
        let params: Vec<(String, String)> =
            form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let signature = simulator::signatures::twilio(token, &format!("{PUBLIC_URL}{path}"), &params);
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("x-twilio-signature", signature)
            .body(Body::from(serde_urlencoded::to_string(form).unwrap()))
            .unwrap();
        let answer = self.routes.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn report(&self, status: &str) -> StatusCode {
        let path = format!("/webhooks/carrier/status/{ATTEMPT}");
        self.post(&path, &[("MessageSid", "SM1"), ("MessageStatus", status)]).await.0
    }

    /// A text from the customer; says what we reply.
    async fn text(&self, sid: &str, body: &str) -> String {
        let form = [("MessageSid", sid), ("From", CUSTOMER), ("To", SENDER), ("Body", body)];
        let (status, answer) = self.post("/webhooks/carrier/inbound", &form).await;
        assert_eq!(status, StatusCode::OK);
        answer
    }

    async fn opted_out(&self) -> bool {
        self.house.count("opt_outs WHERE lifted_at_ms IS NULL").await > 0
    }
}

#[tokio::test]
async fn a_report_is_stored_once_and_queued_once() {
    let carrier = Carrier::new().await;
    assert_eq!(carrier.report("sent").await, StatusCode::NO_CONTENT);
    assert_eq!(carrier.report("sent").await, StatusCode::NO_CONTENT);
    assert_eq!(carrier.report("delivered").await, StatusCode::NO_CONTENT);
    assert_eq!(carrier.house.count("carrier_callbacks").await, 2);
    assert_eq!(
        carrier.house.count(&format!("jobs WHERE kind = 'record_delivery' AND subject = '{ATTEMPT}'")).await,
        2
    );
}

#[tokio::test]
async fn an_unknown_attempt_is_answered_and_not_stored() {
    let carrier = Carrier::new().await;
    for attempt in ["att_00000000000000000000000009", "nonsense"] {
        let path = format!("/webhooks/carrier/status/{attempt}");
        let form = [("MessageSid", "SM1"), ("MessageStatus", "sent")];
        assert_eq!(carrier.post(&path, &form).await.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(carrier.house.count("carrier_callbacks").await, 0);
}

#[tokio::test]
async fn who_does_not_sign_is_not_believed() {
    let carrier = Carrier::new().await;
    let form = [("MessageSid", "SM1"), ("From", CUSTOMER), ("To", SENDER), ("Body", "STOP")];
    let (status, body) = carrier.post_signed("/webhooks/carrier/inbound", &form, "guess").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body.contains("invalid_signature"), "{body}");
    let report = [("MessageSid", "SM1"), ("MessageStatus", "delivered")];
    let path = format!("/webhooks/carrier/status/{ATTEMPT}");
    assert_eq!(carrier.post_signed(&path, &report, "guess").await.0, StatusCode::FORBIDDEN);
    assert_eq!(
        carrier.house.count("inbound_texts").await + carrier.house.count("carrier_callbacks").await,
        0
    );
    assert!(!carrier.opted_out().await);
}

#[tokio::test]
async fn a_form_without_its_fields_is_refused_and_named() {
    let carrier = Carrier::new().await;
    let (status, body) = carrier.post("/webhooks/carrier/inbound", &[("Body", "hi")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.contains("MessageSid"), "{body}");
}

#[tokio::test]
async fn stop_is_confirmed_once_and_start_takes_it_back() {
    let carrier = Carrier::new().await;
    let reply = carrier.text("SM1", " Stop. ").await;
    assert!(reply.contains("<Message>Alder &amp; Finch: you will get no more texts"), "{reply}");
    assert!(carrier.opted_out().await);
    let standing =
        "SELECT recipient || ' ' || channel || ' ' || sender || ' ' || source AS word FROM opt_outs";
    assert_eq!(carrier.house.word(standing).await, format!("{CUSTOMER} sms {SENDER} stop_reply"));
    assert!(carrier.text("SM2", "STOP").await.ends_with("<Response/>"), "one confirmation is enough");
    assert!(carrier.text("SM3", "start").await.contains("<Message>"));
    assert!(!carrier.opted_out().await);
    assert!(carrier.text("SM4", "START").await.ends_with("<Response/>"));
}

#[tokio::test]
async fn the_same_text_twice_is_one_text() {
    let carrier = Carrier::new().await;
    carrier.text("SM1", "STOP").await;
    carrier.text("SM2", "START").await;
    assert!(carrier.text("SM1", "STOP").await.ends_with("<Response/>"));
    assert!(!carrier.opted_out().await, "a late repeat must not undo what was said since");
    assert_eq!(carrier.house.count("inbound_texts").await, 2);
}

#[tokio::test]
async fn a_wish_in_other_words_is_honoured_and_shown_to_a_person() {
    let carrier = Carrier::new().await;
    assert!(carrier.text("SM1", "please stop texting me").await.contains("<Message>"));
    assert!(carrier.opted_out().await);
    assert_eq!(carrier.house.count("attention_items WHERE kind = 'probable_opt_out'").await, 1);
}

#[tokio::test]
async fn help_is_answered_and_other_words_are_kept() {
    let carrier = Carrier::new().await;
    assert!(carrier.text("SM1", "HELP").await.contains("billing@alder.example"));
    assert!(carrier.text("SM2", "I paid\u{0} already").await.ends_with("<Response/>"));
    assert_eq!(
        carrier.house.word("SELECT body AS word FROM inbound_texts WHERE meaning = 'other'").await,
        "I paid already"
    );
    assert!(!carrier.opted_out().await);
}

#[tokio::test]
async fn what_the_carrier_answered_itself_is_not_answered_again() {
    let carrier = Carrier::new().await;
    let form =
        [("MessageSid", "SM1"), ("From", CUSTOMER), ("To", SENDER), ("Body", "STOP"), ("OptOutType", "STOP")];
    let (_, reply) = carrier.post("/webhooks/carrier/inbound", &form).await;
    assert!(reply.ends_with("<Response/>"), "{reply}");
    assert!(carrier.opted_out().await);
}

#[tokio::test]
async fn a_text_to_a_sender_of_nobody_is_answered_with_nothing() {
    let carrier = Carrier::new().await;
    let form = [("MessageSid", "SM1"), ("From", CUSTOMER), ("To", "+12125550000"), ("Body", "STOP")];
    let (status, reply) = carrier.post("/webhooks/carrier/inbound", &form).await;
    assert_eq!((status, reply.ends_with("<Response/>")), (StatusCode::OK, true));
    assert_eq!(carrier.house.count("inbound_texts").await, 0);
}
