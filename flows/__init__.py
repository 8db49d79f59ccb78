"""Thin Prefect wrappers: what runs on a schedule. Nothing else imports Prefect."""

import os

os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")  # read once, when Prefect is first imported
os.environ.setdefault("DO_NOT_TRACK", "1")
