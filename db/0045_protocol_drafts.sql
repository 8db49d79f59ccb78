-- The text of a review.toml on which a lead works in the room, and which is not in force. It is no event: it is written over
-- by the next save, and gone once it is in force or given up.
-- review: the review whose protocol it will change; '' for one that is being made. basis: the hash of the protocol that was
-- in force when the draft was begun, '' for none. version: counts the saves, so that one from an older page is known.
CREATE TABLE protocol_draft (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, person VARCHAR NOT NULL, version INTEGER NOT NULL,
    basis VARCHAR NOT NULL, text VARCHAR NOT NULL, saved TIMESTAMPTZ NOT NULL
);
