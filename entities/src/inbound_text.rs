//! Texts that customers sent us.

use domain::card_number::masked;
use domain::id::MerchantId;
use domain::inbound::Inbound;
use domain::time::Timestamp;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::sql;
use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbound_texts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider_id: String,
    pub merchant_id: Stored<MerchantId>,
    pub sender: String,
    pub recipient: String,
    pub body: String,
    pub meaning: Stored<Inbound>,
    pub received_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A text that came in, about to be stored. Has no `Debug`: it holds a number and what its owner wrote.
pub struct NewInboundText<'a> {
    pub provider_id: &'a str,
    pub merchant_id: &'a MerchantId,
    /// The customer's number.
    pub sender: &'a str,
    /// Ours.
    pub recipient: &'a str,
    /// A card number in it is masked before it is stored.
    pub body: &'a str,
    pub meaning: Inbound,
}

/// Stores a text; `false` when it is known already.
///
/// # Errors
/// Whatever the store says.
pub async fn store<C: ConnectionTrait>(
    tx: &C,
    text: &NewInboundText<'_>,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let statement = "INSERT INTO inbound_texts (provider_id, merchant_id, sender, recipient, body, meaning, received_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (provider_id) DO NOTHING";
    let values: [Value; 7] = [
        text.provider_id.into(),
        text.merchant_id.as_str().into(),
        text.sender.into(),
        text.recipient.into(),
        masked(text.body).into_owned().into(),
        text.meaning.word().into(),
        now.millis().into(),
    ];
    Ok(sql::run(tx, statement, values).await? > 0)
}
