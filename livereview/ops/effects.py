"""What an act does to a review: measured by doing it and looking, never by a rule of its own.

A preview does the act in a transaction that is rolled back. So it says what the act does, whatever
the rules are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from livereview.evidence import finding_changes
from livereview.evidence.falls import Size, large_falls
from livereview.ops import impact
from livereview.ops.snapshot import snapshot
from livereview.store import decisions, records, versions
from livereview.store.open import Connection
from livereview.store.rows import one_row
from livereview.summary import data
from livereview.summary.snapshot import Snapshot

TITLES = 10  # of reports that leave the included ones, named; the others are counted


@dataclass(frozen=True, slots=True)
class Place:
    """Where the report of a record stands."""

    stage: str
    state: str


@dataclass(frozen=True, slots=True)
class Measure:
    """A review at a moment; `places` by record, as reports change their names when they are joined
    or split.
    """

    places: Mapping[str, Place]
    decisions: frozenset[str]
    counts: Mapping[str, int]
    snap: Snapshot

    @property
    def studies(self) -> int:
        """The studies that the public page has."""
        return len(self.snap.studies)

    @property
    def size(self) -> Size:
        """What the review rests on."""
        return Size(self.snap.flow.included, self.studies)

    def is_settled(self, record: str) -> bool:
        """Whether the report of this record had been decided on, at the first stage at least."""
        place = self.places.get(record)
        if place is None:
            return False
        beyond_first = place.stage != self.snap.review.screening.stages[0]
        return beyond_first or place.state in ("included", "excluded")

    def is_included(self, record: str) -> bool:
        """Whether the report of this record is included at the last stage."""
        place = self.places.get(record)
        last = self.snap.review.screening.stages[-1]
        return place is not None and (place.stage, place.state) == (last, "included")


@dataclass(frozen=True, slots=True)
class Effect:
    """What an act does to one review, in numbers and in words.

    Attributes:
        decisions_lost: Decisions that count no more.
        decisions_back: Decisions that count again, or for the first time.
        settled: Records whose report was settled, and stands elsewhere afterwards.
        included, studies: (before, after).
        waiting: Reports that wait for decisions, (before, after).
        lost: Titles of what is not included any more, the first `TITLES` of `left` records.
        sentences: What the public page would say, before and after.
        held: Sentences of the public page would wait for a lead's name.
        page_held: The whole page would.
        touched: A fingerprint of the very decisions and places that change.
    """

    review: str
    decisions_lost: int
    decisions_back: int
    settled: int
    included: tuple[int, int]
    studies: tuple[int, int]
    waiting: tuple[int, int]
    lost: tuple[str, ...]
    left: int
    change: str
    sentences: tuple[dict[str, Any], ...]
    held: bool
    page_held: bool
    touched: str

    @property
    def undoes_work(self) -> bool:
        """Whether somebody's decision or a settled report is touched at all."""
        return bool(self.decisions_lost or self.settled or self.takes_out)

    @property
    def takes_out(self) -> bool:
        """Whether an included report or a study leaves the review."""
        return bool(self.left) or self.studies[1] < self.studies[0]


def measure(con: Connection, review: str) -> Measure:
    """The review as this connection sees it."""
    rows = con.execute(
        """SELECT r.record_id, s.stage, s.state FROM review_record r
        JOIN screening_state s ON s.review = r.review AND s.report_id = r.report_id WHERE r.review = ?""",
        [review],
    ).fetchall()
    places = {record: Place(stage, state) for record, stage, state in rows}
    in_force = con.execute("SELECT id FROM current_decision WHERE review = ?", [review]).fetchall()
    counts = decisions.counts(con, review)
    return Measure(places, frozenset(row[0] for row in in_force), counts, snapshot(con, review, ()))


def between(con: Connection, before: Measure, after: Measure) -> Effect:
    """What has changed from one moment to the other."""
    review = after.snap.review
    moved = [record for record, place in before.places.items() if after.places.get(record) != place]
    gone = sorted(
        record for record in moved if before.is_included(record) and not after.is_included(record)
    )
    change, sentences = _sentences(before.snap, after.snap)
    included = (before.snap.flow.included, after.snap.flow.included)
    studies = (before.studies, after.studies)
    fall = bool(large_falls(before.size, after.size))
    signs = review.living.sign_off and versions.newest(con, review.id) is not None
    lost, back = before.decisions - after.decisions, after.decisions - before.decisions
    touched = [sorted(lost), sorted((record, str(after.places.get(record))) for record in moved)]
    return Effect(
        review=review.id,
        decisions_lost=len(lost),
        decisions_back=len(back),
        settled=sum(before.is_settled(record) for record in moved),
        included=included,
        studies=studies,
        waiting=(_waiting(before), _waiting(after)),
        lost=tuple(_titles(con, gone[:TITLES])),
        left=len(gone),
        change=change,
        sentences=tuple(sentences),
        held=signs and (fall or change in finding_changes.MEANING_CHANGED),
        page_held=signs and fall,
        touched=sha256(json.dumps(touched).encode()).hexdigest(),
    )


def _waiting(measure: Measure) -> int:
    boxes = ("awaiting_screening", "in_screening", "awaiting_full_text")
    return sum(measure.counts[box] for box in boxes)


def _titles(con: Connection, record_ids: Sequence[str]) -> list[str]:
    current = records.current(con, record_ids)
    return [current[record].title or "Untitled report" for record in record_ids]


def _sentences(before: Snapshot, after: Snapshot) -> tuple[str, list[dict[str, Any]]]:
    """(kind of the change, the public sentences that change), weighed only where the evidence
    differs.
    """
    if (before.studies, before.ratings, before.review) == (
        after.studies,
        after.ratings,
        after.review,
    ):
        return "none", []
    changes = finding_changes.changes(data.weigh(before).now, data.weigh(after).now)
    kind = finding_changes.most_serious(changes)
    return kind, [impact.sentence(change) for change in changes]


def in_words(effect: Effect, *, alone: bool = True) -> list[str]:
    """The numbers of an effect as sentences.

    `alone` False: it concerns several reviews, so it is named.
    """
    lines: list[str] = []
    if effect.decisions_lost:
        lines.append(f"Decisions that count no more: {effect.decisions_lost:,}.")
    if effect.decisions_back:
        lines.append(f"Decisions that count again: {effect.decisions_back:,}.")
    if effect.settled:
        lines.append(f"Records of settled reports that stand elsewhere: {effect.settled:,}.")
    lines += _change("Included reports", effect.included)
    lines += _change("Studies on the public page", effect.studies)
    lines += _change("Reports that wait for decisions", effect.waiting)
    if effect.lost:
        more = (
            f", and {effect.left - len(effect.lost)} more" if effect.left > len(effect.lost) else ""
        )
        lines.append(f"Not included any more: {'; '.join(effect.lost)}{more}.")
    if effect.page_held:
        lines.append("The public page stays as it is until a lead signs the change.")
    elif effect.held:
        lines.append(
            "The public sentences that change stay as they are, marked, until a lead signs the change."
        )
    if alone:
        return lines
    return [f"{effect.review}: {line}" for line in lines]


def _change(what: str, numbers: tuple[int, int]) -> list[str]:
    before, after = numbers
    if before == after:
        return []
    return [f"{what}: {before:,} before, {after:,} after."]


def to_json(lines: Sequence[str], effects: Sequence[Effect]) -> dict[str, Any]:
    """An act's effect as plain data, with `shown`: a fingerprint that a confirmation carries."""
    alone = len(effects) == 1
    words = [*lines, *(line for effect in effects for line in in_words(effect, alone=alone))]
    told = {
        "lines": words,
        "reviews": [asdict(effect) for effect in effects],
        "undoes_work": any(effect.undoes_work for effect in effects),
        "takes_out": any(effect.takes_out for effect in effects),
    }
    plain: dict[str, Any] = json.loads(json.dumps(told))
    return {**plain, "shown": fingerprint(plain)}


def fingerprint(told: Mapping[str, Any]) -> str:
    """What a confirmation must carry: it differs wherever the effect does."""
    text = json.dumps({key: value for key, value in told.items() if key != "shown"}, sort_keys=True)
    return sha256(text.encode()).hexdigest()


def stopped_reading(con: Connection, review: str) -> int:
    """How many reports are left unread by the stop that holds."""
    row = one_row(con, "SELECT count(*) FROM left_unread WHERE review = ?", [review])
    return int(row[0]) if row else 0
