-- A full text that somebody added to the report of this record. The file itself is in the folder full-texts, by its sha256.
CREATE TABLE full_text (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, record_id VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, name VARCHAR NOT NULL,
    size BIGINT NOT NULL, author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
