//! Finding invoices: one, a page of them, those an event or an import names.

use domain::id::{CustomerId, InvoiceId, MerchantId};
use domain::invoice::InvoiceStatus;
use domain::time::Day;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};

use super::{Column, Entity, Model};
use crate::sql;

/// Which invoices a list names; what is `None` does not narrow it.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub status: Option<InvoiceStatus>,
    pub on_hold: Option<bool>,
    pub customer_id: Option<CustomerId>,
    pub number: Option<String>,
    pub due_before: Option<Day>,
    pub due_after: Option<Day>,
}

/// One merchant's invoice.
///
/// # Errors
/// Whatever the store says.
pub async fn find<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    id: &InvoiceId,
) -> Result<Option<Model>, DbErr> {
    let text = "SELECT * FROM invoices WHERE id = $1 AND merchant_id = $2";
    sql::one(db, text, [id.as_str().into(), merchant_id.as_str().into()]).await
}

/// The same, kept from changing until the transaction ends.
///
/// # Errors
/// Whatever the store says.
pub async fn lock_one<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    id: &InvoiceId,
) -> Result<Option<Model>, DbErr> {
    let text = format!(
        "SELECT * FROM invoices WHERE id = $1 AND merchant_id = $2 {}",
        sql::for_update(tx.get_database_backend())
    );
    sql::one(tx, text, [id.as_str().into(), merchant_id.as_str().into()]).await
}

/// A merchant's invoices, newest first, older than `before`.
///
/// # Errors
/// Whatever the store says.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    filter: Filter,
    before: Option<&InvoiceId>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::MerchantId.eq(merchant_id.as_str()))
        .apply_if(filter.status, |query, wanted| query.filter(Column::Status.eq(wanted.word())))
        .apply_if(filter.on_hold, |query, wanted| query.filter(Column::OnHold.eq(wanted)))
        .apply_if(filter.customer_id, |query, wanted| query.filter(Column::CustomerId.eq(wanted.as_str())))
        .apply_if(filter.number, |query, wanted| query.filter(Column::Number.eq(wanted)))
        .apply_if(filter.due_before, |query, day| query.filter(Column::DueOn.lt(day.to_string())))
        .apply_if(filter.due_after, |query, day| query.filter(Column::DueOn.gt(day.to_string())))
        .apply_if(before, |query, before| query.filter(Column::Id.lt(before.as_str())))
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// The invoices that these merchants call by these names: our id, or the merchant's own number. The caller pairs them.
///
/// # Errors
/// Whatever the store says.
pub async fn named<C: ConnectionTrait>(db: &C, names: &[(MerchantId, String)]) -> Result<Vec<Model>, DbErr> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = sql::rows(db.get_database_backend(), 1, "r", &[("merchant_id", "text"), ("name", "text")]);
    let text = format!(
        "SELECT i.* FROM {wanted} JOIN invoices i ON i.id = r.name AND i.merchant_id = r.merchant_id \
         UNION SELECT i.* FROM {wanted} JOIN invoices i ON i.merchant_id = r.merchant_id AND i.number = r.name"
    );
    let rows: Vec<serde_json::Value> = names
        .iter()
        .map(|(merchant_id, name)| serde_json::json!({"merchant_id": merchant_id, "name": name}))
        .collect();
    sql::all(db, text, [sql::row_list(&rows)]).await
}

/// Those of a merchant's invoices that carry one of these numbers.
///
/// # Errors
/// Whatever the store says.
pub async fn by_numbers<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    numbers: &[String],
) -> Result<Vec<Model>, DbErr> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT * FROM invoices WHERE merchant_id = $1 AND number {}",
        sql::among(db.get_database_backend(), 2)
    );
    sql::all(db, text, [merchant_id.as_str().into(), sql::text_list(numbers)]).await
}
