-- The events. Rows are added, never changed; `seq` is given by the one writer, so "as of" means "seq <= n".
-- Sequences leave gaps: never show seq as a count. No foreign keys: DuckDB's break updates of list columns; tests check.

CREATE SEQUENCE event_seq;

CREATE TABLE protocol (
    review VARCHAR NOT NULL, hash VARCHAR NOT NULL, text VARCHAR NOT NULL, criteria_version VARCHAR NOT NULL,
    votes INTEGER NOT NULL, stages VARCHAR[] NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

CREATE TABLE search (
    search VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, name VARCHAR NOT NULL, source VARCHAR NOT NULL,
    query VARCHAR NOT NULL, grey BOOLEAN NOT NULL, window_start TIMESTAMPTZ, window_end TIMESTAMPTZ NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

CREATE TABLE search_end (
    search VARCHAR PRIMARY KEY, outcome VARCHAR NOT NULL, error VARCHAR,
    found BIGINT NOT NULL, fresh BIGINT NOT NULL, changed BIGINT NOT NULL, rejected BIGINT NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- The publisher's bytes, once; zlib.
CREATE TABLE body (sha256 VARCHAR PRIMARY KEY, packed BLOB NOT NULL);

CREATE TABLE page (
    search VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, cursor VARCHAR, url VARCHAR, status INTEGER, problem VARCHAR,
    found BIGINT NOT NULL, fresh BIGINT NOT NULL, changed BIGINT NOT NULL, rejected BIGINT NOT NULL, warnings VARCHAR[],
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq'),
    PRIMARY KEY (search, sha256)
);

CREATE TABLE reject (
    search VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, place VARCHAR NOT NULL, reason VARCHAR NOT NULL, raw VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- Each version of what one source says of one item. Shared by all reviews.
CREATE TABLE record (
    record_id VARCHAR NOT NULL, version INTEGER NOT NULL, fingerprint VARCHAR NOT NULL,
    source VARCHAR NOT NULL, source_key VARCHAR NOT NULL, title VARCHAR, doi VARCHAR, pmid VARCHAR, data VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL, made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq'),
    PRIMARY KEY (record_id, version)
);

CREATE TABLE hit (
    review VARCHAR NOT NULL, record_id VARCHAR NOT NULL, search VARCHAR NOT NULL, times INTEGER NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq'),
    PRIMARY KEY (review, record_id, search)
);

-- verdict: same, linked, doubtful, different; author: 'rule' or a person, whose word stands over any rule's.
CREATE TABLE match (
    id VARCHAR PRIMARY KEY, left_id VARCHAR NOT NULL, right_id VARCHAR NOT NULL, verdict VARCHAR NOT NULL,
    author VARCHAR NOT NULL, rule VARCHAR NOT NULL, rules_version VARCHAR NOT NULL, scores VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- record_id: the record that was on the screen. role: vote or adjudication.
-- verdict: include, exclude, maybe, not_retrieved, withdrawn (an undo).
CREATE TABLE decision (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, record_id VARCHAR NOT NULL, record_version INTEGER NOT NULL,
    stage VARCHAR NOT NULL, reviewer VARCHAR NOT NULL, role VARCHAR NOT NULL, verdict VARCHAR NOT NULL,
    reason VARCHAR, note VARCHAR, tags VARCHAR[], criteria_version VARCHAR NOT NULL, rank INTEGER, model VARCHAR,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- One row says that the report of this record belongs to this study.
CREATE TABLE study (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, study VARCHAR NOT NULL, record_id VARCHAR NOT NULL, author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

CREATE TABLE extraction (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, study VARCHAR NOT NULL, form_version VARCHAR NOT NULL,
    extractor VARCHAR NOT NULL, data VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

CREATE TABLE version (
    review VARCHAR NOT NULL, number INTEGER NOT NULL, upto BIGINT NOT NULL, content_hash VARCHAR NOT NULL,
    change VARCHAR NOT NULL, cause VARCHAR NOT NULL, signed_by VARCHAR, summary VARCHAR NOT NULL,
    moment TIMESTAMPTZ NOT NULL, made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq'),
    PRIMARY KEY (review, number)
);

-- Asks for a rebuild, written in the transaction of the event that needs it; `built` answers.
CREATE TABLE outbox (
    review VARCHAR NOT NULL, cause VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

CREATE TABLE built (
    review VARCHAR NOT NULL, upto BIGINT NOT NULL, problem VARCHAR,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

CREATE TABLE account (
    name VARCHAR NOT NULL, role VARCHAR NOT NULL, secret_hash VARCHAR NOT NULL, active BOOLEAN NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

CREATE TABLE session (
    secret_hash VARCHAR PRIMARY KEY, name VARCHAR NOT NULL, ends TIMESTAMPTZ NOT NULL, made TIMESTAMPTZ NOT NULL
);

-- Derived: `livereview rebuild` makes both again from the events.
CREATE TABLE report (record_id VARCHAR PRIMARY KEY, report_id VARCHAR NOT NULL);
CREATE TABLE block (key VARCHAR NOT NULL, record_id VARCHAR NOT NULL);
