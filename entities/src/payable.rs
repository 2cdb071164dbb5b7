//! Payables: one amount of one revision of an invoice, with one PaymentIntent.

use domain::id::{InvoiceId, MerchantId, PayableId};
use domain::money::Currency;
use domain::payment::PayableStatus;
use sea_orm::entity::prelude::{ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter, PrimaryKeyTrait};

use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payables")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<PayableId>,
    pub merchant_id: Stored<MerchantId>,
    pub invoice_id: Stored<InvoiceId>,
    pub revision: i64,
    pub amount_minor: i64,
    pub currency: Stored<Currency>,
    pub fee_minor: i64,
    pub fee_policy: String,
    pub stripe_account: String,
    pub status: Stored<PayableStatus>,
    pub payment_intent_id: Option<String>,
    pub payer_hash: Option<String>,
    pub created_at_ms: i64,
    pub checked_at_ms: Option<i64>,
    pub ended_at_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
