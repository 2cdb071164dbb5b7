//! The lines of an invoice.

use domain::id::InvoiceId;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use domain::invoice::LineItem;
use sea_orm::{ConnectionTrait, DbErr};

use crate::sql;
use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invoice_lines")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub invoice_id: Stored<InvoiceId>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub description: String,
    pub quantity: i64,
    pub unit_minor: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

const COLUMNS: [(&str, &str); 5] = [
    ("invoice_id", "text"),
    ("position", "bigint"),
    ("description", "text"),
    ("quantity", "bigint"),
    ("unit_minor", "bigint"),
];

/// The lines of an invoice, in their order.
///
/// # Errors
/// Whatever the store says.
pub async fn of_invoice<C: ConnectionTrait>(db: &C, invoice_id: &InvoiceId) -> Result<Vec<Model>, DbErr> {
    sql::all(
        db,
        "SELECT * FROM invoice_lines WHERE invoice_id = $1 ORDER BY position",
        [invoice_id.as_str().into()],
    )
    .await
}

/// Stores the lines of an invoice in place of those it had.
///
/// # Errors
/// Whatever the store says.
pub async fn replace<C: ConnectionTrait>(
    tx: &C,
    invoice_id: &InvoiceId,
    lines: &[LineItem],
) -> Result<(), DbErr> {
    sql::run(tx, "DELETE FROM invoice_lines WHERE invoice_id = $1", [invoice_id.as_str().into()]).await?;
    insert(tx, invoice_id, lines).await
}

/// Stores the lines of a new invoice.
///
/// # Errors
/// Whatever the store says.
pub async fn insert<C: ConnectionTrait>(
    tx: &C,
    invoice_id: &InvoiceId,
    lines: &[LineItem],
) -> Result<(), DbErr> {
    if lines.is_empty() {
        return Ok(());
    }
    let row = |(position, line): (usize, &LineItem)| {
        serde_json::json!({
            "invoice_id": invoice_id, "position": position, "description": line.description,
            "quantity": line.quantity, "unit_minor": line.unit_minor,
        })
    };
    let rows: Vec<serde_json::Value> = lines.iter().enumerate().map(row).collect();
    let text = format!(
        "INSERT INTO invoice_lines (invoice_id, position, description, quantity, unit_minor) \
         SELECT r.invoice_id, r.position, r.description, r.quantity, r.unit_minor FROM {}",
        sql::rows(tx.get_database_backend(), 1, "r", &COLUMNS)
    );
    sql::run(tx, text, [sql::row_list(&rows)]).await.map(drop)
}
