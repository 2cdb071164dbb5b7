//! Pay links sent by hand: one living link, one resend, and what may not be sent.

use serde_json::{Value, json};

use crate::house::House;

#[tokio::test]
async fn a_chain_of_links_has_one_resend_and_one_living_link() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let path = format!("/v1/invoices/{invoice}/links");
    let first = house.made(&path, json!({})).await;
    let second = house.post(&path, json!({})).await.json();
    assert_eq!((&second["cause"], &second["sequence"]), (&json!("resend"), &json!(2)));
    assert_eq!(house.post(&path, json!({})).await.problem().1, "resend_used");
    let links = house.get(&path).await.json();
    let statuses: Vec<(&Value, &Value)> =
        links["data"].as_array().unwrap().iter().map(|link| (&link["id"], &link["status"])).collect();
    assert_eq!(statuses, [(&second["id"], &json!("queued")), (&json!(first), &json!("superseded"))]);

    // Once that one's seven days are over a new chain may begin.
    let over = house.api.now().millis() - 1;
    house
        .change(&format!("UPDATE links SET status = 'sent', expires_at_ms = {over} WHERE status = 'queued'"))
        .await;
    let third = house.post(&path, json!({})).await.json();
    assert_eq!((&third["cause"], &third["sequence"]), (&json!("manual"), &json!(1)));
}

#[tokio::test]
async fn a_merchant_may_forbid_paying_what_is_on_hold() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    house.made(&format!("/v1/invoices/{invoice}/holds"), json!({})).await;
    let path = format!("/v1/invoices/{invoice}/links");
    house.change("UPDATE merchants SET payable_on_hold = FALSE").await;
    assert_eq!(house.post(&path, json!({})).await.problem().1, "on_hold");
    house.change("UPDATE merchants SET payable_on_hold = TRUE").await;
    house.made(&path, json!({})).await;
}
