"""The sources livereview can read: a new one is a file here, a line in SOURCES and a recorded case in tests/data/sources."""
