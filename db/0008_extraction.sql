-- role: single (one person's) or consensus (what holds where a review asks for two extractors); older ones are consensus.
ALTER TABLE extraction ADD COLUMN role VARCHAR;
ALTER TABLE protocol ADD COLUMN extractors INTEGER;
