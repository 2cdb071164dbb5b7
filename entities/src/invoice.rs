//! Invoices: what is owed and how far it is.

mod page;
mod write;

use domain::id::{CustomerId, InvoiceId, MerchantId};
use domain::invoice::InvoiceStatus;
use domain::money::Currency;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::sql;
use crate::stored::Stored;

pub use page::{Filter, by_numbers, find, lock_one, named, page};
pub use write::{
    insert, insert_many, mark_paid_elsewhere, move_status, record_promise, retire_mobile_phone, update_open,
};

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invoices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<InvoiceId>,
    pub merchant_id: Stored<MerchantId>,
    pub customer_id: Stored<CustomerId>,
    pub number: String,
    pub description: Option<String>,
    pub currency: Stored<Currency>,
    pub tax_minor: i64,
    pub total_minor: i64,
    pub paid_minor: i64,
    pub due_on: String,
    pub mobile_phone: Option<String>,
    pub status: Stored<InvoiceStatus>,
    pub on_hold: bool,
    pub promised_on: Option<String>,
    pub revision: i64,
    pub opened_at_ms: Option<i64>,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Reads these invoices and keeps them from changing until the transaction ends. Every transaction that also touches
/// links, messages or payables does this first, in one order, so that no two wait for each other.
///
/// # Errors
/// Whatever the store says.
pub async fn lock_all<C: ConnectionTrait>(tx: &C, ids: &[String]) -> Result<Vec<Model>, DbErr> {
    let chosen = sql::among(tx.get_database_backend(), 1);
    lock_chosen(tx, &chosen, ids).await
}

/// [`lock_all`] for the invoices that these messages are about.
///
/// # Errors
/// Whatever the store says.
pub async fn lock_of_messages<C: ConnectionTrait>(tx: &C, messages: &[String]) -> Result<Vec<Model>, DbErr> {
    let backend = tx.get_database_backend();
    let select = format!("SELECT invoice_id FROM messages WHERE id {}", sql::among(backend, 1));
    lock_chosen(tx, &sql::among_found(backend, &select), messages).await
}

/// [`lock_all`] for the invoices that the messages of these attempts are about.
///
/// # Errors
/// Whatever the store says.
pub async fn lock_of_attempts<C: ConnectionTrait>(tx: &C, attempts: &[String]) -> Result<Vec<Model>, DbErr> {
    let backend = tx.get_database_backend();
    let select = format!(
        "SELECT m.invoice_id FROM messages m JOIN send_attempts a ON a.message_id = m.id WHERE a.id {}",
        sql::among(backend, 1)
    );
    lock_chosen(tx, &sql::among_found(backend, &select), attempts).await
}

/// [`lock_all`] for the invoices that these call events or links are about.
///
/// # Errors
/// Whatever the store says.
pub async fn lock_of_wishes<C: ConnectionTrait>(
    tx: &C,
    events_or_links: &[String],
) -> Result<Vec<Model>, DbErr> {
    let backend = tx.get_database_backend();
    let wishes = sql::among(backend, 1);
    let select = format!(
        "SELECT invoice_id FROM call_events WHERE id {wishes} UNION SELECT invoice_id FROM links WHERE id {wishes}"
    );
    lock_chosen(tx, &sql::among_found(backend, &select), events_or_links).await
}

async fn lock_chosen<C: ConnectionTrait>(tx: &C, chosen: &str, ids: &[String]) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let lock = sql::for_update(tx.get_database_backend());
    let list: Value = sql::text_list(ids);
    sql::all(tx, format!("SELECT * FROM invoices WHERE id {chosen} ORDER BY id {lock}"), [list]).await
}
