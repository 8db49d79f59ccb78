-- Getting hold of full texts. act: asked (the author can't get it; note: what they tried), taken_back (they can after all),
-- arrived (a file or a link: everybody is asked about it again), final (a lead: it can't be had), opened (a lead: it is sought again).
CREATE TABLE retrieval (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, record_id VARCHAR NOT NULL, act VARCHAR NOT NULL, author VARCHAR NOT NULL,
    note VARCHAR, tags VARCHAR[], link VARCHAR,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- "Not retrieved" used to be a decision, and one person's was final. Each that is in force is taken back by an event and
-- asked by another, so what was built before these events is built again as it was.
CREATE TEMP TABLE old_not_retrieved AS
WITH last AS (
    SELECT * FROM decision
    QUALIFY row_number() OVER (PARTITION BY review, record_id, stage, reviewer, role ORDER BY seq DESC) = 1
), opened AS (
    SELECT o.review, coalesce(p.report_id, o.record_id) AS report_id, o.stage, max(o.seq) AS seq
    FROM reopening o LEFT JOIN report p ON p.record_id = o.record_id GROUP BY ALL
)
SELECT l.* FROM last l LEFT JOIN report p ON p.record_id = l.record_id
LEFT JOIN opened o ON o.review = l.review AND o.stage = l.stage AND o.report_id = coalesce(p.report_id, l.record_id)
WHERE l.verdict = 'not_retrieved' AND l.seq > coalesce(o.seq, 0);

INSERT INTO retrieval (id, review, record_id, act, author, note, tags, made)
SELECT 'was/' || id, review, record_id, 'asked', reviewer, note, tags, made FROM old_not_retrieved ORDER BY seq;

INSERT INTO decision (id, review, record_id, record_version, stage, reviewer, role, verdict, criteria_version, made)
SELECT 'retrieval/' || id, review, record_id, record_version, stage, reviewer, role, 'withdrawn', criteria_version, now()
FROM old_not_retrieved ORDER BY seq;

INSERT INTO outbox (review, cause, made)
SELECT DISTINCT review, 'reports that one person could not get are still sought', now() FROM old_not_retrieved;

DELETE FROM screening_state WHERE EXISTS (SELECT 1 FROM old_not_retrieved);  -- derived again at once
DROP TABLE old_not_retrieved;
