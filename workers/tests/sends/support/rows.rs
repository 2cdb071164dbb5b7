//! Rows as the API would have written them.

use domain::id::{CallEventId, LinkId, MessageId};
use domain::job::{JobKind, NewJob, Outbox};
use domain::link::{FIRST_SEQUENCE, LinkCause};
use entities::link::NewLink;
use serde_json::json;

use super::World;

pub(crate) const MERCHANT: &str = "mer_00000000000000000000000001";
pub(crate) const CUSTOMER: &str = "cus_00000000000000000000000001";
pub(crate) const INVOICE: &str = "inv_00000000000000000000000001";
pub(crate) const PHONE: &str = "+12125550142";
pub(crate) const EMAIL: &str = "ann@customer.example";
pub(crate) const SENDER: &str = "+12125550199";

pub(crate) async fn seed(world: &World) {
    let now = world.now().millis();
    world
        .run(
            "INSERT INTO merchants (id, name, locale, time_zone, country, support_email, sms_sender, sms_countries, \
             email_sender, fee_basis_points, fee_fixed_minor, fee_min_minor, secret_generation, renewal_allowed, \
             payable_on_hold, asked_exempt_from_hours, texts_per_day_max, texts_per_number_per_day_max, created_at_ms) \
             VALUES ($1, 'Ace Plumbing', 'en', 'America/New_York', 'US', 'help@ace.example', $2, 'US,CA', \
             'billing@ace.example', 1000, 0, 0, 1, TRUE, TRUE, TRUE, 100000, 1000, $3)",
            [MERCHANT.into(), SENDER.into(), now.into()],
        )
        .await;
    world
        .run(
            "INSERT INTO customers (id, merchant_id, name, phone, line_type, email, created_at_ms, updated_at_ms) \
             VALUES ($1, $2, 'Ann', $3, 'unknown', $4, $5, $5)",
            [CUSTOMER.into(), MERCHANT.into(), PHONE.into(), EMAIL.into(), now.into()],
        )
        .await;
    invoice(world, INVOICE, "INV-1").await;
}

pub(crate) async fn invoice(world: &World, id: &str, number: &str) {
    let now = world.now().millis();
    world
        .run(
            "INSERT INTO invoices (id, merchant_id, customer_id, number, currency, tax_minor, total_minor, paid_minor, \
             due_on, status, on_hold, revision, created_at_ms, updated_at_ms) \
             VALUES ($1, $2, $3, $4, 'USD', 0, 12500, 0, '2026-12-01', 'open', FALSE, 1, $5, $5)",
            [id.into(), MERCHANT.into(), CUSTOMER.into(), number.into(), now.into()],
        )
        .await;
}

pub(crate) async fn forget_email(world: &World) {
    world.run("UPDATE customers SET email = NULL", []).await;
}

/// A call that ended now and asked for a link, stored with its job.
pub(crate) async fn call(world: &World, call_id: &str, invoice: &str) -> CallEventId {
    call_saying(world, call_id, invoice, json!({"intent": "pay_online", "reached": "human"})).await
}

pub(crate) async fn call_saying(
    world: &World,
    call_id: &str,
    invoice: &str,
    outcome: serde_json::Value,
) -> CallEventId {
    let now = world.now();
    let id: CallEventId = entities::fresh::id(now);
    let body = json!({
        "type": "call.completed", "source": "test", "call_id": call_id, "occurred_at": now,
        "invoice": {"id": invoice}, "outcome": outcome,
    });
    let tx = world.context.ledger.begin().await.unwrap();
    entities::sql::run(
        &tx,
        "INSERT INTO call_events (id, merchant_id, dedupe_key, source, call_id, intent, invoice_ref, invoice_id, \
         disposition, body, occurred_at_ms, received_at_ms) \
         VALUES ($1, $2, $3, 'test', $3, 'pay_online', $4, $4, 'accepted', $5, $6, $6)",
        [
            id.as_str().into(),
            MERCHANT.into(),
            format!("{call_id}:{invoice}").into(),
            invoice.into(),
            body.to_string().into(),
            now.millis().into(),
        ],
    )
    .await
    .unwrap();
    let mut outbox = Outbox::default();
    outbox.enqueue(NewJob::once(JobKind::ResolveChannel, id.as_str(), &MERCHANT.parse().unwrap()));
    world.context.ledger.commit(tx, outbox).await.unwrap();
    id
}

/// A link that the merchant sends by hand, with its job.
pub(crate) async fn manual_link(world: &World) -> LinkId {
    let id = bare_link(world, INVOICE).await;
    enqueue(world, JobKind::ResolveChannel, id.as_str()).await;
    id
}

pub(crate) async fn bare_link(world: &World, invoice: &str) -> LinkId {
    let id = entities::fresh::link_id();
    let keyring = &world.context.keyring;
    let link = NewLink {
        merchant_id: MERCHANT.parse().unwrap(),
        invoice_id: invoice.parse().unwrap(),
        chain_id: id.clone(),
        sequence: FIRST_SEQUENCE,
        cause: LinkCause::Manual,
        wish_key: format!("manual:{id}"),
        event_id: None,
        wanted_channel: None,
        token_hash: keyring.link_token("k1", &id).unwrap().hash(),
        key_id: "k1".to_owned(),
        id: id.clone(),
    };
    let tx = world.context.ledger.begin().await.unwrap();
    let mut outbox = Outbox::default();
    entities::link::issue(&tx, &[link], world.now(), &mut outbox).await.unwrap();
    world.context.ledger.commit(tx, outbox).await.unwrap();
    id
}

/// A text with this link, written and not yet sent.
pub(crate) async fn text_of(world: &World, link: &LinkId, invoice: &str) -> MessageId {
    let now = world.now();
    let id: MessageId = entities::fresh::id(now);
    world
        .run(
            "INSERT INTO messages (id, merchant_id, invoice_id, purpose, purpose_ref, channel, recipient, sender, \
             locale, status, asked_at_ms, created_at_ms) \
             VALUES ($1, $2, $3, 'link', $4, 'sms', $5, $6, 'en', 'queued', $7, $7)",
            [
                id.as_str().into(),
                MERCHANT.into(),
                invoice.into(),
                link.as_str().into(),
                PHONE.into(),
                SENDER.into(),
                now.millis().into(),
            ],
        )
        .await;
    enqueue(world, JobKind::SendLink, id.as_str()).await;
    id
}

/// An attempt that somebody committed to and did not live to finish, its deadline long past.
pub(crate) async fn abandoned_attempt(world: &World, message: &MessageId) {
    let began = world.now().plus_ms(-20_000).millis();
    world
        .run(
            "INSERT INTO send_attempts (id, merchant_id, message_id, ordinal, status, fence, started_at_ms, \
             deadline_at_ms, lookups) VALUES ($1, $2, $3, 1, 'sending', 1, $4, $5, 0)",
            [
                "att_00000000000000000000000001".into(),
                MERCHANT.into(),
                message.as_str().into(),
                began.into(),
                (began + 8_000).into(),
            ],
        )
        .await;
}

pub(crate) async fn enqueue(world: &World, kind: JobKind, subject: &str) {
    let tx = world.context.ledger.begin().await.unwrap();
    let mut outbox = Outbox::default();
    outbox.enqueue(NewJob::once(kind, subject, &MERCHANT.parse().unwrap()));
    world.context.ledger.commit(tx, outbox).await.unwrap();
}

/// What the carrier reports about the newest attempt to text, stored as the webhook does.
pub(crate) async fn report(world: &World, sid: &str, status: &str, code: Option<i64>) {
    let newest = "SELECT a.id AS cell FROM send_attempts a JOIN messages m ON m.id = a.message_id \
         WHERE m.channel = 'sms' ORDER BY a.id DESC LIMIT 1";
    let attempt = world.column(newest).await.remove(0);
    let id = format!("cbk_{sid}_{status}");
    let now = world.now().millis();
    world
        .run(
            "INSERT INTO carrier_callbacks (id, attempt_id, provider_id, status, code, received_at_ms) \
             VALUES ($1, $2, $3, $4, $5, $6)",
            [id.as_str().into(), attempt.as_str().into(), sid.into(), status.into(), code.into(), now.into()],
        )
        .await;
    let tx = world.context.ledger.begin().await.unwrap();
    let mut outbox = Outbox::default();
    let job = NewJob::once(JobKind::RecordDelivery, attempt, &MERCHANT.parse().unwrap());
    outbox.enqueue(job.keyed(id));
    world.context.ledger.commit(tx, outbox).await.unwrap();
}
