//! What a person has to look at.

mod page;

use domain::attention::AttentionKind;
use domain::id::{InvoiceId, MerchantId};
use domain::time::Timestamp;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::sql;
use crate::stored::Stored;

pub use page::{NewItem, open_after, raise_many};

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attention_items")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub merchant_id: Stored<MerchantId>,
    pub kind: Stored<AttentionKind>,
    pub invoice_id: Option<Stored<InvoiceId>>,
    pub subject: String,
    pub detail: String,
    pub opened_at_ms: i64,
    pub closed_at_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Puts something on the attention list; the same subject is listed once while it is open.
///
/// # Errors
/// Whatever the store says.
pub async fn raise<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    kind: AttentionKind,
    invoice_id: Option<&InvoiceId>,
    subject: &str,
    detail: &serde_json::Value,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let id = format!("atn_{}", &crate::fresh::id::<domain::id::Job>(now).as_str()[4..]);
    let text = "INSERT INTO attention_items (id, merchant_id, kind, invoice_id, subject, detail, opened_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (kind, subject) WHERE closed_at_ms IS NULL DO NOTHING";
    let values: [Value; 7] = [
        id.into(),
        merchant_id.as_str().into(),
        kind.word().into(),
        invoice_id.map(ToString::to_string).into(),
        subject.into(),
        detail.to_string().into(),
        now.millis().into(),
    ];
    Ok(sql::run(tx, text, values).await? > 0)
}

/// Takes a subject off the list.
///
/// # Errors
/// Whatever the store says.
pub async fn close<C: ConnectionTrait>(
    tx: &C,
    kind: AttentionKind,
    subject: &str,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let text = "UPDATE attention_items SET closed_at_ms = $3 WHERE kind = $1 AND subject = $2 AND closed_at_ms IS NULL";
    Ok(sql::run(tx, text, [kind.word().into(), subject.into(), now.millis().into()]).await? > 0)
}

/// Takes everything of a kind that is about these invoices off the list.
///
/// # Errors
/// Whatever the store says.
pub async fn close_of_invoices<C: ConnectionTrait>(
    tx: &C,
    kind: AttentionKind,
    invoices: &[String],
    now: Timestamp,
) -> Result<u64, DbErr> {
    if invoices.is_empty() {
        return Ok(0);
    }
    let text = format!(
        "UPDATE attention_items SET closed_at_ms = $3 WHERE closed_at_ms IS NULL AND kind = $2 AND invoice_id {}",
        sql::among(tx.get_database_backend(), 1)
    );
    sql::run(tx, text, [sql::text_list(invoices), kind.word().into(), now.millis().into()]).await
}
