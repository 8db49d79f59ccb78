-- Which rules for identifiers and values the stored records were last read by again (livereview/ops/cleaning.py):
-- a record that they change has a version more, and nothing is written over.
CREATE TABLE cleaning (
    rules VARCHAR NOT NULL, changed BIGINT NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
