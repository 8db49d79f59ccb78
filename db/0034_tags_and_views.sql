-- Tags of a review. The last row of a `tag` says what it is called and its colour; it was created by its first.
CREATE TABLE tag (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, tag VARCHAR NOT NULL, name VARCHAR NOT NULL, colour VARCHAR NOT NULL,
    author VARCHAR NOT NULL, made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- A tag is put on the report of a record (puts), or taken off it.
CREATE TABLE tagging (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, record_id VARCHAR NOT NULL, tag VARCHAR NOT NULL, puts BOOLEAN NOT NULL,
    author VARCHAR NOT NULL, made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- A view of the table of records that somebody keeps: `query` is what stands after the ? of its address. The last row of a
-- `view` counts; one that was deleted is not kept any more. team: everybody of the review sees it.
CREATE TABLE saved_view (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, view VARCHAR NOT NULL, name VARCHAR NOT NULL, query VARCHAR NOT NULL,
    team BOOLEAN NOT NULL, kept BOOLEAN NOT NULL, author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
