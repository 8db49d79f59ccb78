-- Somebody moves that the review retires or comes back. triggers: JSON, what its signs said at that moment.
CREATE TABLE retirement_proposal (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, kind VARCHAR NOT NULL, reason VARCHAR NOT NULL, triggers VARCHAR NOT NULL,
    author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- A vote on it: yes, no or abstain. Somebody's last one counts.
CREATE TABLE retirement_ballot (
    id VARCHAR PRIMARY KEY, proposal VARCHAR NOT NULL, account VARCHAR NOT NULL, verdict VARCHAR NOT NULL, note VARCHAR,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- A lead closes the vote. votes: JSON, how it was counted at that moment, with the people who could vote then.
CREATE TABLE retirement_outcome (
    id VARCHAR PRIMARY KEY, proposal VARCHAR NOT NULL, carried BOOLEAN NOT NULL, votes VARCHAR NOT NULL, author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
