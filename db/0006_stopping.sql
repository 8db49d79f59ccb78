-- A lead ends the reading at the first stage by a rule, or takes that back. told: JSON, what the test said at that moment.
CREATE TABLE stopping (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, stops BOOLEAN NOT NULL, author VARCHAR NOT NULL, note VARCHAR,
    told VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- Records drawn at random from the unread, each with its probability; all records of one audit were drawn at once.
CREATE TABLE draw (
    audit VARCHAR NOT NULL, review VARCHAR NOT NULL, record_id VARCHAR NOT NULL, probability DOUBLE NOT NULL,
    author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq'),
    PRIMARY KEY (audit, record_id)
);

-- told: JSON, what out-of-fold scores say of the nightly stream, and which decisions the model doubts.
ALTER TABLE ranking ADD COLUMN told VARCHAR;
