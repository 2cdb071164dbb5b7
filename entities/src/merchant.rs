//! Merchants: who is paid, under which name, by which policies.

use domain::id::MerchantId;
use domain::time::Timestamp;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};
use sea_orm::{ConnectionTrait, DbErr, IntoActiveModel};

use crate::sql;
use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "merchants")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<MerchantId>,
    pub name: String,
    pub locale: String,
    pub time_zone: String,
    pub country: String,
    pub support_email: Option<String>,
    pub support_phone: Option<String>,
    pub accent_hex: Option<String>,
    pub logo_url: Option<String>,
    pub stripe_account: Option<String>,
    pub sms_sender: Option<String>,
    pub sms_countries: String,
    pub email_sender: Option<String>,
    pub fee_basis_points: i64,
    pub fee_fixed_minor: i64,
    pub fee_min_minor: i64,
    pub fee_max_minor: Option<i64>,
    pub dialer_url: Option<String>,
    pub secret_generation: i64,
    pub renewal_allowed: bool,
    pub payable_on_hold: bool,
    pub asked_exempt_from_hours: bool,
    pub texts_per_day_max: i64,
    pub texts_per_number_per_day_max: i64,
    /// How fast its number may text; without one as fast as the operator lets every number.
    pub sender_texts_per_minute_max: Option<i64>,
    /// Until when the secrets of the generation before this one are good too.
    pub former_secret_until_ms: Option<i64>,
    pub created_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The generations whose secrets are good now, the current one first.
    #[must_use]
    pub fn secret_generations(&self, now: Timestamp) -> Vec<u32> {
        let current = u32::try_from(self.secret_generation).unwrap_or_default();
        let overlaps = self.former_secret_until_ms.is_some_and(|end_ms| now.millis() < end_ms);
        let former = current.checked_sub(1).filter(|_| overlaps);
        std::iter::once(current).chain(former).collect()
    }
}

/// New bounds; `None` leaves one as it is.
#[derive(Debug, Clone, Default)]
pub struct Caps {
    pub texts_per_day_max: Option<i64>,
    pub texts_per_number_per_day_max: Option<i64>,
    pub sender_texts_per_minute_max: Option<i64>,
}

/// The merchant of this id.
///
/// # Errors
/// Whatever the store says.
pub async fn find<C: ConnectionTrait>(db: &C, id: &MerchantId) -> Result<Option<Model>, DbErr> {
    sql::one(db, "SELECT * FROM merchants WHERE id = $1", [id.as_str().into()]).await
}

/// Stores a merchant.
///
/// # Errors
/// Whatever the store says.
pub async fn insert<C: ConnectionTrait>(db: &C, merchant: Model) -> Result<(), DbErr> {
    Entity::insert(merchant.into_active_model()).exec_without_returning(db).await.map(drop)
}

/// Makes writers of this merchant that ask the same wait for each other until the transaction ends.
///
/// # Errors
/// Whatever the store says.
pub async fn lock<C: ConnectionTrait>(tx: &C, id: &MerchantId) -> Result<(), DbErr> {
    let text =
        format!("SELECT * FROM merchants WHERE id = $1 {}", sql::for_update(tx.get_database_backend()));
    let _held: Option<Model> = sql::one(tx, text, [id.as_str().into()]).await?;
    Ok(())
}

/// The same for several, in the order in which everybody takes them.
///
/// # Errors
/// Whatever the store says.
pub async fn lock_all<C: ConnectionTrait>(tx: &C, ids: &[String]) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let text = format!(
        "SELECT * FROM merchants WHERE id {} ORDER BY id {}",
        sql::among(backend, 1),
        sql::for_update(backend)
    );
    let _held: Vec<Model> = sql::all(tx, text, [sql::text_list(ids)]).await?;
    Ok(())
}

/// # Errors
/// Whatever the store says.
pub async fn by_ids<C: ConnectionTrait>(db: &C, ids: &[String]) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!("SELECT * FROM merchants WHERE id {}", sql::among(db.get_database_backend(), 1));
    sql::all(db, text, [sql::text_list(ids)]).await
}

/// Who texts from this number or name, the oldest first.
///
/// # Errors
/// Whatever the store says.
pub async fn by_sms_sender<C: ConnectionTrait>(db: &C, sender: &str) -> Result<Vec<Model>, DbErr> {
    sql::all(db, "SELECT * FROM merchants WHERE sms_sender = $1 ORDER BY id", [sender.into()]).await
}

/// Sets a merchant's bounds; `false` when there is no such merchant.
///
/// # Errors
/// Whatever the store says.
pub async fn set_caps<C: ConnectionTrait>(db: &C, id: &MerchantId, caps: &Caps) -> Result<bool, DbErr> {
    let text = "UPDATE merchants SET texts_per_day_max = COALESCE($2, texts_per_day_max), \
         texts_per_number_per_day_max = COALESCE($3, texts_per_number_per_day_max), \
         sender_texts_per_minute_max = COALESCE($4, sender_texts_per_minute_max) WHERE id = $1";
    let values = [
        id.as_str().into(),
        caps.texts_per_day_max.into(),
        caps.texts_per_number_per_day_max.into(),
        caps.sender_texts_per_minute_max.into(),
    ];
    Ok(sql::run(db, text, values).await? > 0)
}

/// Begins a generation of secrets; those of the one before stay good until a moment. `false` when there is no such
/// merchant.
///
/// # Errors
/// Whatever the store says.
pub async fn rotate_secrets<C: ConnectionTrait>(
    db: &C,
    id: &MerchantId,
    former_until: Timestamp,
) -> Result<bool, DbErr> {
    let text = "UPDATE merchants SET secret_generation = secret_generation + 1, former_secret_until_ms = $2 WHERE id = $1";
    Ok(sql::run(db, text, [id.as_str().into(), former_until.millis().into()]).await? > 0)
}
