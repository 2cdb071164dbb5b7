//! Post-call events, stored once each.

mod page;
mod store;

use domain::call_event::Disposition;
use domain::id::{CallEventId, InvoiceId, MerchantId};
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use sea_orm::{ConnectionTrait, DbErr};

use crate::sql;
use crate::stored::Stored;

pub use page::{Rematch, find, page, rematch};
pub use store::{Known, insert_new, known};

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "call_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<CallEventId>,
    pub merchant_id: Stored<MerchantId>,
    pub dedupe_key: String,
    pub delivery_id: Option<String>,
    pub source: String,
    pub call_id: String,
    pub intent: String,
    pub invoice_ref: Option<String>,
    pub invoice_id: Option<Stored<InvoiceId>>,
    pub disposition: Stored<Disposition>,
    pub reason: Option<String>,
    pub body: String,
    pub occurred_at_ms: i64,
    pub received_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// # Errors
/// Whatever the store says.
pub async fn by_ids<C: ConnectionTrait>(db: &C, ids: &[String]) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!("SELECT * FROM call_events WHERE id {}", sql::among(db.get_database_backend(), 1));
    sql::all(db, text, [sql::text_list(ids)]).await
}

/// An accepted event whose wish the invoice's state forbids by now.
#[derive(Debug, Clone)]
pub struct Suppression {
    pub id: CallEventId,
    pub reason: &'static str,
}

/// # Errors
/// Whatever the store says.
pub async fn suppress<C: ConnectionTrait>(tx: &C, suppressions: &[Suppression]) -> Result<u64, DbErr> {
    if suppressions.is_empty() {
        return Ok(0);
    }
    let text = format!(
        "UPDATE call_events SET disposition = 'suppressed', reason = r.reason FROM {} \
         WHERE call_events.id = r.id AND call_events.disposition = 'accepted'",
        sql::rows(tx.get_database_backend(), 1, "r", &[("id", "text"), ("reason", "text")])
    );
    let rows: Vec<serde_json::Value> = suppressions
        .iter()
        .map(|event| serde_json::json!({"id": event.id, "reason": event.reason}))
        .collect();
    sql::run(tx, text, [sql::row_list(&rows)]).await
}
