-- How a report is coded for the map, without a form of its study: as JSON (evidence/map_codes.py). The last row of a report
-- counts; codes that say nothing take it off the map.
CREATE TABLE coding (
    id VARCHAR PRIMARY KEY, review VARCHAR NOT NULL, record_id VARCHAR NOT NULL, codes VARCHAR NOT NULL,
    author VARCHAR NOT NULL, made TIMESTAMPTZ NOT NULL, seq BIGINT NOT NULL DEFAULT nextval('event_seq')
);
