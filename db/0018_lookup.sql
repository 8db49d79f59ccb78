-- A decision asks for all earlier ones on its report: 5 ms instead of 14 among 100,000 of them.
CREATE INDEX decision_record ON decision (record_id);
