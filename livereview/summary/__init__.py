"""A published version, from a snapshot to its files; pure."""
