//! SQLite with eight writers that read before they write: a pool of deferred transactions, a pool of immediate ones,
//! and one write connection that all share.

use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{AssertSqlSafe, SqlitePool};

use crate::stores::sqlite_options;

const WRITERS: usize = 8;
const EACH: usize = 100;

pub async fn measure() -> Result<()> {
    println!(
        "{WRITERS} tasks x {EACH} transactions that read a row and then write it; WAL, FULL, busy_timeout 10 s"
    );
    for (name, connections, begin) in [
        ("pool of 8, BEGIN (deferred)", 8, "BEGIN"),
        ("pool of 8, BEGIN IMMEDIATE", 8, "BEGIN IMMEDIATE"),
        ("one write connection, BEGIN IMMEDIATE", 1, "BEGIN IMMEDIATE"),
    ] {
        let folder = tempfile::tempdir()?;
        let options = SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(60));
        let pool = options.connect_with(sqlite_options(&folder)).await?;
        sqlx::raw_sql("CREATE TABLE counter (value BIGINT NOT NULL); INSERT INTO counter VALUES (0)")
            .execute(&pool)
            .await?;
        let begun = Instant::now();
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| tokio::spawn(write(pool.clone(), begin)))
            .collect();
        let (mut failed, mut longest) = (0, Duration::ZERO);
        for writer in writers {
            let (failures, wait) = writer.await?;
            failed += failures;
            longest = longest.max(wait);
        }
        let counted: i64 = sqlx::query_scalar("SELECT value FROM counter")
            .fetch_one(&pool)
            .await?;
        println!(
            "{name}: {failed} of {} failed, counter at {counted}, {:.1} s, longest single wait {} ms",
            WRITERS * EACH,
            begun.elapsed().as_secs_f64(),
            longest.as_millis(),
        );
    }
    Ok(())
}

/// Says how many transactions failed and how long the longest took.
async fn write(pool: SqlitePool, begin: &'static str) -> (usize, Duration) {
    let (mut failed, mut longest) = (0, Duration::ZERO);
    for _ in 0..EACH {
        let begun = Instant::now();
        if count_one(&pool, begin).await.is_err() {
            failed += 1;
        }
        longest = longest.max(begun.elapsed());
    }
    (failed, longest)
}

async fn count_one(pool: &SqlitePool, begin: &'static str) -> Result<()> {
    let mut tx = pool.begin_with(AssertSqlSafe(begin)).await?;
    let value: i64 = sqlx::query_scalar("SELECT value FROM counter")
        .fetch_one(&mut *tx)
        .await?;
    sqlx::query("UPDATE counter SET value = $1")
        .bind(value + 1)
        .execute(&mut *tx)
        .await?;
    Ok(tx.commit().await?)
}
