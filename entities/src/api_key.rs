//! API keys: a hash, scopes, an end. The key itself is shown once and never stored.

use domain::id::{ApiKeyId, MerchantId};
use domain::time::Timestamp;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, IntoActiveModel};

use crate::sql;
use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<ApiKeyId>,
    pub merchant_id: Stored<MerchantId>,
    pub name: String,
    pub secret_hash: String,
    pub scopes: String,
    pub created_at_ms: i64,
    pub expires_at_ms: Option<i64>,
    pub revoked_at_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A key with what every request wants to know of its merchant.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Holder {
    pub id: Stored<ApiKeyId>,
    pub merchant_id: Stored<MerchantId>,
    pub secret_hash: String,
    pub scopes: String,
    pub expires_at_ms: Option<i64>,
    pub revoked_at_ms: Option<i64>,
    /// The merchant's country: how a number without `+` is read.
    pub country: String,
}

/// The keys of these ids, whatever became of them.
///
/// # Errors
/// Whatever the store says.
pub async fn holders<C: ConnectionTrait>(db: &C, ids: &[&str]) -> Result<Vec<Holder>, DbErr> {
    let text = format!(
        "SELECT k.id, k.merchant_id, k.secret_hash, k.scopes, k.expires_at_ms, k.revoked_at_ms, m.country \
         FROM api_keys k JOIN merchants m ON m.id = k.merchant_id WHERE k.id {}",
        sql::among(db.get_database_backend(), 1)
    );
    sql::all(db, text, [sql::text_list(ids)]).await
}

impl Holder {
    /// Whether the key is good for nothing any more.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.revoked_at_ms.is_some() || self.expires_at_ms.is_some_and(|end_ms| end_ms <= now.millis())
    }
}

/// # Errors
/// Whatever the store says.
pub async fn find<C: ConnectionTrait>(db: &C, id: &ApiKeyId) -> Result<Option<Model>, DbErr> {
    sql::one(db, "SELECT * FROM api_keys WHERE id = $1", [id.as_str().into()]).await
}

/// Every key a merchant ever had, the oldest first.
///
/// # Errors
/// Whatever the store says.
pub async fn of_merchant<C: ConnectionTrait>(db: &C, merchant: &MerchantId) -> Result<Vec<Model>, DbErr> {
    let text = "SELECT * FROM api_keys WHERE merchant_id = $1 ORDER BY id";
    sql::all(db, text, [merchant.as_str().into()]).await
}

/// Stores a key.
///
/// # Errors
/// Whatever the store says.
pub async fn insert<C: ConnectionTrait>(db: &C, key: Model) -> Result<(), DbErr> {
    Entity::insert(key.into_active_model()).exec_without_returning(db).await.map(drop)
}

/// Ends a key at once; `false` when there is no such living key.
///
/// # Errors
/// Whatever the store says.
pub async fn revoke<C: ConnectionTrait>(db: &C, id: &ApiKeyId, now: Timestamp) -> Result<bool, DbErr> {
    let text = "UPDATE api_keys SET revoked_at_ms = $2 WHERE id = $1 AND revoked_at_ms IS NULL";
    Ok(sql::run(db, text, [id.as_str().into(), now.millis().into()]).await? > 0)
}

/// Lets a key end at a moment, or before it where it does so already; `false` when there is no such living key.
///
/// # Errors
/// Whatever the store says.
pub async fn end_at<C: ConnectionTrait>(db: &C, id: &ApiKeyId, end: Timestamp) -> Result<bool, DbErr> {
    let text = "UPDATE api_keys SET expires_at_ms = CASE WHEN expires_at_ms < $2 THEN expires_at_ms ELSE $2 END \
         WHERE id = $1 AND revoked_at_ms IS NULL";
    Ok(sql::run(db, text, [id.as_str().into(), end.millis().into()]).await? > 0)
}
