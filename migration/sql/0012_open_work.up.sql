-- What an operator counts every few seconds, without reading what is over.
CREATE INDEX enrolments_paused ON enrolments (id) WHERE status = 'paused';
CREATE INDEX jobs_dead_of_kind ON jobs (kind) WHERE status = 'dead';
