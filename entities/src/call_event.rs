//! Post-call events, stored once each.

use domain::call_event::Disposition;
use domain::id::{CallEventId, InvoiceId, MerchantId};
use sea_orm::entity::prelude::{ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter, PrimaryKeyTrait};

use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "call_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<CallEventId>,
    pub merchant_id: Stored<MerchantId>,
    pub dedupe_key: String,
    pub delivery_id: Option<String>,
    pub source: String,
    pub call_id: String,
    pub intent: String,
    pub invoice_ref: Option<String>,
    pub invoice_id: Option<Stored<InvoiceId>>,
    pub disposition: Stored<Disposition>,
    pub reason: Option<String>,
    pub body: String,
    pub occurred_at_ms: i64,
    pub received_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
