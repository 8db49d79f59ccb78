"""A night as many runs: what is to run, and the loop that has it run and looks how it ends.

Nothing here knows Prefect: `Board` is what the loop asks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Protocol

from livereview.timetable import TimedReview

SEARCH = "search"
LOOK_UP = "look-up"

POLL = 5.0  # seconds between two looks at the runs
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
RAN_THROUGH = "COMPLETED"
CANCELLED = "CANCELLED"
NEVER_ENDED = "NEVER ENDED"


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a night: a search of a review, or the look-ups of one.

    Attributes:
        source: The source that it asks: jobs of one source share a queue of the work pool.
        asks: Equal for jobs that ask their source the same. The first of them asks, the others wait
            until it has ended and are given its answers.
    """

    kind: str
    review: str
    search: str
    source: str
    asks: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A run as Prefect shows it: the type of its state, and the words of it."""

    state: str
    words: str


@dataclass(slots=True)
class Course:
    """How a job goes: its present run, how many were begun, and how the last one ended."""

    job: Job
    run: str = ""
    tries: int = 0
    waits: bool = False  # for the time of its next try
    seen: Seen | None = None
    is_over: bool = False

    @property
    def asks_now(self) -> bool:
        """Whether a run of it goes on."""
        return bool(self.run) and not self.is_over and not self.waits

    @property
    def ran_through(self) -> bool:
        """Whether its last run did."""
        return self.seen is not None and self.seen.state == RAN_THROUGH


class Board(Protocol):
    """Where runs are asked for and looked at."""

    def open_run(self, job: Job) -> str | None:
        """A run of this job that has not ended, such as of an earlier night that was killed."""
        ...

    def submit(self, job: Job, number: int, delay: float) -> str:
        """Have the job run in `delay` seconds, as the `number`th try of this night.

        Asked again it is the same run, whose id it gives.
        """
        ...

    def look(self, runs: Sequence[str]) -> Mapping[str, Seen]:
        """The state of each of these runs."""
        ...

    def cancel(self, run: str) -> None:
        """End a run."""
        ...


def jobs_of(reviews: Sequence[TimedReview], cron: str, timezone: str) -> list[Job]:
    """The searches that the protocols in force give this slot, taking turns among the sources."""
    by_source: dict[str, list[Job]] = {}
    for review in reviews:
        if not review.is_living or review.timezone != timezone:
            continue
        for search in review.searches:
            if search.cron == cron:
                job = Job(SEARCH, review.review, search.name, search.source, search.asks)
                by_source.setdefault(job.source, []).append(job)
    rounds = zip_longest(*by_source.values())
    return [job for each in rounds for job in each if job is not None]  # fmt: skip


def look_ups_of(reviews: Sequence[TimedReview], timezone: str) -> list[Job]:
    """The look-ups of each review of this time zone; those of retired reviews go on too.

    The first fetches what all of them read, such as the list of retractions.
    """
    return [
        Job(LOOK_UP, review.review, "recheck", "look-ups", asks="look-ups")
        for review in reviews
        if review.timezone == timezone
    ]


@dataclass(slots=True)
class Night:
    """The runs of a night, from the first to the last.

    Args:
        board: Where they run.
        pauses: Seconds after which what failed is tried again, one for each further try.
        quiet: Called with a review each time that none of its runs goes on and one has ended.
        longest: Seconds after which the night ends, whatever goes on still.
    """

    board: Board
    pauses: Sequence[float]
    quiet: Callable[[str], None]
    longest: float
    courses: list[Course] = field(default_factory=list)

    def run(
        self,
        jobs: Sequence[Job],
        sleep: Callable[[float], None],
        clock: Callable[[], float],
        progress: Callable[[Sequence[Course]], None],
    ) -> list[Course]:
        """Have all jobs run, and those that failed again; how each went."""
        until = clock() + self.longest
        self.courses = [Course(job) for job in jobs]
        self._begin_more()
        while self._open():
            if clock() >= until:
                self._give_up()
                break
            sleep(POLL)
            changed = self._look()
            if changed:
                progress(self.courses)
            for review in sorted(changed):
                if not self._goes_on(review):
                    self.quiet(review)
        return self.courses

    def _begin_more(self) -> None:
        """Begin each job that need not wait for another which asks the same."""
        alike: dict[tuple[str, str, str], list[Course]] = {}
        for course in self.courses:
            job = course.job
            own = (job.review, job.search) if not job.asks else ("", "")
            alike.setdefault((job.asks, *own), []).append(course)
        for courses in alike.values():
            if any(course.asks_now for course in courses):
                continue
            held = [course for course in courses if not course.run]
            answered = any(course.ran_through for course in courses)
            for course in held if answered else held[:1]:
                course.tries = 1
                course.run = self.board.open_run(course.job) or self.board.submit(
                    course.job, 1, 0.0
                )

    def _open(self) -> list[Course]:
        return [course for course in self.courses if not course.is_over]

    def _goes_on(self, review: str) -> bool:
        """Whether a run of the review runs or is about to; one that waits for its next try does not."""
        return any(not course.waits for course in self._open() if course.job.review == review)

    def _look(self) -> set[str]:
        """See what has ended since, and have it tried again where it failed; the reviews of it."""
        going_on = [course for course in self._open() if course.run]
        seen = self.board.look([course.run for course in going_on])
        changed = set()
        for course in going_on:
            state = seen.get(course.run, Seen("CRASHED", "the run is gone from Prefect"))
            if state.state in ENDED:
                self._end(course, state)
                changed.add(course.job.review)
            else:
                course.waits = state.state == "SCHEDULED" and course.tries > 1
        self._begin_more()
        return changed

    def _end(self, course: Course, seen: Seen) -> None:
        course.seen = seen
        no_more = seen.state in (RAN_THROUGH, CANCELLED) or course.tries > len(self.pauses)
        if no_more:
            course.is_over = True
            return
        pause = self.pauses[course.tries - 1]
        course.tries += 1
        course.run = self.board.submit(course.job, course.tries, pause)
        course.waits = True

    def _give_up(self) -> None:
        for course in self._open():
            if course.run:
                self.board.cancel(course.run)
            words = f"it had not ended after {self.longest / 3600:.0f} hours"
            course.seen = Seen(NEVER_ENDED, words)
            course.is_over = True


def table(courses: Sequence[Course]) -> list[dict[str, Any]]:
    """The night as a table: what failed comes first."""
    rows = [
        {
            "review": course.job.review,
            "search": course.job.search,
            "source": course.job.source,
            "ended": course.seen.state.lower() if course.seen else "goes on",
            "tries": course.tries,
            "in words": course.seen.words if course.seen else "",
        }
        for course in courses
    ]
    return sorted(rows, key=lambda row: (row["ended"] == "completed", row["review"]))
