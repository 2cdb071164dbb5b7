CREATE TABLE merchants (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    locale TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    country TEXT NOT NULL,
    support_email TEXT,
    support_phone TEXT,
    accent_hex TEXT,
    logo_url TEXT,
    stripe_account TEXT,
    sms_sender TEXT,
    sms_countries TEXT NOT NULL,
    email_sender TEXT,
    fee_basis_points BIGINT NOT NULL,
    fee_fixed_minor BIGINT NOT NULL,
    fee_min_minor BIGINT NOT NULL,
    fee_max_minor BIGINT,
    dialer_url TEXT,
    secret_generation BIGINT NOT NULL,
    renewal_allowed BOOLEAN NOT NULL,
    payable_on_hold BOOLEAN NOT NULL,
    asked_exempt_from_hours BOOLEAN NOT NULL,
    texts_per_day_max BIGINT NOT NULL,
    texts_per_number_per_day_max BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT,
    revoked_at_ms BIGINT
);
CREATE INDEX api_keys_of_merchant ON api_keys (merchant_id);

CREATE TABLE idempotency_keys (
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, idempotency_key)
);
