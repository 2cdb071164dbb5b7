//! The connection: SQLite in one file, or PostgreSQL. Readers and writers are apart, because SQLite has one writer:
//! its write pool holds a single connection, so writers queue fairly instead of meeting `SQLITE_BUSY`.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::{
    DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode,
    SqlxSqliteConnector, TransactionOptions, TransactionTrait,
};
use sqlx::Connection as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

mod postgres;

/// How long a caller waits for a free connection before it is told that the store is not there.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that rested this long is tested before it is used.
const TESTED_AFTER: Duration = Duration::from_secs(1);
const READERS_MAX: u32 = 6;

/// An address that names no store we know.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("the database address must begin with sqlite: or postgres:")]
    UnknownScheme,
    #[error("the database address cannot be read: {0}")]
    Unreadable(#[source] sqlx::Error),
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] sqlx::Error),
    #[error("behind a pooler {name} must stand with the role or the database: {advice}")]
    NoLimit { name: &'static str, advice: String },
}

/// How many connections a pool has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// `read` or `write`; on PostgreSQL both are one, `all`.
    pub name: &'static str,
    pub open: u32,
    pub idle: u32,
    pub max: u32,
}

/// The two ways into the store.
#[derive(Debug, Clone)]
pub struct Db {
    /// For reading outside a write transaction.
    pub read: DatabaseConnection,
    /// For writing; use [`Db::begin`].
    pub write: DatabaseConnection,
    /// Whether a pooler stands between, which takes statements only between `BEGIN` and `COMMIT`.
    pub through_pooler: bool,
    statements: Arc<AtomicU64>,
}

impl Db {
    /// Connects. `sqlite://path/to/file.db` makes the file when it is missing; a 2xx must be durable, so SQLite runs
    /// in WAL mode with `synchronous=FULL`.
    ///
    /// # Errors
    /// When the address makes no sense or nobody answers there.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        if url.starts_with("sqlite:") {
            return Self::connect_sqlite(url).await;
        }
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let postgres::Ways { read, write, through_pooler } = postgres::connect(url).await?;
            return Ok(Self { through_pooler, ..Self::counting(read, write) });
        }
        Err(ConnectError::UnknownScheme)
    }

    /// The file behind an address, when there is one.
    #[must_use]
    pub fn file(url: &str) -> Option<PathBuf> {
        if !url.starts_with("sqlite:") {
            return None;
        }
        SqliteConnectOptions::from_str(url).ok().map(|options| options.get_filename().to_owned())
    }

    async fn connect_sqlite(url: &str) -> Result<Self, ConnectError> {
        let options = SqliteConnectOptions::from_str(url)
            .map_err(ConnectError::Unreadable)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .foreign_keys(true)
            .statement_cache_capacity(256)
            .pragma("cache_size", "-32000")
            .pragma("temp_store", "MEMORY");
        let pool = SqlitePoolOptions::new()
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .after_release(|connection, _| Box::pin(is_clean(connection)));
        let write = pool.clone().max_connections(1).acquire_timeout(Duration::from_secs(30));
        let write = write.connect_with(options.clone()).await.map_err(ConnectError::Unreachable)?;
        let read = pool
            .max_connections(READERS_MAX)
            .connect_with(options)
            .await
            .map_err(ConnectError::Unreachable)?;
        let (read, write) = (
            SqlxSqliteConnector::from_sqlx_sqlite_pool(read),
            SqlxSqliteConnector::from_sqlx_sqlite_pool(write),
        );
        Ok(Self::counting(read, write))
    }

    /// Writes the text of every statement to a file, once each, one JSON text a line: what a later release must still be
    /// able to answer while it replaces this one. Call it before the connections are cloned.
    pub fn record_statements_in(&mut self, file: std::path::PathBuf) {
        let seen: Arc<Mutex<HashSet<String>>> = Arc::default();
        for connection in [&mut self.read, &mut self.write] {
            let (statements, seen, file) = (Arc::clone(&self.statements), Arc::clone(&seen), file.clone());
            connection.set_metric_callback(move |info| {
                statements.fetch_add(1, Ordering::Relaxed);
                let text = info.statement.sql.clone();
                if seen.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone()) {
                    note(&file, text);
                }
            });
        }
    }

    fn counting(mut read: DatabaseConnection, mut write: DatabaseConnection) -> Self {
        let statements = Arc::new(AtomicU64::new(0));
        for connection in [&mut read, &mut write] {
            let statements = Arc::clone(&statements);
            connection.set_metric_callback(move |_| {
                statements.fetch_add(1, Ordering::Relaxed);
            });
        }
        Self { read, write, through_pooler: false, statements }
    }

    /// Statements sent since the start; `BEGIN` and `COMMIT` are not counted.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.read.get_database_backend() == DatabaseBackend::Postgres { "postgres" } else { "sqlite" }
    }

    /// The pools as they are now. Asks nobody.
    #[must_use]
    pub fn pools(&self) -> Vec<Pool> {
        fn of<D: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<D>) -> Pool {
            let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
            Pool { name, open: pool.size(), idle, max: pool.options().get_max_connections() }
        }
        if self.read.get_database_backend() == DatabaseBackend::Postgres {
            return vec![of("all", self.read.get_postgres_connection_pool())];
        }
        let (read, write) = (&self.read, &self.write);
        vec![of("read", read.get_sqlite_connection_pool()), of("write", write.get_sqlite_connection_pool())]
    }

    /// Begins a write transaction: `BEGIN IMMEDIATE` on SQLite, so that a read in it cannot go stale before its write.
    ///
    /// # Errors
    /// When no connection is free in time or the store is gone.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.write.begin_with_options(options).await
    }
}

fn note(file: &std::path::Path, text: String) {
    let noted = std::fs::OpenOptions::new().create(true).append(true).open(file).and_then(|mut file| {
        // One write, so that the lines of several processes do not mix.
        file.write_all(format!("{}\n", serde_json::Value::from(text)).as_bytes())
    });
    if let Err(error) = noted {
        tracing::error!(%error, "a statement could not be recorded");
    }
}

/// On a full disk SQLite ends a transaction by itself, and the driver goes on counting it: everything after it would be
/// a savepoint inside a transaction that nobody ever commits. Such a connection is closed, which rolls it back.
async fn is_clean(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // Answered in turn: a rollback that was asked for before is done by then.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// Whether an error says that a unique index already holds this row, and which one.
#[must_use]
pub fn unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::ConnectionTrait;

    async fn insert<C: ConnectionTrait>(db: &C, text: &str) -> Result<(), DbErr> {
        db.execute_unprepared(&format!("INSERT INTO t VALUES ('{text}')")).await.map(drop)
    }

    #[tokio::test]
    async fn what_is_committed_after_a_full_disk_stays() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::connect(&format!("sqlite://{}", folder.path().join("full.db").display())).await.unwrap();
        db.write.execute_unprepared("CREATE TABLE t (text TEXT); PRAGMA max_page_count = 4").await.unwrap();
        // The disk fills in the middle of a transaction, and another one is given up.
        let tx = db.begin().await.unwrap();
        assert!(insert(&tx, &"x".repeat(100_000)).await.is_err());
        drop(tx);
        let tx = db.begin().await.unwrap();
        insert(&tx, "given up").await.unwrap();
        tx.rollback().await.unwrap();
        // There is room again.
        db.write.execute_unprepared("PRAGMA max_page_count = 1000").await.unwrap();
        let tx = db.begin().await.unwrap();
        insert(&tx, "kept").await.unwrap();
        tx.commit().await.unwrap();
        let rows = db.read.query_all_raw(sea_orm::Statement::from_string(
            db.read.get_database_backend(),
            "SELECT text FROM t",
        ));
        assert_eq!(rows.await.unwrap().len(), 1, "another connection sees what was committed");
    }
}
