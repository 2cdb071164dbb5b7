DROP INDEX jobs_dead_of_kind;
DROP INDEX enrolments_paused;
