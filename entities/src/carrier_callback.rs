//! What the carrier reported later, stored once each.

use domain::id::AttemptId;
use domain::send::MessageStatus;
use domain::time::Timestamp;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::sql;
use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "carrier_callbacks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub attempt_id: Stored<AttemptId>,
    pub provider_id: String,
    pub status: Stored<MessageStatus>,
    pub code: Option<i64>,
    pub received_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a carrier reported, about to be stored.
#[derive(Debug, Clone)]
pub struct NewCallback<'a> {
    /// The same for the same report, however often it comes.
    pub id: &'a str,
    pub attempt_id: &'a AttemptId,
    pub provider_id: &'a str,
    pub status: MessageStatus,
    pub code: Option<i32>,
}

/// Stores a report; `false` when it is known already.
///
/// # Errors
/// Whatever the store says.
pub async fn store<C: ConnectionTrait>(
    tx: &C,
    callback: &NewCallback<'_>,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let text = "INSERT INTO carrier_callbacks (id, attempt_id, provider_id, status, code, received_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING";
    let values: [Value; 6] = [
        callback.id.into(),
        callback.attempt_id.as_str().into(),
        callback.provider_id.into(),
        callback.status.word().into(),
        callback.code.map(i64::from).into(),
        now.millis().into(),
    ];
    Ok(sql::run(tx, text, values).await? > 0)
}

/// Every report about these attempts, as they came in.
///
/// # Errors
/// Whatever the store says.
pub async fn of_attempts<C: ConnectionTrait>(db: &C, attempts: &[String]) -> Result<Vec<Model>, DbErr> {
    if attempts.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT * FROM carrier_callbacks WHERE attempt_id {} ORDER BY received_at_ms, id",
        sql::among(db.get_database_backend(), 1)
    );
    sql::all(db, text, [sql::text_list(attempts)]).await
}
