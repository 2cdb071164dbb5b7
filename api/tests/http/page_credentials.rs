//! What customers reach without a key: every such route × {no token, a malformed one, one nobody has, another invoice's}.
//! The router's source says which routes there are: one without a row here fails.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::description::operations;
use crate::house::{House, Reply, invoice_input, request};

/// What a route shows or does, and to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// The token in its path.
    TokenInPath,
    /// The token in the browser's cookie.
    TokenInCookie,
    /// The token in the JSON that the page's script posts.
    TokenInJson,
    /// The token in the form that the page posts.
    TokenInForm,
    /// Nothing: it shows the same to everybody.
    Everybody,
}

const ROWS: [(&str, &str, Guard); 14] = [
    ("GET", "/p", Guard::TokenInCookie),
    ("GET", "/p/{token}", Guard::TokenInPath),
    ("POST", "/p/opened", Guard::TokenInJson),
    ("POST", "/p/pay", Guard::TokenInJson),
    ("POST", "/p/result", Guard::TokenInJson),
    ("POST", "/p/question", Guard::TokenInForm),
    ("POST", "/p/renew", Guard::TokenInForm),
    ("GET", "/u/{token}", Guard::TokenInPath),
    ("POST", "/u/{token}", Guard::TokenInPath),
    ("GET", "/assets/{name}", Guard::Everybody),
    ("GET", "/assets/brand/{name}", Guard::Everybody),
    ("GET", "/openapi.json", Guard::Everybody),
    ("GET", "/docs", Guard::Everybody),
    ("GET", "/robots.txt", Guard::Everybody),
];

#[tokio::test]
async fn every_route_outside_the_description_has_a_row() {
    let house = House::new().await;
    let described = operations(&house.get("/openapi.json").await.json());
    let described: BTreeSet<String> = described.into_iter().map(|operation| operation.path).collect();
    let rows: BTreeSet<String> = ROWS.iter().map(|(_, path, _)| (*path).to_owned()).collect();
    let undescribed: BTreeSet<String> =
        routes_in_source().into_iter().filter(|path| !described.contains(path)).collect();
    assert_eq!(undescribed, rows);
}

/// Every address given to `.route("…")` under `src`.
fn routes_in_source() -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let named = text.split(".route(").skip(1).map(|rest| rest.trim_start().trim_start_matches('"'));
            routes.extend(named.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
    routes
}

/// Two merchants with an invoice and a mailed link each; ours is paid by one browser, theirs is open.
struct Pages {
    house: House,
    our_token: String,
    their_token: String,
    /// The browser that paid ours.
    our_mark: String,
    their_mark: String,
}

const OURS: &str = "OURS-77";
const THEIRS: &str = "THEIRS-88";
/// Below this line a page would say whose it is.
const OUR_WORDS: [&str; 3] = [OURS, "Alder", "348.00"];
const THEIR_WORDS: [&str; 3] = [THEIRS, "Birch", "348.00"];

impl Pages {
    async fn new() -> Self {
        let house = House::new().await;
        let ours = house.invoice(OURS).await;
        let made = request("POST", "/v1/invoices", &house.theirs.key, Some(invoice_input(THEIRS)));
        let theirs = house.send(made).await.json()["id"].as_str().unwrap().to_owned();
        let our_token = link(&house, &ours).await;
        let their_token = link(&house, &theirs).await;
        let (our_mark, their_mark) = ("a".repeat(43), "b".repeat(43));
        pay(&house, &ours, &our_mark).await;
        Self { house, our_token, their_token, our_mark, their_mark }
    }

    async fn open(&self, path: &str, cookies: &str) -> Reply {
        let asked = Request::get(path).header("cookie", cookies).body(Body::empty()).unwrap();
        self.house.send(asked).await
    }

    /// The route asked with this token where it expects one; `None` leaves the place empty.
    async fn with(&self, row: (&str, &str, Guard), token: Option<&str>) -> Reply {
        let (method, path, guard) = row;
        let said = token.unwrap_or_default();
        let asked = Request::builder().method(method).uri(path.replace("{token}", said));
        let asked = match guard {
            Guard::TokenInPath | Guard::Everybody => asked.body(Body::empty()),
            Guard::TokenInCookie => match token {
                Some(token) => asked.header("cookie", format!("pay_link={token}")).body(Body::empty()),
                None => asked.body(Body::empty()),
            },
            Guard::TokenInJson => {
                let mut body = serde_json::json!({"revision": 1, "amount_minor": 34_800});
                token.into_iter().for_each(|token| body["token"] = token.into());
                asked.header("content-type", "application/json").body(Body::from(body.to_string()))
            }
            Guard::TokenInForm => {
                let form = token.map_or(String::new(), |token| format!("token={token}&")) + "message=Why";
                asked.header("content-type", "application/x-www-form-urlencoded").body(Body::from(form))
            }
        };
        self.house.send(asked.unwrap()).await
    }
}

/// A live link that was also mailed; says its token.
async fn link(house: &House, invoice: &str) -> String {
    let id = entities::fresh::link_id();
    let token = house.api.keyring.link_token("k1", &id).unwrap();
    let ends = house.api.now().plus_ms(domain::link::LIFETIME_MS).millis();
    house
        .change(&format!(
            "INSERT INTO links (id, merchant_id, invoice_id, chain_id, sequence, cause, wish_key, token_hash, key_id, \
             status, created_at_ms, expires_at_ms) SELECT '{id}', merchant_id, id, '{id}', 1, 'manual', '{id}', '{}', \
             'k1', 'sent', 0, {ends} FROM invoices WHERE id = '{invoice}'; \
             INSERT INTO messages (id, merchant_id, invoice_id, purpose, purpose_ref, channel, recipient, sender, locale, \
             status, created_at_ms) SELECT 'msg_' || substr(id, 5), merchant_id, invoice_id, 'link', id, 'email', \
             'reader-of-' || invoice_id, 'billing@alder.example', 'en', 'sent', 0 FROM links WHERE id = '{id}'",
            token.hash()
        ))
        .await;
    token.expose().to_owned()
}

/// The invoice as it is after the browser with this mark has paid it.
async fn pay(house: &House, invoice: &str, mark: &str) {
    let payer = domain::keyring::payer_hash(mark);
    house
        .change(&format!(
            "INSERT INTO payables (id, merchant_id, invoice_id, revision, amount_minor, currency, fee_minor, fee_policy, \
             stripe_account, status, payment_intent_id, payer_hash, created_at_ms) SELECT 'pbl_' || substr(id, 5), merchant_id, id, 1, \
             34800, 'USD', 0, '{{}}', 'acct_alder', 'succeeded', 'pi_1', '{payer}', 0 FROM invoices WHERE id = '{invoice}'; \
             INSERT INTO payments (id, merchant_id, invoice_id, payable_id, payment_intent_id, amount_minor, currency, \
             fee_minor, method, brand, last4, status, settlement, created_at_ms, succeeded_at_ms) SELECT \
             'pay_' || substr(id, 5), merchant_id, id, 'pbl_' || substr(id, 5), 'pi_1', 34800, 'USD', 0, 'card', 'visa', '4242', 'succeeded', \
             'expected', 0, 0 FROM invoices WHERE id = '{invoice}'; \
             UPDATE invoices SET status = 'paid', paid_minor = 34800 WHERE id = '{invoice}'; \
             UPDATE links SET status = 'used' WHERE invoice_id = '{invoice}'"
        ))
        .await;
}

fn holds_none(reply: &Reply, words: &[&str], when: &str) {
    for word in words {
        assert!(!reply.text.contains(word), "{when}: the answer says {word:?}: {}", reply.text);
    }
}

#[tokio::test]
async fn without_a_token_that_lives_no_page_says_or_does_anything() {
    let pages = Pages::new().await;
    let house = &pages.house;
    let before = house.content().await;
    let hash = domain::keyring::token_hash(&pages.their_token);
    let link_id = house.word("SELECT id AS word FROM links ORDER BY id LIMIT 1").await;
    let other_letters = pages.their_token.to_ascii_uppercase();
    let worthless = [
        ("no token", None),
        ("a short one", Some("short")),
        ("one nobody has", Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        ("one in other letters", Some(other_letters.as_str())),
        ("its hash", Some(hash.as_str())),
        ("the beginning of its hash", Some(&hash[..43])),
        ("the link's id", Some(link_id.as_str())),
        ("an API key", Some(house.theirs.key.as_str())),
        ("the mark of a browser", Some(pages.our_mark.as_str())),
    ];
    let mut asked = 0;
    for row in ROWS.into_iter().filter(|(_, _, guard)| *guard != Guard::Everybody) {
        for (name, token) in worthless {
            let reply = pages.with(row, token).await;
            let status = reply.status;
            assert!(status == 404 || (status == 400 && token.is_none()), "{row:?} with {name}: {status}");
            assert!(!reply.headers.contains_key("set-cookie"), "{row:?} with {name}");
            holds_none(&reply, &OUR_WORDS, name);
            holds_none(&reply, &THEIR_WORDS, name);
            asked += 1;
        }
    }
    assert_eq!(asked, 9 * worthless.len());
    assert_eq!(house.content().await, before, "a request without a token wrote something");
}

#[tokio::test]
async fn a_token_shows_and_changes_its_own_invoice_whatever_else_the_browser_carries() {
    let pages = Pages::new().await;
    let (ours, theirs) = (&pages.our_token, &pages.their_token);
    let page =
        pages.open(&format!("/p/{theirs}"), &format!("pay_link={ours}; pay_payer={}", pages.our_mark)).await;
    assert!(page.status == StatusCode::OK && page.text.contains(THEIRS), "{}", page.text);
    holds_none(&page, &OUR_WORDS[..2], "another invoice's cookies");
    let page = pages.open("/p", &format!("pay_link={theirs}; pay_payer={}", pages.our_mark)).await;
    assert!(page.text.contains(THEIRS));
    holds_none(&page, &OUR_WORDS[..2], "another invoice's mark");

    let question = format!("token={theirs}&message=Why");
    let asked = Request::post("/p/question")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", format!("pay_link={ours}; pay_payer={}", pages.our_mark))
        .body(Body::from(question));
    assert_eq!(pages.house.send(asked.unwrap()).await.status, StatusCode::CREATED);
    let held = "SELECT group_concat(invoices.number) AS word FROM holds JOIN invoices ON invoices.id = holds.invoice_id";
    assert_eq!(pages.house.word(held).await, THEIRS);

    let stopped = pages.with(("POST", "/u/{token}", Guard::TokenInPath), Some(theirs)).await;
    assert_eq!(stopped.status, StatusCode::OK);
    let opted_out = "SELECT group_concat(merchant_id) AS word FROM opt_outs";
    assert_eq!(pages.house.word(opted_out).await, pages.house.theirs.id.as_str());
}

#[tokio::test]
async fn the_receipt_is_shown_to_the_browser_that_paid_and_to_no_other() {
    let pages = Pages::new().await;
    let path = format!("/p/{}", pages.our_token);
    let own = pages.open(&path, &format!("pay_payer={}", pages.our_mark)).await;
    assert!(own.text.contains(OURS) && own.text.contains("348.00"), "{}", own.text);
    let payer_hash = domain::keyring::payer_hash(&pages.our_mark);
    let others = [
        ("no mark", String::new()),
        ("another browser's mark", format!("pay_payer={}", pages.their_mark)),
        ("the link as a mark", format!("pay_payer={}", pages.our_token)),
        ("the hash that is stored", format!("pay_payer={}", &payer_hash[..43])),
        ("a mark under another name", format!("pay_link={}", pages.our_mark)),
    ];
    for (name, cookies) in others {
        let page = pages.open(&path, &cookies).await;
        assert_eq!(page.status, StatusCode::OK, "{name}");
        holds_none(&page, &[OURS, "348.00", "4242"], name);
    }
}

#[tokio::test]
async fn an_api_key_opens_no_page_and_a_page_needs_none() {
    let pages = Pages::new().await;
    let with_key = |method: &str, path: &str| request(method, path, &pages.house.ours.key, None);
    assert_eq!(pages.house.send(with_key("GET", "/p")).await.status, StatusCode::NOT_FOUND);
    let page = pages.house.send(with_key("GET", &format!("/p/{}", pages.their_token))).await;
    assert!(page.text.contains(THEIRS));
    for (_, path, guard) in ROWS {
        if guard == Guard::Everybody && !path.contains('{') {
            let (with, without) = (
                pages.house.send(with_key("GET", path)).await,
                pages.house.send(Request::get(path).body(Body::empty()).unwrap()).await,
            );
            assert_eq!((with.status, &with.text), (StatusCode::OK, &without.text), "{path}");
            holds_none(&with, &OUR_WORDS, path);
        }
    }
}
