-- Acts that undo others' work, with what each of them did: who, when, what, how much, why. given: JSON, what was asked;
-- effect: JSON, what it did, as it was shown before; undo: JSON, what it takes to take it back. reviews: those it concerns.
CREATE TABLE act (
    id VARCHAR PRIMARY KEY, kind VARCHAR NOT NULL, reviews VARCHAR[] NOT NULL, given VARCHAR NOT NULL,
    author VARCHAR NOT NULL, reason VARCHAR NOT NULL, effect VARCHAR NOT NULL, undo VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- An act was taken back. effect: JSON, what that did.
CREATE TABLE act_taken_back (
    id VARCHAR PRIMARY KEY, act VARCHAR NOT NULL, author VARCHAR NOT NULL, effect VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- An event (a reopening, the end of a vote on retiring) that counts no more because its act was taken back.
CREATE TABLE cancelled (
    event VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, act VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- Somebody asks a lead for an act that they may not do alone.
CREATE TABLE act_request (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, kind VARCHAR NOT NULL, given VARCHAR NOT NULL,
    author VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- outcome: accepted, declined, or withdrawn by whoever asked.
CREATE TABLE act_answer (
    request VARCHAR PRIMARY KEY, outcome VARCHAR NOT NULL, author VARCHAR NOT NULL, note VARCHAR,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
