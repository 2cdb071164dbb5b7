use domain::link::LIFETIME_MS;

use super::house::House;

/// A house whose link has expired, and the expiry is not yet written down.
async fn expired() -> House {
    let house = House::new().await;
    house.api.ledger.clock().advance_ms(LIFETIME_MS + 1);
    house
}

#[tokio::test]
async fn an_expired_link_asks_twice_and_then_sends_one_new_link() {
    let house = expired().await;
    let mut customer = house.customer();
    let page = customer.open(&house.link).await.unwrap();
    assert_eq!((page.status, page.forms().len()), (410, 1));
    let step = customer.browser().submit(&page, &page.form("/p/renew").unwrap()).await.unwrap();
    assert_eq!((step.status, house.count("links").await), (200, 1), "asking changes nothing");
    let confirm = step.form("/p/renew").unwrap();
    for _ in 0..2 {
        let done = customer.browser().submit(&step, &confirm).await.unwrap();
        assert_eq!(done.status, 201);
        assert!(done.body.contains("A new link is on its way"));
    }
    assert_eq!(house.count("links WHERE cause = 'renewal' AND status = 'queued' AND sequence = 1").await, 1);
    assert_eq!(house.count("jobs WHERE kind = 'resolve_channel'").await, 1);
    assert_eq!(house.word("SELECT status AS word FROM links ORDER BY id LIMIT 1").await, "expired");
    let after = customer.open(&house.link).await.unwrap();
    assert_eq!((after.status, after.forms().len()), (410, 0), "a link is renewed once");
}

#[tokio::test]
async fn a_confirmation_is_good_for_its_link_and_its_time() {
    let house = expired().await;
    let mut customer = house.customer();
    let page = customer.open(&house.link).await.unwrap();
    let step = customer.browser().submit(&page, &page.form("/p/renew").unwrap()).await.unwrap();
    let confirm = step.form("/p/renew").unwrap();
    let mut forged = confirm.clone();
    forged.fill("confirm", "1.AAAA");
    assert_eq!(customer.browser().submit(&step, &forged).await.unwrap().status, 200, "asked again");
    house.api.ledger.clock().advance_ms(3_600_000);
    assert_eq!(
        customer.browser().submit(&step, &confirm).await.unwrap().status,
        200,
        "too late: asked again"
    );
    assert_eq!(house.count("links").await, 1);
}

#[tokio::test]
async fn whoever_may_not_renew_sees_no_button_and_gets_the_same_kind_answer() {
    let cases = [
        "UPDATE merchants SET renewal_allowed = FALSE",
        "UPDATE links SET renewed_at_ms = 1",
        "UPDATE merchants SET payable_on_hold = FALSE; UPDATE invoices SET on_hold = TRUE",
        "INSERT INTO links (id, merchant_id, invoice_id, chain_id, sequence, cause, wish_key, token_hash, key_id, status, \
         created_at_ms, ended_at_ms) SELECT 'lnk_0000000000000000000000000' || r.n, l.merchant_id, l.invoice_id, l.chain_id, 1, 'renewal', \
         'w' || r.n, 'h' || r.n, 'k1', 'revoked', 9999999999999, 1 FROM links l JOIN (SELECT 7 AS n UNION SELECT 8 UNION SELECT 9) r",
    ];
    for case in cases {
        let house = expired().await;
        let mut customer = house.customer();
        let page = customer.open(&house.link).await.unwrap();
        let step = customer.browser().submit(&page, &page.form("/p/renew").unwrap()).await.unwrap();
        house.change(case).await;
        let links = house.count("links").await;
        assert_eq!(customer.open(&house.link).await.unwrap().forms().len(), 0, "{case}");
        let asked = customer.browser().submit(&page, &page.form("/p/renew").unwrap()).await.unwrap();
        assert_eq!((asked.status, asked.forms().len()), (410, 0), "{case}");
        let done = customer.browser().submit(&step, &step.form("/p/renew").unwrap()).await.unwrap();
        assert_eq!(done.status, 201, "{case}");
        assert_eq!(house.count("links").await, links, "{case}");
    }
}

#[tokio::test]
async fn a_link_that_lives_is_not_renewed() {
    let house = House::new().await;
    let mut customer = house.customer();
    let page = customer.open(&house.link).await.unwrap();
    let mut form = page.form("/p/question").unwrap();
    form.action = "/p/renew".to_owned();
    let shown = customer.browser().submit(&page, &form).await.unwrap();
    assert!(shown.status == 200 && shown.pay_config().is_ok(), "the page itself");
    assert_eq!(house.count("links").await, 1);
}
