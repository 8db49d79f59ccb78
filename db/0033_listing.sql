-- Derived, like `screening_state`: what the table of records shows of each report of a review and searches in. Made again by
-- `livereview rebuild`. The w_ columns are folded words as livereview.screening.find.padded makes them; w_text has all of them,
-- those of the abstract last, from letter abstract_at on. It is not compressed: each search reads all of it, and unpacking took
-- as long as searching.
CREATE TABLE listing (
    review VARCHAR NOT NULL, report_id VARCHAR NOT NULL, title VARCHAR, authors VARCHAR[] NOT NULL, journal VARCHAR,
    year INTEGER, type VARCHAR, language VARCHAR, doi VARCHAR, retraction VARCHAR, sources VARCHAR[] NOT NULL,
    searches VARCHAR[] NOT NULL, records INTEGER NOT NULL, has_abstract BOOLEAN NOT NULL, found TIMESTAMPTZ NOT NULL,
    w_title VARCHAR NOT NULL, w_authors VARCHAR NOT NULL, w_journal VARCHAR NOT NULL, w_ids VARCHAR NOT NULL,
    w_text VARCHAR USING COMPRESSION uncompressed NOT NULL, abstract_at INTEGER NOT NULL
);
