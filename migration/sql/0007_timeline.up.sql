-- Append-only: what happened to an invoice, in the order it was recorded.
CREATE TABLE timeline (
    id TEXT NOT NULL,
    merchant_id TEXT NOT NULL,
    invoice_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    detail TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX timeline_of_invoice ON timeline (invoice_id, id);

CREATE TABLE attention_items (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    kind TEXT NOT NULL,
    invoice_id TEXT REFERENCES invoices (id),
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    opened_at_ms BIGINT NOT NULL,
    closed_at_ms BIGINT
);
CREATE UNIQUE INDEX attention_open ON attention_items (kind, subject) WHERE closed_at_ms IS NULL;
CREATE INDEX attention_page ON attention_items (merchant_id, id) WHERE closed_at_ms IS NULL;
