//! Holds as a merchant reads them.

use domain::hold::HoldReason;
use domain::id::{HoldId, InvoiceId, MerchantId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};

use super::{Column, Entity, Model};
use crate::sql;

/// Which holds a list names; what is `None` does not narrow it.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub open: Option<bool>,
    pub invoice_id: Option<InvoiceId>,
}

/// One merchant's hold.
///
/// # Errors
/// Whatever the store says.
pub async fn find<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    id: &HoldId,
) -> Result<Option<Model>, DbErr> {
    let text = "SELECT * FROM holds WHERE id = $1 AND merchant_id = $2";
    sql::one(db, text, [id.as_str().into(), merchant_id.as_str().into()]).await
}

/// The hold that this reason and source put on an invoice.
///
/// # Errors
/// Whatever the store says.
pub async fn by_source<C: ConnectionTrait>(
    db: &C,
    invoice_id: &InvoiceId,
    reason: HoldReason,
    source_ref: &str,
) -> Result<Option<Model>, DbErr> {
    let text = "SELECT * FROM holds WHERE invoice_id = $1 AND reason = $2 AND source_ref = $3";
    sql::one(db, text, [invoice_id.as_str().into(), reason.word().into(), source_ref.into()]).await
}

/// A merchant's holds, newest first, older than `before`.
///
/// # Errors
/// Whatever the store says.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    filter: Filter,
    before: Option<&HoldId>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::MerchantId.eq(merchant_id.as_str()))
        .apply_if(filter.open, |query, open| {
            query.filter(if open {
                Column::ResolvedAtMs.is_null()
            } else {
                Column::ResolvedAtMs.is_not_null()
            })
        })
        .apply_if(filter.invoice_id, |query, wanted| query.filter(Column::InvoiceId.eq(wanted.as_str())))
        .apply_if(before, |query, before| query.filter(Column::Id.lt(before.as_str())))
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// A merchant's open holds, oldest first, younger than `after`.
///
/// # Errors
/// Whatever the store says.
pub async fn open_after<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    after: &str,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::MerchantId.eq(merchant_id.as_str()))
        .filter(Column::ResolvedAtMs.is_null())
        .filter(Column::Id.gt(after))
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}
