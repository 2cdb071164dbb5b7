//! What a store says about itself, for whoever examines it.

use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, FromQueryResult};

use crate::{Db, sql};

#[derive(FromQueryResult)]
struct Number {
    number: i64,
}

#[derive(FromQueryResult)]
struct Text {
    text: String,
}

/// The store's own clock, in milliseconds since 1970.
///
/// # Errors
/// Whatever the store says.
pub async fn now_ms<C: ConnectionTrait>(db: &C) -> Result<i64, DbErr> {
    let text = if db.get_database_backend() == DatabaseBackend::Postgres {
        "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint AS number"
    } else {
        "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS number"
    };
    let row: Option<Number> = sql::one(db, text, []).await?;
    row.map(|row| row.number).ok_or_else(|| DbErr::RecordNotFound("the clock".to_owned()))
}

/// The migrations that have run, oldest first.
///
/// # Errors
/// Whatever the store says, also when none ever ran.
pub async fn migrations<C: ConnectionTrait>(db: &C) -> Result<Vec<String>, DbErr> {
    let rows: Vec<Text> =
        sql::all(db, "SELECT version AS text FROM seaql_migrations ORDER BY version", []).await?;
    Ok(rows.into_iter().map(|row| row.text).collect())
}

/// Whether a write would be taken. Nothing is written.
///
/// # Errors
/// Why it would not.
pub async fn try_write(db: &Db) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    sql::run(&tx, "UPDATE merchants SET name = name WHERE id = ''", []).await?;
    tx.rollback().await
}

/// Settings of the server under which an answered commit can be lost. SQLite's are ours, and strict.
///
/// # Errors
/// Whatever the store says.
pub async fn lax_settings<C: ConnectionTrait>(db: &C) -> Result<Vec<String>, DbErr> {
    if db.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(Vec::new());
    }
    let text = "SELECT name AS text FROM pg_settings WHERE setting = 'off' \
         AND name IN ('fsync', 'full_page_writes', 'synchronous_commit') ORDER BY name";
    let rows: Vec<Text> = sql::all(db, text, []).await?;
    Ok(rows.into_iter().map(|row| row.text).collect())
}

/// The keys that the tokens of living links were made with.
///
/// # Errors
/// Whatever the store says.
pub async fn living_key_ids<C: ConnectionTrait>(db: &C) -> Result<Vec<String>, DbErr> {
    let text = "SELECT DISTINCT key_id AS text FROM links WHERE status IN ('queued', 'sent') ORDER BY key_id";
    let rows: Vec<Text> = sql::all(db, text, []).await?;
    Ok(rows.into_iter().map(|row| row.text).collect())
}
