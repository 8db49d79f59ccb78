-- What somebody has typed in a study's form and not saved yet. Nobody else ever sees it. It is no event: it is written over
-- by the next one of the same draft, and gone once the form is saved.
-- study: "new" where there is none yet; report: the one that a new study began with, else "".
-- version: counts the saves, so that one from an older page is known; page: the page (its form id) that saved last.
-- basis: the extraction that held when the draft was begun, "" for none. fields: {name of a box: what stands in it} as JSON.
CREATE TABLE extraction_draft (
    id VARCHAR NOT NULL, review VARCHAR NOT NULL, person VARCHAR NOT NULL, study VARCHAR NOT NULL, report VARCHAR NOT NULL,
    version INTEGER NOT NULL, page VARCHAR NOT NULL, basis VARCHAR NOT NULL, fields VARCHAR NOT NULL, saved TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (review, person, study, report, id)
);
