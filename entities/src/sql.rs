//! Set-based statements that both stores run: lists of rows travel as one JSON parameter, so that a statement's text
//! never depends on how many rows there are and stays prepared.

use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, FromQueryResult, Statement, Value};

/// Says that a column is one of the texts in a JSON array: `WHERE id {among}`. On PostgreSQL the list is read first and
/// the rows are found through the column's index, whatever the planner believes about the rest of the condition.
#[must_use]
pub fn among(backend: DatabaseBackend, parameter: usize) -> String {
    if backend == DatabaseBackend::Postgres {
        return among_found(backend, &format!("SELECT jsonb_array_elements_text(${parameter}::jsonb)"));
    }
    format!("IN (SELECT value FROM json_each(${parameter}))")
}

/// [`among`] what another statement finds.
#[must_use]
pub fn among_found(backend: DatabaseBackend, select: &str) -> String {
    if backend == DatabaseBackend::Postgres {
        format!("= ANY(ARRAY({select}))")
    } else {
        format!("IN ({select})")
    }
}

/// Names a JSON array of objects as a table `alias` with the given columns: `INSERT … SELECT … FROM {rows}`.
/// A column's type is `text`, `bigint` or `boolean`.
#[must_use]
pub fn rows(backend: DatabaseBackend, parameter: usize, alias: &str, columns: &[(&str, &str)]) -> String {
    if backend == DatabaseBackend::Postgres {
        let typed: Vec<String> = columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
        return format!("jsonb_to_recordset(${parameter}::jsonb) AS {alias}({})", typed.join(", "));
    }
    let picked: Vec<String> = columns.iter().map(|(name, _)| format!("value->>'{name}' AS {name}")).collect();
    format!("(SELECT {} FROM json_each(${parameter})) AS {alias}", picked.join(", "))
}

/// Writes down which rows a statement may not share with another writer; SQLite has one writer and needs no word. Keys
/// never change, so a foreign key that looks at such a row need not wait, and nobody meets it halfway.
#[must_use]
pub fn for_update(backend: DatabaseBackend) -> &'static str {
    if backend == DatabaseBackend::Postgres { "FOR NO KEY UPDATE" } else { "" }
}

/// A list of texts as one JSON parameter.
pub fn text_list<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> Value {
    let list: Vec<serde_json::Value> = values.into_iter().map(|value| value.as_ref().into()).collect();
    Value::from(serde_json::Value::Array(list).to_string())
}

/// A list of objects as one JSON parameter.
#[must_use]
pub fn row_list(rows: &[serde_json::Value]) -> Value {
    Value::from(serde_json::Value::from(rows).to_string())
}

/// Runs a statement and says how many rows it touched.
///
/// # Errors
/// Whatever the store says.
pub async fn run<C: ConnectionTrait>(
    db: &C,
    text: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), text, values);
    db.execute_raw(statement).await.map(|done| done.rows_affected())
}

/// Reads every row.
///
/// # Errors
/// Whatever the store says; a row that does not fit `T`.
pub async fn all<T: FromQueryResult, C: ConnectionTrait>(
    db: &C,
    text: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<T>, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), text, values);
    db.query_all_raw(statement).await?.iter().map(|row| T::from_query_result(row, "")).collect()
}

/// Reads one row, if there is one.
///
/// # Errors
/// Whatever the store says; a row that does not fit `T`.
pub async fn one<T: FromQueryResult, C: ConnectionTrait>(
    db: &C,
    text: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<T>, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), text, values);
    db.query_one_raw(statement).await?.map(|row| T::from_query_result(&row, "")).transpose()
}
