//! Invoices: what is owed and how far it is.

use domain::id::{CustomerId, InvoiceId, MerchantId};
use domain::invoice::InvoiceStatus;
use domain::money::Currency;
use sea_orm::entity::prelude::{ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter, PrimaryKeyTrait};

use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invoices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<InvoiceId>,
    pub merchant_id: Stored<MerchantId>,
    pub customer_id: Stored<CustomerId>,
    pub number: String,
    pub description: Option<String>,
    pub currency: Stored<Currency>,
    pub tax_minor: i64,
    pub total_minor: i64,
    pub paid_minor: i64,
    pub due_on: String,
    pub mobile_phone: Option<String>,
    pub status: Stored<InvoiceStatus>,
    pub on_hold: bool,
    pub promised_on: Option<String>,
    pub revision: i64,
    pub opened_at_ms: Option<i64>,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
