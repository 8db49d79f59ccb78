-- Settled reports that a lead has asked one reviewer again, hidden among the others. settled: what was decided, include or
-- exclude; own: the reviewer's was one of the votes on it; place: its turn in the round; seed: that of the draw.
CREATE TABLE calibration (
    id VARCHAR PRIMARY KEY, round VARCHAR NOT NULL, review VARCHAR NOT NULL, stage VARCHAR NOT NULL, reviewer VARCHAR NOT NULL,
    record_id VARCHAR NOT NULL, settled VARCHAR NOT NULL, own BOOLEAN NOT NULL, place INTEGER NOT NULL, seed BIGINT NOT NULL,
    author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- What they answered: never a vote. record_id: the record that was on the screen; verdict "withdrawn" is an undo.
CREATE TABLE calibration_answer (
    id VARCHAR PRIMARY KEY, item VARCHAR NOT NULL, record_id VARCHAR NOT NULL, verdict VARCHAR NOT NULL,
    reason VARCHAR, note VARCHAR, tags VARCHAR[], criteria_version VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
