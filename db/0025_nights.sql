-- Nights: who is at work on a search, what could not begin, and which processes gave a sign of life.

-- The process that runs a search; it renews `renewed` while it lives. Wall clock of the owner, never the `now` of a replay.
-- place: machine and process namespace, so that `pid` and `started` are looked up only where they mean something.
-- run: id of the Prefect flow run, where there is one.
CREATE TABLE search_lease (
    search VARCHAR PRIMARY KEY, place VARCHAR, pid BIGINT, started VARCHAR, run VARCHAR, renewed TIMESTAMPTZ NOT NULL
);

-- A night that did not begin: the owner was away, Prefect did not answer, it was refused, it was cancelled.
-- what: the searches or the cron line that it was for.
CREATE TABLE lost_night (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, what VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    due TIMESTAMPTZ NOT NULL, made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- What happened in a night although nothing failed, such as a search that had left the protocol.
CREATE TABLE night_note (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, what VARCHAR NOT NULL, note VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- The last sign of life of a process beside the owner ("schedule"), and what it said then.
CREATE TABLE sign_of_life (process VARCHAR PRIMARY KEY, words VARCHAR NOT NULL, ok BOOLEAN NOT NULL, seen TIMESTAMPTZ NOT NULL);

-- A digest that was made for a person, with the time up to which it tells of a review's nights.
CREATE TABLE digest_made (
    person VARCHAR NOT NULL, review VARCHAR NOT NULL, made TIMESTAMPTZ NOT NULL,
    seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
