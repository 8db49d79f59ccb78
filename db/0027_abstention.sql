-- A lead says that they do not screen in a review, and so may see votes before they are complete; or that they do again.
CREATE TABLE abstention (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, account VARCHAR NOT NULL, abstains BOOLEAN NOT NULL,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
