"""When a webhook that did not answer is tried again."""

from __future__ import annotations

from datetime import timedelta

from livereview.errors import Refused

BACKOFF = (
    *(timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30)),
    *(timedelta(hours=2), timedelta(hours=12)),
)


def schedule(attempt: int) -> timedelta | None:
    """How long to wait after failed attempt 1, 2, …: 1 and 5 and 30 minutes, 2 and 12 hours.

    Then None: give up.
    """
    if attempt < 1:
        raise Refused("attempts are counted from 1")
    return BACKOFF[attempt - 1] if attempt <= len(BACKOFF) else None
