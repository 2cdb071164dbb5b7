//! Stripe events, stored once each. A hint, never the truth.

use domain::time::Timestamp;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::sql;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stripe_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub account: Option<String>,
    pub kind: String,
    pub object_id: Option<String>,
    pub payment_intent_id: Option<String>,
    pub livemode: bool,
    pub body: String,
    pub received_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// An event whose signature has been verified.
#[derive(Debug, Clone)]
pub struct NewStripeEvent {
    pub id: String,
    pub account: Option<String>,
    pub kind: String,
    pub object_id: Option<String>,
    pub payment_intent_id: Option<String>,
    pub livemode: bool,
    pub body: String,
}

/// Stores an event under the sender's own id. `false` when it is here already.
///
/// # Errors
/// Whatever the store says.
pub async fn store<C: ConnectionTrait>(tx: &C, event: NewStripeEvent, now: Timestamp) -> Result<bool, DbErr> {
    let text = "INSERT INTO stripe_events (id, account, kind, object_id, payment_intent_id, livemode, body, received_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING";
    let values: [Value; 8] = [
        event.id.into(),
        event.account.into(),
        event.kind.into(),
        event.object_id.into(),
        event.payment_intent_id.into(),
        event.livemode.into(),
        event.body.into(),
        now.millis().into(),
    ];
    Ok(sql::run(tx, text, values).await? > 0)
}
