-- wish_key: what asked for this link (one call makes at most one link per invoice).
CREATE TABLE links (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL,
    invoice_id TEXT NOT NULL,
    chain_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    cause TEXT NOT NULL,
    wish_key TEXT NOT NULL,
    event_id TEXT,
    wanted_channel TEXT,
    token_hash TEXT NOT NULL,
    key_id TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    sent_at_ms BIGINT,
    expires_at_ms BIGINT,
    ended_at_ms BIGINT,
    renewed_at_ms BIGINT
);
CREATE UNIQUE INDEX links_token ON links (token_hash);
CREATE UNIQUE INDEX links_wish ON links (invoice_id, wish_key);
-- A link lives until it has ended. No index knows its status, so that "sent" is written without touching one.
CREATE UNIQUE INDEX links_live ON links (invoice_id) WHERE ended_at_ms IS NULL;
CREATE INDEX links_expiry ON links (created_at_ms) WHERE ended_at_ms IS NULL;
CREATE INDEX links_of_invoice ON links (invoice_id, created_at_ms);

CREATE TABLE link_opens (
    id TEXT PRIMARY KEY,
    link_id TEXT NOT NULL REFERENCES links (id),
    invoice_id TEXT NOT NULL REFERENCES invoices (id),
    opened_at_ms BIGINT NOT NULL
);
CREATE INDEX link_opens_of_link ON link_opens (link_id, opened_at_ms);

-- One row per thing we mean to say to somebody on one channel; the send ledger.
CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL,
    invoice_id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    purpose_ref TEXT NOT NULL,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    sender TEXT NOT NULL,
    locale TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    asked_at_ms BIGINT,
    segments BIGINT,
    created_at_ms BIGINT NOT NULL,
    accepted_at_ms BIGINT,
    delivered_at_ms BIGINT,
    ended_at_ms BIGINT
);
CREATE UNIQUE INDEX messages_once ON messages (purpose, purpose_ref, channel);
CREATE INDEX messages_of_invoice ON messages (invoice_id);
CREATE INDEX messages_caps ON messages (merchant_id, channel, recipient, created_at_ms);
CREATE INDEX messages_of_day ON messages (merchant_id, channel, created_at_ms);

-- Written before a provider is called; its outcome after. A row left in 'sending' past its deadline is unknown.
CREATE TABLE send_attempts (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL,
    message_id TEXT NOT NULL REFERENCES messages (id),
    ordinal BIGINT NOT NULL,
    status TEXT NOT NULL,
    fence BIGINT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    deadline_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    lookups BIGINT NOT NULL,
    provider_id TEXT,
    code BIGINT,
    reason TEXT,
    delivery_status TEXT,
    delivery_code BIGINT
);
CREATE UNIQUE INDEX send_attempts_ordinal ON send_attempts (message_id, ordinal);
CREATE INDEX send_attempts_open ON send_attempts (status, deadline_at_ms) WHERE status IN ('sending', 'unknown');

CREATE TABLE carrier_callbacks (
    id TEXT PRIMARY KEY,
    attempt_id TEXT NOT NULL REFERENCES send_attempts (id),
    provider_id TEXT NOT NULL,
    status TEXT NOT NULL,
    code BIGINT,
    received_at_ms BIGINT NOT NULL
);

CREATE INDEX carrier_callbacks_of_attempt ON carrier_callbacks (attempt_id);

CREATE TABLE inbound_texts (
    provider_id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    body TEXT NOT NULL,
    meaning TEXT NOT NULL,
    received_at_ms BIGINT NOT NULL
);
