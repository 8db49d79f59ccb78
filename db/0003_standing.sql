-- Derived, like `report`: where each report stands, by the rules of livereview.screening.states. `seq` is when the review first
-- found it. Kept up to date by livereview.store.standings, so that a decision costs the same whatever has been decided before.
DROP VIEW IF EXISTS review_report CASCADE;
DROP VIEW IF EXISTS tally CASCADE;
DROP VIEW IF EXISTS tally_state CASCADE;
DROP VIEW IF EXISTS screening_state CASCADE;
CREATE TABLE screening_state (
    review VARCHAR NOT NULL, report_id VARCHAR NOT NULL, stage VARCHAR NOT NULL, votes INTEGER NOT NULL, state VARCHAR NOT NULL,
    seq BIGINT NOT NULL
);
