-- A session belongs to one row of its account, and so does a token: whatever changes the account ends both for good.
ALTER TABLE session ADD COLUMN account_seq BIGINT;
UPDATE session SET account_seq = (SELECT max(seq) FROM account a WHERE a.name = session.name);
-- Who opened, changed or closed an account; unknown for older rows.
ALTER TABLE account ADD COLUMN author VARCHAR;
