-- A published version is opened for comment, closed again, and what was said is published: one act a row, the last counts.
-- act: open, close or publish; until: the last day on which comments are taken; readers: whether everybody may comment.
CREATE TABLE consultation (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, version INTEGER NOT NULL, act VARCHAR NOT NULL, until DATE,
    readers BOOLEAN, note VARCHAR, author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- A panel member, who needs no account: the link holds a token, of which only the sha256 is kept.
CREATE TABLE consultation_invitation (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, version INTEGER NOT NULL, name VARCHAR NOT NULL, address VARCHAR,
    token_hash VARCHAR NOT NULL, author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- about: the id of a claim of that version's summary.json, null for the version as a whole; invitation: null for a reader.
-- named: the person agreed that `name` is published as they wrote it.
CREATE TABLE consultation_comment (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, version INTEGER NOT NULL, about VARCHAR, text VARCHAR NOT NULL,
    name VARCHAR, named BOOLEAN NOT NULL, invitation VARCHAR,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- A lead accepts or refuses a comment; the last word counts.
CREATE TABLE consultation_moderation (
    id VARCHAR PRIMARY KEY, comment VARCHAR NOT NULL, accepted BOOLEAN NOT NULL, reason VARCHAR, author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);

-- changed: what changed in version changed_in or, where that is null, why nothing did.
CREATE TABLE consultation_response (
    id VARCHAR PRIMARY KEY, comment VARCHAR NOT NULL, text VARCHAR NOT NULL, changed VARCHAR NOT NULL, changed_in INTEGER,
    author VARCHAR NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
