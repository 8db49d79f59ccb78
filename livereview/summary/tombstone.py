"""What is said of a withdrawn version: as data, and on the lists that name it.

`tombstone_files.py` makes the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from livereview.messages import mark
from livereview.summary import past, words
from livereview.summary.model.tombstone import SCHEMA_VERSION, ReadInstead, Tombstone
from livereview.summary.model.versions import Entry, Withdrawn
from livereview.summary.snapshot import Withdrawal

BY = mark("the lead of the review")


def in_force(acts: Iterable[Withdrawal]) -> dict[int, Withdrawal]:
    """The versions that are withdrawn after all these acts, oldest act first, each with its last
    one.
    """
    last = {act.version: act for act in acts}
    return {number: act for number, act in last.items() if act.withdraws}


def of_version(
    texts: Sequence[str], acts: Sequence[Withdrawal], number: int, home: str
) -> Tombstone:
    """What is left of a withdrawn version.

    Args:
        texts: Summary.json of every version, oldest first, so that version n is texts[n - 1].
        acts: of withdrawing and taking back, in their order.
        number: of the version.
        home: From its folder to the review's.
    """
    gone = in_force(acts)
    stands = max((n for n in range(1, len(texts) + 1) if n not in gone), default=None)
    text = texts[number - 1]
    summary, act = past.read(text), gone[number]
    return Tombstone(
        schema_version=SCHEMA_VERSION,
        withdrawn=True,
        review=summary.review.id,
        title=summary.review.title,
        version=number,
        published=summary.version.date,
        published_display=summary.version.date_display,
        date=words.iso(act.date),
        date_display=words.day(act.date),
        by=BY,
        reason=act.reason,
        superseded_by=stands if stands and stands > number else None,
        read_instead=_instead(stands, home) if stands else None,
        newest=len(texts) == number,
        summary_sha256=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(),
    )


def _instead(version: int, home: str) -> ReadInstead:
    return ReadInstead(version=version, address=f"{home}v/{version}/")


def marked(entries: Iterable[Entry], acts: Sequence[Withdrawal]) -> tuple[Entry, ...]:
    """The list of versions, which says of each that is withdrawn when and why."""
    gone = in_force(acts)
    return tuple(_marked(entry, gone.get(entry.number)) for entry in entries)


def _marked(entry: Entry, act: Withdrawal | None) -> Entry:
    if act:
        return entry.model_copy(update={"withdrawn": withdrawn(act)})
    return entry


def withdrawn(act: Withdrawal) -> Withdrawn:
    """An act on a list of versions."""
    return Withdrawn(date=words.iso(act.date), date_display=words.day(act.date), reason=act.reason)


def listed(row: dict[str, Any], acts: Sequence[Withdrawal]) -> dict[str, Any]:
    """A review's row on the front page, with its withdrawn versions.

    Where the newest is among them, nothing that it said is told: no answer, no states, no change,
    no studies.
    """
    gone = in_force(acts)
    row = {
        **row,
        "withdrawn": [
            {"version": number, **dict(withdrawn(act))} for number, act in sorted(gone.items())
        ],
    }
    act = gone.get(row["version"])
    if act is None:
        return row
    said = f"Version {row['version']} was withdrawn on {words.day(act.date)}: {act.reason}"
    empty: dict[str, Any] = {
        "studies": None,
        "states": [],
        "map": [],
        "change": None,
        "change_display": "withdrawn",
    }
    data = f"{row['page']}tombstone.json"
    return {**row, **empty, "answer": said, "caveat": "Please do not rely on it.", "data": data}
