-- A lead opens a review to the public: the first version, and a signed act. Reviews that had versions before are open.
CREATE TABLE opening (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, author VARCHAR NOT NULL, note VARCHAR,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
