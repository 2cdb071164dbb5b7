//! Every route × every credential. The served description says which routes there are: one without a row here fails.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode};
use domain::scope::Scope;
use serde_json::json;
use tower::ServiceExt;

use crate::description::{METHODS, Operation, operations};
use crate::examples::{Example, examples};
use crate::house::{House, reply};

/// What lets a request through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// An API key with this scope.
    Key(Scope),
    /// An API key, whatever it may do.
    AnyKey,
    /// The provider's signature over the bytes.
    Signature,
    /// Being asked on the private listener.
    PrivateListener,
}

const ROWS: [(&str, Guard); 46] = [
    ("receive_event", Guard::Key(Scope::EventsWrite)),
    ("list_events", Guard::Key(Scope::EventsRead)),
    ("show_event", Guard::Key(Scope::EventsRead)),
    ("replay_event", Guard::Key(Scope::EventsWrite)),
    ("ask_call_permission", Guard::Key(Scope::CallsAsk)),
    ("create_invoice", Guard::Key(Scope::InvoicesWrite)),
    ("list_invoices", Guard::Key(Scope::InvoicesRead)),
    ("import_invoices", Guard::Key(Scope::InvoicesWrite)),
    ("show_invoice", Guard::Key(Scope::InvoicesRead)),
    ("change_invoice", Guard::Key(Scope::InvoicesWrite)),
    ("cancel_invoice", Guard::Key(Scope::InvoicesWrite)),
    ("mark_invoice_paid_elsewhere", Guard::Key(Scope::InvoicesWrite)),
    ("send_link", Guard::Key(Scope::LinksWrite)),
    ("list_links", Guard::Key(Scope::InvoicesRead)),
    ("read_timeline", Guard::Key(Scope::InvoicesRead)),
    ("open_hold", Guard::Key(Scope::HoldsWrite)),
    ("list_holds", Guard::Key(Scope::InvoicesRead)),
    ("resolve_hold", Guard::Key(Scope::HoldsWrite)),
    ("create_customer", Guard::Key(Scope::CustomersWrite)),
    ("list_customers", Guard::Key(Scope::CustomersRead)),
    ("show_customer", Guard::Key(Scope::CustomersRead)),
    ("change_customer", Guard::Key(Scope::CustomersWrite)),
    ("delete_customer", Guard::Key(Scope::CustomersWrite)),
    ("record_opt_out", Guard::Key(Scope::CustomersWrite)),
    ("list_opt_outs", Guard::Key(Scope::CustomersRead)),
    ("create_campaign", Guard::Key(Scope::CampaignsWrite)),
    ("list_campaigns", Guard::Key(Scope::CampaignsRead)),
    ("show_campaign", Guard::Key(Scope::CampaignsRead)),
    ("change_campaign", Guard::Key(Scope::CampaignsWrite)),
    ("end_campaign", Guard::Key(Scope::CampaignsWrite)),
    ("enrol_invoice", Guard::Key(Scope::CampaignsWrite)),
    ("list_enrolments", Guard::Key(Scope::CampaignsRead)),
    ("show_enrolment", Guard::Key(Scope::CampaignsRead)),
    ("change_enrolment", Guard::Key(Scope::CampaignsWrite)),
    ("end_enrolment", Guard::Key(Scope::CampaignsWrite)),
    ("list_attention", Guard::Key(Scope::InvoicesRead)),
    ("list_dead_jobs", Guard::Key(Scope::JobsRead)),
    ("redrive_job", Guard::Key(Scope::JobsWrite)),
    ("show_merchant", Guard::AnyKey),
    ("stream_changes", Guard::Key(Scope::InvoicesRead)),
    ("stripe_webhook", Guard::Signature),
    ("carrier_status_webhook", Guard::Signature),
    ("carrier_inbound_webhook", Guard::Signature),
    ("healthz", Guard::PrivateListener),
    ("readyz", Guard::PrivateListener),
    ("metrics", Guard::PrivateListener),
];

fn rows() -> BTreeMap<&'static str, Guard> {
    ROWS.into()
}

struct Matrix {
    house: House,
    operations: Vec<Operation>,
    examples: BTreeMap<&'static str, Example>,
}

impl Matrix {
    async fn new() -> Self {
        let house = House::new().await;
        let examples = examples(&house).await;
        let operations = operations(&house.get("/openapi.json").await.json());
        Self { house, operations, examples }
    }

    fn guarded_by(&self, wanted: impl Fn(Guard) -> bool) -> Vec<(&Operation, Guard)> {
        let rows = rows();
        let of = |operation: &Operation| rows.get(operation.id.as_str()).copied();
        let with_row = self.operations.iter().filter_map(|operation| Some((operation, of(operation)?)));
        with_row.filter(|(_, guard)| wanted(*guard)).collect()
    }

    /// The request that succeeds, but for its credential.
    fn asked(&self, operation: &Operation, authorization: Option<&HeaderValue>) -> Request<Body> {
        let mut asked = operation.request(self.examples.get(operation.id.as_str()));
        asked.headers_mut().remove("authorization");
        if let Some(value) = authorization {
            asked.headers_mut().insert("authorization", value.clone());
        }
        asked
    }

    async fn status(&self, asked: Request<Body>) -> StatusCode {
        // The body is left unread: that of the stream never ends.
        self.house.public.clone().oneshot(asked).await.unwrap().status()
    }
}

fn bearer(key: &str) -> HeaderValue {
    HeaderValue::try_from(format!("Bearer {key}")).unwrap()
}

fn every_scope() -> impl Iterator<Item = Scope> {
    Scope::ALL.iter().copied()
}

fn takes_key(guard: Guard) -> bool {
    matches!(guard, Guard::Key(_) | Guard::AnyKey)
}

#[tokio::test]
async fn every_documented_operation_has_a_row_and_every_row_an_operation() {
    let matrix = Matrix::new().await;
    let documented: BTreeSet<&str> =
        matrix.operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(documented, rows().into_keys().collect());
}

/// Credentials that open nothing, with the code each is refused with.
async fn worthless(house: &House) -> Vec<(&'static str, Option<HeaderValue>, &'static str)> {
    let good = house.ours.key.as_str();
    let (our_id, our_secret) = good[4..].split_once('_').unwrap();
    let (their_id, _) = house.theirs.key[4..].split_once('_').unwrap();
    let revoked = house.key_with(every_scope()).await;
    house
        .change(&format!("UPDATE api_keys SET revoked_at_ms = 1 WHERE id = 'key_{}'", &revoked[4..30]))
        .await;
    let expired = house.key_with(every_scope()).await;
    house
        .change(&format!("UPDATE api_keys SET expires_at_ms = 1 WHERE id = 'key_{}'", &expired[4..30]))
        .await;
    let event_secret = house.api.keyring.derived_secret("events", house.ours.id.as_str(), 1);
    let link_token = house.api.keyring.link_token("k1", &entities::fresh::link_id()).unwrap();
    let stored_hash = hash_of(house, &format!("key_{our_id}")).await;
    let invalid = [
        ("an empty key", bearer("")),
        ("no key at all", bearer("nonsense")),
        ("another scheme", HeaderValue::try_from(format!("Basic {good}")).unwrap()),
        ("no scheme", HeaderValue::try_from(good).unwrap()),
        ("bytes that are no text", HeaderValue::from_bytes(b"Bearer pck_\xff\xfe").unwrap()),
        ("a key cut short", bearer(&good[..good.len() - 1])),
        ("a key with a tail", bearer(&format!("{good}A"))),
        ("two keys", bearer(&format!("{good}, {}", house.theirs.key))),
        ("an id nobody has", bearer(&format!("pck_{}_{our_secret}", "0".repeat(26)))),
        ("an id with a wild card", bearer(&format!("pck_{}_{our_secret}", "%".repeat(26)))),
        ("our secret under their id", bearer(&format!("pck_{their_id}_{our_secret}"))),
        ("another secret under our id", bearer(&format!("pck_{our_id}_{}", "A".repeat(43)))),
        ("the hash that is stored", bearer(&format!("pck_{our_id}_{}", &stored_hash[..43]))),
        ("a revoked key", bearer(&revoked)),
        ("an expired key", bearer(&expired)),
        ("the event secret", bearer(&event_secret)),
        ("a pay link's token", bearer(link_token.expose())),
    ];
    let invalid = invalid.into_iter().map(|(name, value)| (name, Some(value), "credentials_invalid"));
    [("nothing", None, "credentials_missing")].into_iter().chain(invalid).collect()
}

async fn hash_of(house: &House, key_id: &str) -> String {
    house.word(&format!("SELECT secret_hash AS word FROM api_keys WHERE id = '{key_id}'")).await
}

#[tokio::test]
async fn no_route_opens_to_a_missing_malformed_foreign_expired_or_revoked_key() {
    let matrix = Matrix::new().await;
    let worthless = worthless(&matrix.house).await;
    let before = matrix.house.content().await;
    for (operation, _) in matrix.guarded_by(takes_key) {
        for (name, header, code) in &worthless {
            let mut asked = vec![matrix.asked(operation, header.as_ref())];
            if operation.method == "get" {
                asked.push(matrix.asked(operation, header.as_ref()));
                *asked[1].method_mut() = axum::http::Method::HEAD;
            }
            for asked in asked {
                let is_head = asked.method() == axum::http::Method::HEAD;
                let refused = matrix.house.send(asked).await;
                assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{operation} with {name}");
                assert_eq!(refused.headers["www-authenticate"], "Bearer", "{operation} with {name}");
                if !is_head {
                    assert_eq!(refused.problem().1, *code, "{operation} with {name}");
                }
            }
        }
    }
    assert_eq!(matrix.house.content().await, before, "a refused request wrote something");
}

#[tokio::test]
async fn every_route_wants_its_own_scope_and_no_other_one_will_do() {
    let matrix = Matrix::new().await;
    let mut keys = BTreeMap::new();
    for scope in every_scope() {
        let all_but_it = matrix.house.key_with(every_scope().filter(|other| *other != scope)).await;
        keys.insert(scope, (all_but_it, matrix.house.key_with([scope]).await));
    }
    let before = matrix.house.content().await;
    for (operation, guard) in matrix.guarded_by(takes_key) {
        let Guard::Key(scope) = guard else { continue };
        let refused = matrix.house.send(matrix.asked(operation, Some(&bearer(&keys[&scope].0)))).await;
        assert_eq!(refused.problem(), (403, "scope_missing".to_owned(), String::new()), "{operation}");
    }
    assert_eq!(matrix.house.content().await, before, "a refused request wrote something");

    for (operation, guard) in matrix.guarded_by(takes_key) {
        let key = match guard {
            Guard::Key(scope) => &keys[&scope].1,
            Guard::AnyKey | Guard::Signature | Guard::PrivateListener => &keys[&Scope::CallsAsk].1,
        };
        let expected = matrix.examples.get(operation.id.as_str()).map_or(200, |example| example.status);
        let status = matrix.status(matrix.asked(operation, Some(&bearer(key)))).await;
        assert_eq!(status.as_u16(), expected, "{operation} with nothing but {guard:?}");
    }
    assert_ne!(matrix.house.content().await, before, "what was allowed wrote nothing");
}

#[tokio::test]
async fn a_method_that_is_not_described_is_refused_with_every_credential() {
    let matrix = Matrix::new().await;
    let key = bearer(&matrix.house.ours.key);
    let mut tried = 0;
    for (operation, _) in matrix.guarded_by(|guard| guard != Guard::PrivateListener) {
        let methods: BTreeSet<&str> = matrix
            .operations
            .iter()
            .filter(|other| other.path == operation.path)
            .map(|other| other.method.as_str())
            .collect();
        for method in METHODS.into_iter().chain(["options", "trace"]).filter(|name| !methods.contains(name)) {
            for header in [None, Some(&key)] {
                let mut asked = matrix.asked(operation, header);
                *asked.method_mut() = method.to_uppercase().parse().unwrap();
                let refused = matrix.house.send(asked).await;
                assert_eq!(refused.problem().1, "method_not_allowed", "{method} {}", operation.path);
                tried += 1;
            }
        }
    }
    assert!(tried > 100);
}

#[tokio::test]
async fn what_is_private_is_not_on_the_public_listener_nor_the_other_way_round() {
    let matrix = Matrix::new().await;
    let key = bearer(&matrix.house.ours.key);
    for (operation, guard) in matrix.guarded_by(|_| true) {
        let other = match guard {
            Guard::PrivateListener => &matrix.house.public,
            Guard::Key(_) | Guard::AnyKey | Guard::Signature => &matrix.house.private,
        };
        let refused = reply(other, matrix.asked(operation, Some(&key))).await;
        assert_eq!(refused.problem().1, "not_found", "{operation}");
    }
}

const CARRIER_FORM: [(&str, &str); 6] = [
    ("AccountSid", "AC0"),
    ("MessageSid", "SM00000000000000000000000000000001"),
    ("MessageStatus", "delivered"),
    ("From", "+14155550142"),
    ("To", "+14155550100"),
    ("Body", "hello"),
];

/// A webhook as its provider would send it, signed with this secret for this address.
fn signed(
    house: &House,
    operation: &Operation,
    example: &Example,
    secret: &str,
    path: &str,
) -> Request<Body> {
    let posted = Request::post(operation.path_of(&example.id));
    if operation.id == "stripe_webhook" {
        let body = json!({"id": "evt_1", "object": "event", "type": "payment_intent.succeeded",
            "account": "acct_alder", "livemode": false, "data": {"object": {"id": "pi_1", "object": "payment_intent"}}})
        .to_string();
        let signature = simulator::signatures::stripe(secret, house.api.now().seconds(), &body);
        return posted.header("stripe-signature", signature).body(Body::from(body)).unwrap();
    }
    let form: Vec<(String, String)> =
        CARRIER_FORM.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let url = format!("{}{path}", house.api.settings.public_url);
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish();
    posted
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", simulator::signatures::twilio(secret, &url, &form))
        .body(Body::from(body))
        .unwrap()
}

#[tokio::test]
async fn a_webhook_opens_to_its_providers_signature_and_to_nothing_else() {
    let matrix = Matrix::new().await;
    let house = &matrix.house;
    let before = house.content().await;
    let mut right = Vec::new();
    for (operation, _) in matrix.guarded_by(|guard| guard == Guard::Signature) {
        let example = &matrix.examples[operation.id.as_str()];
        let path = operation.path_of(&example.id);
        let (secret, other, refusal) = if operation.id == "stripe_webhook" {
            ("whsec_simulated", "twilio", 400)
        } else {
            ("twilio", "whsec_simulated", 403)
        };
        let sign = |secret: &str, path: &str| signed(house, operation, example, secret, path);
        let with_key = |mut asked: Request<Body>| {
            asked.headers_mut().insert("authorization", bearer(&house.ours.key));
            asked
        };
        let unsigned = |mut asked: Request<Body>| {
            asked.headers_mut().remove("stripe-signature");
            asked.headers_mut().remove("x-twilio-signature");
            asked
        };
        let tampered = |mut asked: Request<Body>| {
            *asked.body_mut() = Body::from("MessageStatus=delivered&Body=STOP");
            asked
        };
        let mut worthless = vec![
            ("no signature", unsigned(sign(secret, &path))),
            ("no signature and an API key", with_key(unsigned(sign(secret, &path)))),
            ("another provider's secret", sign(other, &path)),
            ("an empty secret", sign("", &path)),
            ("an API key as the secret", sign(&house.ours.key, &path)),
            ("the signature of another body", tampered(sign(secret, &path))),
        ];
        if operation.id != "stripe_webhook" {
            worthless.push(("the signature of another address", sign(secret, "/webhooks/carrier")));
        }
        for (name, asked) in worthless {
            let refused = house.send(asked).await;
            let (status, code, _) = refused.problem();
            assert_eq!((status, code.as_str()), (refusal, "invalid_signature"), "{operation} with {name}");
        }
        right.push((operation, sign(secret, &path)));
    }
    assert_eq!(house.content().await, before, "an unsigned webhook wrote something");
    assert_eq!(right.len(), 3);
    for (operation, asked) in right {
        let status = matrix.status(asked).await;
        assert!(status.is_success(), "{operation} answers its provider {status}");
    }
}
