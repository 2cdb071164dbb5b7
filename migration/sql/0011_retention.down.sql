DROP INDEX attention_closed;
DROP INDEX inbound_texts_age;
DROP INDEX stripe_events_age;
DROP INDEX idempotency_keys_age;
DROP INDEX links_ended;
DROP INDEX links_of_event;
DROP TABLE retention_marks;
