DROP TABLE holds;
DROP TABLE stripe_events;
DROP TABLE payments;
DROP TABLE payables;
