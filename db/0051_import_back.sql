-- An import that was taken back as a whole (holds), or brought again after that; the last word on a search counts.
CREATE TABLE import_back (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, search VARCHAR NOT NULL, holds BOOLEAN NOT NULL, author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
