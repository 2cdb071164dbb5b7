ALTER TABLE links RESET (fillfactor);
ALTER TABLE messages RESET (fillfactor);
ALTER TABLE send_attempts RESET (fillfactor);
ALTER TABLE jobs RESET (fillfactor);
