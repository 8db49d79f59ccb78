-- An open copy of a full text that a night tried to fetch. problem: why it could not be had; sha256: the file that it is.
CREATE TABLE open_copy (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, record_id VARCHAR NOT NULL, url VARCHAR NOT NULL, origin VARCHAR NOT NULL,
    licence VARCHAR, version VARCHAR, problem VARCHAR, sha256 VARCHAR,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
