//! Merchants: who is paid, under which name, by which policies.

use domain::id::MerchantId;
use sea_orm::entity::prelude::{ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter, PrimaryKeyTrait};

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
