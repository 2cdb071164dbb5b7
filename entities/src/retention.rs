//! Forgetting by class: what is older than it is kept, in small batches, each found through an index. Invoices, payments,
//! payables, holds, the timeline, opt-outs and consents have no class: they are never deleted. Evidence about an invoice
//! with an open hold waits until the hold is resolved.

use domain::id::{CallEventId, MessageId};
use domain::retention::Ages;
use domain::time::Timestamp;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use crate::sql;

/// What is forgotten together. In this order: what refers to something goes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Jobs,
    Bodies,
    IdempotencyKeys,
    StripeEvents,
    InboundTexts,
    AttentionItems,
    Messages,
    Links,
    CallEvents,
}

impl Class {
    pub const ALL: [Self; 9] = [
        Self::Jobs,
        Self::Bodies,
        Self::IdempotencyKeys,
        Self::StripeEvents,
        Self::InboundTexts,
        Self::AttentionItems,
        Self::Messages,
        Self::Links,
        Self::CallEvents,
    ];
}

#[derive(FromQueryResult)]
struct Found {
    id: String,
}

/// Deletes up to `limit` rows of a class that are old enough, with what hangs on them; says how many.
///
/// # Errors
/// Whatever the store says.
pub async fn forget<C: ConnectionTrait>(
    tx: &C,
    class: Class,
    ages: &Ages,
    now: Timestamp,
    limit: u32,
) -> Result<u64, DbErr> {
    let events = now.plus_ms(-ages.events_ms);
    let webhooks = now.plus_ms(-ages.webhooks_ms).millis();
    match class {
        Class::Jobs => by_time(tx, JOBS, now.plus_ms(-ages.jobs_ms).millis(), limit).await,
        Class::Bodies => blank_bodies(tx, now.plus_ms(-ages.bodies_ms), limit).await,
        Class::IdempotencyKeys => by_time(tx, IDEMPOTENCY_KEYS, webhooks, limit).await,
        Class::StripeEvents => by_time(tx, STRIPE_EVENTS, webhooks, limit).await,
        Class::InboundTexts => by_time(tx, INBOUND_TEXTS, webhooks, limit).await,
        Class::AttentionItems => by_time(tx, ATTENTION_ITEMS, events.millis(), limit).await,
        Class::Messages => {
            let before = MessageId::ordered(events, [0; 10]).into_string().into();
            delete(tx, MESSAGES, before, limit, &OF_MESSAGES).await
        }
        Class::Links => delete(tx, LINKS, events.millis().into(), limit, &OF_LINKS).await,
        Class::CallEvents => {
            let before = CallEventId::ordered(events, [0; 10]).into_string().into();
            delete(tx, CALL_EVENTS, before, limit, &OF_CALL_EVENTS).await
        }
    }
}

// `$1` is the moment before which a row is old, in milliseconds, and `$2` the limit.
const JOBS: &str = "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE status = 'done' AND finished_at_ms < $1 \
     ORDER BY finished_at_ms LIMIT $2)";
const IDEMPOTENCY_KEYS: &str = "DELETE FROM idempotency_keys WHERE (merchant_id, idempotency_key) IN \
     (SELECT merchant_id, idempotency_key FROM idempotency_keys WHERE created_at_ms < $1 ORDER BY created_at_ms LIMIT $2)";
const STRIPE_EVENTS: &str = "DELETE FROM stripe_events WHERE id IN \
     (SELECT id FROM stripe_events WHERE received_at_ms < $1 ORDER BY received_at_ms LIMIT $2)";
const INBOUND_TEXTS: &str = "DELETE FROM inbound_texts WHERE provider_id IN \
     (SELECT provider_id FROM inbound_texts WHERE received_at_ms < $1 ORDER BY received_at_ms LIMIT $2)";
const ATTENTION_ITEMS: &str = "DELETE FROM attention_items WHERE id IN (SELECT id FROM attention_items \
     WHERE closed_at_ms IS NOT NULL AND closed_at_ms < $1 ORDER BY closed_at_ms LIMIT $2)";

// Row ids begin with their time, so an id names the moment; ids of links are random.
const MESSAGES: &str = "SELECT m.id AS id FROM messages m WHERE m.id < $1 AND m.status <> 'queued' AND NOT EXISTS \
     (SELECT 1 FROM holds h WHERE h.invoice_id = m.invoice_id AND h.resolved_at_ms IS NULL) ORDER BY m.id LIMIT $2";
const LINKS: &str = "SELECT l.id AS id FROM links l WHERE l.ended_at_ms IS NOT NULL AND l.ended_at_ms < $1 AND NOT EXISTS \
     (SELECT 1 FROM holds h WHERE h.invoice_id = l.invoice_id AND h.resolved_at_ms IS NULL) ORDER BY l.ended_at_ms LIMIT $2";
const CALL_EVENTS: &str = "SELECT e.id AS id FROM call_events e WHERE e.id < $1 \
     AND NOT EXISTS (SELECT 1 FROM links l WHERE l.event_id = e.id) AND NOT EXISTS \
     (SELECT 1 FROM holds h WHERE h.invoice_id = e.invoice_id AND h.resolved_at_ms IS NULL) ORDER BY e.id LIMIT $2";

// `{among}` is the list that was found.
const OF_MESSAGES: [&str; 3] = [
    "DELETE FROM carrier_callbacks WHERE attempt_id IN (SELECT id FROM send_attempts WHERE message_id {among})",
    "DELETE FROM send_attempts WHERE message_id {among}",
    "DELETE FROM messages WHERE id {among}",
];
const OF_LINKS: [&str; 2] =
    ["DELETE FROM link_opens WHERE link_id {among}", "DELETE FROM links WHERE id {among}"];
const OF_CALL_EVENTS: [&str; 1] = ["DELETE FROM call_events WHERE id {among}"];

const BODIES_MARK: &str = "SELECT up_to AS id FROM retention_marks WHERE class = 'bodies'";
const BODIES: &str = "SELECT id FROM call_events WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3";
const BLANK_BODIES: &str = "UPDATE call_events SET body = '' WHERE id {among}";
const MOVE_MARK: &str = "INSERT INTO retention_marks (class, up_to) VALUES ('bodies', $1) \
     ON CONFLICT (class) DO UPDATE SET up_to = excluded.up_to";

async fn by_time<C: ConnectionTrait>(tx: &C, text: &str, before_ms: i64, limit: u32) -> Result<u64, DbErr> {
    sql::run(tx, text, [before_ms.into(), i64::from(limit).into()]).await
}

async fn delete<C: ConnectionTrait>(
    tx: &C,
    find: &str,
    before: sea_orm::Value,
    limit: u32,
    deletes: &[&str],
) -> Result<u64, DbErr> {
    let found: Vec<Found> = sql::all(tx, find, [before, i64::from(limit).into()]).await?;
    if found.is_empty() {
        return Ok(0);
    }
    for text in deletes {
        on_found(tx, text, &found).await?;
    }
    Ok(u64::try_from(found.len()).unwrap_or(u64::MAX))
}

async fn on_found<C: ConnectionTrait>(tx: &C, text: &str, found: &[Found]) -> Result<u64, DbErr> {
    let ids = sql::text_list(found.iter().map(|row| row.id.as_str()));
    sql::run(tx, text.replace("{among}", &sql::among(tx.get_database_backend(), 1)), [ids]).await
}

/// The rows stay, so a mark says how far the last pass came.
async fn blank_bodies<C: ConnectionTrait>(tx: &C, before: Timestamp, limit: u32) -> Result<u64, DbErr> {
    let mark: Option<Found> = sql::one(tx, BODIES_MARK, []).await?;
    let after = mark.map_or(String::new(), |mark| mark.id);
    let before = CallEventId::ordered(before, [0; 10]).into_string();
    let found: Vec<Found> =
        sql::all(tx, BODIES, [after.into(), before.into(), i64::from(limit).into()]).await?;
    let Some(last) = found.last() else {
        return Ok(0);
    };
    on_found(tx, BLANK_BODIES, &found).await?;
    sql::run(tx, MOVE_MARK, [last.id.clone().into()]).await?;
    Ok(u64::try_from(found.len()).unwrap_or(u64::MAX))
}
