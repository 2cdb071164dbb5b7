//! Opens of a link by a person who touched the page.

use domain::id::{InvoiceId, LinkId};
use domain::job::Outbox;
use domain::time::{MINUTE_MS, Timestamp};
use domain::timeline::TimelineKind;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};

use crate::stored::Stored;
use crate::timeline::{self, NewEntry};
use crate::{link, sql};

/// Touches of the page within this span are one open.
pub const ONE_OPEN_MS: i64 = 5 * MINUTE_MS;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "link_opens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub link_id: Stored<LinkId>,
    pub invoice_id: Stored<InvoiceId>,
    pub opened_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes down that a person opened the page, unless they did within the last minutes. `false` when nothing is new.
///
/// # Errors
/// Whatever the store says.
pub async fn record<C: ConnectionTrait>(
    tx: &C,
    link: &link::Model,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<bool, DbErr> {
    // Taking the invoice's row first makes two opens at once wait for each other.
    let touch = "UPDATE invoices SET opened_at_ms = $2 WHERE id = $1";
    sql::run(tx, touch, [link.invoice_id.as_str().into(), now.millis().into()]).await?;
    let id = format!("opn_{}", &crate::fresh::id::<domain::id::Job>(now).as_str()[4..]);
    let text = "INSERT INTO link_opens (id, link_id, invoice_id, opened_at_ms) \
         SELECT CAST($1 AS text), links.id, links.invoice_id, $3 FROM links WHERE links.id = $2 \
         AND NOT EXISTS (SELECT 1 FROM link_opens WHERE link_id = $2 AND opened_at_ms > $4)";
    let values: [Value; 4] =
        [id.into(), link.id.as_str().into(), now.millis().into(), now.plus_ms(-ONE_OPEN_MS).millis().into()];
    if sql::run(tx, text, values).await? == 0 {
        return Ok(false);
    }
    let detail = serde_json::json!({"link_id": link.id.0});
    let entry = NewEntry::new(&link.merchant_id, &link.invoice_id, TimelineKind::LinkOpened, "customer");
    timeline::append(tx, vec![entry.with(detail)], now, outbox).await?;
    Ok(true)
}

/// When a page of an invoice was last opened by a person.
///
/// # Errors
/// Whatever the store says.
pub async fn last_of_invoice<C: ConnectionTrait>(
    db: &C,
    invoice_id: &InvoiceId,
) -> Result<Option<Timestamp>, DbErr> {
    #[derive(FromQueryResult)]
    struct Last {
        at_ms: Option<i64>,
    }
    let text = "SELECT MAX(o.opened_at_ms) AS at_ms FROM links l JOIN link_opens o ON o.link_id = l.id WHERE l.invoice_id = $1";
    let last: Option<Last> = sql::one(db, text, [invoice_id.as_str().into()]).await?;
    Ok(last.and_then(|last| last.at_ms).map(Timestamp::from_millis))
}
