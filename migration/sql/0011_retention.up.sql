-- Where the last pass over a class of rows came to; rows that vanish need no mark.
CREATE TABLE retention_marks (
    class TEXT PRIMARY KEY,
    up_to TEXT NOT NULL
);
-- Without it every deleted event would look through all links.
CREATE INDEX links_of_event ON links (event_id);
CREATE INDEX links_ended ON links (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at_ms);
CREATE INDEX stripe_events_age ON stripe_events (received_at_ms);
CREATE INDEX inbound_texts_age ON inbound_texts (received_at_ms);
CREATE INDEX attention_closed ON attention_items (closed_at_ms) WHERE closed_at_ms IS NOT NULL;
