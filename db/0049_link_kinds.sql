-- What two linked reports are to each other (livereview/links.py); NULL for links of older rules, and where a person
-- did not say.
ALTER TABLE match ADD COLUMN kind VARCHAR;
