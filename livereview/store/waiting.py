"""What waits in a review and who has answered what, in memory, as the writers change it.

A crowd's queue is the same for everybody but for what each has answered (`screening.order`). To ask
the database for its first report takes DuckDB 7 ms of CPU, nearly all of it for planning; fifty
people ask twenty times a second. So the reports of a review are kept in their order, and the reports
that a person has answered as a set. Whoever writes where a report stands, or a vote, tells it with
the transaction (`rows.tell`), and it is applied after the commit in the order of commits, before
anybody hears of it. Where something was written that nobody told, all is forgotten and read again.

Nothing here decides anything: whether a decision counts is the database's to say.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

MOST_REPORTS = 300_000  # of all reviews that are kept, about 70 MB; the longest unused goes first
MOST_PEOPLE = 2_000  # whose answers are kept, each at a stage of a review
OPEN = ("open", "half")  # the states of a report that takes votes

Place = tuple[bool, bool, int, int, str]
PersonAt = tuple[str, str, str]  # review, stage and reviewer
Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a report stands in a review; `seq` is the number of the event that brought it."""

    stage: str
    votes: int
    state: str
    seq: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A decision has moved a report, which keeps its number."""

    review: str
    report_id: str
    stage: str
    votes: int
    state: str


@dataclass(frozen=True, slots=True)
class Derived:
    """Where these reports stand was derived again.

    Attributes:
        report_ids: Those that are not where they were; None: all.
        rows: (review, report, where it stands now) of those that stand anywhere.
    """

    report_ids: frozenset[str] | None
    rows: tuple[tuple[str, str, Standing], ...]


@dataclass(frozen=True, slots=True)
class Voted:
    """A person has voted on a report.

    Attributes:
        report_id: The report; None: what they have answered is to be read again.
    """

    review: str
    stage: str
    reviewer: str
    report_id: str | None


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Nobody told what was written to one of the tables: what is kept of them is to be read again."""

    standings: bool
    answers: bool


Event = Moved | Derived | Voted | Forgotten


@dataclass(frozen=True, slots=True)
class First:
    """The head of a crowd's queue: its first reports with their votes, those that were asked for,
    how many wait for this person, and how many they have answered.
    """

    reports: tuple[tuple[str, int], ...]
    wanted: tuple[tuple[str, int], ...]
    waiting: int
    answered: int


class WaitingList:
    """The reports of a review, those that take votes in the order of a crowd's queue.

    Args:
        rows: Where each report stands.
        ranks: The place of each report that the ranking in use has.
        stamp: The versions of the tables that the ranks were read from.
    """

    def __init__(self, rows: Iterable[tuple[str, Standing]], ranks: dict[str, int], stamp: Stamp):
        self.stamp = stamp
        self._ranks = ranks
        self._standings = dict(rows)
        self._orders: dict[str, list[Place]] = {}
        for report_id, standing in self._standings.items():
            if standing.state in OPEN:
                order = self._orders.setdefault(standing.stage, [])
                order.append(self._place(report_id, standing))
        for order in self._orders.values():
            order.sort()

    def __len__(self) -> int:
        return len(self._standings)

    def put(self, report_id: str, standing: Standing) -> None:
        """A report stands here now."""
        self.remove(report_id)
        self._standings[report_id] = standing
        if standing.state in OPEN:
            order = self._orders.setdefault(standing.stage, [])
            insort(order, self._place(report_id, standing))

    def remove(self, report_id: str) -> None:
        """A report is not in the review any more."""
        before = self._standings.pop(report_id, None)
        if before is None or before.state not in OPEN:
            return
        order = self._orders[before.stage]
        del order[bisect_left(order, self._place(report_id, before))]

    def move(self, moved: Moved) -> bool:
        """A report stands elsewhere; False where it is not in the list, which is then wrong."""
        before = self._standings.get(moved.report_id)
        if before is None:
            return False
        self.put(moved.report_id, Standing(moved.stage, moved.votes, moved.state, before.seq))
        return True

    def first(
        self, stage: str, answered: frozenset[str] | set[str], most: int, wanted: Sequence[str]
    ) -> First:
        """The head of the queue at a stage for somebody who has answered these reports."""
        order = self._orders.get(stage, [])
        reports: list[tuple[str, int]] = []
        for *_, report_id in order:
            if len(reports) == most:
                break
            if report_id not in answered:
                reports.append((report_id, self._standings[report_id].votes))
        theirs = sum(1 for report_id in answered if self._waits(report_id, stage))
        asked = [
            (report_id, self._standings[report_id].votes)
            for report_id in wanted
            if report_id not in answered and self._waits(report_id, stage)
        ]
        return First(tuple(reports), tuple(asked), len(order) - theirs, len(answered))

    def _waits(self, report_id: str, stage: str) -> bool:
        standing = self._standings.get(report_id)
        return standing is not None and standing.stage == stage and standing.state in OPEN

    def _place(self, report_id: str, standing: Standing) -> Place:
        """Half-screened reports first, then ranked ones by rank, then the others as they came."""
        rank = self._ranks.get(report_id)
        return standing.votes == 0, rank is None, rank or 0, standing.seq, report_id


@dataclass(slots=True)
class _Answered:
    reports: set[str]
    stamp: Stamp


@dataclass(slots=True, eq=False)
class _Log:
    """What is told while somebody reads: it is applied to what they have read.

    Two that hold the same are not the same.
    """

    events: list[Event] = field(default_factory=list)


class WaitingLists:
    """The lists of all reviews. All its methods may be called by many threads at once."""

    def __init__(self) -> None:
        self._lock, self._first_reads = threading.Lock(), threading.Lock()
        self._lists: OrderedDict[str, WaitingList] = OrderedDict()
        self._answered: OrderedDict[PersonAt, _Answered] = OrderedDict()
        self._logs: list[_Log] = []

    def apply(self, events: Sequence[Event]) -> None:
        """A transaction that told these was committed."""
        if not events:
            return
        with self._lock:
            for log in self._logs:
                log.events.extend(events)
            for event in events:
                self._apply(event)

    def head(
        self,
        person_at: PersonAt,
        most: int,
        wanted: Sequence[str],
        stamps: tuple[Stamp, Stamp],
        read_list: Callable[[], WaitingList],
        read_answered: Callable[[], set[str]],
    ) -> First | None:
        """The head of a person's queue.

        Args:
            person_at: The review, the stage and the person.
            most: How many reports at most.
            wanted: Reports that are asked for by name.
            stamps: The versions now of the tables that ranks, and that answers, are read from.
            read_list: Reads the review from the database, where its list is not here.
            read_answered: Reads what the person has answered, where that is not here.

        Returns:
            The head; None where it must be asked of the database, as what was read is already
            forgotten again.
        """
        review, stage, _ = person_at
        of_ranks, of_answers = stamps
        if not self._has_list(review, of_ranks):
            with self._first_reads:  # the others then find what the first of them has read
                if not self._has_list(review, of_ranks):
                    self._read_list(review, read_list)
        if not self._has_answers(person_at, of_answers):
            self._read_answered(person_at, of_answers, read_answered)
        with self._lock:
            listed, answered = self._lists.get(review), self._answered.get(person_at)
            if listed is None or answered is None:
                return None
            self._lists.move_to_end(review)
            self._answered.move_to_end(person_at)
            return listed.first(stage, answered.reports, most, wanted)

    def _has_list(self, review: str, stamp: Stamp) -> bool:
        listed = self._lists.get(review)
        return listed is not None and listed.stamp == stamp

    def _has_answers(self, person_at: PersonAt, stamp: Stamp) -> bool:
        answered = self._answered.get(person_at)
        return answered is not None and answered.stamp == stamp

    def _read_list(self, review: str, read: Callable[[], WaitingList]) -> None:
        """Keep what is read, with what was told meanwhile."""
        log = self._listen()
        listed = read()
        with self._lock:
            self._logs.remove(log)
            self._lists[review] = listed
            for event in log.events:
                self._apply_to_list(event, review)
            while sum(map(len, self._lists.values())) > MOST_REPORTS:
                self._lists.popitem(last=False)

    def _read_answered(
        self, person_at: PersonAt, stamp: Stamp, read: Callable[[], set[str]]
    ) -> None:
        log = self._listen()
        reports = read()
        with self._lock:
            self._logs.remove(log)
            self._answered[person_at] = _Answered(reports, stamp)
            for event in log.events:
                self._apply_to_answers(event, person_at)
            while len(self._answered) > MOST_PEOPLE:
                self._answered.popitem(last=False)

    def _listen(self) -> _Log:
        log = _Log()
        with self._lock:
            self._logs.append(log)
        return log

    def _apply(self, event: Event) -> None:
        if isinstance(event, Voted):
            self._apply_to_answers(event, (event.review, event.stage, event.reviewer))
            return
        if isinstance(event, Moved):
            self._apply_to_list(event, event.review)
            return
        for review in list(self._lists):
            self._apply_to_list(event, review)
        if isinstance(event, Forgotten) and event.answers:
            self._answered.clear()

    def _apply_to_list(self, event: Event, review: str) -> None:
        """What an event does to the list of this review."""
        listed = self._lists.get(review)
        if listed is None:
            return
        if isinstance(event, Moved) and event.review == review:
            if not listed.move(event):
                del self._lists[review]
        elif isinstance(event, Derived):
            if event.report_ids is None:
                del self._lists[review]
                return
            for report_id in event.report_ids:
                listed.remove(report_id)
            for of_review, report_id, standing in event.rows:
                if of_review == review:
                    listed.put(report_id, standing)
        elif isinstance(event, Forgotten) and event.standings:
            del self._lists[review]

    def _apply_to_answers(self, event: Event, person_at: PersonAt) -> None:
        """What an event does to what this person has answered."""
        if isinstance(event, Forgotten) and event.answers:
            self._answered.pop(person_at, None)
        if not isinstance(event, Voted):
            return
        answered = self._answered.get(person_at)
        if answered is None or (event.review, event.stage, event.reviewer) != person_at:
            return
        if event.report_id is None:
            del self._answered[person_at]
        else:
            answered.reports.add(event.report_id)
