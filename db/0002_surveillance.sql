-- What the ledger says of each search, and what surveillance asks of people.

-- kind: search (a window), sweep (from the beginning again), lookup (known reports, no new hits), import (a person's file).
ALTER TABLE search ADD COLUMN kind VARCHAR;
ALTER TABLE search ADD COLUMN filters VARCHAR;
ALTER TABLE search_end ADD COLUMN seconds DOUBLE;

-- filled: JSON, how many of a page's records have each field. quota: share of the source's allowance left, 0 to 1.
ALTER TABLE page ADD COLUMN bytes BIGINT;
ALTER TABLE page ADD COLUMN filled VARCHAR;
ALTER TABLE page ADD COLUMN quota DOUBLE;
ALTER TABLE page ADD COLUMN note VARCHAR;

-- A publication (its DOI, else its title) that a complete run had to return, and whether it did.
CREATE TABLE canary (
    search VARCHAR NOT NULL, publication VARCHAR NOT NULL, found BOOLEAN NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- The report of this record was looked up at this source for retractions and missing fields.
CREATE TABLE checked (
    review VARCHAR NOT NULL, record_id VARCHAR NOT NULL, source VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- Something for a person to settle. kind: retracted, expression-of-concern, corrected, tip. data: JSON.
CREATE TABLE task (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, record_id VARCHAR, kind VARCHAR NOT NULL, data VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

CREATE TABLE task_end (
    task VARCHAR PRIMARY KEY, outcome VARCHAR NOT NULL, author VARCHAR NOT NULL, note VARCHAR,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- Decisions on this record's report at this stage from before this event count no more; they stay in the books.
CREATE TABLE reopening (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, record_id VARCHAR NOT NULL, stage VARCHAR NOT NULL,
    author VARCHAR NOT NULL, cause VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
