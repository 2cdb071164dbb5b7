-- The tables of the send path name merchant and invoice without a foreign key: neither is ever deleted, every row is
-- written with its invoice locked, and each key looked up once more is time a text waits.
-- invoice_ref is what the event said; invoice_id is set only when it names an invoice of this merchant.
CREATE TABLE call_events (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    delivery_id TEXT,
    source TEXT NOT NULL,
    call_id TEXT NOT NULL,
    intent TEXT NOT NULL,
    invoice_ref TEXT,
    invoice_id TEXT,
    disposition TEXT NOT NULL,
    reason TEXT,
    body TEXT NOT NULL,
    occurred_at_ms BIGINT NOT NULL,
    received_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX call_events_once ON call_events (merchant_id, dedupe_key);
CREATE INDEX call_events_page ON call_events (merchant_id, id);
CREATE INDEX call_events_of_disposition ON call_events (merchant_id, disposition, id);
CREATE INDEX call_events_of_invoice ON call_events (invoice_id);
