//! The send ledger: one row per thing to say to somebody on one channel.

use domain::channel::Channel;
use domain::id::{InvoiceId, MerchantId, MessageId};
use domain::message::{MessageState, Purpose};
use sea_orm::entity::prelude::{ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter, PrimaryKeyTrait};

use crate::stored::Stored;

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
