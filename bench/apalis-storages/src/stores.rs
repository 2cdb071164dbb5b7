//! Fresh databases for the ready-made storages, with the durability we promise: SQLite in WAL mode with
//! `synchronous=FULL`, PostgreSQL and Redis as they come (`fsync` on; append-only file).

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Result;
use apalis_postgres::PostgresStorage;
use apalis_redis::RedisStorage;
use apalis_sqlite::SqliteStorage;
use redis::aio::ConnectionManager;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};
use tempfile::TempDir;

use crate::ready_made::{BATCH, Job};
use crate::servers::Servers;

pub const QUEUE: &str = "measured";
/// Short, so that whatever a heartbeat would repair is repaired while we look.
const HEARTBEAT: Duration = Duration::from_secs(1);

pub struct Sqlite {
    pub pool: SqlitePool,
    _folder: TempDir,
}

impl Sqlite {
    pub async fn fresh() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let pool = SqlitePoolOptions::new()
            .max_connections(8)
            .connect_with(sqlite_options(&folder))
            .await?;
        // Not `setup`: it would switch `synchronous` off on one connection of the pool.
        SqliteStorage::migrations().run(&pool).await?;
        Ok(Self {
            pool,
            _folder: folder,
        })
    }

    pub fn storage(&self) -> SqliteStorage<Job> {
        let config = apalis_sqlite::Config::default().queue(QUEUE).batch_size(BATCH);
        SqliteStorage::new(&self.pool).with_config(config.heartbeat_interval(HEARTBEAT).missed_heartbeats(2))
    }

    pub async fn texts(&self, sql: &str) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_all(&self.pool)
            .await?)
    }

    pub async fn done(&self) -> Result<i64> {
        Ok(
            sqlx::query_scalar("SELECT count(*) FROM Jobs WHERE status = 'Done'")
                .fetch_one(&self.pool)
                .await?,
        )
    }
}

/// As the product opens its file.
pub fn sqlite_options(folder: &TempDir) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(folder.path().join("jobs.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10))
        .foreign_keys(true)
}

pub struct Postgres {
    pub pool: PgPool,
}

impl Postgres {
    pub async fn fresh(servers: &Servers) -> Result<Self> {
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .connect_with(fresh_database(servers).await?)
            .await?;
        PostgresStorage::setup(&pool).await?;
        Ok(Self { pool })
    }

    pub fn storage(&self) -> PostgresStorage<Job> {
        let config = apalis_postgres::Config::default().queue(QUEUE).batch_size(BATCH);
        PostgresStorage::new(&self.pool)
            .with_config(config.heartbeat_interval(HEARTBEAT).missed_heartbeats(2))
    }

    pub async fn texts(&self, sql: &str) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_all(&self.pool)
            .await?)
    }

    pub async fn done(&self) -> Result<i64> {
        Ok(
            sqlx::query_scalar("SELECT count(*) FROM apalis.jobs WHERE status = 'Done'")
                .fetch_one(&self.pool)
                .await?,
        )
    }
}

/// A new, empty database on our server.
pub async fn fresh_database(servers: &Servers) -> Result<PgConnectOptions> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("measured_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let admin = PgPool::connect_with(servers.postgres()).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&admin)
        .await?;
    admin.close().await;
    Ok(servers.postgres().database(&name))
}

pub struct Redis {
    pub connection: ConnectionManager,
}

impl Redis {
    /// The same server, emptied.
    pub async fn fresh(servers: &Servers) -> Result<Self> {
        let mut connection = apalis_redis::connect(servers.redis_url()).await?;
        let () = redis::cmd("FLUSHALL").query_async(&mut connection).await?;
        Ok(Self { connection })
    }

    pub fn storage(&self) -> RedisStorage<Job> {
        let config = apalis_redis::Config::default().queue(QUEUE).batch_size(BATCH);
        RedisStorage::new(self.connection.clone())
            .with_config(config.heartbeat_interval(HEARTBEAT).missed_heartbeats(2))
    }

    /// Jobs in the store, in whatever state.
    pub async fn jobs(&self) -> Result<u64> {
        let key = self.storage().get_config().job_data_hash();
        Ok(redis::cmd("HLEN")
            .arg(key)
            .query_async(&mut self.connection.clone())
            .await?)
    }
}
