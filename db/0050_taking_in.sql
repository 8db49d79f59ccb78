-- When the records of a stored page were taken in, and how many of them were new or had changed. The bytes of a page are
-- stored when they come; what they hold is taken in some pages at a time (livereview/ops/taking_in.py).
CREATE TABLE page_taken (
    search VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, fresh BIGINT NOT NULL, changed BIGINT NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq'),
    PRIMARY KEY (search, sha256)
);
INSERT INTO page_taken SELECT search, sha256, fresh, changed, made, seq FROM page;
ALTER TABLE page DROP COLUMN fresh;
ALTER TABLE page DROP COLUMN changed;

-- Derived. Blocking keys as numbers: a million records have millions of keys, and all are read to find who shares one.
CREATE TABLE block_number (key UBIGINT NOT NULL, record_id VARCHAR NOT NULL);
INSERT INTO block_number SELECT md5_number_lower(key), record_id FROM block;
DROP TABLE block;
ALTER TABLE block_number RENAME TO block;
