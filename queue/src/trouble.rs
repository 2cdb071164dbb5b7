//! Trouble that passes by itself: the store was restarted, was busy, or picked us out of a deadlock. The same transaction
//! may succeed a moment later, so it is tried again while the lease holds, and nobody's attempts are counted.

use std::time::Duration;

use sea_orm::sqlx;
use sea_orm::{DbErr, RuntimeErr, SqlxSqliteError};

const PAUSE_FIRST: Duration = Duration::from_millis(25);
const PAUSE_CAP: Duration = Duration::from_secs(1);

/// PostgreSQL's classes of conditions that pass, by the first characters of their SQLSTATE: connections (08), read-only
/// standbys (25006) and idle transactions cut off (25P03), serialization failures and deadlocks (40), resources that ran
/// out (53), locks not had in time (55P03), shutdowns, restarts and statements cut off (57).
const POSTGRES_PASSING: [&str; 7] = ["08", "25006", "25P03", "40", "53", "55P03", "57"];
/// SQLite's: busy, locked, trouble of the disk, disk full, a race for the write-ahead log.
const SQLITE_PASSING: [i32; 5] = [5, 6, 10, 13, 15];

/// Whether the same transaction may succeed a moment later.
#[must_use]
pub fn passes(error: &DbErr) -> bool {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        return true;
    }
    let (DbErr::Conn(inner) | DbErr::Exec(inner) | DbErr::Query(inner)) = error else {
        return false;
    };
    let RuntimeErr::SqlxError(inner) = inner else {
        return false;
    };
    if let sqlx::Error::Database(said) = inner.as_ref() {
        let code = said.code().unwrap_or_default();
        if said.try_downcast_ref::<SqlxSqliteError>().is_some() {
            // The low byte of an extended code is its class.
            return code.parse().is_ok_and(|code: i32| SQLITE_PASSING.contains(&(code & 0xff)));
        }
        return POSTGRES_PASSING.iter().any(|class| code.starts_with(class));
    }
    matches!(
        inner.as_ref(),
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::WorkerCrashed
    )
}

/// The pause after so many troubles in a row: doubled each time, its upper half by chance.
pub(crate) fn pause(troubles: u32) -> Duration {
    let step = PAUSE_FIRST.saturating_mul(1 << troubles.min(10)).min(PAUSE_CAP);
    step / 2 + (step / 2).mul_f64(rand::random::<f64>())
}
