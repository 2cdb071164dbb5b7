//! PostgreSQL: reached directly, or through PgBouncer in transaction mode when the address says `?pgbouncer=true`.
//!
//! Behind such a pooler a server connection is ours from `BEGIN` to `COMMIT` only. What we prepare outside of a transaction
//! may be asked for on another connection, so everything runs in a transaction: readers begin one when they take a
//! connection and end it when they give it back, writers always had one. Settings of a session cannot be had either: the
//! limits must stand with the role or the database.

use std::str::FromStr;

use sea_orm::{DatabaseConnection, SqlxPostgresConnector};
use sqlx::Connection as _;
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};

use super::{ACQUIRE_TIMEOUT, ConnectError, TESTED_AFTER};

const CONNECTIONS_MAX: u32 = 16;
const STATEMENTS_KEPT: usize = 256;

/// Nobody waits for ever: a process frozen inside a transaction must not hold its locks against all the others.
const LIMITS: [(&str, &str); 3] =
    [("idle_in_transaction_session_timeout", "15s"), ("lock_timeout", "10s"), ("statement_timeout", "60s")];

/// How the pools reach the server.
pub(super) struct Ways {
    pub(super) read: DatabaseConnection,
    pub(super) write: DatabaseConnection,
    pub(super) through_pooler: bool,
}

pub(super) async fn connect(url: &str) -> Result<Ways, ConnectError> {
    let (url, through_pooler) = without_our_parameter(url);
    let options = PgConnectOptions::from_str(&url).map_err(ConnectError::Unreadable)?;
    if through_pooler { through_a_pooler(options).await } else { directly(options).await }
}

/// The address as PostgreSQL's other clients write it, and whether it says `pgbouncer=true`.
fn without_our_parameter(url: &str) -> (String, bool) {
    let Some((address, query)) = url.split_once('?') else {
        return (url.to_owned(), false);
    };
    let (ours, theirs): (Vec<&str>, Vec<&str>) =
        query.split('&').partition(|parameter| parameter.starts_with("pgbouncer="));
    let through_pooler = ours.contains(&"pgbouncer=true");
    if theirs.is_empty() {
        return (address.to_owned(), through_pooler);
    }
    (format!("{address}?{}", theirs.join("&")), through_pooler)
}

fn pool() -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
}

async fn directly(options: PgConnectOptions) -> Result<Ways, ConnectError> {
    let options = options.statement_cache_capacity(STATEMENTS_KEPT).options(LIMITS);
    let pool = pool()
        .before_acquire(|connection, rested| Box::pin(lives(connection, rested)))
        .connect_with(options)
        .await
        .map_err(ConnectError::Unreachable)?;
    let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    Ok(Ways { read: connection.clone(), write: connection, through_pooler: false })
}

async fn through_a_pooler(options: PgConnectOptions) -> Result<Ways, ConnectError> {
    // No start-up parameter that PgBouncer does not know, and nothing prepared that is expected to be there later.
    let options = options.statement_cache_capacity(0).extra_float_digits(None);
    let read = pool()
        .after_connect(|connection, _| Box::pin(begin_reading(connection)))
        .before_acquire(|connection, _| Box::pin(async { Ok(begin_reading(connection).await.is_ok()) }))
        .after_release(|connection, _| Box::pin(async { Ok(end_reading(connection).await.is_ok()) }))
        .connect_with(options.clone())
        .await
        .map_err(ConnectError::Unreachable)?;
    limits_stand(&read, options.get_username()).await?;
    let write = pool()
        .before_acquire(|connection, rested| Box::pin(lives(connection, rested)))
        .connect_with(options)
        .await
        .map_err(ConnectError::Unreachable)?;
    let (read, write) = (
        SqlxPostgresConnector::from_sqlx_postgres_pool(read),
        SqlxPostgresConnector::from_sqlx_postgres_pool(write),
    );
    Ok(Ways { read, write, through_pooler: true })
}

async fn begin_reading(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("BEGIN READ ONLY").execute(connection).await.map(drop)
}

async fn end_reading(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("ROLLBACK").execute(connection).await.map(drop)
}

/// A pooler hands no settings on, so they must be there already.
async fn limits_stand(pool: &PgPool, user: &str) -> Result<(), ConnectError> {
    for (name, wanted) in LIMITS {
        let asked = sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(pool).await;
        let set: String = asked.map_err(ConnectError::Unreachable)?;
        if set == "0" {
            let advice = format!("ALTER ROLE {user} SET {name} = '{wanted}'");
            return Err(ConnectError::NoLimit { name, advice });
        }
    }
    Ok(())
}

/// Asks a connection that rested for a while whether it lives: after a restart of the server the pool is full of dead
/// ones. Under load they do not rest, and the first error drops them.
async fn lives(connection: &mut PgConnection, rested: PoolConnectionMetadata) -> Result<bool, sqlx::Error> {
    if rested.idle_for < TESTED_AFTER {
        return Ok(true);
    }
    Ok(tokio::time::timeout(ACQUIRE_TIMEOUT / 2, connection.ping()).await.is_ok_and(|lives| lives.is_ok()))
}

#[cfg(test)]
mod tests {
    use super::without_our_parameter;

    #[test]
    fn our_parameter_is_taken_out_and_the_others_stay() {
        let read = |url: &str| without_our_parameter(url);
        assert_eq!(read("postgres://h/d"), ("postgres://h/d".to_owned(), false));
        assert_eq!(read("postgres://h/d?pgbouncer=true"), ("postgres://h/d".to_owned(), true));
        assert_eq!(
            read("postgres://h/d?sslmode=require&pgbouncer=true&application_name=x"),
            ("postgres://h/d?sslmode=require&application_name=x".to_owned(), true)
        );
        assert_eq!(read("postgres://h/d?pgbouncer=false"), ("postgres://h/d".to_owned(), false));
    }
}
