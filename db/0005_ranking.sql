-- Each time the queue of a review was ranked: by which model, learned from how many labels, over how many reports.
CREATE TABLE ranking (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, model VARCHAR NOT NULL, features VARCHAR NOT NULL, seed INTEGER NOT NULL,
    reports INTEGER NOT NULL, labels INTEGER NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- Derived: the place of each report, 1 first, by the last of these. A ranking orders; it hides and decides nothing.
CREATE TABLE rank (review VARCHAR NOT NULL, report_id VARCHAR NOT NULL, place INTEGER NOT NULL, score DOUBLE NOT NULL);
