//! What happened to an invoice. Append-only.

use domain::id::{InvoiceId, MerchantId, TimelineEntryId};
use domain::job::{Change, Outbox};
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::sql;
use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "timeline")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<TimelineEntryId>,
    pub merchant_id: Stored<MerchantId>,
    pub invoice_id: Stored<InvoiceId>,
    pub kind: Stored<TimelineKind>,
    pub actor: String,
    pub detail: String,
    pub at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Something that happened, about to be written down.
#[derive(Debug, Clone)]
pub struct NewEntry {
    pub merchant_id: MerchantId,
    pub invoice_id: InvoiceId,
    pub kind: TimelineKind,
    /// Who did it: `customer`, `merchant`, `system`, `carrier`, `stripe`, `dialer`, or an API key's id.
    pub actor: String,
    /// Facts beside the kind. Never a token, an address or a full number.
    pub detail: serde_json::Value,
}

impl NewEntry {
    #[must_use]
    pub fn new(
        merchant_id: &MerchantId,
        invoice_id: &InvoiceId,
        kind: TimelineKind,
        actor: impl Into<String>,
    ) -> Self {
        Self {
            merchant_id: merchant_id.clone(),
            invoice_id: invoice_id.clone(),
            kind,
            actor: actor.into(),
            detail: serde_json::json!({}),
        }
    }

    #[must_use]
    pub fn with(mut self, detail: serde_json::Value) -> Self {
        self.detail = detail;
        self
    }
}

/// Appends entries in the caller's transaction and notes the changes for whoever listens.
///
/// # Errors
/// Whatever the store says.
pub async fn append<C: ConnectionTrait>(
    tx: &C,
    entries: Vec<NewEntry>,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        let id: TimelineEntryId = crate::fresh::id(now);
        rows.push(serde_json::json!({
            "id": id, "merchant_id": entry.merchant_id, "invoice_id": entry.invoice_id, "kind": entry.kind,
            "actor": entry.actor, "detail": entry.detail.to_string(), "at_ms": now.millis(),
        }));
        outbox.changes.push(Change {
            merchant_id: entry.merchant_id,
            invoice_id: entry.invoice_id,
            entry_id: id,
            kind: entry.kind,
        });
    }
    let columns = [
        ("id", "text"),
        ("merchant_id", "text"),
        ("invoice_id", "text"),
        ("kind", "text"),
        ("actor", "text"),
        ("detail", "text"),
        ("at_ms", "bigint"),
    ];
    let text = format!(
        "INSERT INTO timeline (id, merchant_id, invoice_id, kind, actor, detail, at_ms) \
         SELECT r.id, r.merchant_id, r.invoice_id, r.kind, r.actor, r.detail, r.at_ms FROM {}",
        sql::rows(tx.get_database_backend(), 1, "r", &columns)
    );
    sql::run(tx, text, [sql::row_list(&rows)]).await.map(drop)
}

/// What happened to an invoice, oldest first, after the entry `after`.
///
/// # Errors
/// Whatever the store says.
pub async fn of_invoice<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    invoice_id: &InvoiceId,
    after: Option<&TimelineEntryId>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let text =
        "SELECT * FROM timeline WHERE invoice_id = $1 AND merchant_id = $2 AND id > $3 ORDER BY id LIMIT $4";
    let values = [invoice_id.as_str().into(), merchant_id.as_str().into(), after_text(after), count(limit)];
    sql::all(db, text, values).await
}

/// What happened to any invoice of a merchant, oldest first, after the entry `after`.
///
/// # Errors
/// Whatever the store says.
pub async fn of_merchant<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    after: &TimelineEntryId,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let text = "SELECT * FROM timeline WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    sql::all(db, text, [merchant_id.as_str().into(), after.as_str().into(), count(limit)]).await
}

/// One entry of a merchant's timelines.
///
/// # Errors
/// Whatever the store says.
pub async fn find<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    id: &TimelineEntryId,
) -> Result<Option<Model>, DbErr> {
    let text = "SELECT * FROM timeline WHERE id = $1 AND merchant_id = $2";
    sql::one(db, text, [id.as_str().into(), merchant_id.as_str().into()]).await
}

fn after_text(after: Option<&TimelineEntryId>) -> Value {
    after.map_or("", TimelineEntryId::as_str).into()
}

fn count(limit: u64) -> Value {
    i64::try_from(limit).unwrap_or(i64::MAX).into()
}
