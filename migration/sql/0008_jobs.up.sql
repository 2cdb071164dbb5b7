-- The ledger. due_at_ms is business time; lease_until_ms is the database's own.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    unique_key TEXT NOT NULL,
    merchant_id TEXT,
    lane TEXT NOT NULL,
    status TEXT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    crashes BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    lease_until_ms BIGINT,
    worker TEXT,
    last_error TEXT,
    enqueued_at_ms BIGINT NOT NULL,
    finished_at_ms BIGINT
);
CREATE UNIQUE INDEX jobs_once ON jobs (kind, unique_key);
CREATE INDEX jobs_due ON jobs (kind, due_at_ms, id) WHERE status = 'waiting';
-- A job whose lease expired once is claimed alone, so that it takes nobody with it.
CREATE INDEX jobs_suspect ON jobs (kind, due_at_ms) WHERE status = 'waiting' AND crashes > 0;
CREATE INDEX jobs_leased ON jobs (kind, lease_until_ms) WHERE status = 'leased';
CREATE INDEX jobs_dead ON jobs (id) WHERE status = 'dead';
CREATE INDEX jobs_finished ON jobs (finished_at_ms) WHERE status = 'done';
