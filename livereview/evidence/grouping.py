"""Which study a new report may belong to: suggestions with their reasons.

A person says so; this only points.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from livereview.records import Record

REGISTRATION = re.compile(
    r"\b(NCT\d{8}|ISRCTN\d{6,8}|ACTRN\d{14}|DRKS\d{8}|EUCTR\d{4}-\d{6}-\d{2}|PACTR\d{15}|ChiCTR[-\w]{0,30}\d{6})\b",
    re.IGNORECASE,
)
ALIKE = 0.6  # of the words of the shorter title
_COMMON = "a an and at by for from in of on or the to with its their study trial evaluation"
FEW_WORDS = frozenset(_COMMON.split())


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A study that a report may belong to, with why; `weight` orders them."""

    study: str
    weight: float
    why: tuple[str, ...]


def suggest(report: Record, studies: Mapping[str, Sequence[Record]]) -> tuple[Suggestion, ...]:
    """The likelier studies first: a trial registration in common, two authors or all of them, a
    title alike.
    """
    found = (_compare(report, study, records) for study, records in sorted(studies.items()))
    return tuple(sorted((one for one in found if one), key=lambda one: (-one.weight, one.study)))


def _compare(report: Record, study: str, records: Sequence[Record]) -> Suggestion | None:
    why: list[str] = []
    weight = 0.0
    if same := registrations([report]) & registrations(records):
        weight, why = weight + 3, [*why, f"the same registration ({', '.join(sorted(same))})"]
    shared = people(report) & set().union(*(people(one) for one in records))
    if len(shared) >= min(2, len(people(report)) or 1) and shared:
        weight, why = (
            weight + 1 + 0.1 * len(shared),
            [*why, f"authors in common ({', '.join(sorted(shared)[:4])})"],
        )
    if (like := max((alike(report.title, one.title) for one in records), default=0.0)) >= ALIKE:
        weight, why = weight + like, [*why, "a title alike"]
    return Suggestion(study, weight, tuple(why)) if why else None


def registrations(records: Iterable[Record]) -> set[str]:
    """Trial registrations named in titles and abstracts, in capitals."""
    text = " ".join(part for one in records for part in (one.title, one.abstract) if part)
    return {found.upper() for found in REGISTRATION.findall(text)}


def people(record: Record) -> set[str]:
    """Authors by family name and first initial."""
    found = set()
    for author in record.authors:
        family, _, given = author.partition(",")
        initial = given.strip()[:1]
        found.add(f"{family.strip().casefold()} {initial.casefold()}".strip().title())
    return found - {""}


def alike(left: str | None, right: str | None) -> float:
    """Shared words of two titles, as a share of the shorter one's; short words do not count."""
    one, other = _words(left), _words(right)
    if len(one) > 2 and len(other) > 2:
        return len(one & other) / min(len(one), len(other))
    return 0.0


def _words(title: str | None) -> set[str]:
    return set(re.findall(r"[^\W_]+", (title or "").casefold())) - FEW_WORDS
