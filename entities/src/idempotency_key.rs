//! Answers already given under an `Idempotency-Key`.

use domain::id::MerchantId;
use domain::time::Timestamp;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::sql;
use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub merchant_id: Stored<MerchantId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub idempotency_key: String,
    pub fingerprint: String,
    pub status: i64,
    pub body: String,
    pub created_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Takes a key for the caller's transaction; `false` when it was used before. On PostgreSQL this waits for whoever
/// holds the same key right now, so the row can be read after a `false`.
///
/// # Errors
/// Whatever the store says.
pub async fn claim<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    key: &str,
    fingerprint: &str,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let text = "INSERT INTO idempotency_keys (merchant_id, idempotency_key, fingerprint, status, body, created_at_ms) \
         VALUES ($1, $2, $3, 0, '', $4) ON CONFLICT (merchant_id, idempotency_key) DO NOTHING";
    let values: [Value; 4] =
        [merchant_id.as_str().into(), key.into(), fingerprint.into(), now.millis().into()];
    Ok(sql::run(tx, text, values).await? > 0)
}

/// Keeps the answer beside the key, in the transaction that claimed it.
///
/// # Errors
/// Whatever the store says.
pub async fn keep_answer<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    key: &str,
    status: u16,
    body: &str,
) -> Result<(), DbErr> {
    let text =
        "UPDATE idempotency_keys SET status = $3, body = $4 WHERE merchant_id = $1 AND idempotency_key = $2";
    let values: [Value; 4] = [merchant_id.as_str().into(), key.into(), i64::from(status).into(), body.into()];
    sql::run(tx, text, values).await.map(drop)
}

/// What was answered under this key.
///
/// # Errors
/// Whatever the store says.
pub async fn find<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    key: &str,
) -> Result<Option<Model>, DbErr> {
    let text = "SELECT * FROM idempotency_keys WHERE merchant_id = $1 AND idempotency_key = $2";
    sql::one(db, text, [merchant_id.as_str().into(), key.into()]).await
}
