//! Attempts to hand a message to a provider: written before the call, closed after it.

use domain::id::{AttemptId, MerchantId, MessageId};
use domain::message::AttemptState;
use domain::send::MessageStatus;
use domain::time::Timestamp;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use crate::sql;
use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "send_attempts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<AttemptId>,
    pub merchant_id: Stored<MerchantId>,
    pub message_id: Stored<MessageId>,
    pub ordinal: i64,
    pub status: Stored<AttemptState>,
    pub fence: i64,
    pub started_at_ms: i64,
    pub deadline_at_ms: i64,
    pub ended_at_ms: Option<i64>,
    pub lookups: i64,
    pub provider_id: Option<String>,
    pub code: Option<i64>,
    pub reason: Option<String>,
    pub delivery_status: Option<String>,
    pub delivery_code: Option<i64>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The intention to call a provider, about to be committed.
#[derive(Debug, Clone)]
pub struct NewAttempt {
    pub id: AttemptId,
    pub merchant_id: MerchantId,
    pub message_id: MessageId,
    pub ordinal: i64,
    /// The job's fence: who else holds the job has another.
    pub fence: i64,
    pub deadline: Timestamp,
}

/// Commits to calling a provider.
///
/// # Errors
/// Whatever the store says; among it that this message's attempt of this ordinal exists.
pub async fn begin<C: ConnectionTrait>(tx: &C, attempts: &[NewAttempt], now: Timestamp) -> Result<(), DbErr> {
    if attempts.is_empty() {
        return Ok(());
    }
    let columns = [
        ("id", "text"),
        ("merchant_id", "text"),
        ("message_id", "text"),
        ("ordinal", "bigint"),
        ("fence", "bigint"),
        ("deadline_at_ms", "bigint"),
    ];
    let text = format!(
        "INSERT INTO send_attempts (id, merchant_id, message_id, ordinal, status, fence, started_at_ms, deadline_at_ms, lookups) \
         SELECT r.id, r.merchant_id, r.message_id, r.ordinal, 'sending', r.fence, $2, r.deadline_at_ms, 0 FROM {}",
        sql::rows(tx.get_database_backend(), 1, "r", &columns)
    );
    let rows: Vec<serde_json::Value> = attempts
        .iter()
        .map(|attempt| {
            serde_json::json!({
                "id": attempt.id, "merchant_id": attempt.merchant_id, "message_id": attempt.message_id,
                "ordinal": attempt.ordinal, "fence": attempt.fence, "deadline_at_ms": attempt.deadline.millis(),
            })
        })
        .collect();
    sql::run(tx, text, [sql::row_list(&rows), now.millis().into()]).await.map(drop)
}

/// What an attempt came to.
#[derive(Debug, Clone)]
pub struct Verdict {
    pub id: AttemptId,
    /// The fence of who made the attempt.
    pub fence: i64,
    pub state: AttemptState,
    pub provider_id: Option<String>,
    pub code: Option<i32>,
    pub reason: Option<String>,
}

#[derive(FromQueryResult)]
struct Moved {
    id: Stored<AttemptId>,
}

fn ids_of(moved: Vec<Moved>) -> Vec<AttemptId> {
    moved.into_iter().map(|row| row.id.0).collect()
}

/// Closes attempts whose outcome was open; returns those it closed. An attempt that a callback settled first stays as
/// that left it.
///
/// # Errors
/// Whatever the store says.
pub async fn close<C: ConnectionTrait>(
    tx: &C,
    verdicts: &[Verdict],
    now: Timestamp,
) -> Result<Vec<AttemptId>, DbErr> {
    if verdicts.is_empty() {
        return Ok(Vec::new());
    }
    let columns = [
        ("id", "text"),
        ("fence", "bigint"),
        ("state", "text"),
        ("provider_id", "text"),
        ("code", "bigint"),
        ("reason", "text"),
    ];
    let text = format!(
        "UPDATE send_attempts SET status = r.state, provider_id = r.provider_id, code = r.code, reason = r.reason, ended_at_ms = $2 \
         FROM {} WHERE send_attempts.id = r.id AND send_attempts.fence = r.fence \
         AND (send_attempts.status IN ('sending', 'unknown')) IS TRUE RETURNING send_attempts.id AS id",
        sql::rows(tx.get_database_backend(), 1, "r", &columns)
    );
    let rows: Vec<serde_json::Value> = verdicts
        .iter()
        .map(|verdict| {
            serde_json::json!({
                "id": verdict.id, "fence": verdict.fence, "state": verdict.state, "provider_id": verdict.provider_id,
                "code": verdict.code, "reason": verdict.reason,
            })
        })
        .collect();
    sql::all(tx, text, [sql::row_list(&rows), now.millis().into()]).await.map(ids_of)
}

/// Counts a look-up that settled nothing.
///
/// # Errors
/// Whatever the store says.
pub async fn count_lookup<C: ConnectionTrait>(tx: &C, ids: &[AttemptId]) -> Result<(), DbErr> {
    if ids.is_empty() {
        return Ok(());
    }
    let text = format!(
        "UPDATE send_attempts SET lookups = lookups + 1 WHERE status = 'unknown' AND id {}",
        sql::among(tx.get_database_backend(), 1)
    );
    sql::run(tx, text, [sql::text_list(ids.iter().map(AttemptId::as_str))]).await.map(drop)
}

/// What a carrier's callback says about an attempt.
#[derive(Debug, Clone)]
pub struct Report {
    pub id: AttemptId,
    pub provider_id: String,
    pub status: MessageStatus,
    pub code: Option<i64>,
}

/// Adopts what callbacks prove: the provider has these, whatever we believed. Returns those for which this was news.
///
/// # Errors
/// Whatever the store says.
pub async fn adopt<C: ConnectionTrait>(
    tx: &C,
    reports: &[Report],
    now: Timestamp,
) -> Result<Vec<AttemptId>, DbErr> {
    if reports.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "UPDATE send_attempts SET status = 'accepted', provider_id = r.provider_id, reason = NULL, ended_at_ms = $2 \
         FROM {} WHERE send_attempts.id = r.id AND send_attempts.status NOT IN ('accepted', 'rejected') \
         RETURNING send_attempts.id AS id",
        sql::rows(tx.get_database_backend(), 1, "r", &[("id", "text"), ("provider_id", "text")])
    );
    let rows: Vec<serde_json::Value> = reports
        .iter()
        .map(|report| serde_json::json!({"id": report.id, "provider_id": report.provider_id}))
        .collect();
    sql::all(tx, text, [sql::row_list(&rows), now.millis().into()]).await.map(ids_of)
}

/// Keeps how far these came. The caller has compared ranks.
///
/// # Errors
/// Whatever the store says.
pub async fn hear<C: ConnectionTrait>(tx: &C, reports: &[Report]) -> Result<(), DbErr> {
    if reports.is_empty() {
        return Ok(());
    }
    let text = format!(
        "UPDATE send_attempts SET delivery_status = r.status, delivery_code = r.code FROM {} WHERE send_attempts.id = r.id",
        sql::rows(
            tx.get_database_backend(),
            1,
            "r",
            &[("id", "text"), ("status", "text"), ("code", "bigint")]
        )
    );
    let rows: Vec<serde_json::Value> = reports
        .iter()
        .map(|report| serde_json::json!({"id": report.id, "status": report.status, "code": report.code}))
        .collect();
    sql::run(tx, text, [sql::row_list(&rows)]).await.map(drop)
}

/// # Errors
/// Whatever the store says.
pub async fn by_ids<C: ConnectionTrait>(db: &C, ids: &[String]) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!("SELECT * FROM send_attempts WHERE id {}", sql::among(db.get_database_backend(), 1));
    sql::all(db, text, [sql::text_list(ids)]).await
}

/// Every attempt of these messages, oldest first.
///
/// # Errors
/// Whatever the store says.
pub async fn of_messages<C: ConnectionTrait>(db: &C, ids: &[String]) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT * FROM send_attempts WHERE message_id {} ORDER BY message_id, ordinal",
        sql::among(db.get_database_backend(), 1)
    );
    sql::all(db, text, [sql::text_list(ids)]).await
}

/// Attempts whose outcome is still open, of messages that nobody has answered for, and whose deadline lies before
/// `before`.
///
/// # Errors
/// Whatever the store says.
pub async fn open_since<C: ConnectionTrait>(
    db: &C,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Model>, DbErr> {
    let text = "SELECT a.* FROM send_attempts a JOIN messages m ON m.id = a.message_id AND m.status = 'queued' \
         WHERE a.status IN ('sending', 'unknown') AND a.deadline_at_ms < $1 ORDER BY a.deadline_at_ms, a.id LIMIT $2";
    sql::all(db, text, [before.millis().into(), i64::from(limit).into()]).await
}
