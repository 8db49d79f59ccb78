-- What a place of the published folder shows since then. place: latest, v/<number>, or front (of the whole site: review '').
-- digest: of all its files, as livereview.ops.published_files.digest. standing: false for a tombstone or a notice.
-- A version's first row that stands is what was published; a later one says that it could only be built again otherwise.
CREATE TABLE placed (
    review VARCHAR NOT NULL, place VARCHAR NOT NULL, digest VARCHAR NOT NULL, standing BOOLEAN NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
