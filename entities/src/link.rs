//! Pay links. The token is never here, only its hash.

mod page;

use domain::channel::Channel;
use domain::id::{CallEventId, InvoiceId, LinkId, MerchantId};
use domain::job::Outbox;
use domain::link::{LIFETIME_MS, LinkCause, LinkStatus};
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use crate::sql;
use crate::stored::Stored;
use crate::timeline::{self, NewEntry};

pub use page::{find, of_invoice};

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "links")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<LinkId>,
    pub merchant_id: Stored<MerchantId>,
    pub invoice_id: Stored<InvoiceId>,
    pub chain_id: Stored<LinkId>,
    pub sequence: i64,
    pub cause: Stored<LinkCause>,
    pub wish_key: String,
    pub event_id: Option<Stored<CallEventId>>,
    pub wanted_channel: Option<Stored<Channel>>,
    pub token_hash: String,
    pub key_id: String,
    pub status: Stored<LinkStatus>,
    pub created_at_ms: i64,
    pub sent_at_ms: Option<i64>,
    pub expires_at_ms: Option<i64>,
    pub ended_at_ms: Option<i64>,
    pub renewed_at_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A link about to be issued.
#[derive(Debug, Clone)]
pub struct NewLink {
    pub id: LinkId,
    pub merchant_id: MerchantId,
    pub invoice_id: InvoiceId,
    /// The first link of the chain; a new chain begins with itself.
    pub chain_id: LinkId,
    pub sequence: i64,
    pub cause: LinkCause,
    /// What asked for it: the same wish makes one link.
    pub wish_key: String,
    pub event_id: Option<CallEventId>,
    pub wanted_channel: Option<Channel>,
    pub token_hash: String,
    pub key_id: String,
}

/// Issues links, at most one per invoice in one call, superseding whatever link of the invoice lives, in the caller's
/// transaction. Returns those that are new: a wish that was granted before is not granted again, and leaves the
/// living link alone.
///
/// # Errors
/// Whatever the store says.
pub async fn issue<C: ConnectionTrait>(
    tx: &C,
    links: &[NewLink],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<Vec<Model>, DbErr> {
    if links.is_empty() {
        return Ok(Vec::new());
    }
    let backend = tx.get_database_backend();
    let granted = granted_wishes(tx, links).await?;
    let wanted: Vec<&NewLink> = links
        .iter()
        .filter(|link| !granted.contains(&(link.invoice_id.to_string(), link.wish_key.clone())))
        .collect();
    let invoices = sql::text_list(wanted.iter().map(|link| link.invoice_id.as_str()));
    let supersede = format!(
        "UPDATE links SET status = 'superseded', ended_at_ms = $2 WHERE status IN ('queued', 'sent') AND invoice_id {} \
         RETURNING *",
        sql::among(backend, 1)
    );
    let superseded: Vec<Model> = sql::all(tx, supersede, [invoices, now.millis().into()]).await?;
    let rows: Vec<serde_json::Value> = wanted.iter().map(|link| row(link, now)).collect();
    let insert = format!(
        "INSERT INTO links (id, merchant_id, invoice_id, chain_id, sequence, cause, wish_key, event_id, wanted_channel, token_hash, key_id, status, created_at_ms) \
         SELECT r.id, r.merchant_id, r.invoice_id, r.chain_id, r.sequence, r.cause, r.wish_key, r.event_id, r.wanted_channel, r.token_hash, r.key_id, 'queued', r.created_at_ms \
         FROM {} WHERE true ON CONFLICT (invoice_id, wish_key) DO NOTHING RETURNING *",
        sql::rows(backend, 1, "r", &COLUMNS)
    );
    let issued: Vec<Model> = sql::all(tx, insert, [sql::row_list(&rows)]).await?;
    let mut entries = Vec::new();
    for link in &superseded {
        let detail = serde_json::json!({"link_id": link.id.0});
        entries.push(
            NewEntry::new(&link.merchant_id, &link.invoice_id, TimelineKind::LinkSuperseded, "system")
                .with(detail),
        );
    }
    for link in &issued {
        let detail =
            serde_json::json!({"link_id": link.id.0, "cause": link.cause.0, "sequence": link.sequence});
        entries.push(
            NewEntry::new(&link.merchant_id, &link.invoice_id, TimelineKind::LinkIssued, "system")
                .with(detail),
        );
    }
    timeline::append(tx, entries, now, outbox).await?;
    Ok(issued)
}

const COLUMNS: [(&str, &str); 12] = [
    ("id", "text"),
    ("merchant_id", "text"),
    ("invoice_id", "text"),
    ("chain_id", "text"),
    ("sequence", "bigint"),
    ("cause", "text"),
    ("wish_key", "text"),
    ("event_id", "text"),
    ("wanted_channel", "text"),
    ("token_hash", "text"),
    ("key_id", "text"),
    ("created_at_ms", "bigint"),
];

fn row(link: &NewLink, now: Timestamp) -> serde_json::Value {
    serde_json::json!({
        "id": link.id, "merchant_id": link.merchant_id, "invoice_id": link.invoice_id, "chain_id": link.chain_id,
        "sequence": link.sequence, "cause": link.cause, "wish_key": link.wish_key, "event_id": link.event_id,
        "wanted_channel": link.wanted_channel, "token_hash": link.token_hash, "key_id": link.key_id,
        "created_at_ms": now.millis(),
    })
}

#[derive(FromQueryResult)]
struct Wish {
    invoice_id: String,
    wish_key: String,
}

/// Which of these wishes have a link already.
async fn granted_wishes<C: ConnectionTrait>(
    tx: &C,
    links: &[NewLink],
) -> Result<Vec<(String, String)>, DbErr> {
    let text = format!(
        "SELECT invoice_id, wish_key FROM links WHERE invoice_id {} AND wish_key {}",
        sql::among(tx.get_database_backend(), 1),
        sql::among(tx.get_database_backend(), 2)
    );
    let invoices = sql::text_list(links.iter().map(|link| link.invoice_id.as_str()));
    let wishes = sql::text_list(links.iter().map(|link| link.wish_key.as_str()));
    let found: Vec<Wish> = sql::all(tx, text, [invoices, wishes]).await?;
    Ok(found.into_iter().map(|wish| (wish.invoice_id, wish.wish_key)).collect())
}

/// The living link of an invoice.
///
/// # Errors
/// Whatever the store says.
pub async fn living<C: ConnectionTrait>(db: &C, invoice_id: &InvoiceId) -> Result<Option<Model>, DbErr> {
    let text = "SELECT * FROM links WHERE invoice_id = $1 AND status IN ('queued', 'sent')";
    sql::one(db, text, [invoice_id.as_str().into()]).await
}

/// The link a token names, by the token's hash.
///
/// # Errors
/// Whatever the store says.
pub async fn by_token_hash<C: ConnectionTrait>(db: &C, token_hash: &str) -> Result<Option<Model>, DbErr> {
    sql::one(db, "SELECT * FROM links WHERE token_hash = $1", [token_hash.into()]).await
}

/// Revokes the living link of an invoice that may no longer be paid.
///
/// # Errors
/// Whatever the store says.
pub async fn revoke_of_invoice<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    invoice_id: &InvoiceId,
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let text = "UPDATE links SET status = 'revoked', ended_at_ms = $2 WHERE invoice_id = $1 AND status IN ('queued', 'sent')";
    if sql::run(tx, text, [invoice_id.as_str().into(), now.millis().into()]).await? == 0 {
        return Ok(());
    }
    let entry = NewEntry::new(merchant_id, invoice_id, TimelineKind::LinkRevoked, "system");
    timeline::append(tx, vec![entry], now, outbox).await
}

/// # Errors
/// Whatever the store says.
pub async fn by_ids<C: ConnectionTrait>(db: &C, ids: &[String]) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!("SELECT * FROM links WHERE id {}", sql::among(db.get_database_backend(), 1));
    sql::all(db, text, [sql::text_list(ids)]).await
}

/// The links that these calls led to.
///
/// # Errors
/// Whatever the store says.
pub async fn of_events<C: ConnectionTrait>(db: &C, events: &[String]) -> Result<Vec<Model>, DbErr> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT l.* FROM call_events e JOIN links l ON l.invoice_id = e.invoice_id AND l.event_id = e.id WHERE e.id {}",
        sql::among(db.get_database_backend(), 1)
    );
    sql::all(db, text, [sql::text_list(events)]).await
}

/// Records the first acceptance of a message that carries the link: from then its seven days run. Later ones, and
/// links that ended meanwhile, change nothing.
///
/// # Errors
/// Whatever the store says.
pub async fn mark_sent<C: ConnectionTrait>(
    tx: &C,
    ids: &[String],
    accepted_at: Timestamp,
) -> Result<u64, DbErr> {
    if ids.is_empty() {
        return Ok(0);
    }
    let text = format!(
        "UPDATE links SET status = 'sent', sent_at_ms = $2, expires_at_ms = $3 WHERE status = 'queued' AND id {}",
        sql::among(tx.get_database_backend(), 1)
    );
    let expires_at = domain::link::expires_at(accepted_at);
    sql::run(tx, text, [sql::text_list(ids), accepted_at.millis().into(), expires_at.millis().into()]).await
}

/// Revokes links that nobody was sent and nobody will be.
///
/// # Errors
/// Whatever the store says.
pub async fn revoke_queued<C: ConnectionTrait>(
    tx: &C,
    ids: &[String],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    if ids.is_empty() {
        return Ok(());
    }
    let text = format!(
        "UPDATE links SET status = 'revoked', ended_at_ms = $2 WHERE status = 'queued' AND id {} RETURNING *",
        sql::among(tx.get_database_backend(), 1)
    );
    let revoked: Vec<Model> = sql::all(tx, text, [sql::text_list(ids), now.millis().into()]).await?;
    timeline::append(tx, entries(&revoked, TimelineKind::LinkRevoked), now, outbox).await
}

/// Invoices with a link whose time is over and not yet recorded as such.
///
/// # Errors
/// Whatever the store says.
pub async fn invoices_of_overdue<C: ConnectionTrait>(
    db: &C,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<String>, DbErr> {
    #[derive(FromQueryResult)]
    struct Overdue {
        invoice_id: String,
    }
    // Nothing expires before its days are over, counted from its making: that is what the index knows.
    let text = "SELECT invoice_id FROM links WHERE ended_at_ms IS NULL AND created_at_ms <= $2 \
         AND status = 'sent' AND expires_at_ms <= $1 ORDER BY created_at_ms LIMIT $3";
    let found: Vec<Overdue> = sql::all(
        db,
        text,
        [now.millis().into(), now.plus_ms(-LIFETIME_MS).millis().into(), i64::from(limit).into()],
    )
    .await?;
    Ok(found.into_iter().map(|link| link.invoice_id).collect())
}

/// Records the expiry of what is overdue on these invoices, and returns it.
///
/// # Errors
/// Whatever the store says.
pub async fn expire_of_invoices<C: ConnectionTrait>(
    tx: &C,
    invoices: &[String],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<Vec<Model>, DbErr> {
    if invoices.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "UPDATE links SET status = 'expired', ended_at_ms = $2 WHERE status = 'sent' AND expires_at_ms <= $2 \
         AND invoice_id {} RETURNING *",
        sql::among(tx.get_database_backend(), 1)
    );
    let expired: Vec<Model> = sql::all(tx, text, [sql::text_list(invoices), now.millis().into()]).await?;
    timeline::append(tx, entries(&expired, TimelineKind::LinkExpired), now, outbox).await?;
    Ok(expired)
}

fn entries(links: &[Model], kind: TimelineKind) -> Vec<NewEntry> {
    let entry = |link: &Model| {
        let detail = serde_json::json!({"link_id": link.id.0});
        NewEntry::new(&link.merchant_id, &link.invoice_id, kind, "system").with(detail)
    };
    links.iter().map(entry).collect()
}
