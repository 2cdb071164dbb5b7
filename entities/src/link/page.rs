//! Links as a merchant reads them.

use domain::id::{InvoiceId, LinkId, MerchantId};
use sea_orm::{ConnectionTrait, DbErr};

use super::Model;
use crate::sql;

/// Every link an invoice had, newest first.
///
/// # Errors
/// Whatever the store says.
pub async fn of_invoice<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    invoice_id: &InvoiceId,
) -> Result<Vec<Model>, DbErr> {
    let text = "SELECT * FROM links WHERE invoice_id = $1 AND merchant_id = $2 ORDER BY created_at_ms DESC, sequence DESC";
    sql::all(db, text, [invoice_id.as_str().into(), merchant_id.as_str().into()]).await
}

/// One merchant's link.
///
/// # Errors
/// Whatever the store says.
pub async fn find<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    id: &LinkId,
) -> Result<Option<Model>, DbErr> {
    let text = "SELECT * FROM links WHERE id = $1 AND merchant_id = $2";
    sql::one(db, text, [id.as_str().into(), merchant_id.as_str().into()]).await
}
