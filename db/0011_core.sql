-- Experienced reviewers: one of the votes on each report must be theirs. Empty: anybody's.
ALTER TABLE protocol ADD COLUMN core VARCHAR[];
