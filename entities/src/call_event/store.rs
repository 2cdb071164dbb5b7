//! Storing events: many in one statement, each once.

use domain::id::MerchantId;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::Model;
use crate::sql;
use crate::stored::Stored;

const COLUMNS: [(&str, &str); 14] = [
    ("id", "text"),
    ("merchant_id", "text"),
    ("dedupe_key", "text"),
    ("delivery_id", "text"),
    ("source", "text"),
    ("call_id", "text"),
    ("intent", "text"),
    ("invoice_ref", "text"),
    ("invoice_id", "text"),
    ("disposition", "text"),
    ("reason", "text"),
    ("body", "text"),
    ("occurred_at_ms", "bigint"),
    ("received_at_ms", "bigint"),
];

#[derive(FromQueryResult)]
struct Inserted {
    id: String,
}

/// Stores events and returns the ids of those that are new: one that is known already, or comes twice in the same
/// list, is left out.
///
/// # Errors
/// Whatever the store says.
pub async fn insert_new<C: ConnectionTrait>(tx: &C, events: &[Model]) -> Result<Vec<String>, DbErr> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<serde_json::Value> = events.iter().map(row).collect();
    let text = format!(
        "INSERT INTO call_events (id, merchant_id, dedupe_key, delivery_id, source, call_id, intent, invoice_ref, \
         invoice_id, disposition, reason, body, occurred_at_ms, received_at_ms) \
         SELECT r.id, r.merchant_id, r.dedupe_key, r.delivery_id, r.source, r.call_id, r.intent, r.invoice_ref, \
         r.invoice_id, r.disposition, r.reason, r.body, r.occurred_at_ms, r.received_at_ms \
         FROM {} WHERE true ON CONFLICT (merchant_id, dedupe_key) DO NOTHING RETURNING id",
        sql::rows(tx.get_database_backend(), 1, "r", &COLUMNS)
    );
    let inserted: Vec<Inserted> = sql::all(tx, text, [sql::row_list(&rows)]).await?;
    Ok(inserted.into_iter().map(|event| event.id).collect())
}

fn row(event: &Model) -> serde_json::Value {
    serde_json::json!({
        "id": event.id, "merchant_id": event.merchant_id, "dedupe_key": event.dedupe_key,
        "delivery_id": event.delivery_id, "source": event.source, "call_id": event.call_id, "intent": event.intent,
        "invoice_ref": event.invoice_ref, "invoice_id": event.invoice_id, "disposition": event.disposition,
        "reason": event.reason, "body": event.body, "occurred_at_ms": event.occurred_at_ms,
        "received_at_ms": event.received_at_ms,
    })
}

/// The id under which an event is known.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Known {
    pub id: Stored<domain::id::CallEventId>,
    pub merchant_id: Stored<MerchantId>,
    pub dedupe_key: String,
}

/// The ids under which these events are known.
///
/// # Errors
/// Whatever the store says.
pub async fn known<C: ConnectionTrait>(db: &C, keys: &[(MerchantId, String)]) -> Result<Vec<Known>, DbErr> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let columns = [("merchant_id", "text"), ("dedupe_key", "text")];
    let text = format!(
        "SELECT e.id, e.merchant_id, e.dedupe_key FROM {} \
         JOIN call_events e ON e.merchant_id = r.merchant_id AND e.dedupe_key = r.dedupe_key",
        sql::rows(db.get_database_backend(), 1, "r", &columns)
    );
    let rows: Vec<serde_json::Value> = keys
        .iter()
        .map(|(merchant_id, key)| serde_json::json!({"merchant_id": merchant_id, "dedupe_key": key}))
        .collect();
    sql::all(db, text, [sql::row_list(&rows)]).await
}
