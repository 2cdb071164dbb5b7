//! How many texts were asked for in a day: what the caps that protect a customer or a bill are held against.

use domain::id::{MerchantId, MessageId};
use domain::time::{DAY_MS, Timestamp};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use crate::sql;
use crate::stored::Stored;

/// The place of a text among those of the 24 hours up to it: the k-th has rank k, whoever asks and when.
#[derive(Debug, Clone, FromQueryResult)]
pub struct Rank {
    pub id: Stored<MessageId>,
    pub rank: i64,
}

/// Where these texts stand among those to the same number.
///
/// # Errors
/// Whatever the store says.
pub async fn ranks_of_number<C: ConnectionTrait>(db: &C, ids: &[String]) -> Result<Vec<Rank>, DbErr> {
    ranks(db, ids, "AND o.recipient = m.recipient").await
}

/// Where these texts stand among all of their merchant's.
///
/// # Errors
/// Whatever the store says.
pub async fn ranks_of_merchant<C: ConnectionTrait>(db: &C, ids: &[String]) -> Result<Vec<Rank>, DbErr> {
    ranks(db, ids, "").await
}

async fn ranks<C: ConnectionTrait>(db: &C, ids: &[String], among: &str) -> Result<Vec<Rank>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT m.id AS id, (SELECT count(*) FROM messages o WHERE o.merchant_id = m.merchant_id AND o.channel = 'sms' {among} \
         AND o.created_at_ms > m.created_at_ms - $2 AND o.status <> 'suppressed' \
         AND (o.created_at_ms < m.created_at_ms OR (o.created_at_ms = m.created_at_ms AND o.id <= m.id))) AS rank \
         FROM messages m WHERE m.channel = 'sms' AND m.id IN {}",
        sql::texts(db.get_database_backend(), 1)
    );
    sql::all(db, text, [sql::text_list(ids), DAY_MS.into()]).await
}

/// How many texts a merchant asked for since a moment.
#[derive(Debug, Clone, FromQueryResult)]
pub struct DayTotal {
    pub merchant_id: Stored<MerchantId>,
    pub texts: i64,
}

/// # Errors
/// Whatever the store says.
pub async fn texts_since<C: ConnectionTrait>(
    db: &C,
    merchants: &[String],
    since: Timestamp,
) -> Result<Vec<DayTotal>, DbErr> {
    let text = format!(
        "SELECT merchant_id, count(*) AS texts FROM messages WHERE merchant_id IN {} AND channel = 'sms' \
         AND created_at_ms > $2 GROUP BY merchant_id",
        sql::texts(db.get_database_backend(), 1)
    );
    sql::all(db, text, [sql::text_list(merchants), since.millis().into()]).await
}
