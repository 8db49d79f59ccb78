-- When this database began, by the clock of its machine: since then it should have had a backup.
CREATE TABLE birth (id VARCHAR NOT NULL, made TIMESTAMPTZ NOT NULL);
INSERT INTO birth SELECT uuid()::VARCHAR, now();
