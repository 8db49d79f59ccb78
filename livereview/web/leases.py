"""Leases: who has which report before them, so that a report is never in more hands than it needs
votes.

A person has at most one lease at a stage of a review, and keeps it until they decide, skip, sign
out, or let it expire. Leases only decide who is shown what; whether a decision counts is the
database's to say. They are kept in memory, and
each change is a line in a file beside the database, written without waiting for the disk: a process
that is killed loses none, a machine that loses its power may lose the last few.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from livereview.store.queues import Candidate, Head

log = logging.getLogger(__name__)

Place = tuple[str, str]  # review and stage
LASTS = {
    "title_abstract": timedelta(minutes=10),
    "full_text": timedelta(minutes=60),
}  # a whole publication takes longer
# as long as a session: then nobody comes back to the screen that they left
KEPT = timedelta(hours=12)
MOST_SKIPPED = 200  # by one person at one stage; the oldest come back first
LOOKS = 10  # as often one looks again when others took everything that was found
LINES = 5_000  # of the file, before what is over is left out of it


@dataclass(frozen=True, slots=True)
class Lease:
    """A report that is on somebody's screen, since then."""

    report: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was written at this tick: whoever looked into the database before does not
    see it there.
    """

    tick: int
    place: Place
    person: str
    report: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a queue: its first `most` reports, and those of `wanted` that wait too."""

    wanted: tuple[str, ...]
    most: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What a person is shown: `report`, None where nothing is free.

    `asked`: it is the one that they asked for.

    Attributes:
        head: The queue that it was taken from.
    """

    report: str | None
    asked: bool
    head: Head


class Journal:
    """The file of the leases, a JSON object a line. Without a path nothing is kept."""

    def __init__(self, path: Path | None = None):
        self._path = path
        self.lines = 0

    def read(self) -> Iterator[dict[str, Any]]:
        """The events that were written, oldest first.

        What is no event is left out: the owner starts all the same.
        """
        if self._path is None or not self._path.exists():
            return
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            log.error(
                "leases can't be read from %s: %s; they are forgotten", self._path, error.strerror
            )
            return
        for line in text.splitlines():
            with suppress(ValueError):  # a line that was cut off
                event = json.loads(line)
                if is_event(event):
                    yield event

    def add(self, *events: dict[str, Any]) -> None:
        """Write these behind the others."""
        if self._path is None:
            return
        self.lines += len(events)
        self._write(self._path, os.O_APPEND, events)

    def replace(self, events: Sequence[dict[str, Any]]) -> None:
        """Let these be all."""
        if self._path is None:
            return
        self.lines = len(events)
        beside = self._path.with_name(f"{self._path.name}.new")
        if not self._write(beside, os.O_TRUNC, events):
            return
        try:
            beside.replace(self._path)
        except OSError as error:
            self._complain(error)

    def _write(self, path: Path, how: int, events: Sequence[dict[str, Any]]) -> bool:
        """Whether it could be written: people are shown their records on a full disk too."""
        text = "".join(f"{json.dumps(event)}\n" for event in events)
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)
            try:
                os.write(file, text.encode())
            finally:
                os.close(file)
        except OSError as error:
            self._complain(error)
            return False
        return True

    def _complain(self, error: OSError) -> None:
        log.error(
            "leases can't be written to %s: %s; a restart will forget them",
            self._path,
            error.strerror,
        )


class Leases:
    """The leases of one owner. All its methods may be called by many threads at once."""

    def __init__(self, journal: Journal | None = None):
        self._journal = journal or Journal()
        self._lock = threading.Lock()
        self._held: dict[Place, dict[str, Lease]] = {}
        # by person, the oldest first
        self._skipped: dict[Place, dict[str, dict[str, datetime]]] = {}
        self._tick = 0
        self._looking: dict[int, int] = {}  # how many look into the database since each tick
        self._decided: list[Decided] = []
        for event in self._journal.read():
            self._apply(event)
        self._journal.replace(self._events())

    def take(
        self,
        place: Place,
        person: str,
        now: datetime,
        votes: int,
        look: Callable[[Question], Head],
        wanted: str = "",
    ) -> Taken:
        """Give a person the report that they see next, and note that they have it.

        That is the one they asked for, else the one that they have, else the first of their queue;
        each only while it waits for them and is in fewer other hands than it needs votes. What they
        skipped comes after all others.

        Args:
            votes: How many votes a report takes.
            look: Reads the person's queue; called without the lock, so that people look side by
            side.
            wanted: The report that they ask for by name, if they do.
        """
        for attempt in range(LOOKS):
            with self._look() as tick:
                question = self._question(place, person, now, wanted, attempt)
                head = look(question)
                with self._lock:
                    report = self._choose(place, person, now, votes, tick, wanted, head)
                    if report is not None:
                        self._note(place, person, report, now)
                        return Taken(report, report == wanted, head)
            if len(head.reports) < question.most:
                break  # that was the whole queue
        return Taken(None, False, head)

    def give(self, place: Place, person: str, report: str, now: datetime) -> None:
        """Let a person have a report whoever else has it: one that they have voted on and take
        back.
        """
        with self._lock:
            self._note(place, person, report, now)

    def decided(self, place: Place, person: str, report: str) -> None:
        """A person's decision on a report was written: their lease on it ends."""
        with self._lock:
            self._tick += 1
            if self._looking:
                self._decided.append(Decided(self._tick, place, person, report))
            self._end(place, person, report)
            self._forget_skip(place, person, report)

    def skip(self, place: Place, person: str, report: str, now: datetime) -> None:
        """Put the report that this person has behind all others for them, until they sign out.

        Any other is left where it is: an address that was kept or sent to them skips nothing that
        they have not seen.
        """
        with self._lock:
            mine = self._held.get(place, {}).get(person)
            if mine is None or mine.report != report:
                return
            self._end(place, person, report)
            self._record({"act": "skip", "report": report, "at": now.isoformat()}, place, person)

    def leave(self, person: str) -> None:
        """A person has signed out: what they had is free."""
        with self._lock:
            self._record({"act": "leave"}, ("", ""), person)

    def holders(self, place: Place, report: str, now: datetime) -> int:
        """In how many hands a report is."""
        with self._lock:
            return self._others(place, "", now).get(report, 0)

    # --- what is asked, and what is chosen

    @contextmanager
    def _look(self) -> Iterator[int]:
        """The tick at which somebody begins to look.

        Decisions after it are remembered until they have chosen.
        """
        with self._lock:
            tick = self._tick
            self._looking[tick] = self._looking.get(tick, 0) + 1
        try:
            yield tick
        finally:
            with self._lock:
                self._looking[tick] -= 1
                if not self._looking[tick]:
                    del self._looking[tick]
                oldest = min(self._looking, default=self._tick)
                self._decided = [one for one in self._decided if one.tick > oldest]

    def _question(
        self, place: Place, person: str, now: datetime, wanted: str, attempt: int
    ) -> Question:
        """Enough reports that one is free if any is: each lease, skip and decision can take one
        away.

        At every further attempt twice as many, as others take some in between.
        """
        with self._lock:
            mine = self._held.get(place, {}).get(person)
            names = (wanted, mine.report if mine else "")
            skipped = self._skips(place, person, now)
            taken = len(self._held.get(place, {})) + len(skipped) + len(self._decided)
        return Question(tuple(dict.fromkeys(filter(None, names))), (taken + 1) << attempt)

    def _choose(
        self,
        place: Place,
        person: str,
        now: datetime,
        votes: int,
        tick: int,
        wanted: str,
        head: Head,
    ) -> str | None:
        others = self._others(place, person, now)
        gone = set()
        for decision in self._decided:
            if decision.tick <= tick or decision.place != place:
                continue
            if decision.person == person:
                gone.add(decision.report)
            others[decision.report] = others.get(decision.report, 0) + 1

        def free(candidate: Candidate) -> bool:
            if candidate.report_id in gone:
                return False
            taken = candidate.votes + others.get(candidate.report_id, 0)
            return candidate.again or candidate.unleased or taken < votes

        asked = {candidate.report_id: candidate for candidate in head.wanted}
        mine = self._held.get(place, {}).get(person)
        for name in (wanted, mine.report if mine else ""):
            if name in asked and free(asked[name]):
                return name
        skipped = self._skips(place, person, now)
        open_ones = [candidate.report_id for candidate in head.reports if free(candidate)]
        fresh = [report for report in open_ones if report not in skipped]
        again = [report for report in skipped if report in open_ones]
        return next(iter([*fresh, *again]), None)

    def _others(self, place: Place, person: str, now: datetime) -> dict[str, int]:
        """How many others have each report before them."""
        counts: dict[str, int] = {}
        lasts = LASTS.get(place[1], LASTS["title_abstract"])
        for who, lease in self._held.get(place, {}).items():
            if (
                who != person and abs(now - lease.since) < lasts
            ):  # a clock that was wrong holds nothing for long
                counts[lease.report] = counts.get(lease.report, 0) + 1
        return counts

    def _skips(self, place: Place, person: str, now: datetime) -> list[str]:
        kept = self._skipped.get(place, {}).get(person, {})
        return [report for report, since in kept.items() if abs(now - since) < KEPT]

    # --- changes: each is a line of the journal, and is applied as when it is read again

    def _note(self, place: Place, person: str, report: str, now: datetime) -> None:
        self._forget_skip(place, person, report)
        self._record({"act": "take", "report": report, "at": now.isoformat()}, place, person)

    def _end(self, place: Place, person: str, report: str) -> None:
        mine = self._held.get(place, {}).get(person)
        if mine and mine.report == report:
            self._record({"act": "end"}, place, person)

    def _forget_skip(self, place: Place, person: str, report: str) -> None:
        if report in self._skipped.get(place, {}).get(person, {}):
            self._record({"act": "unskip", "report": report}, place, person)

    def _record(self, change: dict[str, str], place: Place, person: str) -> None:
        event = {"review": place[0], "stage": place[1], "person": person, **change}
        self._apply(event)
        self._journal.add(event)
        if self._journal.lines > LINES:
            self._journal.replace(self._events())

    def _apply(self, event: dict[str, Any]) -> None:
        place, person, act = (event["review"], event["stage"]), event["person"], event["act"]
        if act == "take":
            moment = datetime.fromisoformat(event["at"])
            self._held.setdefault(place, {})[person] = Lease(event["report"], moment)
        elif act == "end":
            self._held.get(place, {}).pop(person, None)
        elif act == "skip":
            skipped = self._skipped.setdefault(place, {}).setdefault(person, {})
            skipped.pop(event["report"], None)
            skipped[event["report"]] = datetime.fromisoformat(event["at"])
            while len(skipped) > MOST_SKIPPED:
                del skipped[next(iter(skipped))]
        elif act == "unskip":
            self._skipped.get(place, {}).get(person, {}).pop(event["report"], None)
        elif act == "leave":
            for held in self._held.values():
                held.pop(person, None)
            for skips in self._skipped.values():
                skips.pop(person, None)

    def _events(self) -> list[dict[str, Any]]:
        """The fewest changes that lead to what is there now.

        What is older than KEPT beside the newest is left out.
        """
        events = []
        for place, held in self._held.items():
            for person, lease in held.items():
                events.append(_event(place, person, "take", lease.report, lease.since))
        for place, people in self._skipped.items():
            for person, skipped in people.items():
                events += [
                    _event(place, person, "skip", report, since)
                    for report, since in skipped.items()
                ]
        newest = max((event["at"] for event in events), default="")
        return [event for event in events if _age(event["at"], newest) < KEPT]


NEEDS_REPORT = ("take", "skip", "unskip")
NEEDS_MOMENT = ("take", "skip")


def is_event(event: object) -> bool:
    """Whether this is a change as `Leases` writes it, so that it can be applied."""
    if not isinstance(event, dict):
        return False
    act = event.get("act")
    if act not in (*NEEDS_REPORT, "end", "leave"):
        return False
    names = ["review", "stage", "person"]
    if act in NEEDS_REPORT:
        names.append("report")
    if not all(isinstance(event.get(name), str) for name in names):
        return False
    return act not in NEEDS_MOMENT or _is_moment(event.get("at"))


def _is_moment(text: object) -> bool:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _event(place: Place, person: str, act: str, report: str, since: datetime) -> dict[str, Any]:
    return {
        "review": place[0],
        "stage": place[1],
        "person": person,
        "act": act,
        "report": report,
        "at": since.isoformat(),
    }


def _age(moment: str, newest: str) -> timedelta:
    return datetime.fromisoformat(newest) - datetime.fromisoformat(moment)
