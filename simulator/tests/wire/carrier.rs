//! Texts out and in, when all goes well and when customers say stop.

use serde_json::{Value, json};
use simulator::carrier::{Direction, TextStatus};
use simulator::{ProductEndpoints, World, signatures};

use crate::product::Product;
use crate::{PATIENCE, client, pairs, world};

pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub(crate) const TOKEN: &str = "simulated-auth-token";
pub(crate) const PHONE: &str = "+14155550142";
const NUMBER: &str = "+15005550006";

pub(crate) fn request(world: &World, form: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", world.sms_url());
    client().post(url).basic_auth(ACCOUNT, Some(TOKEN)).form(&pairs(form))
}

pub(crate) async fn send(world: &World, to: &str, body: &str, callback: &str) -> (u16, Value) {
    let mut form = vec![("To", to), ("From", NUMBER), ("Body", body), ("ValidityPeriod", "900")];
    if !callback.is_empty() {
        form.push(("StatusCallback", callback));
    }
    let answer = request(world, &form).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn list(world: &World, query: &[(&str, &str)]) -> Value {
    let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", world.sms_url());
    let answer = client().get(url).basic_auth(ACCOUNT, Some(TOKEN)).query(query).send().await.unwrap();
    answer.json().await.unwrap()
}

#[tokio::test]
async fn a_text_is_accepted_then_reported_sent_and_delivered_with_signatures() {
    let (world, product) = (world().await, Product::start().await);
    let callback = format!("{}/hooks/sms/att_1?x=1", product.url);
    let (status, message) = send(&world, PHONE, "Pay: http://pay.example/p/abc", &callback).await;
    assert_eq!((status, &message["status"], &message["num_segments"]), (201, &json!("queued"), &json!("1")));
    assert_eq!((&message["direction"], &message["error_code"]), (&json!("outbound-api"), &Value::Null));
    let heard = product.hears(2).await;
    let statuses: Vec<String> = heard.iter().map(|one| one.field("MessageStatus")).collect();
    assert_eq!(statuses, ["sent", "delivered"]);
    for one in &heard {
        assert_eq!(one.field("MessageSid"), message["sid"].as_str().unwrap());
        assert_eq!(one.path, "/hooks/sms/att_1?x=1");
        assert_eq!(one.header("x-twilio-signature"), signatures::twilio(TOKEN, &callback, &one.form()));
    }
    let lines = world.carrier().signed_jsonl();
    let record: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&record["url"], &record["auth_token"]), (&json!(callback), &json!(TOKEN)));
    assert_eq!(record["signature"], heard[0].header("x-twilio-signature"));
}

#[tokio::test]
async fn one_text_and_a_list_of_texts_can_be_looked_up() {
    let world = world().await;
    let (_, message) = send(&world, PHONE, "one", "").await;
    send(&world, PHONE, "two", "").await;
    send(&world, "+12125550100", "three", "").await;
    let found =
        list(&world, &[("To", PHONE), ("DateSent>", "2020-01-01T00:00:00Z"), ("PageSize", "1")]).await;
    assert_eq!(
        (found["messages"].as_array().unwrap().len(), &found["messages"][0]["body"]),
        (1, &json!("two"))
    );
    let next = format!("{}{}", world.sms_url(), found["next_page_uri"].as_str().unwrap());
    let second: Value =
        client().get(next).basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap().json().await.unwrap();
    assert_eq!((&second["messages"][0]["sid"], &second["next_page_uri"]), (&message["sid"], &Value::Null));
    let url = format!("{}{}", world.sms_url(), message["uri"].as_str().unwrap());
    let one: Value =
        client().get(url).basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap().json().await.unwrap();
    assert_eq!(one["sid"], message["sid"]);
}

#[tokio::test]
async fn a_wrong_key_a_bad_number_and_a_landline_are_refused_with_twilios_codes() {
    let world = world().await;
    let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", world.sms_url());
    let answer =
        client().post(url).basic_auth(ACCOUNT, Some("wrong")).form(&pairs(&[])).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], 20003);
    let (status, error) = send(&world, "4155550142", "x", "").await;
    assert_eq!((status, &error["code"], &error["status"]), (400, &json!(21211), &json!(400)));
    world.carrier().mark_landline("+12025550111");
    assert_eq!(send(&world, "+12025550111", "x", "").await.1["code"], 21614);
    assert!(world.carrier().accepted().is_empty());
}

#[tokio::test]
async fn stop_blocks_texts_to_that_number_until_start() {
    let (world, product) = (world().await, Product::start().await);
    world.connect(ProductEndpoints {
        carrier_inbound_url: Some(format!("{}/hooks/inbound", product.url)),
        ..ProductEndpoints::default()
    });
    send(&world, PHONE, "first", "").await;
    let stopped = world.carrier().text_from(PHONE, "Stop").await.unwrap();
    assert_eq!(
        (stopped.status, stopped.replies.len(), stopped.replies[0].direction),
        (Some(200), 1, Direction::Notice)
    );
    assert_eq!(send(&world, PHONE, "second", "").await.1["code"], 21610);
    let heard = product.hears(1).await;
    assert_eq!((heard[0].field("Body"), heard[0].field("From")), ("Stop".into(), PHONE.into()));
    let url = format!("{}/hooks/inbound", product.url);
    assert_eq!(heard[0].header("x-twilio-signature"), signatures::twilio(TOKEN, &url, &heard[0].form()));
    world.carrier().text_from(PHONE, "START").await.unwrap();
    assert_eq!(send(&world, PHONE, "third", "").await.0, 201);
    assert_eq!(world.carrier().accepted_to(PHONE).len(), 2);
}

#[tokio::test]
async fn the_products_reply_reaches_the_customer_unless_they_said_stop() {
    let (world, product) = (world().await, Product::start().await);
    world.carrier().set_inbound_url(&product.url);
    product.will_answer(200, "<Response><Message>We will look &amp; answer</Message></Response>");
    let asked = world.carrier().text_from(PHONE, "who is this?").await.unwrap();
    assert_eq!(
        asked.replies.iter().map(|text| text.body.as_str()).collect::<Vec<_>>(),
        ["We will look & answer"]
    );
    product.will_answer(200, "<Response><Message>Bye</Message></Response>");
    let stopped = world.carrier().text_from(PHONE, "STOP").await.unwrap();
    assert!(stopped.replies.iter().all(|text| text.direction == Direction::Notice));
    assert!(world.carrier().accepted().is_empty(), "replies are not texts of the API");
}

#[tokio::test]
async fn thousands_of_texts_are_taken_in_without_losing_count() {
    let world = world().await;
    let client = client();
    let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", world.sms_url());
    let mut senders = tokio::task::JoinSet::new();
    for lane in 0..20 {
        let (client, url) = (client.clone(), url.clone());
        senders.spawn(async move {
            for index in 0..50 {
                let body = format!("text {lane} {index}");
                let form = pairs(&[("To", PHONE), ("From", NUMBER), ("Body", &body)]);
                let answer =
                    client.post(&url).basic_auth(ACCOUNT, Some(TOKEN)).form(&form).send().await.unwrap();
                assert_eq!(answer.status(), 201);
            }
        });
    }
    senders.join_all().await;
    assert_eq!(world.carrier().wait_for_texts(PHONE, 1_000, PATIENCE).await.unwrap().len(), 1_000);
    assert!(world.carrier().duplicates().is_empty());
    let all_delivered = |all: &[simulator::carrier::Text]| {
        all.iter().all(|text| text.status == TextStatus::Delivered).then_some(())
    };
    world.carrier().texts().wait_until(PATIENCE, all_delivered).await.unwrap();
}
