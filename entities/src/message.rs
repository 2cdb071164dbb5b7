//! The send ledger: one row per thing to say to somebody on one channel.

mod caps;

use domain::channel::Channel;
use domain::id::{InvoiceId, LinkId, MerchantId, MessageId};
use domain::message::{MessageState, Purpose};
use domain::time::Timestamp;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use crate::sql;
use crate::stored::Stored;

pub use caps::{Counted, Texts, texts_of_merchants, texts_to_numbers};

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "messages")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<MessageId>,
    pub merchant_id: Stored<MerchantId>,
    pub invoice_id: Stored<InvoiceId>,
    pub purpose: Stored<Purpose>,
    pub purpose_ref: String,
    pub channel: Stored<Channel>,
    pub recipient: String,
    pub sender: String,
    pub locale: String,
    pub status: Stored<MessageState>,
    pub reason: Option<String>,
    pub asked_at_ms: Option<i64>,
    pub segments: Option<i64>,
    pub created_at_ms: i64,
    pub accepted_at_ms: Option<i64>,
    pub delivered_at_ms: Option<i64>,
    pub ended_at_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Something to say to somebody, about to be written down.
#[derive(Debug, Clone)]
pub struct NewMessage {
    pub merchant_id: MerchantId,
    pub invoice_id: InvoiceId,
    pub purpose: Purpose,
    /// The id of what it is about: a link, a payment.
    pub purpose_ref: String,
    pub channel: Channel,
    pub recipient: String,
    pub sender: String,
    /// A language tag.
    pub locale: String,
    /// When the call ended on which the customer asked for it.
    pub asked_at: Option<Timestamp>,
}

const NEW_COLUMNS: [(&str, &str); 11] = [
    ("id", "text"),
    ("merchant_id", "text"),
    ("invoice_id", "text"),
    ("purpose", "text"),
    ("purpose_ref", "text"),
    ("channel", "text"),
    ("recipient", "text"),
    ("sender", "text"),
    ("locale", "text"),
    ("asked_at_ms", "bigint"),
    ("created_at_ms", "bigint"),
];

/// Writes messages down. One that exists for the same purpose on the same channel is left alone; the new ones are
/// returned.
///
/// # Errors
/// Whatever the store says.
pub async fn queue<C: ConnectionTrait>(
    tx: &C,
    messages: &[NewMessage],
    now: Timestamp,
) -> Result<Vec<Model>, DbErr> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<serde_json::Value> = messages.iter().map(|message| new_row(message, now)).collect();
    let text = format!(
        "INSERT INTO messages (id, merchant_id, invoice_id, purpose, purpose_ref, channel, recipient, sender, locale, status, asked_at_ms, created_at_ms) \
         SELECT r.id, r.merchant_id, r.invoice_id, r.purpose, r.purpose_ref, r.channel, r.recipient, r.sender, r.locale, 'queued', r.asked_at_ms, r.created_at_ms \
         FROM {} WHERE true ON CONFLICT (purpose, purpose_ref, channel) DO NOTHING RETURNING *",
        sql::rows(tx.get_database_backend(), 1, "r", &NEW_COLUMNS)
    );
    sql::all(tx, text, [sql::row_list(&rows)]).await
}

fn new_row(message: &NewMessage, now: Timestamp) -> serde_json::Value {
    let id: MessageId = crate::fresh::id(now);
    serde_json::json!({
        "id": id, "merchant_id": message.merchant_id, "invoice_id": message.invoice_id, "purpose": message.purpose,
        "purpose_ref": message.purpose_ref, "channel": message.channel, "recipient": message.recipient,
        "sender": message.sender, "locale": message.locale,
        "asked_at_ms": message.asked_at.map(Timestamp::millis), "created_at_ms": now.millis(),
    })
}

/// # Errors
/// Whatever the store says.
pub async fn by_ids<C: ConnectionTrait>(db: &C, ids: &[String]) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!("SELECT * FROM messages WHERE id {}", sql::among(db.get_database_backend(), 1));
    sql::all(db, text, [sql::text_list(ids)]).await
}

/// The messages that carry these links and wait to be sent.
///
/// # Errors
/// Whatever the store says.
pub async fn queued_of_links<C: ConnectionTrait>(db: &C, links: &[String]) -> Result<Vec<Model>, DbErr> {
    if links.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT * FROM messages WHERE purpose = 'link' AND status = 'queued' AND purpose_ref {}",
        sql::among(db.get_database_backend(), 1)
    );
    sql::all(db, text, [sql::text_list(links)]).await
}

#[derive(FromQueryResult)]
struct Moved {
    id: Stored<MessageId>,
}

fn ids_of(moved: Vec<Moved>) -> Vec<MessageId> {
    moved.into_iter().map(|row| row.id.0).collect()
}

/// A message that a provider is known to have taken.
#[derive(Debug, Clone)]
pub struct Acceptance {
    pub id: MessageId,
    pub segments: Option<u32>,
}

/// Records that a provider took these; returns those for which this was news.
///
/// # Errors
/// Whatever the store says.
pub async fn accept<C: ConnectionTrait>(
    tx: &C,
    taken: &[Acceptance],
    at: Timestamp,
) -> Result<Vec<MessageId>, DbErr> {
    if taken.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "UPDATE messages SET status = 'sent', accepted_at_ms = $2, segments = r.segments, reason = NULL, ended_at_ms = NULL \
         FROM {} WHERE messages.id = r.id AND messages.status IN ('queued', 'unknown') RETURNING messages.id AS id",
        sql::rows(tx.get_database_backend(), 1, "r", &[("id", "text"), ("segments", "bigint")])
    );
    let rows: Vec<serde_json::Value> = taken
        .iter()
        .map(|message| serde_json::json!({"id": message.id, "segments": message.segments}))
        .collect();
    sql::all(tx, text, [sql::row_list(&rows), at.millis().into()]).await.map(ids_of)
}

/// Records that these arrived; returns those for which this was news.
///
/// # Errors
/// Whatever the store says.
pub async fn deliver<C: ConnectionTrait>(
    tx: &C,
    ids: &[MessageId],
    at: Timestamp,
) -> Result<Vec<MessageId>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "UPDATE messages SET status = 'delivered', delivered_at_ms = $2 \
         WHERE id {} AND status IN ('queued', 'sent', 'unknown') RETURNING id",
        sql::among(tx.get_database_backend(), 1)
    );
    sql::all(tx, text, [sql::text_list(ids.iter().map(MessageId::as_str)), at.millis().into()])
        .await
        .map(ids_of)
}

/// How a message ended that did not arrive.
#[derive(Debug, Clone)]
pub struct Ending {
    pub id: MessageId,
    /// `Failed`, `Suppressed` or `Unknown`.
    pub state: MessageState,
    pub reason: String,
}

/// Ends messages. What was handed over can still fail; only what waits can be suppressed or given up as unknown.
/// Returns those that ended now.
///
/// # Errors
/// Whatever the store says.
pub async fn end<C: ConnectionTrait>(
    tx: &C,
    endings: &[Ending],
    now: Timestamp,
) -> Result<Vec<MessageId>, DbErr> {
    if endings.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "UPDATE messages SET status = r.state, reason = r.reason, ended_at_ms = $2 FROM {} WHERE messages.id = r.id \
         AND (messages.status = 'queued' OR (r.state = 'failed' AND messages.status IN ('sent', 'unknown'))) \
         RETURNING messages.id AS id",
        sql::rows(
            tx.get_database_backend(),
            1,
            "r",
            &[("id", "text"), ("state", "text"), ("reason", "text")]
        )
    );
    let rows: Vec<serde_json::Value> = endings
        .iter()
        .map(|ending| serde_json::json!({"id": ending.id, "state": ending.state, "reason": ending.reason}))
        .collect();
    sql::all(tx, text, [sql::row_list(&rows), now.millis().into()]).await.map(ids_of)
}

/// Messages that wait since before `before` although the job that sends them is dead.
///
/// # Errors
/// Whatever the store says.
pub async fn abandoned_since<C: ConnectionTrait>(
    db: &C,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Model>, DbErr> {
    let text = "SELECT m.* FROM jobs j JOIN messages m ON m.id = j.subject WHERE j.status = 'dead' \
         AND m.status = 'queued' AND m.created_at_ms < $1 ORDER BY j.id LIMIT $2";
    sql::all(db, text, [before.millis().into(), i64::from(limit).into()]).await
}

/// The emails that carried a link.
///
/// # Errors
/// Whatever the store says.
pub async fn letters_of_link<C: ConnectionTrait>(db: &C, link_id: &LinkId) -> Result<Vec<Model>, DbErr> {
    let text = "SELECT * FROM messages WHERE purpose = 'link' AND purpose_ref = $1 AND channel = 'email'";
    sql::all(db, text, [link_id.as_str().into()]).await
}

/// Takes back what waits to be said about an invoice to a number that turned out to be somebody else's.
///
/// # Errors
/// Whatever the store says.
pub async fn suppress_to<C: ConnectionTrait>(
    tx: &C,
    invoice_id: &InvoiceId,
    recipient: &str,
    reason: &str,
    now: Timestamp,
) -> Result<u64, DbErr> {
    let text = "UPDATE messages SET status = 'suppressed', reason = $3, ended_at_ms = $4 \
         WHERE invoice_id = $1 AND recipient = $2 AND status = 'queued'";
    let values = [invoice_id.as_str().into(), recipient.into(), reason.into(), now.millis().into()];
    sql::run(tx, text, values).await
}
