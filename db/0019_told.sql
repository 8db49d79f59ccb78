-- What an attempt told of: NULL, a new version; else the id of the withdrawal or of the vote on retirement.
ALTER TABLE delivery ADD COLUMN about VARCHAR;
