//! The database: is it there, is its shape ours, does it take writes, does it keep them, does its clock agree.

use std::path::Path;

use domain::keyring::Keyring;
use entities::{Db, store};
use sea_orm::DbErr;

use super::connections::skew;
use super::{Finding, connections};
use crate::config::Config;

const MEBIBYTE: u64 = 1 << 20;
const SPACE_LITTLE_BYTES: u64 = 2_048 * MEBIBYTE;
const SPACE_NONE_BYTES: u64 = 200 * MEBIBYTE;

/// Connects, and never makes a database that is not there.
pub(super) async fn open(url: &str) -> Result<Db, Finding> {
    const ADVICE: &str = "check POSTCALL_DATABASE_URL, and that the server runs and lets this host in";
    if let Some(file) = Db::file(url)
        && !file.exists()
    {
        let seen = format!("{} does not exist", file.display());
        let advice = "run `postcall migrate`, which makes it, or correct POSTCALL_DATABASE_URL";
        return Err(Finding::broken("database", seen, advice));
    }
    Db::connect(url).await.map_err(|error| Finding::broken("database", error.to_string(), ADVICE))
}

/// Also whether the tables are there.
pub(super) async fn examine(db: &Db, config: &Config) -> (Vec<Finding>, bool) {
    let asked = connections::now();
    let theirs = store::now_ms(&db.read).await;
    let answered = connections::now();
    let mut findings = match theirs {
        Err(error) => {
            let advice = "look at the database's own log";
            return (vec![Finding::broken("database", error.to_string(), advice)], false);
        }
        Ok(ms) => vec![
            Finding::fine("database", format!("answers in {} ms", answered - asked)),
            skew("database clock", ms, asked, answered, 0),
        ],
    };
    if let Some(file) = Db::file(&config.store.database_url) {
        findings.push(space(&file));
    }
    let (shape, has_tables) = shape(store::migrations(&db.read).await);
    findings.push(shape);
    if has_tables {
        findings.push(writes(store::try_write(db).await));
        findings.push(durable(store::lax_settings(&db.read).await));
        findings.extend(keys(db, config).await);
    }
    (findings, has_tables)
}

fn shape(applied: Result<Vec<String>, DbErr>) -> (Finding, bool) {
    const MIGRATE: &str = "run `postcall migrate` before the other processes of this release";
    let Ok(applied) = applied else {
        return (Finding::broken("schema", "there are no tables yet", MIGRATE), false);
    };
    let ours = migration::names();
    let missing: Vec<&str> = ours.iter().filter(|name| !applied.contains(name)).map(String::as_str).collect();
    if !missing.is_empty() {
        let seen = format!("these migrations have not run: {}", missing.join(", "));
        // With nothing applied there is nothing to look at.
        return (Finding::broken("schema", seen, MIGRATE), !applied.is_empty());
    }
    let newer: Vec<&str> = applied.iter().filter(|name| !ours.contains(name)).map(String::as_str).collect();
    if !newer.is_empty() {
        let seen = format!("it has migrations this release does not know: {}", newer.join(", "));
        let advice = "expected during a rolling upgrade; else run the newer release here too";
        return (Finding::warning("schema", seen, advice), true);
    }
    (Finding::fine("schema", format!("all {} migrations have run", ours.len())), true)
}

fn writes(tried: Result<(), DbErr>) -> Finding {
    match tried {
        Ok(()) => Finding::fine("writes", "accepted"),
        Err(error) => Finding::broken(
            "writes",
            error.to_string(),
            "is it a read-only replica, a full disk, or a user without rights?",
        ),
    }
}

fn durable(settings: Result<Vec<String>, DbErr>) -> Finding {
    const PROMISE: &str = "a 2xx promises that nothing is lost: switch these on";
    match settings {
        Ok(lax) if lax.is_empty() => Finding::fine("durability", "a commit is on disk when it is answered"),
        Ok(lax) => Finding::broken("durability", format!("off at the server: {}", lax.join(", ")), PROMISE),
        Err(error) => Finding::warning("durability", error.to_string(), PROMISE),
    }
}

/// A link whose key is gone can be opened, and cannot be said again: no retry, no fallback.
async fn keys(db: &Db, config: &Config) -> Option<Finding> {
    let ring = Keyring::parse(config.store.keys.as_deref()?).ok()?;
    let used = match store::living_key_ids(&db.read).await {
        Ok(used) => used,
        Err(error) => {
            return Some(Finding::broken("link keys", error.to_string(), "look at the database's log"));
        }
    };
    let missing: Vec<&str> = used.iter().filter(|id| !ring.holds(id)).map(String::as_str).collect();
    if missing.is_empty() {
        return Some(Finding::fine("link keys", "every living link's key is on the ring"));
    }
    Some(Finding::broken(
        "link keys",
        format!("living links were made with keys that POSTCALL_KEYS lacks: {}", missing.join(", ")),
        "append the former keys to POSTCALL_KEYS until their links have expired",
    ))
}

fn space(file: &Path) -> Finding {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(folder) {
        Ok(disk) => judged(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => Finding::warning("disk space", error.to_string(), "look at the file's folder"),
    }
}

fn judged(free_bytes: u64) -> Finding {
    const ADVICE: &str = "make room: a full disk stops every write, and events are then refused";
    let seen = format!("{} MiB are free beside the database file", free_bytes / MEBIBYTE);
    if free_bytes < SPACE_NONE_BYTES {
        return Finding::broken("disk space", seen, ADVICE);
    }
    if free_bytes < SPACE_LITTLE_BYTES {
        return Finding::warning("disk space", seen, ADVICE);
    }
    Finding::fine("disk space", seen)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn little_room_is_a_warning_and_hardly_any_is_broken() {
        let verdicts = [3_000, 1_000, 100].map(|mebibytes| judged(mebibytes * MEBIBYTE).verdict);
        assert_eq!(verdicts, [Verdict::Fine, Verdict::Warning, Verdict::Broken]);
    }
}
