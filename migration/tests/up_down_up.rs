//! Every migration goes up, down and up again, on SQLite always and on PostgreSQL when `POSTCALL_TEST_POSTGRES_URL` names
//! one; the shape afterwards is the shape before.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and reads its own environment"
)]

use migration::{Migrate, Migrator};
use sea_orm_migration::sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};

async fn shape(db: &DatabaseConnection, query: &str) -> Vec<String> {
    let statement = Statement::from_string(db.get_database_backend(), query);
    db.query_all_raw(statement).await.unwrap().iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn there_and_back(db: DatabaseConnection, query: &str) {
    Migrator::up(&db, None).await.unwrap();
    let before = shape(&db, query).await;
    assert!(before.iter().any(|line| line.contains("jobs_once")), "{before:?}");
    let steps = u32::try_from(Migrator::migrations().len()).unwrap();
    for down in 1..=steps {
        Migrator::down(&db, Some(down)).await.unwrap();
        Migrator::up(&db, None).await.unwrap();
        assert_eq!(shape(&db, query).await, before, "after {down} steps down and up again");
    }
    Migrator::down(&db, None).await.unwrap();
    let left = shape(&db, query).await;
    assert!(left.iter().all(|line| line.contains("seaql_migrations")), "going down leaves {left:?}");
}

#[tokio::test]
async fn the_shape_survives_down_and_up_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("shape.db").display());
    let query =
        "SELECT COALESCE(sql, name) FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name";
    there_and_back(Database::connect(url).await.unwrap(), query).await;
}

#[tokio::test]
async fn the_shape_survives_down_and_up_on_postgres() {
    let Ok(server) = std::env::var("POSTCALL_TEST_POSTGRES_URL") else {
        return;
    };
    let name = format!("shape_{}", std::process::id());
    let admin = Database::connect(&server).await.unwrap();
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    let query = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
         UNION ALL SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns \
         WHERE table_schema = 'public' ORDER BY 1";
    there_and_back(Database::connect(format!("{base}/{name}")).await.unwrap(), query).await;
}
