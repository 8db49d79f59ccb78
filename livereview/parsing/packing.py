"""A page as plain tuples on its way between processes: objects one by one would take a tenth of the
time of parsing.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from livereview.records import FIELDS, Record
from livereview.sources.protocol import Page, Reject

_VALUES = attrgetter(*FIELDS)


def packed(answer: object) -> object:
    """A page as a tuple; every other answer as it is."""
    if not isinstance(answer, Page):
        return answer
    records = [_VALUES(record) for record in answer.records]
    rejects = [(reject.reason, reject.where, reject.raw) for reject in answer.rejects]
    return (records, answer.next_cursor, rejects, answer.total, answer.warnings, answer.notes)


def unpacked(value: Any) -> object:
    """The inverse of `packed`."""
    if not isinstance(value, tuple):
        return value
    records, next_cursor, rejects, total, warnings, notes = value
    return Page(
        records=tuple(Record(*values) for values in records),
        next_cursor=next_cursor,
        rejects=tuple(Reject(*parts) for parts in rejects),
        total=total,
        warnings=warnings,
        notes=notes,
    )
