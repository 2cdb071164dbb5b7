-- One live payable per invoice, one PaymentIntent per payable: the guard against paying twice.
CREATE TABLE payables (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    invoice_id TEXT NOT NULL REFERENCES invoices (id),
    revision BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    fee_minor BIGINT NOT NULL,
    fee_policy TEXT NOT NULL,
    stripe_account TEXT NOT NULL,
    status TEXT NOT NULL,
    payment_intent_id TEXT,
    payer_hash TEXT,
    created_at_ms BIGINT NOT NULL,
    checked_at_ms BIGINT,
    ended_at_ms BIGINT
);
CREATE UNIQUE INDEX payables_live ON payables (invoice_id) WHERE status IN ('open', 'processing');
CREATE UNIQUE INDEX payables_intent ON payables (payment_intent_id) WHERE payment_intent_id IS NOT NULL;
CREATE INDEX payables_to_check ON payables (checked_at_ms) WHERE status IN ('open', 'processing');
CREATE INDEX payables_of_invoice ON payables (invoice_id, created_at_ms);

CREATE TABLE payments (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    invoice_id TEXT NOT NULL REFERENCES invoices (id),
    payable_id TEXT NOT NULL REFERENCES payables (id),
    payment_intent_id TEXT NOT NULL,
    charge_id TEXT,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    fee_minor BIGINT NOT NULL,
    method TEXT NOT NULL,
    brand TEXT,
    last4 TEXT,
    status TEXT NOT NULL,
    settlement TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    succeeded_at_ms BIGINT
);
CREATE UNIQUE INDEX payments_intent ON payments (payment_intent_id);
CREATE UNIQUE INDEX payments_charge ON payments (charge_id) WHERE charge_id IS NOT NULL;
CREATE INDEX payments_of_invoice ON payments (invoice_id);

CREATE TABLE stripe_events (
    id TEXT PRIMARY KEY,
    account TEXT,
    kind TEXT NOT NULL,
    object_id TEXT,
    payment_intent_id TEXT,
    livemode BOOLEAN NOT NULL,
    body TEXT NOT NULL,
    received_at_ms BIGINT NOT NULL
);

CREATE TABLE holds (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    invoice_id TEXT NOT NULL REFERENCES invoices (id),
    reason TEXT NOT NULL,
    source_ref TEXT NOT NULL,
    words TEXT,
    opened_by TEXT NOT NULL,
    opened_at_ms BIGINT NOT NULL,
    resolution TEXT,
    resolved_by TEXT,
    note TEXT,
    resolved_at_ms BIGINT
);
CREATE UNIQUE INDEX holds_once ON holds (invoice_id, reason, source_ref);
CREATE INDEX holds_open ON holds (merchant_id, id) WHERE resolved_at_ms IS NULL;
