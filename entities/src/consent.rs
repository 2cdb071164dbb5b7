//! Consents: what a customer allowed, when, and the evidence.

use domain::id::MerchantId;
use domain::time::Timestamp;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};

use sea_orm::{ConnectionTrait, DbErr};

use crate::sql;
use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consents")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub merchant_id: Stored<MerchantId>,
    pub channel: String,
    pub recipient: String,
    pub granted: bool,
    pub source: String,
    pub source_ref: String,
    pub evidence: Option<String>,
    pub given_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Every consent and refusal of these recipients, newest first, whatever their merchant; the caller compares merchants.
///
/// # Errors
/// Whatever the store says.
pub async fn of_recipients<C: ConnectionTrait>(
    db: &C,
    merchants: &[String],
    recipients: &[String],
) -> Result<Vec<Model>, DbErr> {
    if recipients.is_empty() {
        return Ok(Vec::new());
    }
    let backend = db.get_database_backend();
    let text = format!(
        "SELECT * FROM consents WHERE merchant_id {} AND channel IN ('sms', 'email') AND recipient {} \
         ORDER BY given_at_ms DESC, id DESC",
        sql::among(backend, 1),
        sql::among(backend, 2)
    );
    sql::all(db, text, [sql::text_list(merchants), sql::text_list(recipients)]).await
}

/// The recipient's last word on a channel: `None` when it was never spoken about.
#[must_use]
pub fn last_word(
    newest_first: &[Model],
    merchant_id: &MerchantId,
    channel: &str,
    recipient: &str,
) -> Option<bool> {
    let spoken = newest_first.iter().find(|consent| {
        consent.merchant_id.0 == *merchant_id && consent.channel == channel && consent.recipient == recipient
    });
    spoken.map(|consent| consent.granted)
}

/// Something a customer said about being reached.
#[derive(Debug, Clone)]
pub struct NewConsent {
    pub merchant_id: MerchantId,
    /// `sms` or `email`.
    pub channel: &'static str,
    pub recipient: String,
    pub granted: bool,
    /// Where it was said: `call`.
    pub source: &'static str,
    pub source_ref: String,
    pub evidence: Option<String>,
    pub given_at: Timestamp,
}

const COLUMNS: [(&str, &str); 9] = [
    ("id", "text"),
    ("merchant_id", "text"),
    ("channel", "text"),
    ("recipient", "text"),
    ("granted", "boolean"),
    ("source", "text"),
    ("source_ref", "text"),
    ("evidence", "text"),
    ("given_at_ms", "bigint"),
];

/// Keeps consents; one that is known already is left as it is.
///
/// # Errors
/// Whatever the store says.
pub async fn record<C: ConnectionTrait>(
    tx: &C,
    consents: &[NewConsent],
    now: Timestamp,
) -> Result<(), DbErr> {
    if consents.is_empty() {
        return Ok(());
    }
    let rows: Vec<serde_json::Value> = consents.iter().map(|consent| row(consent, now)).collect();
    let text = format!(
        "INSERT INTO consents (id, merchant_id, channel, recipient, granted, source, source_ref, evidence, given_at_ms) \
         SELECT r.id, r.merchant_id, r.channel, r.recipient, r.granted, r.source, r.source_ref, r.evidence, r.given_at_ms \
         FROM {} WHERE true ON CONFLICT (merchant_id, channel, recipient, source, source_ref) DO NOTHING",
        sql::rows(tx.get_database_backend(), 1, "r", &COLUMNS)
    );
    sql::run(tx, text, [sql::row_list(&rows)]).await.map(drop)
}

fn row(consent: &NewConsent, now: Timestamp) -> serde_json::Value {
    let id = format!("con_{}", &crate::fresh::id::<domain::id::Job>(now).as_str()[4..]);
    serde_json::json!({
        "id": id, "merchant_id": consent.merchant_id, "channel": consent.channel, "recipient": consent.recipient,
        "granted": consent.granted, "source": consent.source, "source_ref": consent.source_ref,
        "evidence": consent.evidence, "given_at_ms": consent.given_at.millis(),
    })
}
