-- The reviews that an account may enter; none named: every one.
ALTER TABLE account ADD COLUMN reviews VARCHAR[];
