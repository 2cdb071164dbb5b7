CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    external_ref TEXT,
    name TEXT NOT NULL,
    phone TEXT,
    line_type TEXT NOT NULL,
    email TEXT,
    locale TEXT,
    time_zone TEXT,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX customers_external_ref ON customers (merchant_id, external_ref) WHERE external_ref IS NOT NULL;
CREATE INDEX customers_phone ON customers (merchant_id, phone);
CREATE INDEX customers_page ON customers (merchant_id, id);

CREATE TABLE consents (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    granted BOOLEAN NOT NULL,
    source TEXT NOT NULL,
    source_ref TEXT NOT NULL,
    evidence TEXT,
    given_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX consents_once ON consents (merchant_id, channel, recipient, source, source_ref);

-- sender '*' means every sender of the merchant; channel '*' means every way to reach the recipient, calls too.
CREATE TABLE opt_outs (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    recipient TEXT NOT NULL,
    channel TEXT NOT NULL,
    sender TEXT NOT NULL,
    source TEXT NOT NULL,
    source_ref TEXT,
    opted_out_at_ms BIGINT NOT NULL,
    lifted_at_ms BIGINT
);
CREATE UNIQUE INDEX opt_outs_standing ON opt_outs (merchant_id, recipient, channel, sender) WHERE lifted_at_ms IS NULL;
