//! The statements, in both dialects. `{now}` is the database's clock in milliseconds; business time is `{now} + offset`.

use sea_orm::DatabaseBackend;

/// The database's clock in whole milliseconds, at the start of the statement: a moment that stands still can be looked
/// up in an index.
fn now(backend: DatabaseBackend) -> &'static str {
    if backend == DatabaseBackend::Postgres {
        return "(EXTRACT(EPOCH FROM statement_timestamp()) * 1000)::bigint";
    }
    "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
}

fn skip_locked(backend: DatabaseBackend) -> &'static str {
    if backend == DatabaseBackend::Postgres { "FOR UPDATE SKIP LOCKED" } else { "" }
}

/// Leased, said so that no index on leased rows offers itself: rows are found by their ids, and the planner, which may
/// last have looked when nothing was leased, must not believe that going through all leased ones is as good.
const LEASED: &str = "(jobs.status = 'leased') IS TRUE";

/// `$1`, a JSON array of objects, as a table.
fn rows(backend: DatabaseBackend, columns: &[(&str, &str)]) -> String {
    if backend == DatabaseBackend::Postgres {
        let typed: Vec<String> = columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
        return format!("jsonb_to_recordset($1::jsonb) AS r({})", typed.join(", "));
    }
    let picked: Vec<String> = columns.iter().map(|(name, _)| format!("value->>'{name}' AS {name}")).collect();
    format!("(SELECT {} FROM json_each($1)) AS r", picked.join(", "))
}

/// `$1` rows, `$2` business offset. `WHERE true` keeps SQLite from reading `ON CONFLICT` as a join condition.
pub(super) fn enqueue(backend: DatabaseBackend) -> String {
    let columns = [
        ("id", "text"),
        ("kind", "text"),
        ("subject", "text"),
        ("unique_key", "text"),
        ("merchant_id", "text"),
        ("lane", "text"),
        ("delay_ms", "bigint"),
    ];
    format!(
        "INSERT INTO jobs (id, kind, subject, unique_key, merchant_id, lane, status, due_at_ms, attempts, crashes, fence, enqueued_at_ms) \
         SELECT r.id, r.kind, r.subject, r.unique_key, r.merchant_id, r.lane, 'waiting', {now} + $2 + r.delay_ms, 0, 0, 0, {now} + $2 \
         FROM {rows} WHERE true ON CONFLICT (kind, unique_key) DO NOTHING",
        now = now(backend),
        rows = rows(backend, &columns),
    )
}

/// `$1` kind, `$2` business offset, `$3` lease, `$4` worker, `$5` limit.
pub(super) fn claim(backend: DatabaseBackend) -> String {
    format!(
        "UPDATE jobs SET status = 'leased', fence = fence + 1, lease_until_ms = {now} + $3, worker = $4 \
         WHERE id IN (SELECT id FROM jobs WHERE kind = $1 AND status = 'waiting' AND due_at_ms <= {now} + $2 AND crashes = 0 \
         ORDER BY due_at_ms, id LIMIT $5 {skip_locked}) RETURNING id, subject, attempts, crashes, fence",
        now = now(backend),
        skip_locked = skip_locked(backend),
    )
}

/// `$1` kind, `$2` business offset, `$3` lease, `$4` worker. A lease that expired is a crash; a row that waits after
/// one is claimed alone as well, and that is no further crash.
pub(super) fn claim_suspect(backend: DatabaseBackend) -> String {
    format!(
        "UPDATE jobs SET crashes = crashes + CASE WHEN status = 'leased' THEN 1 ELSE 0 END, \
         status = 'leased', fence = fence + 1, lease_until_ms = {now} + $3, worker = $4 \
         WHERE id = (SELECT id FROM jobs WHERE kind = $1 AND ((status = 'leased' AND lease_until_ms < {now}) \
         OR (status = 'waiting' AND crashes > 0 AND due_at_ms <= {now} + $2)) ORDER BY due_at_ms, id LIMIT 1 {skip_locked}) \
         RETURNING id, subject, attempts, crashes, fence",
        now = now(backend),
        skip_locked = skip_locked(backend),
    )
}

/// `$1` rows, `$2` lease.
pub(super) fn renew(backend: DatabaseBackend) -> String {
    format!(
        "UPDATE jobs SET lease_until_ms = {now} + $2 FROM {rows} \
         WHERE jobs.id = r.id AND jobs.fence = r.fence AND {LEASED} RETURNING jobs.id AS id",
        now = now(backend),
        rows = rows(backend, &[("id", "text"), ("fence", "bigint")]),
    )
}

/// `$1` rows.
pub(super) fn release(backend: DatabaseBackend) -> String {
    format!(
        "UPDATE jobs SET status = 'waiting', lease_until_ms = NULL, worker = NULL FROM {rows} \
         WHERE jobs.id = r.id AND jobs.fence = r.fence AND {LEASED}",
        rows = rows(backend, &[("id", "text"), ("fence", "bigint")]),
    )
}

/// `$1` rows, `$2` business offset. Only who holds the fence may answer.
pub(super) fn settle(backend: DatabaseBackend) -> String {
    let columns = [
        ("id", "text"),
        ("fence", "bigint"),
        ("status", "text"),
        ("wait_ms", "bigint"),
        ("failed", "bigint"),
        ("error", "text"),
    ];
    format!(
        "UPDATE jobs SET status = r.status, attempts = attempts + r.failed, \
         due_at_ms = CASE WHEN r.status = 'waiting' THEN {now} + $2 + r.wait_ms ELSE due_at_ms END, \
         finished_at_ms = CASE WHEN r.status = 'waiting' THEN NULL ELSE {now} + $2 END, \
         last_error = COALESCE(r.error, last_error), lease_until_ms = NULL, worker = NULL FROM {rows} \
         WHERE jobs.id = r.id AND jobs.fence = r.fence AND {LEASED} RETURNING jobs.id AS id",
        now = now(backend),
        rows = rows(backend, &columns),
    )
}

/// `$1` milliseconds that have passed since a lease ended.
pub(crate) fn expired_leases(backend: DatabaseBackend) -> String {
    format!(
        "SELECT count(*) AS jobs FROM jobs WHERE status = 'leased' AND lease_until_ms < {now} - $1",
        now = now(backend)
    )
}

/// `$1` kinds as rows, `$2` business offset. Asks for the first in each index: whether there is any could be answered by
/// going through the table.
pub(super) fn due_kinds(backend: DatabaseBackend) -> String {
    format!(
        "SELECT r.kind AS kind FROM {rows} \
         WHERE (SELECT jobs.due_at_ms FROM jobs WHERE jobs.kind = r.kind AND jobs.status = 'waiting' \
         ORDER BY jobs.due_at_ms LIMIT 1) <= {now} + $2 \
         OR (SELECT jobs.lease_until_ms FROM jobs WHERE jobs.kind = r.kind AND jobs.status = 'leased' \
         ORDER BY jobs.lease_until_ms LIMIT 1) < {now}",
        now = now(backend),
        rows = rows(backend, &[("kind", "text")]),
    )
}

/// `$1` kinds as rows. One row per kind.
pub(super) fn pulse(backend: DatabaseBackend) -> String {
    format!(
        "SELECT r.kind AS kind, \
         (SELECT min(due_at_ms) FROM jobs WHERE jobs.kind = r.kind AND jobs.status = 'waiting') AS waiting, \
         (SELECT min(due_at_ms) FROM jobs WHERE jobs.kind = r.kind AND jobs.status = 'leased' \
         AND jobs.lease_until_ms < {now}) AS orphaned, {now} AS now_ms FROM {rows}",
        now = now(backend),
        rows = rows(backend, &[("kind", "text")]),
    )
}

/// `$1` business offset. A part per partial index: one `status IN (…)` over all of them would read the whole table.
pub(super) fn depth(backend: DatabaseBackend) -> String {
    format!(
        "SELECT kind, CASE WHEN due_at_ms <= {now} + $1 THEN 'due' ELSE 'scheduled' END AS standing, count(*) AS jobs \
         FROM jobs WHERE status = 'waiting' GROUP BY 1, 2 \
         UNION ALL SELECT kind, CASE WHEN lease_until_ms < {now} THEN 'orphaned' ELSE 'leased' END, count(*) \
         FROM jobs WHERE status = 'leased' GROUP BY 1, 2 \
         UNION ALL SELECT kind, 'dead', count(*) FROM jobs WHERE status = 'dead' GROUP BY 1",
        now = now(backend),
    )
}
