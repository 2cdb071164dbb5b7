//! Writing invoices: new ones, changes of an open one, its end, a promise.

use domain::id::InvoiceId;
use domain::invoice::InvoiceStatus;
use domain::time::{Day, Timestamp};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, Value};

use super::{Entity, Model};
use crate::sql;

/// Stores an invoice.
///
/// # Errors
/// A unique violation when the merchant's number is taken.
pub async fn insert<C: ConnectionTrait>(tx: &C, invoice: Model) -> Result<(), DbErr> {
    Entity::insert(invoice.into_active_model()).exec_without_returning(tx).await.map(drop)
}

const COLUMNS: [(&str, &str); 15] = [
    ("id", "text"),
    ("merchant_id", "text"),
    ("customer_id", "text"),
    ("number", "text"),
    ("description", "text"),
    ("currency", "text"),
    ("tax_minor", "bigint"),
    ("total_minor", "bigint"),
    ("paid_minor", "bigint"),
    ("due_on", "text"),
    ("mobile_phone", "text"),
    ("status", "text"),
    ("revision", "bigint"),
    ("created_at_ms", "bigint"),
    ("updated_at_ms", "bigint"),
];

/// Stores many new invoices in one statement. None of them is on hold, promised or opened.
///
/// # Errors
/// A unique violation when one of the numbers is taken.
pub async fn insert_many<C: ConnectionTrait>(tx: &C, invoices: &[Model]) -> Result<(), DbErr> {
    if invoices.is_empty() {
        return Ok(());
    }
    let rows: Vec<serde_json::Value> = invoices
        .iter()
        .map(|invoice| {
            serde_json::json!({
                "id": invoice.id, "merchant_id": invoice.merchant_id, "customer_id": invoice.customer_id,
                "number": invoice.number, "description": invoice.description, "currency": invoice.currency,
                "tax_minor": invoice.tax_minor, "total_minor": invoice.total_minor, "paid_minor": invoice.paid_minor,
                "due_on": invoice.due_on, "mobile_phone": invoice.mobile_phone, "status": invoice.status,
                "revision": invoice.revision, "created_at_ms": invoice.created_at_ms,
                "updated_at_ms": invoice.updated_at_ms,
            })
        })
        .collect();
    let text = format!(
        "INSERT INTO invoices (id, merchant_id, customer_id, number, description, currency, tax_minor, total_minor, \
         paid_minor, due_on, mobile_phone, status, on_hold, revision, created_at_ms, updated_at_ms) \
         SELECT r.id, r.merchant_id, r.customer_id, r.number, r.description, r.currency, r.tax_minor, r.total_minor, \
         r.paid_minor, r.due_on, r.mobile_phone, r.status, FALSE, r.revision, r.created_at_ms, r.updated_at_ms FROM {}",
        sql::rows(tx.get_database_backend(), 1, "r", &COLUMNS)
    );
    sql::run(tx, text, [sql::row_list(&rows)]).await.map(drop)
}

/// Writes what a merchant may change of an open invoice; `false` when it is not open any more.
///
/// # Errors
/// Whatever the store says.
pub async fn update_open<C: ConnectionTrait>(tx: &C, invoice: &Model) -> Result<bool, DbErr> {
    let text = "UPDATE invoices SET description = $2, tax_minor = $3, total_minor = $4, due_on = $5, mobile_phone = $6, \
         revision = $7, updated_at_ms = $8 WHERE id = $1 AND status = 'open'";
    let values: [Value; 8] = [
        invoice.id.as_str().into(),
        invoice.description.clone().into(),
        invoice.tax_minor.into(),
        invoice.total_minor.into(),
        invoice.due_on.clone().into(),
        invoice.mobile_phone.clone().into(),
        invoice.revision.into(),
        invoice.updated_at_ms.into(),
    ];
    Ok(sql::run(tx, text, values).await? > 0)
}

/// Moves an invoice from one status to another; `false` when it has left the first meanwhile.
///
/// # Errors
/// Whatever the store says.
pub async fn move_status<C: ConnectionTrait>(
    tx: &C,
    id: &InvoiceId,
    from: InvoiceStatus,
    to: InvoiceStatus,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let text = "UPDATE invoices SET status = $3, updated_at_ms = $4 WHERE id = $1 AND status = $2";
    let values: [Value; 4] = [id.as_str().into(), from.word().into(), to.word().into(), now.millis().into()];
    Ok(sql::run(tx, text, values).await? > 0)
}

/// Closes an invoice that was paid some other way; `false` when it has left `from` meanwhile.
///
/// # Errors
/// Whatever the store says.
pub async fn mark_paid_elsewhere<C: ConnectionTrait>(
    tx: &C,
    id: &InvoiceId,
    from: InvoiceStatus,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let text = "UPDATE invoices SET status = 'paid', paid_minor = total_minor, updated_at_ms = $3 WHERE id = $1 AND status = $2";
    Ok(sql::run(tx, text, [id.as_str().into(), from.word().into(), now.millis().into()]).await? > 0)
}

/// Keeps the day a customer named.
///
/// # Errors
/// Whatever the store says.
pub async fn record_promise<C: ConnectionTrait>(
    tx: &C,
    id: &InvoiceId,
    day: Day,
    now: Timestamp,
) -> Result<(), DbErr> {
    let text = "UPDATE invoices SET promised_on = $2, updated_at_ms = $3 WHERE id = $1";
    sql::run(tx, text, [id.as_str().into(), day.to_string().into(), now.millis().into()]).await.map(drop)
}

/// Takes a number that is not the customer's off an invoice.
///
/// # Errors
/// Whatever the store says.
pub async fn retire_mobile_phone<C: ConnectionTrait>(
    tx: &C,
    id: &InvoiceId,
    phone: &str,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let text =
        "UPDATE invoices SET mobile_phone = NULL, updated_at_ms = $3 WHERE id = $1 AND mobile_phone = $2";
    Ok(sql::run(tx, text, [id.as_str().into(), phone.into(), now.millis().into()]).await? > 0)
}
