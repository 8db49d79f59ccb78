-- Everything that a language model was asked about a record, and what came back. sent: JSON, the body of the request; raw: the
-- body of the answer as it came, null where none came; problem: why it is no answer. answers: JSON, what `assistant.answers`
-- reads in raw, and can read again. tokens as the server counts them; cost by the operator's price at that time.
CREATE TABLE assistant_answer (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, record_id VARCHAR NOT NULL, record_version INTEGER NOT NULL,
    use VARCHAR NOT NULL, criteria_version VARCHAR NOT NULL, protocol VARCHAR NOT NULL,
    prompt VARCHAR NOT NULL, prompt_sha256 VARCHAR NOT NULL, asked_model VARCHAR NOT NULL, told_model VARCHAR,
    sent VARCHAR NOT NULL, status INTEGER, raw VARCHAR, problem VARCHAR, answers VARCHAR NOT NULL,
    seconds DOUBLE NOT NULL, tokens_in INTEGER, tokens_out INTEGER, cost DOUBLE, currency VARCHAR,
    made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
