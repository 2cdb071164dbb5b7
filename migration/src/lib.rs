//! How the store got its shape: one migration per change, up and down, the same SQL on SQLite and PostgreSQL.
//!
//! This crate must never be edited backwards: a migration that was released stays as it is, the next one mends it.

use sea_orm_migration::prelude::{
    ConnectionTrait, DbErr, MigrationName, MigrationTrait, MigratorTrait, SchemaManager,
};
use sea_orm_migration::sea_orm::{
    DatabaseBackend, DatabaseConnection, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait,
};

/// One change of shape: two SQL texts that run unchanged on both stores.
struct Step {
    name: &'static str,
    up: &'static str,
    down: &'static str,
}

macro_rules! step {
    ($name:literal) => {
        Step {
            name: $name,
            up: include_str!(concat!("../sql/", $name, ".up.sql")),
            down: include_str!(concat!("../sql/", $name, ".down.sql")),
        }
    };
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.up).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.down).await.map(drop)
    }
}

/// A change of what only PostgreSQL has: how full it fills its pages.
struct OnPostgres(Step);

impl MigrationName for OnPostgres {
    fn name(&self) -> &str {
        self.0.name()
    }
}

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for OnPostgres {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DatabaseBackend::Postgres {
            return Ok(());
        }
        self.0.up(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DatabaseBackend::Postgres {
            return Ok(());
        }
        self.0.down(manager).await
    }
}

/// Every migration, oldest first.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(step!("0001_merchants")),
            Box::new(step!("0002_customers")),
            Box::new(step!("0003_invoices")),
            Box::new(step!("0004_call_events")),
            Box::new(step!("0005_links")),
            Box::new(step!("0006_payments")),
            Box::new(step!("0007_timeline")),
            Box::new(step!("0008_jobs")),
            Box::new(step!("0009_limits_of_merchants")),
            Box::new(OnPostgres(step!("0010_room_to_update"))),
            Box::new(step!("0011_retention")),
            Box::new(step!("0012_open_work")),
        ]
    }
}

/// The name of every migration, oldest first.
#[must_use]
pub fn names() -> Vec<String> {
    Migrator::migrations().iter().map(|step| step.name().to_owned()).collect()
}

/// Brings the schema up to date, however many processes begin at once: in one transaction that only one of them has at a
/// time. A schema that is newer than this release is left as it is, because releases that replace each other share it.
///
/// # Errors
/// Whatever the store says; a schema that lacks a step of ours and has one we do not know.
pub async fn bring_up_to_date(db: &DatabaseConnection) -> Result<(), DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let tx = db.begin_with_options(options).await?;
    if tx.get_database_backend() == DatabaseBackend::Postgres {
        tx.execute_unprepared(ONE_AT_A_TIME).await?;
    }
    Migrator::install(&tx).await?;
    let text = "SELECT version FROM seaql_migrations";
    let rows = tx.query_all_raw(Statement::from_string(tx.get_database_backend(), text)).await?;
    let applied: Vec<String> = rows.iter().map(|row| row.try_get("", "version")).collect::<Result<_, _>>()?;
    let ours = Migrator::migrations();
    let lacks_ours = ours.iter().any(|step| applied.iter().all(|name| name != step.name()));
    let has_others = applied.iter().any(|name| ours.iter().all(|step| step.name() != name));
    match (lacks_ours, has_others) {
        (true, true) => {
            return Err(DbErr::Migration("the schema is of another line of releases".to_owned()));
        }
        (true, false) => Migrator::up(&tx, None).await?,
        (false, true | false) => {}
    }
    tx.commit().await
}

/// Waits for whoever migrates, for as long as it takes, and lets go with the transaction: a lock of a session would not
/// survive a pooler.
const ONE_AT_A_TIME: &str = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; \
     SET LOCAL idle_in_transaction_session_timeout = 0; SELECT pg_advisory_xact_lock(7306935483420012076)";

pub use sea_orm_migration::MigratorTrait as Migrate;
