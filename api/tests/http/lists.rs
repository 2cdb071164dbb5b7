//! Lists: pages that lose and repeat nothing, and filters.

use serde_json::{Value, json};

use crate::house::{House, invoice_input};

async fn walk(house: &House, path: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let next = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = house.get(&format!("{path}{joint}limit=3{next}")).await.json();
        let rows = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
        assert!(rows.len() <= 3);
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return seen,
        }
    }
}

#[tokio::test]
async fn walking_the_pages_meets_every_row_once_newest_first() {
    let house = House::new().await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(house.invoice(&number.to_string()).await);
    }
    let mut newest_first = made.clone();
    newest_first.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(walk(&house, "/v1/invoices").await, newest_first);
    assert_eq!(walk(&house, "/v1/customers").await.len(), 7);
    for (path, body) in
        [("/v1/campaigns", json!({"name": "A"})), ("/v1/opt-outs", json!({"phone": "+14155550142"}))]
    {
        house.made(path, body).await;
        assert_eq!(walk(&house, path).await.len(), 1, "{path}");
    }
    let first = &made[0];
    let entries = walk(&house, &format!("/v1/invoices/{first}/timeline")).await;
    assert_eq!(entries.len(), 1);
}

#[tokio::test]
async fn filters_narrow_the_list_of_invoices() {
    let house = House::new().await;
    let early = house.invoice("1").await;
    let mut later = invoice_input("2");
    later["due_on"] = json!("2027-01-15");
    let late = house.made("/v1/invoices", later).await;
    house.made(&format!("/v1/invoices/{late}/holds"), json!({})).await;
    let canceled = house.invoice("3").await;
    house.post(&format!("/v1/invoices/{canceled}/cancel"), json!({})).await;
    let customer =
        house.get(&format!("/v1/invoices/{early}")).await.json()["customer_id"].as_str().unwrap().to_owned();
    for (query, expected) in [
        ("status=open&on_hold=false".to_owned(), &early),
        ("on_hold=true".to_owned(), &late),
        ("status=canceled".to_owned(), &canceled),
        ("number=2".to_owned(), &late),
        ("due_after=2026-12-31".to_owned(), &late),
        (format!("customer_id={customer}"), &early),
        ("due_before=2026-12-01&status=open".to_owned(), &early),
    ] {
        assert_eq!(
            walk(&house, &format!("/v1/invoices?{query}")).await,
            std::slice::from_ref(expected),
            "{query}"
        );
    }
    assert!(walk(&house, "/v1/invoices?due_before=2026-11-30").await.is_empty());
}

#[tokio::test]
async fn the_attention_list_merges_its_sources_the_longest_waiting_first() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let mut expected = Vec::new();
    for round in 0..3 {
        let hold = house.made(&format!("/v1/invoices/{invoice}/holds"), json!({})).await;
        expected.push((hold, "on_hold"));
        house.api.ledger.clock().advance_ms(1_000);
        let event = crate::house::event_input(&format!("c_{round}"), "nobody", "send_link");
        let event = house.post("/v1/events", event).await.json()["id"].as_str().unwrap().to_owned();
        expected.push((event, "unmatched_event"));
        house.api.ledger.clock().advance_ms(1_000);
    }
    let dead = house.dead_job().await;
    expected.push((dead.clone(), "dead_job"));

    let mut met: Vec<(String, String)> = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let page = house.get(&format!("/v1/attention?{query}")).await.json();
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        met.extend(
            page["data"].as_array().unwrap().iter().map(|item| (word(&item["subject"]), word(&item["kind"]))),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        query = format!("limit=2&cursor={cursor}");
    }
    let expected: Vec<(String, String)> =
        expected.into_iter().map(|(id, kind)| (id, kind.to_owned())).collect();
    assert_eq!(met, expected);

    for (kind, count) in [("on_hold", 3), ("unmatched_event", 3), ("dead_job", 1), ("needs_contact", 0)] {
        let page = house.get(&format!("/v1/attention?kind={kind}")).await.json();
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{kind}");
    }
}

#[tokio::test]
async fn a_dead_job_leaves_the_list_when_it_is_redriven() {
    let house = House::new().await;
    let path = format!("/v1/jobs/{}/redrive", house.dead_job().await);
    assert_eq!(house.get("/v1/attention").await.json()["data"][0]["kind"], "dead_job");
    assert_eq!(house.post(&path, json!({})).await.status.as_u16(), 202);
    assert_eq!(house.get("/v1/attention").await.json()["data"], json!([]));
    assert_eq!(house.post(&path, json!({})).await.status.as_u16(), 404);
}
