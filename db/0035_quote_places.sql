-- Where a quote of a form stands in a full text: one row a quote and file, looked up once. page: null where it was not found,
-- and reason says why. start, stop: characters of the file's text; boxes: [[page, left, bottom, right, top], …] in points;
-- before, after: the text around it. finder: the version of the rule by which it was looked for.
CREATE TABLE quote_place (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, quote VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, finder INTEGER NOT NULL,
    page INTEGER, start BIGINT, stop BIGINT, boxes VARCHAR, before VARCHAR, after VARCHAR, reason VARCHAR,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
