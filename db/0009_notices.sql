ALTER TABLE account ADD COLUMN email VARCHAR;

-- Each attempt to tell an address of a new version. outcome: ok, retry or gone (never again).
CREATE TABLE delivery (
    review VARCHAR NOT NULL, version INTEGER NOT NULL, url VARCHAR NOT NULL, attempt INTEGER NOT NULL, outcome VARCHAR NOT NULL,
    status INTEGER, error VARCHAR, seconds DOUBLE,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
