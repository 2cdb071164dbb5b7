//! How many texts there were in a day: what the caps that protect a customer or a bill are held against.

use domain::id::MerchantId;
use domain::time::Timestamp;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use crate::sql;
use crate::stored::Stored;

/// Texts of one merchant, or of one merchant to one number.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Texts {
    pub merchant_id: Stored<MerchantId>,
    /// `None` for all its numbers together.
    pub recipient: Option<String>,
    pub texts: i64,
}

/// Which texts are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Every one that was asked for and not called off. While these are within a cap, so is whatever is sent of them.
    Asked,
    /// Those that were sent, or whose sending was begun. Exact only for who holds the merchants' rows.
    Begun,
}

impl Counted {
    const fn condition(self) -> &'static str {
        match self {
            Self::Asked => "m.status <> 'suppressed'",
            Self::Begun => {
                "(m.status NOT IN ('queued', 'suppressed') \
                 OR (m.status = 'queued' AND EXISTS (SELECT 1 FROM send_attempts a WHERE a.message_id = m.id)))"
            }
        }
    }
}

/// The texts of these merchants since a moment.
///
/// # Errors
/// Whatever the store says.
pub async fn texts_of_merchants<C: ConnectionTrait>(
    db: &C,
    merchants: &[String],
    counted: Counted,
    since: Timestamp,
) -> Result<Vec<Texts>, DbErr> {
    let text = format!(
        "SELECT m.merchant_id, NULL AS recipient, count(*) AS texts FROM messages m WHERE m.merchant_id {} \
         AND m.channel = 'sms' AND m.created_at_ms > $2 AND {} GROUP BY m.merchant_id",
        sql::among(db.get_database_backend(), 1),
        counted.condition()
    );
    sql::all(db, text, [sql::text_list(merchants), since.millis().into()]).await
}

/// The texts of these merchants to each of these numbers since a moment.
///
/// # Errors
/// Whatever the store says.
pub async fn texts_to_numbers<C: ConnectionTrait>(
    db: &C,
    merchants: &[String],
    numbers: &[String],
    counted: Counted,
    since: Timestamp,
) -> Result<Vec<Texts>, DbErr> {
    let backend = db.get_database_backend();
    let text = format!(
        "SELECT m.merchant_id, m.recipient, count(*) AS texts FROM messages m WHERE m.merchant_id {} \
         AND m.channel = 'sms' AND m.recipient {} AND m.created_at_ms > $3 AND {} GROUP BY m.merchant_id, m.recipient",
        sql::among(backend, 1),
        sql::among(backend, 2),
        counted.condition()
    );
    let values = [sql::text_list(merchants), sql::text_list(numbers), since.millis().into()];
    sql::all(db, text, values).await
}
