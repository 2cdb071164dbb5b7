CREATE TABLE invoices (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    customer_id TEXT NOT NULL REFERENCES customers (id),
    number TEXT NOT NULL,
    description TEXT,
    currency TEXT NOT NULL,
    tax_minor BIGINT NOT NULL,
    total_minor BIGINT NOT NULL,
    paid_minor BIGINT NOT NULL,
    due_on TEXT NOT NULL,
    mobile_phone TEXT,
    status TEXT NOT NULL,
    on_hold BOOLEAN NOT NULL,
    promised_on TEXT,
    revision BIGINT NOT NULL,
    opened_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX invoices_number ON invoices (merchant_id, number);
CREATE INDEX invoices_page ON invoices (merchant_id, id);
CREATE INDEX invoices_of_status ON invoices (merchant_id, status, id);
CREATE INDEX invoices_of_customer ON invoices (customer_id);

CREATE TABLE invoice_lines (
    invoice_id TEXT NOT NULL REFERENCES invoices (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    description TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    unit_minor BIGINT NOT NULL,
    PRIMARY KEY (invoice_id, position)
);

CREATE TABLE campaigns (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX campaigns_page ON campaigns (merchant_id, id);

-- What the dialer was told last is acknowledged_revision; what it ought to know is told_revision.
CREATE TABLE enrolments (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    campaign_id TEXT NOT NULL REFERENCES campaigns (id),
    invoice_id TEXT NOT NULL REFERENCES invoices (id),
    status TEXT NOT NULL,
    pause_reason TEXT,
    told_revision BIGINT NOT NULL,
    acknowledged_revision BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX enrolments_of_invoice ON enrolments (invoice_id) WHERE status <> 'ended';
CREATE INDEX enrolments_of_campaign ON enrolments (campaign_id, id);
