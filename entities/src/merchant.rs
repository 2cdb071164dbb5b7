//! Merchants: who is paid, under which name, by which policies.

use domain::id::MerchantId;
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
    pub created_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

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

/// # Errors
/// Whatever the store says.
pub async fn by_ids<C: ConnectionTrait>(db: &C, ids: &[String]) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!("SELECT * FROM merchants WHERE id IN {}", sql::texts(db.get_database_backend(), 1));
    sql::all(db, text, [sql::text_list(ids)]).await
}

/// Who texts from this number or name, the oldest first.
///
/// # Errors
/// Whatever the store says.
pub async fn by_sms_sender<C: ConnectionTrait>(db: &C, sender: &str) -> Result<Vec<Model>, DbErr> {
    sql::all(db, "SELECT * FROM merchants WHERE sms_sender = $1 ORDER BY id", [sender.into()]).await
}
