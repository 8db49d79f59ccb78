-- held: JSON, what a build found that changes a conclusion and nobody has signed: content_hash, change, reasons, cause.
ALTER TABLE built ADD COLUMN held VARCHAR;

-- A named person lets a changed conclusion be published.
CREATE TABLE sign_off (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, content_hash VARCHAR NOT NULL, author VARCHAR NOT NULL, note VARCHAR,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- How sure a finding is. subject: an outcome (GRADE) or a statement of the team (CERQual), by its id; data: JSON.
CREATE TABLE rating (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, kind VARCHAR NOT NULL, subject VARCHAR NOT NULL, data VARCHAR NOT NULL,
    author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
