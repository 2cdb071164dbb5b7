-- These rows are written twice within a second: first what is meant to happen, then what happened. With room on the page the
-- second version stays beside the first, and no index learns of it.
ALTER TABLE links SET (fillfactor = 60);
ALTER TABLE messages SET (fillfactor = 60);
ALTER TABLE send_attempts SET (fillfactor = 70);
ALTER TABLE jobs SET (fillfactor = 50);
