ALTER TABLE merchants ADD COLUMN sender_texts_per_minute_max BIGINT;
ALTER TABLE merchants ADD COLUMN former_secret_until_ms BIGINT;
