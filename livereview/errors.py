"""What can go wrong, sorted by who must act.

    LivereviewError
    ├── Retry          the same call may work later: the flow tries again
    │   └── DiskFull   there was no room to write it: nothing was kept of it
    ├── SourceBroken   this source can't be read as it is: stop it, keep the bytes, alert a person
    └── Refused        the caller asked for something that can't be done: tell them, change nothing

Anything else is a bug and travels up.
"""

from __future__ import annotations

from typing import Any


class LivereviewError(Exception):
    """An error with a message for people and, where known, the source, address and run it happened
    in.

    `status` is the HTTP status that a source answered with, where that was the error. `url` never
    carries a query
    string: keys and addresses of people travel there.
    """

    def __init__(
        self,
        message: str,
        *,
        source: str | None = None,
        url: str | None = None,
        run: str | None = None,
    ):
        super().__init__(message)
        self.message = message
        self.source = source
        self.url = url.partition("?")[0] if url else None
        self.run = run
        self.status: int | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return (_revive, (type(self), self.message, self.__dict__.copy()))

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.source, self.url) if part)
        return f"{self.message} ({place})" if place else self.message


class Retry(LivereviewError):
    """Try again later; `after` is the number of seconds the source asked for, where it did."""

    def __init__(self, message: str, *, after: float | None = None, **place: str | None):
        super().__init__(message, **place)
        self.after = after


class DiskFull(Retry):
    """There was no room on the disk.

    Nothing was kept of what was asked, and it works again when there is room.
    """


class SourceBroken(LivereviewError):
    """What came back is not what this source sends: an error page, another format, a changed
    schema.
    """


class Refused(LivereviewError):
    """The request can't be carried out as given.

    The message names the valid choices or the next step.
    """


def _revive(kind: type[LivereviewError], message: str, state: dict[str, Any]) -> LivereviewError:
    error = kind(message)
    error.__dict__.update(state)
    return error
