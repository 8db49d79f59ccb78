-- A secret for programs: it acts as its account, within scopes (read, write), in one review or in all. The last row of an id counts.
CREATE TABLE token (
    id VARCHAR NOT NULL, account VARCHAR NOT NULL, secret_hash VARCHAR NOT NULL, label VARCHAR NOT NULL, scopes VARCHAR[] NOT NULL,
    review VARCHAR, active BOOLEAN NOT NULL, author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
