//! Our own ledger under the same load, on both stores.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use domain::id::MerchantId;
use domain::job::{JobKind, NewJob, Outbox};
use migration::{Migrate, Migrator};
use queue::{Batch, Clock, Handler, Ledger, Live, Metrics, Outcome, Runtime, Wake};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, SqlxPostgresConnector, SqlxSqliteConnector, Statement,
};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::ready_made::{Behaviour, LATER};
use crate::servers::Servers;
use crate::stores::{fresh_database, sqlite_options};

pub const KIND: JobKind = JobKind::ResolveChannel;

/// The ledger in a fresh database.
pub struct Ours {
    pub name: &'static str,
    pub ledger: Ledger,
    pub write: DatabaseConnection,
    read: DatabaseConnection,
    _folder: Option<TempDir>,
}

impl Ours {
    pub async fn on_both(servers: &Servers) -> Result<[Self; 2]> {
        Ok([Self::sqlite().await?, Self::postgres(servers).await?])
    }

    async fn sqlite() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(sqlite_options(&folder))
            .await?;
        let read = SqlitePoolOptions::new()
            .max_connections(6)
            .connect_with(sqlite_options(&folder))
            .await?;
        let read = SqlxSqliteConnector::from_sqlx_sqlite_pool(read);
        Self::migrated(
            "our ledger, SQLite",
            read,
            SqlxSqliteConnector::from_sqlx_sqlite_pool(write),
            Some(folder),
        )
        .await
    }

    async fn postgres(servers: &Servers) -> Result<Self> {
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .connect_with(fresh_database(servers).await?)
            .await?;
        let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
        Self::migrated("our ledger, PostgreSQL", connection.clone(), connection, None).await
    }

    async fn migrated(
        name: &'static str,
        read: DatabaseConnection,
        write: DatabaseConnection,
        folder: Option<TempDir>,
    ) -> Result<Self> {
        Migrator::up(&write, None).await?;
        let ledger = ledger(&read, &write, Wake::local())?;
        Ok(Self {
            name,
            ledger,
            write,
            read,
            _folder: folder,
        })
    }

    pub fn with_wake(self, wake: Wake) -> Result<Self> {
        let ledger = ledger(&self.read, &self.write, wake)?;
        Ok(Self { ledger, ..self })
    }

    /// The same database as another process would see it: bells of its own.
    pub fn another_process(&self, wake: Wake) -> Result<Self> {
        let (read, write) = (self.read.clone(), self.write.clone());
        Ok(Self {
            name: self.name,
            ledger: ledger(&read, &write, wake)?,
            write,
            read,
            _folder: None,
        })
    }

    /// Enqueues in one transaction, as every business change does.
    pub async fn enqueue(&self, subjects: impl IntoIterator<Item = u64>) -> Result<()> {
        let jobs = subjects.into_iter().map(job).collect();
        let tx = self.ledger.begin().await?;
        Ok(self
            .ledger
            .commit(
                tx,
                Outbox {
                    jobs,
                    changes: Vec::new(),
                },
            )
            .await?)
    }

    pub async fn number(&self, sql: &str) -> Result<i64> {
        let statement = Statement::from_string(self.read.get_database_backend(), sql);
        Ok(self
            .read
            .query_one_raw(statement)
            .await?
            .context("no row")?
            .try_get_by_index(0)?)
    }

    pub async fn done(&self) -> Result<i64> {
        self.number("SELECT count(*) FROM jobs WHERE status = 'done'")
            .await
    }

    /// The one row's status and counters.
    pub async fn row(&self) -> Result<String> {
        let statement = Statement::from_string(
            self.read.get_database_backend(),
            "SELECT status || ', attempts ' || attempts || ', crashes ' || crashes FROM jobs",
        );
        Ok(self
            .read
            .query_one_raw(statement)
            .await?
            .context("no row")?
            .try_get_by_index(0)?)
    }

    pub fn work(&self, answers: &Answers) -> Working {
        let stop = CancellationToken::new();
        let runtime = Runtime::new(self.ledger.clone(), "measured").with(answers.clone());
        Working {
            ended: tokio::spawn(runtime.run(stop.clone())),
            stop,
        }
    }
}

fn ledger(read: &DatabaseConnection, write: &DatabaseConnection, wake: Wake) -> Result<Ledger> {
    let metrics = Metrics::register(&prometheus::Registry::new())?;
    Ok(Ledger::new(
        read.clone(),
        write.clone(),
        Clock::default(),
        wake,
        Live::default(),
        metrics,
    ))
}

pub fn job(number: u64) -> NewJob {
    NewJob::once(KIND, number.to_string(), &MerchantId::random([1; 16]))
}

/// The runtime at work.
pub struct Working {
    ended: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
}

impl Working {
    pub async fn stop(self) -> Result<()> {
        self.stop.cancel();
        Ok(tokio::time::timeout(Duration::from_secs(20), self.ended).await??)
    }
}

/// The handler: the same behaviours as the ready-made storages' one, in the ledger's words.
#[derive(Clone)]
pub struct Answers {
    behaviour: Behaviour,
    runs: Arc<AtomicU64>,
}

impl Answers {
    pub fn new(behaviour: Behaviour) -> Self {
        Self {
            behaviour,
            runs: Arc::default(),
        }
    }

    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }
}

impl Handler for Answers {
    const KIND: JobKind = KIND;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        let jobs: Vec<_> = batch.jobs().cloned().collect();
        self.runs
            .fetch_add(u64::try_from(jobs.len()).unwrap_or(0), Ordering::Relaxed);
        let answer = match self.behaviour {
            Behaviour::Succeed => Outcome::Done,
            Behaviour::RetryAfter => Outcome::Wait(LATER),
            Behaviour::Panic => panic!("on purpose"),
        };
        batch
            .finish(jobs.into_iter().map(|job| (job, answer.clone())).collect())
            .await
    }
}
