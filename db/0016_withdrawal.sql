-- A lead withdraws a published version, or takes that back. Its folder becomes a tombstone; the version's row stays.
CREATE TABLE withdrawal (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, version INTEGER NOT NULL, withdraws BOOLEAN NOT NULL,
    author VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
