//! Opt-outs per recipient and sender. Checked at the moment of sending.

use domain::id::MerchantId;
use domain::time::Timestamp;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Value};

use crate::sql;
use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "opt_outs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub merchant_id: Stored<MerchantId>,
    pub recipient: String,
    pub channel: String,
    pub sender: String,
    pub source: String,
    pub source_ref: Option<String>,
    pub opted_out_at_ms: i64,
    pub lifted_at_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// An opt-out about to be stored. `channel` and `sender` may be `*`: every channel, every sender of the merchant.
#[derive(Debug, Clone)]
pub struct NewOptOut<'a> {
    pub merchant_id: &'a MerchantId,
    pub recipient: &'a str,
    pub channel: &'a str,
    pub sender: &'a str,
    /// `stop_reply`, `carrier`, `spoken`, `unsubscribe` or `api`.
    pub source: &'a str,
    pub source_ref: Option<&'a str>,
}

/// Stores an opt-out; `false` when it stands already.
///
/// # Errors
/// Whatever the store says.
pub async fn record<C: ConnectionTrait>(
    tx: &C,
    opt_out: &NewOptOut<'_>,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let id = format!("opt_{}", &crate::fresh::id::<domain::id::Job>(now).as_str()[4..]);
    let text = "INSERT INTO opt_outs (id, merchant_id, recipient, channel, sender, source, source_ref, opted_out_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (merchant_id, recipient, channel, sender) WHERE lifted_at_ms IS NULL DO NOTHING";
    let values: [Value; 8] = [
        id.into(),
        opt_out.merchant_id.as_str().into(),
        opt_out.recipient.into(),
        opt_out.channel.into(),
        opt_out.sender.into(),
        opt_out.source.into(),
        opt_out.source_ref.map(ToOwned::to_owned).into(),
        now.millis().into(),
    ];
    Ok(sql::run(tx, text, values).await? > 0)
}

/// Lifts what a START reply may lift: the opt-out towards this one sender.
///
/// # Errors
/// Whatever the store says.
pub async fn lift<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    recipient: &str,
    sender: &str,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let text = "UPDATE opt_outs SET lifted_at_ms = $4 WHERE merchant_id = $1 AND recipient = $2 AND sender = $3 \
         AND channel = 'sms' AND lifted_at_ms IS NULL";
    let values: [Value; 4] =
        [merchant_id.as_str().into(), recipient.into(), sender.into(), now.millis().into()];
    Ok(sql::run(tx, text, values).await? > 0)
}

/// The opt-outs that stand for any of these recipients with any of these merchants; the caller pairs them.
///
/// # Errors
/// Whatever the store says.
pub async fn standing<C: ConnectionTrait>(
    db: &C,
    merchants: &[String],
    recipients: &[String],
) -> Result<Vec<Model>, DbErr> {
    if recipients.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT * FROM opt_outs WHERE lifted_at_ms IS NULL AND merchant_id {} AND recipient {}",
        sql::among(db.get_database_backend(), 1),
        sql::among(db.get_database_backend(), 2)
    );
    sql::all(db, text, [sql::text_list(merchants), sql::text_list(recipients)]).await
}

/// Whether one of these opt-outs forbids this merchant to reach this recipient on this channel from this sender.
#[must_use]
pub fn forbids(
    standing: &[Model],
    merchant_id: &MerchantId,
    recipient: &str,
    channel: &str,
    sender: &str,
) -> bool {
    standing.iter().any(|opt_out| {
        opt_out.merchant_id.0 == *merchant_id
            && opt_out.recipient == recipient
            && (opt_out.channel == "*" || opt_out.channel == channel)
            && (opt_out.sender == "*" || opt_out.sender == sender)
    })
}

/// A merchant's opt-outs, newest first, older than `before`.
///
/// # Errors
/// Whatever the store says.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    standing: Option<bool>,
    before: Option<&str>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::MerchantId.eq(merchant_id.as_str()))
        .apply_if(standing, |query, standing| {
            query.filter(if standing {
                Column::LiftedAtMs.is_null()
            } else {
                Column::LiftedAtMs.is_not_null()
            })
        })
        .apply_if(before, |query, before| query.filter(Column::Id.lt(before)))
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}
