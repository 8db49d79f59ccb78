-- Somebody held a study's extraction against the reports. stands: false takes the check back.
CREATE TABLE extraction_check (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, study VARCHAR NOT NULL, extraction_id VARCHAR NOT NULL, person VARCHAR NOT NULL,
    stands BOOLEAN NOT NULL, made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
