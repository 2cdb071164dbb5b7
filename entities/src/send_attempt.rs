//! Attempts to hand a message to a provider: written before the call, closed after it.

use domain::id::{AttemptId, MerchantId, MessageId};
use domain::message::AttemptState;
use sea_orm::entity::prelude::{ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter, PrimaryKeyTrait};

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
