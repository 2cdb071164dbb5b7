//! Call campaigns.

use domain::campaign::CampaignStatus;
use domain::id::{CampaignId, MerchantId};
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Value,
};

use crate::sql;
use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "campaigns")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<CampaignId>,
    pub merchant_id: Stored<MerchantId>,
    pub name: String,
    pub status: Stored<CampaignStatus>,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// One merchant's campaign.
///
/// # Errors
/// Whatever the store says.
pub async fn find<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    id: &CampaignId,
) -> Result<Option<Model>, DbErr> {
    let text = "SELECT * FROM campaigns WHERE id = $1 AND merchant_id = $2";
    sql::one(db, text, [id.as_str().into(), merchant_id.as_str().into()]).await
}

/// The same, kept from other writers until the transaction ends.
///
/// # Errors
/// Whatever the store says.
pub async fn lock<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    id: &CampaignId,
) -> Result<Option<Model>, DbErr> {
    let text = format!(
        "SELECT * FROM campaigns WHERE id = $1 AND merchant_id = $2 {}",
        sql::for_update(tx.get_database_backend())
    );
    sql::one(tx, text, [id.as_str().into(), merchant_id.as_str().into()]).await
}

/// A merchant's campaigns, newest first, older than `before`.
///
/// # Errors
/// Whatever the store says.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    status: Option<CampaignStatus>,
    before: Option<&CampaignId>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::MerchantId.eq(merchant_id.as_str()))
        .apply_if(status, |query, wanted| query.filter(Column::Status.eq(wanted.word())))
        .apply_if(before, |query, before| query.filter(Column::Id.lt(before.as_str())))
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Stores a campaign.
///
/// # Errors
/// Whatever the store says.
pub async fn insert<C: ConnectionTrait>(tx: &C, campaign: Model) -> Result<(), DbErr> {
    Entity::insert(campaign.into_active_model()).exec_without_returning(tx).await.map(drop)
}

/// Writes a campaign as it is now; `false` when it has ended meanwhile.
///
/// # Errors
/// Whatever the store says.
pub async fn update<C: ConnectionTrait>(tx: &C, campaign: &Model) -> Result<bool, DbErr> {
    let text =
        "UPDATE campaigns SET name = $2, status = $3, updated_at_ms = $4 WHERE id = $1 AND status <> 'ended'";
    let values: [Value; 4] = [
        campaign.id.as_str().into(),
        campaign.name.clone().into(),
        campaign.status.word().into(),
        campaign.updated_at_ms.into(),
    ];
    Ok(sql::run(tx, text, values).await? > 0)
}
