//! The connection: SQLite in one file, or PostgreSQL. Readers and writers are apart, because SQLite has one writer:
//! its write pool holds a single connection, so writers queue fairly instead of meeting `SQLITE_BUSY`.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, SqlxPostgresConnector,
    SqlxSqliteConnector, TransactionOptions, TransactionTrait,
};
use sqlx::Connection as _;
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

/// How long a caller waits for a free connection before it is told that the store is not there.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that rested this long is tested before it is used.
const TESTED_AFTER: Duration = Duration::from_secs(1);
const READERS_MAX: u32 = 6;
const POSTGRES_CONNECTIONS_MAX: u32 = 16;

/// Nobody waits for ever: a process frozen inside a transaction must not hold its locks against all the others.
const POSTGRES_LIMITS: [(&str, &str); 3] =
    [("idle_in_transaction_session_timeout", "15s"), ("lock_timeout", "10s"), ("statement_timeout", "60s")];

/// An address that names no store we know.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("the database address must begin with sqlite: or postgres:")]
    UnknownScheme,
    #[error("the database address cannot be read: {0}")]
    Unreadable(#[source] sqlx::Error),
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] sqlx::Error),
}

/// The two ways into the store.
#[derive(Debug, Clone)]
pub struct Db {
    /// For reading outside a write transaction.
    pub read: DatabaseConnection,
    /// For writing; use [`Db::begin`].
    pub write: DatabaseConnection,
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
            return Self::connect_postgres(url).await;
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

    async fn connect_postgres(url: &str) -> Result<Self, ConnectError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(ConnectError::Unreadable)?
            .statement_cache_capacity(256)
            .options(POSTGRES_LIMITS);
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS_MAX)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, rested| Box::pin(lives(connection, rested)))
            .connect_with(options)
            .await
            .map_err(ConnectError::Unreachable)?;
        let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
        Ok(Self::counting(connection.clone(), connection))
    }

    fn counting(mut read: DatabaseConnection, mut write: DatabaseConnection) -> Self {
        let statements = Arc::new(AtomicU64::new(0));
        for connection in [&mut read, &mut write] {
            let statements = Arc::clone(&statements);
            connection.set_metric_callback(move |_| {
                statements.fetch_add(1, Ordering::Relaxed);
            });
        }
        Self { read, write, statements }
    }

    /// Statements sent since the start; `BEGIN` and `COMMIT` are not counted.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
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

/// Asks a connection that rested for a while whether it lives: after a restart of the server the pool is full of dead
/// ones. Under load they do not rest, and the first error drops them.
async fn lives(connection: &mut PgConnection, rested: PoolConnectionMetadata) -> Result<bool, sqlx::Error> {
    if rested.idle_for < TESTED_AFTER {
        return Ok(true);
    }
    Ok(tokio::time::timeout(ACQUIRE_TIMEOUT / 2, connection.ping()).await.is_ok_and(|lives| lives.is_ok()))
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
