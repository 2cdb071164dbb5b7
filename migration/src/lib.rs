//! How the store got its shape: one migration per change, up and down, the same SQL on SQLite and PostgreSQL.
//!
//! This crate must never be edited backwards: a migration that was released stays as it is, the next one mends it.

use sea_orm_migration::prelude::{
    ConnectionTrait, DbErr, MigrationName, MigrationTrait, MigratorTrait, SchemaManager,
};
use sea_orm_migration::sea_orm::DatabaseBackend;

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
        ]
    }
}

/// The name of every migration, oldest first.
#[must_use]
pub fn names() -> Vec<String> {
    Migrator::migrations().iter().map(|step| step.name().to_owned()).collect()
}

pub use sea_orm_migration::MigratorTrait as Migrate;
