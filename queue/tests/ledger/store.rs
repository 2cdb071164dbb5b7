//! One fresh database per test.

use std::str::FromStr;
use std::time::{Duration, Instant};

use domain::id::MerchantId;
use domain::job::{JobKind, NewJob};
use migration::{Migrate, Migrator};
use queue::{Clock, Ledger, Live, Metrics, Wake};
use sea_orm::{ConnectionTrait, DatabaseConnection, SqlxPostgresConnector, SqlxSqliteConnector, Statement};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

pub(crate) struct Store {
    read: DatabaseConnection,
    write: DatabaseConnection,
    pub(crate) clock: Clock,
    url: String,
    _file: Option<tempfile::TempDir>,
}

impl Store {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("queue.db").display());
        let options = SqliteConnectOptions::from_str(&url)
            .unwrap()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let write = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await.unwrap();
        let read = SqlitePoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
        let write = SqlxSqliteConnector::from_sqlx_sqlite_pool(write);
        Self::migrated(SqlxSqliteConnector::from_sqlx_sqlite_pool(read), write, url, Some(folder)).await
    }

    pub(crate) async fn postgres() -> Option<Self> {
        let server = std::env::var("POSTCALL_TEST_POSTGRES_URL").ok()?;
        let name = format!("queue_{:016x}", rand::random::<u64>());
        let admin = sqlx::PgPool::connect(&server).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&admin).await.unwrap();
        let options = sqlx::postgres::PgConnectOptions::from_str(&server).unwrap().database(&name);
        let pool =
            sqlx::postgres::PgPoolOptions::new().max_connections(8).connect_with(options).await.unwrap();
        let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
        let (base, _) = server.rsplit_once('/').unwrap();
        Some(Self::migrated(connection.clone(), connection, format!("{base}/{name}"), None).await)
    }

    async fn migrated(
        read: DatabaseConnection,
        write: DatabaseConnection,
        url: String,
        file: Option<tempfile::TempDir>,
    ) -> Self {
        Migrator::up(&write, None).await.unwrap();
        Self { read, write, clock: Clock::default(), url, _file: file }
    }

    /// A ledger as another process would have it: the same database, bells of its own.
    pub(crate) fn ledger(&self) -> Ledger {
        let metrics = Metrics::register(&prometheus::Registry::new()).unwrap();
        Ledger::new(
            self.read.clone(),
            self.write.clone(),
            self.clock.clone(),
            Wake::local(),
            Live::default(),
            metrics,
        )
    }

    pub(crate) fn connection(&self) -> &DatabaseConnection {
        &self.write
    }

    /// As a second process on the same store, one that does not wait for a lock of SQLite's.
    pub(crate) async fn another_connection(&self) -> DatabaseConnection {
        if self.url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(&self.url).unwrap().busy_timeout(Duration::ZERO);
            let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
            return SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
        }
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1).connect(&self.url).await.unwrap();
        SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
    }

    pub(crate) async fn run(&self, text: &str) -> u64 {
        self.write
            .execute_raw(Statement::from_string(self.write.get_database_backend(), text))
            .await
            .unwrap()
            .rows_affected()
    }

    pub(crate) async fn number(&self, text: &str) -> i64 {
        let statement = Statement::from_string(self.read.get_database_backend(), text);
        self.read.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    pub(crate) async fn jobs(&self, status: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM jobs WHERE status = '{status}'")).await
    }

    /// Waits until that many jobs have this status.
    pub(crate) async fn until(&self, status: &str, count: i64) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.jobs(status).await != count {
            assert!(Instant::now() < deadline, "{} jobs are {status}, not {count}", self.jobs(status).await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

pub(crate) fn job(kind: JobKind, subject: &str) -> NewJob {
    NewJob::once(kind, subject, &MerchantId::random([1; 16]))
}

pub(crate) async fn enqueue(ledger: &Ledger, jobs: Vec<NewJob>) {
    let tx = ledger.begin().await.unwrap();
    ledger.commit(tx, domain::job::Outbox { jobs, changes: Vec::new() }).await.unwrap();
}
