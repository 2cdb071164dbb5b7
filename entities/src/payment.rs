//! Payments as Stripe confirmed them.

use domain::id::{InvoiceId, MerchantId, PayableId, PaymentId};
use domain::money::Currency;
use domain::payment::{PaymentStatus, SettlementStatus};
use sea_orm::entity::prelude::{ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter, PrimaryKeyTrait};

use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<PaymentId>,
    pub merchant_id: Stored<MerchantId>,
    pub invoice_id: Stored<InvoiceId>,
    pub payable_id: Stored<PayableId>,
    pub payment_intent_id: String,
    pub charge_id: Option<String>,
    pub amount_minor: i64,
    pub currency: Stored<Currency>,
    pub fee_minor: i64,
    pub method: String,
    pub brand: Option<String>,
    pub last4: Option<String>,
    pub status: Stored<PaymentStatus>,
    pub settlement: Stored<SettlementStatus>,
    pub created_at_ms: i64,
    pub succeeded_at_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
