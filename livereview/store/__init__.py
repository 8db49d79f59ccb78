"""The database: one file a subject, one short function a question."""
