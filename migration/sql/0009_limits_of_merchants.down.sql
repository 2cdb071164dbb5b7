ALTER TABLE merchants DROP COLUMN former_secret_until_ms;
ALTER TABLE merchants DROP COLUMN sender_texts_per_minute_max;
