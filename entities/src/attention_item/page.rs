//! The attention list as a merchant reads it, and many subjects put on it at once.

use domain::attention::AttentionKind;
use domain::id::{InvoiceId, MerchantId};
use domain::time::Timestamp;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};

use super::{Column, Entity, Model};
use crate::sql;

/// A merchant's open items, oldest first, younger than `after`.
///
/// # Errors
/// Whatever the store says.
pub async fn open_after<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    kind: Option<AttentionKind>,
    after: &str,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::MerchantId.eq(merchant_id.as_str()))
        .filter(Column::ClosedAtMs.is_null())
        .filter(Column::Id.gt(after))
        .apply_if(kind, |query, wanted| query.filter(Column::Kind.eq(wanted.word())))
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Something a person has to look at.
#[derive(Debug, Clone)]
pub struct NewItem {
    pub merchant_id: MerchantId,
    pub kind: AttentionKind,
    pub invoice_id: Option<InvoiceId>,
    pub subject: String,
    /// Facts beside the kind. Never a token, an address or a full number.
    pub detail: serde_json::Value,
}

const COLUMNS: [(&str, &str); 7] = [
    ("id", "text"),
    ("merchant_id", "text"),
    ("kind", "text"),
    ("invoice_id", "text"),
    ("subject", "text"),
    ("detail", "text"),
    ("opened_at_ms", "bigint"),
];

/// Puts many subjects on the list; one that is on it already stays as it is.
///
/// # Errors
/// Whatever the store says.
pub async fn raise_many<C: ConnectionTrait>(tx: &C, items: &[NewItem], now: Timestamp) -> Result<(), DbErr> {
    if items.is_empty() {
        return Ok(());
    }
    let rows: Vec<serde_json::Value> = items
        .iter()
        .map(|item| {
            let id = format!("atn_{}", &crate::fresh::id::<domain::id::Job>(now).as_str()[4..]);
            serde_json::json!({
                "id": id, "merchant_id": item.merchant_id, "kind": item.kind, "invoice_id": item.invoice_id,
                "subject": item.subject, "detail": item.detail.to_string(), "opened_at_ms": now.millis(),
            })
        })
        .collect();
    let text = format!(
        "INSERT INTO attention_items (id, merchant_id, kind, invoice_id, subject, detail, opened_at_ms) \
         SELECT r.id, r.merchant_id, r.kind, r.invoice_id, r.subject, r.detail, r.opened_at_ms \
         FROM {} WHERE true ON CONFLICT (kind, subject) WHERE closed_at_ms IS NULL DO NOTHING",
        sql::rows(tx.get_database_backend(), 1, "r", &COLUMNS)
    );
    sql::run(tx, text, [sql::row_list(&rows)]).await.map(drop)
}
