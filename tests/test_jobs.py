"""A night as many runs: what is due in a slot, what is tried again, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from flows import deploy, dispatch, events, jobs
from flows.deployments import SLOT_TAG, TAG, plan, schema
from flows.dispatch import search_one
from flows.jobs import Course, Job, Night, Seen
from flows.night import publish_behind
from flows.pages import PAGE
from livereview import entrypoints
from livereview.commands import ReadSchedule
from livereview.commands.publishing import Published
from livereview.store.open import Store
from livereview.timetable import TimedReview, TimedSearch
from tests.conftest import NOW, OpenStore

CRON, ZONE = "0 2 * * *", "Europe/London"


def review(name: str, *searches: str, **more: Any) -> TimedReview:
    """A review with searches such as "main at openalex"."""
    asked = []
    for each in searches:
        search, _, source = each.partition(" at ")
        asked.append(TimedSearch(search, source, CRON))
    return replace(TimedReview(name, (CRON,), tuple(asked), ZONE), **more)


@dataclass
class FakeBoard:
    """Runs that end at the next look, as `fate` says; a delayed one at the look after."""

    fate: Callable[[Job, int], str]
    open: Mapping[str, str] = field(default_factory=dict)
    submitted: list[tuple[str, int, float]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    runs: dict[str, tuple[Job, int, float]] = field(default_factory=dict)

    def open_run(self, job: Job) -> str | None:
        run = self.open.get(job.search)
        if run:
            self.runs[run] = (job, 1, 0.0)
        return run

    def submit(self, job: Job, number: int, delay: float) -> str:
        run = f"{job.search} {number}"
        self.submitted.append((job.search, number, delay))
        self.runs[run] = (job, number, delay)
        return run

    def look(self, runs: Sequence[str]) -> Mapping[str, Seen]:
        seen = {}
        for run in runs:
            job, number, delay = self.runs[run]
            if delay:
                self.runs[run] = (job, number, 0.0)
                seen[run] = Seen("SCHEDULED", "")
            else:
                seen[run] = Seen(self.fate(job, number), f"{run} ended")
        return {run: state for run, state in seen.items() if state.state != "GONE"}

    def cancel(self, run: str) -> None:
        self.cancelled.append(run)


def carried_out(
    board: FakeBoard, todo: Sequence[Job], pauses: Sequence[float] = (600, 3600)
) -> tuple[list[Course], list[str]]:
    quiet: list[str] = []
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    night = Night(board, pauses, quiet.append, longest=3600)
    return night.run(todo, sleep, lambda: now[0], lambda courses: None), quiet


def search(name: str, review: str = "a") -> Job:
    return Job(jobs.SEARCH, review, name, "openalex")


def test_a_slot_has_the_searches_of_its_cron_line_and_zone_in_living_reviews() -> None:
    reviews = [
        review("a", "one at openalex", "two at crossref"),
        review("b", "three at openalex", timezone="Europe/Oslo"),
        review("c", "four at openalex", status="paused"),
        review("d", "five at openalex"),
    ]
    another = TimedSearch("six", "osf", "0 3 * * *")
    reviews[3] = replace(reviews[3], searches=(*reviews[3].searches, another))
    todo = jobs.jobs_of(reviews, CRON, ZONE)
    assert {(job.review, job.search) for job in todo} == {("a", "one"), ("a", "two"), ("d", "five")}


def test_sources_take_turns_so_that_no_host_stands_before_the_others() -> None:
    reviews = [review(name, "o at openalex", "c at crossref") for name in "abc"]
    todo = jobs.jobs_of(reviews, CRON, ZONE)
    assert [job.source for job in todo] == ["openalex", "crossref"] * 3


def test_the_owner_says_which_searches_there_are(reviewed: Store) -> None:
    (answer,) = OpenStore(reviewed).run(ReadSchedule(now=NOW)).reviews
    names = [(each.name, each.source, each.cron) for each in answer.searches]
    assert names == [("openalex", "openalex", CRON), ("crossref", "crossref", CRON)]


def test_what_failed_is_tried_again_after_each_pause_and_then_told() -> None:
    board = FakeBoard(lambda job, number: "FAILED" if job.search == "bad" else "COMPLETED")
    courses, quiet = carried_out(board, [search("good"), search("bad")])
    assert board.submitted == [("good", 1, 0), ("bad", 1, 0), ("bad", 2, 600), ("bad", 3, 3600)]
    assert [(course.ran_through, course.tries) for course in courses] == [(True, 1), (False, 3)]
    assert quiet == ["a", "a", "a"], "published after each round"


def test_what_a_person_cancelled_is_not_tried_again() -> None:
    board = FakeBoard(lambda job, number: "CANCELLED")
    (course,), _ = carried_out(board, [search("main")])
    assert board.submitted == [("main", 1, 0)] and not course.ran_through


@pytest.mark.parametrize("state", ["CRASHED", "GONE"])
def test_a_run_whose_worker_died_is_tried_again(state: str) -> None:
    board = FakeBoard(lambda job, number: state if number == 1 else "COMPLETED")
    (course,), _ = carried_out(board, [search("main")])
    assert course.ran_through and course.tries == 2


def test_a_run_that_an_earlier_dispatcher_left_is_waited_for_and_not_doubled() -> None:
    board = FakeBoard(lambda job, number: "COMPLETED", open={"main": "an earlier run"})
    (course,), _ = carried_out(board, [search("main")])
    assert course.run == "an earlier run" and not board.submitted


def test_a_review_is_published_when_none_of_its_runs_goes_on() -> None:
    looks: dict[str, int] = {}

    def fate(job: Job, number: int) -> str:
        looks[job.search] = looks.get(job.search, 0) + 1
        slow = job.search == "slow" and looks["slow"] < 3
        return "RUNNING" if slow else "COMPLETED"

    todo = [search("quick"), search("slow"), search("other", "b")]
    _, quiet = carried_out(FakeBoard(fate), todo)
    assert quiet == ["b", "a"]


def test_a_night_that_does_not_end_is_ended_and_told() -> None:
    board = FakeBoard(lambda job, number: "RUNNING")
    (course,), _ = carried_out(board, [search("main")])
    assert board.cancelled == ["main 1"]
    assert course.seen and course.seen.state == jobs.NEVER_ENDED
    (row,) = jobs.table([course])
    assert row["ended"] == "never ended" and "after 1 hours" in row["in words"]


def test_the_table_of_a_night_has_what_failed_first() -> None:
    board = FakeBoard(lambda job, number: "FAILED" if job.search == "bad" else "COMPLETED")
    courses, _ = carried_out(board, [search("good"), search("bad")], pauses=())
    assert [row["search"] for row in jobs.table(courses)] == ["bad", "good"]


def test_the_plan_has_a_dispatcher_for_each_slot_and_a_queue_for_each_source() -> None:
    reviews = [
        review("a", "one at openalex", "two at feed"),
        review("b", "three at openalex", timezone="Europe/Oslo"),
    ]
    one, two = reviews[0].searches
    two = replace(two, url="https://journal.example/latest.rss")
    reviews[0] = replace(reviews[0], searches=(one, two))
    made = plan(reviews, publish_behind)
    slots = [each for each in made.deployments if each.flow == "dispatch"]
    assert [(each.cron, each.timezone) for each in slots] == [(CRON, ZONE), (CRON, "Europe/Oslo")]
    assert all(each.tags == [TAG, SLOT_TAG] for each in slots)
    assert {queue.name: queue.at_once for queue in made.queues} == {
        "source openalex": 2,
        "source feed": 8,
        "source look-ups": 8,
    }
    limits = {"livereview host api.openalex.org", "livereview host journal.example"}
    assert limits <= set(made.limits)
    assert len({each.key for each in made.deployments}) == len(made.deployments)


def test_a_plan_changes_with_the_protocols_and_with_nothing_else() -> None:
    first = [
        each.fingerprint
        for each in plan([review("a", "x at openalex")], publish_behind).deployments
    ]
    again = [
        each.fingerprint
        for each in plan([review("a", "x at openalex")], publish_behind).deployments
    ]
    other = [
        each.fingerprint
        for each in plan([review("a", "y at openalex")], publish_behind).deployments
    ]
    assert first == again and first != other


def test_the_form_of_a_run_offers_what_is_in_force() -> None:
    form = schema(search_one, {"review": ("a", "b"), "search": ("main",)})
    assert form["properties"]["review"]["enum"] == ["a", "b"]
    assert form["properties"]["search"]["description"] == "Name of a search of its protocol."


def test_a_cancelled_dispatcher_cancels_the_runs_that_it_submitted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many there are: Prefect hands them out a page at a time."""
    open_runs = [SimpleNamespace(id=str(UUID(int=number))) for number in range(2 * PAGE + 50)]
    submitted = [run.id for run in open_runs]
    cancelled: list[str] = []

    class FakePrefect:
        def read_flow_runs(self, flow_run_filter: Any, limit: int, offset: int) -> list[Any]:
            assert flow_run_filter.tags.all_ == ["night:the-dispatcher"]
            assert "RUNNING" in flow_run_filter.state.type.any_
            return open_runs[offset : offset + min(limit, PAGE)]

        def set_flow_run_state(self, run: Any, state: Any) -> None:
            assert state.type == "CANCELLING"
            cancelled.append(str(run))
            open_runs[:] = [each for each in open_runs if each.id != str(run)]

    @contextmanager
    def client(sync_client: bool) -> Iterator[FakePrefect]:
        assert sync_client
        yield FakePrefect()

    monkeypatch.setattr(dispatch, "get_client", client)
    run = SimpleNamespace(id="the-dispatcher", expected_start_time=None)
    dispatch.end_its_runs(dispatch.dispatch, run, SimpleNamespace())  # type: ignore[arg-type]
    assert cancelled == submitted


def test_a_new_version_is_an_event_once_whoever_published_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The owner publishes by itself when a search brought something: the dispatcher then finds it."""
    emitted: list[tuple[str, int]] = []
    linked: list[str] = []

    def emit(event: str, resource: dict[str, str], payload: dict[str, Any]) -> None:
        emitted.append((resource["prefect.resource.id"], payload["version"]))

    def link(address: str, **more: Any) -> None:
        linked.append(address)

    class Owner:
        version = 3

        def run(self, command: Any, /) -> Any:
            assert command.operation == "publish"
            return Published(version=self.version, new=False, change="minor")

        def close(self) -> None:
            """Nothing is open."""

    monkeypatch.setattr(events, "emit_event", emit)
    monkeypatch.setattr(events, "create_link_artifact", link)
    owner = Owner()
    pages = dispatch.Pages(owner, "https://review.example.org", [replace(review("a"), version=3)])
    pages.publish("a")
    assert emitted == []
    owner.version = 4
    pages.publish("a")
    pages.publish("a")
    assert emitted == [("livereview.review.a", 4)]
    assert set(linked) == {"https://review.example.org/site/a/latest/"}


def test_workers_find_each_flow_by_a_name_that_does_not_depend_on_the_installation() -> None:
    made = plan([review("a", "x at openalex")], deploy.follow).deployments
    for each in made:
        module, _, name = each.entrypoint.rpartition(".")
        assert module == "livereview.entrypoints"
        assert getattr(entrypoints, name).name == each.flow
    assert {each.entrypoint.rpartition(".")[2] for each in made} == set(entrypoints.PLACES)
    with pytest.raises(AttributeError, match="no flow 'unheard_of'"):
        entrypoints.unheard_of  # noqa: B018
