-- Every rule about "current". Made again whenever this file has changed, so a rule changes here and nowhere else.

CREATE OR REPLACE VIEW current_protocol AS
SELECT p.* FROM protocol p
JOIN (SELECT review, max(seq) AS seq FROM protocol GROUP BY review) last USING (review, seq);

CREATE OR REPLACE VIEW current_record AS
SELECT r.* FROM record r
JOIN (SELECT record_id, max(version) AS version FROM record GROUP BY record_id) last USING (record_id, version);

-- A person's word on a pair stands over any rule's until they take it back.
CREATE OR REPLACE VIEW current_match AS
WITH latest AS (
    SELECT m.*, row_number() OVER (PARTITION BY left_id, right_id, author = 'rule' ORDER BY seq DESC) AS place FROM match m
), standing AS (
    SELECT l.*, row_number() OVER (PARTITION BY left_id, right_id ORDER BY (author <> 'rule') DESC) AS rank
    FROM latest l WHERE place = 1 AND verdict <> 'withdrawn'
)
SELECT left_id, right_id, verdict, kind, author, rule, rules_version, scores, made, seq FROM standing WHERE rank = 1;

-- Imports that were taken back, until somebody brings the file again.
CREATE OR REPLACE VIEW taken_back AS
SELECT * FROM import_back QUALIFY row_number() OVER (PARTITION BY search ORDER BY seq DESC) = 1 AND holds;

-- What searches returned, without what was taken back.
CREATE OR REPLACE VIEW standing_hit AS
SELECT h.* FROM hit h ANTI JOIN taken_back t ON t.search = h.search;

-- Which records a review has. A look-up's hits (times = 0) only add to what is known of a report: they found nothing.
CREATE OR REPLACE VIEW review_record AS
SELECT h.review, h.record_id, coalesce(p.report_id, h.record_id) AS report_id, max(h.times) > 0 AS found, min(h.seq) AS seq,
    min(h.made) AS made
FROM standing_hit h LEFT JOIN report p ON p.record_id = h.record_id
GROUP BY h.review, h.record_id, p.report_id;

-- When a report was last opened again at a stage: decisions from before do not count. A reopening may be taken back.
CREATE OR REPLACE VIEW reopened AS
SELECT o.review, coalesce(p.report_id, o.record_id) AS report_id, o.stage, max(o.seq) AS seq, arg_max(o.cause, o.seq) AS cause
FROM reopening o ANTI JOIN cancelled c ON c.event = o.id
LEFT JOIN report p ON p.record_id = o.record_id GROUP BY ALL;

-- The last word of each reviewer on each record and stage, unless taken back. The report is looked up through the
-- record: merging or unmerging never rewrites a decision.
CREATE OR REPLACE VIEW current_decision AS
SELECT d.*, coalesce(p.report_id, d.record_id) AS report_id
FROM (SELECT d.*, row_number() OVER (PARTITION BY review, record_id, stage, reviewer, role ORDER BY seq DESC) AS place
      FROM decision d) d
LEFT JOIN report p ON p.record_id = d.record_id
LEFT JOIN reopened o ON o.review = d.review AND o.stage = d.stage AND o.report_id = coalesce(p.report_id, d.record_id)
WHERE place = 1 AND verdict <> 'withdrawn' AND d.seq > coalesce(o.seq, 0);

-- What was done to get hold of the full text of a report, since it was last there for everybody or opened again.
CREATE OR REPLACE VIEW retrieval_step AS
WITH step AS (
    SELECT r.*, coalesce(p.report_id, r.record_id) AS report_id FROM retrieval r LEFT JOIN report p ON p.record_id = r.record_id
), fresh AS (
    SELECT review, report_id, max(seq) AS seq FROM (
        SELECT review, report_id, seq FROM step WHERE act IN ('arrived', 'opened')
        UNION ALL SELECT review, report_id, seq FROM reopened WHERE stage = 'full_text') GROUP BY ALL
)
SELECT s.* FROM step s LEFT JOIN fresh f USING (review, report_id) WHERE s.seq > coalesce(f.seq, 0);

-- Who can't get which report: they are not asked to decide on it.
CREATE OR REPLACE VIEW retrieval_request AS
SELECT * FROM (
    SELECT * FROM retrieval_step WHERE act IN ('asked', 'taken_back')
    QUALIFY row_number() OVER (PARTITION BY review, report_id, author ORDER BY seq DESC) = 1
) WHERE act = 'asked';

-- Reports of which a lead has said that they can't be had.
CREATE OR REPLACE VIEW retrieval_final AS
SELECT review, report_id, arg_max(author, seq) AS author, max(made) AS made FROM retrieval_step WHERE act = 'final' GROUP BY ALL;

-- The last word of each lead on whether they screen in a review.
CREATE OR REPLACE VIEW current_abstention AS
SELECT * FROM abstention QUALIFY row_number() OVER (PARTITION BY review, account ORDER BY seq DESC) = 1;

-- A review's stop, as long as it holds: until the lead takes it back, a report comes that was not there, or the protocol changes.
CREATE OR REPLACE VIEW stopped AS
SELECT o.* FROM stopping o
JOIN (SELECT review, max(seq) AS seq FROM stopping GROUP BY review) last USING (review, seq)
JOIN current_protocol p ON p.review = o.review AND p.seq < o.seq
WHERE o.stops AND NOT EXISTS (SELECT 1 FROM screening_state s WHERE s.review = o.review AND s.seq > o.seq);

-- Reports drawn for an audit of the unread: they wait for everyone, stop or no stop.
CREATE OR REPLACE VIEW drawn AS
SELECT DISTINCT d.review, coalesce(p.report_id, d.record_id) AS report_id
FROM draw d LEFT JOIN report p ON p.record_id = d.record_id;

-- What nobody will read because of a stop. Half-screened reports are read to the end.
CREATE OR REPLACE VIEW left_unread AS
SELECT s.review, s.report_id FROM stopped o JOIN current_protocol p USING (review)
JOIN screening_state s ON s.review = o.review AND s.stage = p.stages[1] AND s.state = 'open'
ANTI JOIN drawn d ON d.review = s.review AND d.report_id = s.report_id;

CREATE OR REPLACE VIEW queue AS
SELECT review, report_id, stage, votes, seq FROM screening_state s
ANTI JOIN left_unread u ON u.review = s.review AND u.report_id = s.report_id WHERE s.state IN ('open', 'half');

CREATE OR REPLACE VIEW included AS
SELECT s.review, s.report_id FROM screening_state s JOIN current_protocol p ON p.review = s.review
WHERE s.state = 'included' AND s.stage = p.stages[len(p.stages)];

-- A record's latest study; a report's studies through its records. An empty study takes a report out.
CREATE OR REPLACE VIEW current_study AS
SELECT DISTINCT s.review, s.study, coalesce(p.report_id, s.record_id) AS report_id
FROM study s
JOIN (SELECT review, record_id, max(seq) AS seq FROM study GROUP BY review, record_id) last USING (review, record_id, seq)
LEFT JOIN report p ON p.record_id = s.record_id WHERE s.study <> '';

-- Where two people extract, only what they agreed on holds.
CREATE OR REPLACE VIEW current_extraction AS
SELECT e.* FROM extraction e
JOIN (SELECT x.review, x.study, max(x.seq) AS seq FROM extraction x JOIN current_protocol p ON p.review = x.review
    WHERE coalesce(x.role, 'consensus') = 'consensus' OR coalesce(p.extractors, 1) = 1 GROUP BY x.review, x.study) last
    USING (review, study, seq);

CREATE OR REPLACE VIEW to_extract AS
SELECT i.review, i.report_id FROM included i
LEFT JOIN current_study s ON s.review = i.review AND s.report_id = i.report_id
WHERE s.study IS NULL;

-- Pairs for a person: the rules doubt, or they say "same" but the reports could not be joined without a contradiction.
CREATE OR REPLACE VIEW doubtful AS
SELECT m.*, a.review FROM current_match m
JOIN (SELECT DISTINCT review, record_id FROM standing_hit) a ON a.record_id = m.left_id
JOIN (SELECT DISTINCT review, record_id FROM standing_hit) b ON b.record_id = m.right_id AND b.review = a.review
LEFT JOIN report l ON l.record_id = m.left_id
LEFT JOIN report r ON r.record_id = m.right_id
WHERE m.verdict IN ('doubtful', 'same') AND coalesce(l.report_id, m.left_id) <> coalesce(r.report_id, m.right_id);

-- Whether a review is retired, where a vote was carried: the last one's word, until the protocol changes.
CREATE OR REPLACE VIEW decided_status AS
SELECT p.review, p.kind, o.proposal, o.seq FROM retirement_outcome o JOIN retirement_proposal p ON p.id = o.proposal
ANTI JOIN cancelled x ON x.event = o.id
JOIN current_protocol c ON c.review = p.review AND c.seq < o.seq
WHERE o.carried QUALIFY row_number() OVER (PARTITION BY p.review ORDER BY o.seq DESC) = 1;

-- Reports asked again to see how steady the screening is, with the answer in force. One counts while its report is settled.
CREATE OR REPLACE VIEW calibration_item AS
WITH answer AS (
    SELECT * FROM calibration_answer QUALIFY row_number() OVER (PARTITION BY item ORDER BY seq DESC) = 1
)
SELECT c.*, coalesce(p.report_id, c.record_id) AS report_id, a.id AS answer, a.record_id AS shown, a.verdict, a.reason, a.note,
    a.tags, a.made AS answered, a.seq AS answer_seq, s.stage <> c.stage OR s.state IN ('included', 'excluded') AS stands
FROM calibration c LEFT JOIN report p ON p.record_id = c.record_id
LEFT JOIN screening_state s ON s.review = c.review AND s.report_id = coalesce(p.report_id, c.record_id)
LEFT JOIN answer a ON a.item = c.id AND a.verdict <> 'withdrawn';

-- What waits for a person beside screening.
CREATE OR REPLACE VIEW open_task AS
SELECT t.*, coalesce(p.report_id, t.record_id) AS report_id FROM task t
LEFT JOIN task_end e ON e.task = t.id LEFT JOIN report p ON p.record_id = t.record_id WHERE e.task IS NULL;

-- Reports that a retraction would matter to.
CREATE OR REPLACE VIEW watched AS
SELECT s.review, s.report_id, s.state = 'included' AND s.stage = p.stages[len(p.stages)] AS included,
    s.stage = 'full_text' AND s.state IN ('open', 'half', 'not_retrieved') AS sought
FROM screening_state s JOIN current_protocol p ON p.review = s.review
WHERE s.state IN ('open', 'half', 'conflict', 'included', 'not_retrieved');

-- The ledger: one row for each search that was ever started. An attempt without an end was interrupted. What it means for
-- a search's health is judged in livereview.surveillance.health.
CREATE OR REPLACE VIEW attempt AS
SELECT s.*, coalesce(e.outcome, 'running') AS outcome, e.error, coalesce(e.found, 0) AS found, coalesce(e.fresh, 0) AS fresh,
    coalesce(e.changed, 0) AS changed, coalesce(e.rejected, 0) AS rejected, e.seconds, e.made AS finished
FROM search s LEFT JOIN search_end e ON e.search = s.search;

-- Searches that ran through, without those whose clock was ahead: a later attempt carries a time before their window's
-- end. A day is livereview.surveillance.clock.TOLERANCE.
CREATE OR REPLACE VIEW genuine_success AS
SELECT * EXCLUDE (later) FROM (
    SELECT *, min(made) OVER (PARTITION BY review, name ORDER BY seq ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS later
    FROM attempt
) WHERE outcome IN ('ok', 'ok-zero') AND (later IS NULL OR window_end <= later + INTERVAL 1 DAY);

-- PRISMA boxes; summary.snapshot.Flow says how they must balance.
CREATE OR REPLACE VIEW flow_counts AS
WITH found AS (
    -- a record counts once for each search that found it, however many nights it came; a file's own repeats count too
    SELECT h.review, h.record_id, coalesce(p.report_id, h.record_id) AS report_id, s.grey, max(h.times) AS times
    FROM standing_hit h JOIN search s USING (search) LEFT JOIN report p ON p.record_id = h.record_id
    WHERE h.times > 0 GROUP BY h.review, h.record_id, p.report_id, s.name, s.grey
), per_record AS (
    SELECT review, coalesce(sum(times) FILTER (WHERE NOT grey), 0)::BIGINT AS databases,
        coalesce(sum(times) FILTER (WHERE grey), 0)::BIGINT AS other,
        (sum(times) - count(DISTINCT report_id))::BIGINT AS duplicates FROM found GROUP BY review
), st AS (
    SELECT s.*, p.stages, s.stage = p.stages[1] AS at_first, len(p.stages) = 1 AS single, u.report_id IS NOT NULL AS unread
    FROM screening_state s JOIN current_protocol p ON p.review = s.review
    LEFT JOIN left_unread u ON u.review = s.review AND u.report_id = s.report_id
), counts AS (
    SELECT review,
        count(*) FILTER (WHERE at_first AND NOT single AND state = 'open' AND NOT unread) AS awaiting_screening,
        count(*) FILTER (WHERE unread) AS not_screened,
        count(*) FILTER (WHERE at_first AND NOT single AND state IN ('half', 'conflict')) AS in_screening,
        count(*) FILTER (WHERE at_first AND NOT single AND state = 'excluded') AS excluded,
        count(*) FILTER (WHERE (NOT at_first OR single) AND NOT unread) AS sought,
        count(*) FILTER (WHERE (NOT at_first OR single) AND state = 'not_retrieved') AS not_retrieved,
        count(*) FILTER (WHERE (NOT at_first OR single) AND NOT unread AND state IN ('open', 'half', 'conflict'))
            AS awaiting_full_text,
        count(*) FILTER (WHERE (NOT at_first OR single) AND state = 'excluded') AS excluded_full_text,
        count(*) FILTER (WHERE (NOT at_first OR single) AND state = 'included') AS included
    FROM st GROUP BY review
)
SELECT * FROM per_record JOIN counts USING (review);

-- Versions that were opened for comment: how their last opening put it, whether they were closed since, and the last
-- publication, which shows what was known by its number.
CREATE OR REPLACE VIEW consulted AS
SELECT review, version, min(made) FILTER (WHERE act = 'open') AS opened, arg_max(until, seq) FILTER (WHERE act = 'open') AS until,
    arg_max(readers, seq) FILTER (WHERE act = 'open') AS readers,
    nullif(arg_max(coalesce(note, ''), seq) FILTER (WHERE act = 'open'), '') AS note,
    CASE WHEN arg_max(act, seq) FILTER (WHERE act <> 'publish') = 'close' THEN max(made) FILTER (WHERE act = 'close') END AS closed,
    arg_max(made, seq) FILTER (WHERE act = 'publish') AS published, max(seq) FILTER (WHERE act = 'publish') AS published_seq
FROM consultation GROUP BY review, version;

-- Comments with the last word on each. A panel member's needs none to be shown; a reader's does.
CREATE OR REPLACE VIEW moderated_comment AS
SELECT c.*, i.name AS invited, arg_max(m.accepted, m.seq) AS accepted, arg_max(coalesce(m.reason, ''), m.seq) AS reason,
    max(m.seq) FILTER (WHERE m.accepted) AS accepted_seq
FROM consultation_comment c LEFT JOIN consultation_invitation i ON i.id = c.invitation
LEFT JOIN consultation_moderation m ON m.comment = c.id GROUP BY ALL;

-- Versions that are withdrawn: the last word on each.
CREATE OR REPLACE VIEW withdrawn AS
SELECT * FROM withdrawal QUALIFY withdraws AND seq = max(seq) OVER (PARTITION BY review, version);

-- What each tag of a review is called now.
CREATE OR REPLACE VIEW current_tag AS
SELECT review, tag, arg_max(name, seq) AS name, arg_max(colour, seq) AS colour FROM tag GROUP BY review, tag;

-- Which tags are on which report: the last word on each record of it, and a report has what any of its records has.
CREATE OR REPLACE VIEW current_tagging AS
SELECT DISTINCT t.review, coalesce(p.report_id, t.record_id) AS report_id, t.tag FROM (
    SELECT * FROM tagging QUALIFY row_number() OVER (PARTITION BY review, record_id, tag ORDER BY seq DESC) = 1
) t LEFT JOIN report p ON p.record_id = t.record_id WHERE t.puts;

-- The views of the table of records that are kept.
CREATE OR REPLACE VIEW current_view AS
SELECT * FROM saved_view QUALIFY kept AND seq = max(seq) OVER (PARTITION BY review, view);

-- The last word on each full text of a review; most have none, and are articles that are used.
CREATE OR REPLACE VIEW current_full_text_word AS
SELECT * FROM full_text_word QUALIFY seq = max(seq) OVER (PARTITION BY review, sha256);
