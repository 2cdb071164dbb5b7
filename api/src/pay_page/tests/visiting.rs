use serde_json::json;

use super::house::House;

#[tokio::test]
async fn looking_changes_nothing_and_asks_stripe_nothing() {
    let house = House::new().await;
    let before = house.rows().await;
    let mut browser = house.customer();
    for _ in 0..3 {
        assert_eq!(browser.open(&house.link).await.unwrap().status, 200);
        assert_eq!(browser.browser().head(&house.link).await.unwrap().status, 200);
        assert_eq!(browser.open(&format!("{}/p", house.url)).await.unwrap().status, 200);
    }
    assert_eq!(house.rows().await, before);
    assert_eq!(house.standing().await, "open 0 sent -");
    assert_eq!(house.world.stripe().requests().all().len(), 0);
}

#[tokio::test]
async fn a_page_may_not_be_kept_found_framed_or_scripted() {
    let house = House::new().await;
    let page = house.customer().open(&house.link).await.unwrap();
    let header = |name: &str| page.headers.get(name).map_or("", |value| value.to_str().unwrap());
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("x-frame-options"), "DENY");
    assert!(header("x-robots-tag").contains("noindex"));
    assert_eq!(header("strict-transport-security"), "", "not over http");
    let policy = header("content-security-policy");
    let stripe = house.world.stripe_url();
    assert!(policy.starts_with(&format!("default-src 'none'; script-src 'self' {stripe}; style-src 'self'")));
    assert!(policy.contains("frame-ancestors 'none'; base-uri 'none'") && !policy.contains("unsafe"));
    let cookie = header("set-cookie");
    assert_eq!(cookie, format!("pay_link={}; Path=/p; HttpOnly; SameSite=Lax", house.token));
    assert!(!page.body.contains("<script>") && !page.body.contains("style="));
}

#[tokio::test]
async fn what_is_no_link_is_a_404_that_sets_no_cookie() {
    let house = House::new().await;
    let unknown = "A".repeat(43);
    for path in [format!("/p/{unknown}"), "/p/short".to_owned(), "/p/%00%ff".to_owned(), "/p".to_owned()] {
        let page = house.customer().open(&format!("{}{path}", house.url)).await.unwrap();
        assert_eq!(page.status, 404, "{path}");
        assert!(page.headers.get("set-cookie").is_none(), "{path}");
        assert!(!page.body.contains("Alder"), "{path}");
    }
}

#[tokio::test]
async fn each_ended_link_says_why_and_shows_nothing_of_the_invoice() {
    let house = House::new().await;
    let past = house.api.now().plus_ms(-1).millis();
    house.change("UPDATE links SET status = 'superseded', ended_at_ms = 1").await;
    let cases = [
        ("2", "superseded", 410, "There is a newer link"),
        ("3", "revoked", 410, "This link was withdrawn"),
        ("4", "expired", 410, "This link has expired"),
        ("5", "used", 200, "This invoice is paid"),
        ("6", "sent", 410, "This link has expired"),
    ];
    for (id, status, expected, heading) in cases {
        let token = house.issue(id, status, past).await;
        let page = house.customer().open(&house.link_of(&token)).await.unwrap();
        assert_eq!(page.status, expected, "{status}");
        assert!(page.body.contains(heading), "{status}");
        assert!(!page.body.contains("INV-1042") && !page.body.contains("123.45"), "{status}");
    }
    house.change("UPDATE invoices SET status = 'canceled'").await;
    let page = house.customer().open(&house.link).await.unwrap();
    assert!(page.status == 410 && page.body.contains("This invoice was canceled"));
}

#[tokio::test]
async fn a_merchant_who_takes_no_payment_during_a_question_says_so() {
    let house = House::new().await;
    house.change("UPDATE invoices SET on_hold = TRUE").await;
    let page = house.customer().open(&house.link).await.unwrap();
    assert!(page.pay_config().is_ok() && page.body.contains("looking into a question"));
    house.change("UPDATE merchants SET payable_on_hold = FALSE").await;
    let held = house.customer().open(&house.link).await.unwrap();
    assert!(held.status == 200 && held.pay_config().is_err() && held.body.contains("Payment is paused"));
    let refused = house.customer().begin(&page).await.unwrap();
    assert_eq!(format!("{refused:?}"), "Err(Refused { status: 409, code: \"on_hold\" })");
}

#[tokio::test]
async fn an_open_is_told_by_a_touch_and_counted_once_in_five_minutes() {
    let house = House::new().await;
    let mut customer = house.customer();
    let page = customer.open(&house.link).await.unwrap();
    customer.touch(&page).await.unwrap();
    customer.touch(&page).await.unwrap();
    assert_eq!(house.count("link_opens").await, 1);
    assert_eq!(house.count("timeline WHERE kind = 'link_opened'").await, 1);
    house.api.ledger.clock().advance_ms(entities::link_open::ONE_OPEN_MS + 1);
    customer.touch(&page).await.unwrap();
    assert_eq!(house.count("link_opens").await, 2);
    let opened_at: i64 =
        house.word("SELECT CAST(opened_at_ms AS TEXT) AS word FROM invoices").await.parse().unwrap();
    assert!(house.api.now().millis() - opened_at < 60_000);
}

#[tokio::test]
async fn what_another_site_posts_is_refused_on_every_route() {
    let house = House::new().await;
    let before = house.rows().await;
    let client =
        gateways::http::client(std::time::Duration::from_secs(5), gateways::http::Reach::Anywhere).unwrap();
    let form = format!("token={}&message=Hello", house.token);
    let routes = ["/p/opened", "/p/pay", "/p/result", "/p/question", "/p/renew"];
    for path in routes {
        let json = json!({"token": house.token, "revision": 1, "amount_minor": 12_345}).to_string();
        let (kind, body) = if matches!(path, "/p/question" | "/p/renew") {
            ("application/x-www-form-urlencoded", form.clone())
        } else {
            ("application/json", json)
        };
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
        ] {
            let request =
                client.post(format!("{}{path}", house.url)).header("content-type", kind).header(name, value);
            let answer = request.body(body.clone()).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path} {name}: {value}");
        }
    }
    assert_eq!(house.rows().await, before);
    assert_eq!(house.world.stripe().requests().all().len(), 0);
}

#[tokio::test]
async fn bodies_that_are_no_bodies_are_refused_in_words() {
    let house = House::new().await;
    let client =
        gateways::http::client(std::time::Duration::from_secs(5), gateways::http::Reach::Anywhere).unwrap();
    let too_large = "x".repeat(100_000);
    for body in ["", "{", "[]", "{\"token\":7}", "{\"token\":\"x\"}", &too_large] {
        let request = client.post(format!("{}/p/pay", house.url)).header("content-type", "application/json");
        let answer = request.body(body.to_owned()).send().await.unwrap();
        assert_eq!(answer.status(), if body == too_large { 413 } else { 400 });
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    let plain = client.post(format!("{}/p/pay", house.url)).body("{}").send().await.unwrap();
    assert_eq!(plain.status(), 400);
}

#[tokio::test]
async fn assets_are_served_by_their_content_and_nothing_else_is() {
    let house = House::new().await;
    let mut browser = house.customer();
    let page = browser.open(&house.link).await.unwrap();
    let html = page.body.replace("&#x3D;", "=");
    let linked: Vec<&str> = html.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert_eq!(linked.len(), 3, "{linked:?}");
    for address in linked {
        let asset = browser.open(&page.at(address).unwrap()).await.unwrap();
        assert_eq!(asset.status, 200, "{address}");
        assert!(asset.headers["cache-control"].to_str().unwrap().contains("immutable"), "{address}");
    }
    for address in
        ["/assets/none.css", "/assets/..%2fCargo.toml", "/assets/brand/red.css", "/assets/brand/0a6e5c"]
    {
        assert_eq!(browser.open(&format!("{}{address}", house.url)).await.unwrap().status, 404, "{address}");
    }
}
