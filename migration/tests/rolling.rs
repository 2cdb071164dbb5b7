//! Releases replace each other while both run: what the previous one says must still be answered, a release may meet a
//! schema that is newer than itself, and no migration takes away what may still be asked for.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and reads its own environment"
)]

use std::path::PathBuf;

use migration::{Migrate, Migrator};
use sea_orm_migration::sea_orm::sqlx::{self, Executor, SqlSafeStr};
use sea_orm_migration::sea_orm::{ConnectionTrait, Database};

/// Migrations up to here were made before there was anything to be compatible with.
const FIRST_RELEASE: u32 = 8;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn number(name: &str) -> u32 {
    name.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

fn files(of: &str, ending: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder(of))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(ending))
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// What the releases said that may still run: their statements, made for older shapes.
fn recorded(store: &str) -> Vec<(String, String)> {
    let last = number(Migrator::migrations().last().unwrap().name());
    let files = files("recorded", &format!(".{store}.jsonl"));
    assert!(
        files.iter().any(|(name, _)| number(name) < last),
        "no statements of a previous shape are recorded"
    );
    files
        .into_iter()
        .flat_map(|(name, text)| {
            let statements: Vec<String> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert!(statements.len() > 50, "{name} is not the record of a whole product");
            statements.into_iter().map(move |statement| (name.clone(), statement))
        })
        .collect()
}

#[tokio::test]
async fn sqlite_answers_the_statements_of_the_previous_release() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", dir.path().join("rolling.db").display());
    migration::bring_up_to_date(&Database::connect(&url).await.unwrap()).await.unwrap();
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    for (file, statement) in recorded("sqlite") {
        let prepared = (&pool).prepare(sqlx::AssertSqlSafe(statement.clone()).into_sql_str()).await;
        assert!(prepared.is_ok(), "{file}: {statement}\n{:?}", prepared.err());
    }
}

#[tokio::test]
async fn postgres_answers_the_statements_of_the_previous_release() {
    let Ok(server) = std::env::var("POSTCALL_TEST_POSTGRES_URL") else {
        return;
    };
    let url = fresh(&server, "rolling").await;
    migration::bring_up_to_date(&Database::connect(&url).await.unwrap()).await.unwrap();
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    for (file, statement) in recorded("postgres") {
        let prepared = (&pool).prepare(sqlx::AssertSqlSafe(statement.clone()).into_sql_str()).await;
        assert!(prepared.is_ok(), "{file}: {statement}\n{:?}", prepared.err());
    }
}

async fn fresh(server: &str, name: &str) -> String {
    let name = format!("{name}_{}", std::process::id());
    let admin = Database::connect(server).await.unwrap();
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    format!("{}/{name}", server.rsplit_once('/').unwrap().0)
}

#[tokio::test]
async fn a_release_starts_on_a_schema_that_is_newer_than_itself_and_not_on_a_stranger() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    migration::bring_up_to_date(&db).await.unwrap();
    db.execute_unprepared("INSERT INTO seaql_migrations (version, applied_at) VALUES ('9999_later', 0)")
        .await
        .unwrap();
    migration::bring_up_to_date(&db).await.unwrap();
    db.execute_unprepared("DELETE FROM seaql_migrations WHERE version LIKE '0002%'").await.unwrap();
    let refused = migration::bring_up_to_date(&db).await.unwrap_err().to_string();
    assert!(refused.contains("another line of releases"), "{refused}");
}

/// What a running older release could not live with. `-- contract:` and the release that stopped asking for it, on the
/// first line, lets a migration take away.
fn takes_away(text: &str) -> Option<&'static str> {
    const FORBIDDEN: [&str; 9] = [
        "DROP TABLE",
        "DROP COLUMN",
        "RENAME ",
        "ALTER COLUMN",
        "ADD CONSTRAINT",
        "ADD CHECK",
        "ADD UNIQUE",
        "ADD PRIMARY KEY",
        "ADD FOREIGN KEY",
    ];
    if text.starts_with("-- contract: ") {
        return None;
    }
    let code: String = text
        .lines()
        .map(|line| line.split("--").next().unwrap_or(""))
        .collect::<Vec<_>>()
        .join(" ")
        .to_uppercase()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    for statement in code.split(';').map(str::trim) {
        if let Some(found) = FORBIDDEN.iter().find(|words| statement.contains(**words)) {
            return Some(found);
        }
        let added = statement.starts_with("ALTER TABLE") && statement.contains(" ADD ");
        if added && statement.contains("NOT NULL") && !statement.contains("DEFAULT") {
            return Some("a column that must be filled and has no default");
        }
        let Some(unique) = statement.strip_prefix("CREATE UNIQUE INDEX ") else {
            continue;
        };
        let table = unique.split(" ON ").nth(1).and_then(|rest| rest.split([' ', '(']).next()).unwrap_or("");
        if !code.contains(&format!("CREATE TABLE {table} ")) {
            return Some("a unique index on a table that others write already");
        }
    }
    None
}

#[test]
fn migrations_only_add_unless_they_say_what_they_take_away() {
    for (name, text) in files("sql", ".up.sql") {
        if number(&name) > FIRST_RELEASE {
            assert_eq!(takes_away(&text), None, "{name}: docs/upgrades.md says how to do it in two releases");
        }
    }
}

#[test]
fn what_an_older_release_could_not_live_with_is_seen() {
    for bad in [
        "ALTER TABLE jobs DROP COLUMN lane;",
        "alter table jobs rename column lane to road;",
        "ALTER TABLE jobs ADD COLUMN road TEXT NOT NULL;",
        "ALTER TABLE jobs\n    ALTER COLUMN lane SET NOT NULL;",
        "DROP TABLE jobs;",
        "CREATE UNIQUE INDEX one ON jobs (subject);",
    ] {
        assert!(takes_away(bad).is_some(), "{bad}");
    }
    for good in [
        "ALTER TABLE jobs ADD COLUMN road TEXT;",
        "ALTER TABLE jobs ADD COLUMN road TEXT NOT NULL DEFAULT 'left';",
        "CREATE TABLE roads (id TEXT PRIMARY KEY); CREATE UNIQUE INDEX roads_one ON roads (id);",
        "-- DROP TABLE is for later\nCREATE INDEX jobs_road ON jobs (lane);",
        "-- contract: 0.3 does not ask for it\nALTER TABLE jobs DROP COLUMN lane;",
    ] {
        assert_eq!(takes_away(good), None, "{good}");
    }
}
