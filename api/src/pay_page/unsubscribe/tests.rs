#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use crate::pay_page::tests::house::House;

/// A house whose link went out by email.
async fn mailed() -> House {
    let house = House::new().await;
    house
        .change(
            "INSERT INTO messages (id, merchant_id, invoice_id, purpose, purpose_ref, channel, recipient, sender, locale, \
             status, created_at_ms) SELECT 'msg_00000000000000000000000001', merchant_id, invoice_id, 'link', id, 'email', \
             'Ada@Customer.Example', 'billing@alder.example', 'en', 'sent', 0 FROM links",
        )
        .await;
    house
}

fn client() -> reqwest::Client {
    gateways::http::client(Duration::from_secs(5), gateways::http::Reach::Anywhere).unwrap()
}

const OPT_OUTS: &str = "SELECT COALESCE(group_concat(recipient || ' ' || channel || ' ' || sender || ' ' || source), '') AS word FROM opt_outs";

#[tokio::test]
async fn looking_changes_nothing_and_one_click_stops_the_emails() {
    let house = mailed().await;
    let url = format!("{}/u/{}", house.url, house.token);
    let asked = client().get(&url).send().await.unwrap();
    assert_eq!(asked.status(), 200);
    let policy = asked.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("form-action 'self'"), "{policy}");
    assert!(asked.text().await.unwrap().contains(&format!("action=\"/u/{}\"", house.token)));
    assert_eq!(client().head(&url).send().await.unwrap().status(), 200);
    assert_eq!(house.word(OPT_OUTS).await, "");
    let clicked = client().post(&url).body("List-Unsubscribe=One-Click").send().await.unwrap();
    assert_eq!(clicked.status(), 200);
    assert_eq!(house.word(OPT_OUTS).await, "ada@customer.example email * unsubscribe");
    assert_eq!(client().post(&url).send().await.unwrap().status(), 200);
    assert_eq!(house.count("opt_outs").await, 1);
    assert_eq!(house.count("timeline WHERE kind = 'opted_out'").await, 1);
}

#[tokio::test]
async fn a_token_that_was_never_emailed_unsubscribes_nobody() {
    let house = House::new().await;
    for token in [house.token.as_str(), "unknown", "%FF"] {
        let answer = client().post(format!("{}/u/{token}", house.url)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{token}");
    }
    assert_eq!(house.count("opt_outs").await, 0);
}
