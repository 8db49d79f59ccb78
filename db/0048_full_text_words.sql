-- What somebody said of a full text after it was added; the last word on a file counts. kind: article, supplement, correction,
-- translation or other. state: used; replaced, by the file of sha256 replaced_by; or removed, for a reason.
CREATE TABLE full_text_word (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, kind VARCHAR NOT NULL, state VARCHAR NOT NULL,
    replaced_by VARCHAR, reason VARCHAR, author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
