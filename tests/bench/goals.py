"""What fifty people at work must be able to count on, and whether a run of `tests.bench.load` showed
it: one row a goal, with the goal beside what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# milliseconds at the 99th percentile: who decides a thousand records a day waits ten times for
# longer than that
SLOWEST = {"decision": 1000.0, "next record": 1000.0, "public page": 300.0}
LARGEST_MEMORY = 500.0  # MB that the owner's process has some time after the storm
# threads and descriptors that may be more than before: a pool keeps some, and a log file is opened
LEFT_OVER = 5


@dataclass(frozen=True, slots=True)
class Held:
    """What a process held at a moment.

    Attributes:
        cpu: Seconds of both cores together since it began.
    """

    when: str
    memory: float
    threads: int
    descriptors: int
    cpu: float

    def words(self) -> str:
        return (
            f"{self.when}: {self.memory:.0f} MB, {self.threads} threads, {self.descriptors} descriptors,"
            f" {self.cpu:.0f} s CPU"
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of the bench gave.

    Attributes:
        took: Seconds of each request, by kind.
        lost: Decisions that were acknowledged and are not there exactly once.
        refused: Decisions that were answered with a refusal.
        errors: Whatever else went wrong.
        at_once: Right secrets that were sent at once from one address, and how many got in.
        sessions: Sessions that the database has more than there are people signed in.
        held: What the owner held before, at the end of the storm, and some time later.
    """

    took: Mapping[str, Sequence[float]]
    lost: int
    refused: int
    errors: int
    at_once: tuple[int, int]
    sessions: int
    held: tuple[Held, Held, Held]


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal in words, what was measured, and whether that meets it; None: nothing was measured."""

    words: str
    measured: str
    is_met: bool | None


def percentile(seconds: Sequence[float], part: float) -> float:
    """Milliseconds within which this part of the requests was answered; 0.0 for none."""
    ranked = sorted(seconds)
    if not ranked:
        return 0.0
    return ranked[min(len(ranked) - 1, int(len(ranked) * part))] * 1000


def goals(outcome: Outcome) -> list[Goal]:
    """Every goal, in the order in which they matter."""
    before, _, later = outcome.held
    asked, got_in = outcome.at_once
    rows = [
        _none("decisions that were acknowledged and lost", outcome.lost),
        _none("decisions that were refused", outcome.refused),
        _none("requests that failed", outcome.errors),
    ]
    rows += [_within(kind, outcome.took.get(kind, ()), most) for kind, most in SLOWEST.items()]
    words = f"{asked} right secrets at once from one address all get in"
    rows.append(Goal(words, f"{got_in}", got_in == asked if asked else None))
    memory = f"{later.memory:.0f} MB (before: {before.memory:.0f})"
    is_small = later.memory <= LARGEST_MEMORY
    rows.append(Goal(f"memory afterwards at most {LARGEST_MEMORY:.0f} MB", memory, is_small))
    rows.append(_back("threads", before.threads, later.threads))
    rows.append(_back("descriptors", before.descriptors, later.descriptors))
    rows.append(_none("sessions that nobody has", outcome.sessions))
    return rows


def _none(what: str, count: int) -> Goal:
    return Goal(f"no {what}", f"{count:,}", count == 0)


def _within(kind: str, seconds: Sequence[float], most: float) -> Goal:
    words = f"{kind}: 99 of 100 within {most:.0f} ms"
    if not seconds:
        return Goal(words, "none was asked for", None)
    taken = percentile(seconds, 0.99)
    return Goal(words, f"{taken:.0f} ms of {len(seconds):,}", taken < most)


def _back(what: str, before: int, later: int) -> Goal:
    words = f"{what} are back where they were (at most {LEFT_OVER} more)"
    return Goal(words, f"{later} (before: {before})", later <= before + LEFT_OVER)


def table(rows: Sequence[Goal]) -> str:
    """The goals as text, one line each."""
    verdicts = {True: "met", False: "NOT MET", None: "not measured"}
    wide = max(len(row.words) for row in rows)
    narrow = max(len(row.measured) for row in rows)
    return "\n".join(
        f"{row.words:{wide}}  {row.measured:>{narrow}}  {verdicts[row.is_met]}" for row in rows
    )
