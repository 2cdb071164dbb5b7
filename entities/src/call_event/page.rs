//! Events as a merchant reads them, and the unmatched ones that are decided again.

use domain::call_event::Disposition;
use domain::id::{CallEventId, InvoiceId, MerchantId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Value,
};

use super::{Column, Entity, Model};
use crate::sql;

/// One merchant's event.
///
/// # Errors
/// Whatever the store says.
pub async fn find<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    id: &CallEventId,
) -> Result<Option<Model>, DbErr> {
    let text = "SELECT * FROM call_events WHERE id = $1 AND merchant_id = $2";
    sql::one(db, text, [id.as_str().into(), merchant_id.as_str().into()]).await
}

/// A merchant's events, newest first, older than `before`.
///
/// # Errors
/// Whatever the store says.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    disposition: Option<Disposition>,
    before: Option<&CallEventId>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::MerchantId.eq(merchant_id.as_str()))
        .apply_if(disposition, |query, wanted| query.filter(Column::Disposition.eq(wanted.word())))
        .apply_if(before, |query, before| query.filter(Column::Id.lt(before.as_str())))
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// What a second look at an unmatched event came to.
#[derive(Debug, Clone)]
pub struct Rematch<'a> {
    pub id: &'a CallEventId,
    pub invoice_id: &'a InvoiceId,
    pub disposition: Disposition,
    pub reason: &'a str,
}

/// Writes down what an unmatched event led to after all; `false` when somebody did so before.
///
/// # Errors
/// Whatever the store says.
pub async fn rematch<C: ConnectionTrait>(tx: &C, rematch: &Rematch<'_>) -> Result<bool, DbErr> {
    let text = "UPDATE call_events SET invoice_id = $2, disposition = $3, reason = $4 \
         WHERE id = $1 AND disposition = 'unmatched'";
    let values: [Value; 4] = [
        rematch.id.as_str().into(),
        rematch.invoice_id.as_str().into(),
        rematch.disposition.word().into(),
        rematch.reason.into(),
    ];
    Ok(sql::run(tx, text, values).await? > 0)
}
