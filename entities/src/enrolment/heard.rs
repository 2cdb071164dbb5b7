//! What a dialer acknowledged, against what it ought to know by now.

use domain::id::EnrolmentId;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::Model;
use crate::sql;

/// What an acknowledgement is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The dialer knows what it ought to.
    InTime,
    /// The wish changed while the dialer was told, and it may have heard the two in either order: the wish that holds has a
    /// new revision, to be told once more.
    Overtaken { told_revision: i64 },
    /// It had acknowledged this before.
    Before,
}

#[derive(FromQueryResult)]
struct Moved {
    told_revision: i64,
}

/// Enrolments by their ids; an id that names none is left out.
///
/// # Errors
/// Whatever the store says.
pub async fn by_ids<C: ConnectionTrait>(db: &C, ids: &[String]) -> Result<Vec<Model>, DbErr> {
    let text = format!("SELECT * FROM enrolments WHERE id {}", sql::among(db.get_database_backend(), 1));
    sql::all(db, text, [sql::text_list(ids)]).await
}

/// Writes down that the dialer acknowledged a revision.
///
/// # Errors
/// Whatever the store says.
pub async fn acknowledge<C: ConnectionTrait>(
    tx: &C,
    id: &EnrolmentId,
    revision: i64,
) -> Result<Heard, DbErr> {
    let heard = "UPDATE enrolments SET acknowledged_revision = $2 \
         WHERE id = $1 AND told_revision = $2 AND acknowledged_revision < $2";
    if sql::run(tx, heard, [id.as_str().into(), revision.into()]).await? > 0 {
        return Ok(Heard::InTime);
    }
    let again = "UPDATE enrolments SET told_revision = told_revision + 1 WHERE id = $1 AND told_revision > $2 \
         RETURNING told_revision";
    let moved: Option<Moved> = sql::one(tx, again, [id.as_str().into(), revision.into()]).await?;
    Ok(moved.map_or(Heard::Before, |row| Heard::Overtaken { told_revision: row.told_revision }))
}
