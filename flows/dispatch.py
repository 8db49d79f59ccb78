"""One dispatcher for each slot of a centre, and the runs that it submits: a search, or look-ups.

The dispatcher reads the protocols in force when it starts. Its runs go to a work pool, where any
number of workers on any machines take them; so a night is as long as its slowest host, not as all
of them together.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from prefect import flow, get_run_logger
from prefect.artifacts import (
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.flows import Flow
from prefect.states import Cancelling, Completed, Failed, Scheduled

from livereview import review_toml, settings
from livereview.client import Client
from livereview.commands import (
    EndRun,
    LoseNight,
    NoteNight,
    NoteSignOfLife,
    ReadProtocol,
    ReadSchedule,
)
from livereview.errors import LivereviewError
from livereview.settings import Settings
from livereview.timetable import TimedReview

from . import events, jobs, lanes, owner, pages, sharing
from .jobs import Course, Job, Seen
from .night import LONGEST_NIGHT, ended_by_force
from .surveil import (
    LONGEST_TASK,
    Options,
    ended_search,
    publish,
    sentence,
    tell,
)

# of deployments, as `flows.deployments` names them: flow and deployment
DEPLOYED: Mapping[str, str] = {
    jobs.SEARCH: "search of one review/one search",
    jobs.LOOK_UP: "recheck night/look-ups",
}
LONGEST_WAIT = LONGEST_NIGHT - 1800  # seconds for the runs of a night; then it tells what it lost
SIGN_EACH = 60.0  # seconds between two signs of life of a night
OPEN_STATES = (
    StateType.SCHEDULED,
    StateType.PENDING,
    StateType.RUNNING,
    StateType.PAUSED,
    StateType.CANCELLING,
)


# One search


@flow(
    name="search of one review",
    flow_run_name="search-{review}-{search}",
    timeout_seconds=LONGEST_TASK,
    on_cancellation=[ended_by_force],
    on_crashed=[ended_by_force],
    validate_parameters=False,
)
def search_one(review: str, search: str, night: str = "") -> State[Any]:
    """Run one search of a review's protocol in force.

    The run fails if the search did not run through.

    Args:
        review: Id of the review.
        search: Name of a search of its protocol.
        night: The night whose answers it shares, which its dispatcher says; else it asks alone.
    """
    chosen = settings.read(os.environ)
    with (
        owner.told_if_lost(chosen, review, search),
        owner.session(chosen) as client,
        lanes.fetcher(chosen) as fetcher,
    ):
        in_force = client.run(ReadProtocol(review=review))
        plan = review_toml.parse(in_force.text, accepted=True).search(search)
        if plan is None or in_force.status != "living":
            if plan is None:
                why = "the search left the protocol"
            else:
                why = "the review is not living"
            return Completed(message=f"nothing was searched: {why}", data={"note": why})
        answers = sharing.of_night(chosen, night) if night else None
        ending = ended_search(
            client,
            fetcher,
            review,
            plan,
            datetime.now(UTC),
            Options(shared=sharing.for_search(answers, plan), due=sharing.slot_of(night)),
        )
        if ending.already_run:
            why = ending.error or ending.outcome
            client.run(NoteNight(id=uuid4().hex, review=review, what=search, note=why))
            return Completed(message=why, data=ending)
    tell(get_run_logger(), ending)
    events.search_ended(review, ending)
    if ending.ran_through:
        return Completed(message=sentence(ending), data=ending)
    return Failed(message=sentence(ending))


# The dispatcher


class PrefectBoard:
    """The runs of a night on a Prefect server; a `jobs.Board`.

    Args:
        night: Id of the dispatcher's own run, which its runs carry as a tag.
    """

    def __init__(self, prefect: SyncPrefectClient, night: str):
        self._prefect = prefect
        self._night = night
        self._answers = sharing.name_of(owner.due_at(), night)
        self._ids: dict[str, UUID] = {}

    def _deployment(self, kind: str) -> UUID:
        if kind not in self._ids:
            self._ids[kind] = self._prefect.read_deployment_by_name(DEPLOYED[kind]).id
        return self._ids[kind]

    def open_run(self, job: Job) -> str | None:
        """As `Board`."""
        present = self._prefect.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                tags=FlowRunFilterTags(all_=_tags(job)), state=_in(OPEN_STATES)
            ),
            limit=1,
        )
        return str(present[0].id) if present else None

    def submit(self, job: Job, number: int, delay: float) -> str:
        """As `Board`."""
        parameters = {"review": job.review, "night": self._answers}
        if job.kind == jobs.SEARCH:
            parameters["search"] = job.search
        run = self._prefect.create_flow_run_from_deployment(
            self._deployment(job.kind),
            parameters=parameters,
            name=f"{job.kind}-{job.review}-{job.search}",
            tags=[*_tags(job), night_tag(self._night)],
            state=Scheduled(scheduled_time=datetime.now(UTC) + timedelta(seconds=delay)),
            idempotency_key=f"{self._night} {job.kind} {job.review} {job.search} {number}",
            work_queue_name=queue_name(job.source),
        )
        return str(run.id)

    def look(self, runs: Sequence[str]) -> Mapping[str, Seen]:
        """As `Board`."""
        seen: dict[str, Seen] = {}
        for start in range(0, len(runs), pages.PAGE):
            some = [UUID(run) for run in runs[start : start + pages.PAGE]]
            page = self._prefect.read_flow_runs(
                flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=some)), limit=pages.PAGE
            )
            for run in page:
                state = run.state
                if state is not None:
                    seen[str(run.id)] = Seen(state.type.value, state.message or "")
        return seen

    def cancel(self, run: str) -> None:
        """As `Board`."""
        with suppress(Exception):  # it may have ended meanwhile
            self._prefect.set_flow_run_state(UUID(run), Cancelling(message="the night is over"))


def _tags(job: Job) -> list[str]:
    return [f"review:{job.review}", f"search:{job.search}", f"source:{job.source}"]


def night_tag(run: str) -> str:
    """The tag of all runs that a dispatcher's run submitted."""
    return f"night:{run}"


def queue_name(source: str) -> str:
    """The queue of a work pool for the runs that ask a source."""
    return f"source {source}"


def _in(states: Sequence[StateType]) -> FlowRunFilterState:
    return FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states)))


def end_its_runs(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001
    """Cancel what a cancelled dispatcher submitted; each run then ends its search in the ledger."""
    with get_client(sync_client=True) as prefect:
        board = PrefectBoard(prefect, str(flow_run.id))
        mine = FlowRunFilter(
            tags=FlowRunFilterTags(all_=[night_tag(str(flow_run.id))]), state=_in(OPEN_STATES)
        )
        # all are read before the first is cancelled, which takes it out of the filter
        for run in list(pages.all_of(partial(_runs, prefect, mine))):
            board.cancel(str(run.id))


def _runs(
    prefect: SyncPrefectClient, wanted: FlowRunFilter, limit: int, offset: int
) -> list[FlowRun]:
    return prefect.read_flow_runs(flow_run_filter=wanted, limit=limit, offset=offset)


@flow(
    name="dispatch",
    flow_run_name="night at {cron} {timezone}",
    timeout_seconds=LONGEST_NIGHT,
    on_cancellation=[end_its_runs],
    validate_parameters=False,
)
def dispatch(cron: str, timezone: str) -> State[Any]:
    """Have every search run that the protocols in force give this slot, those that failed again.

    Args:
        cron: The cron line.
        timezone: The time zone that it is meant in.
    """
    chosen = settings.read(os.environ)
    with owner.session(chosen) as client:
        reviews = client.run(ReadSchedule()).reviews
        todo = jobs.jobs_of(reviews, cron, timezone)
        to_publish = Pages(client, chosen.address, reviews)
        return _carried_out(
            client, chosen, todo, to_publish, f"{cron} {timezone}", chosen.try_again
        )


@flow(
    name="dispatch look-ups",
    flow_run_name="look-ups in {timezone}",
    timeout_seconds=LONGEST_NIGHT,
    on_cancellation=[end_its_runs],
    validate_parameters=False,
)
def dispatch_look_ups(timezone: str) -> State[Any]:
    """Have the reports of every review of a time zone looked up that are due.

    Args:
        timezone: The time zone of the reviews.
    """
    chosen = settings.read(os.environ)
    with owner.session(chosen) as client:
        reviews = client.run(ReadSchedule()).reviews
        todo = jobs.look_ups_of(reviews, timezone)
        to_publish = Pages(client, chosen.address, reviews)
        return _carried_out(client, chosen, todo, to_publish, f"look-ups {timezone}", ())


def _carried_out(
    client: Client,
    chosen: Settings,
    todo: Sequence[Job],
    to_publish: Pages,
    title: str,
    pauses: Sequence[float],
) -> State[Any]:
    if not todo:
        return Completed(message=f"nothing in the protocols in force is due at {title}")
    run = owner.flow_run_id() or ""
    shown = create_progress_artifact(0.0, key="night", description=f"{title}: {len(todo)} runs")
    assert isinstance(shown, UUID)  # called from a flow that is no coroutine

    def progress(courses: Sequence[Course]) -> None:
        over = sum(course.is_over for course in courses)
        update_progress_artifact(shown, 100.0 * over / len(courses))

    told_at = [time.monotonic()]

    def pause(seconds: float) -> None:
        """The dispatcher keeps a worker's place all night, so it says that the schedule lives."""
        time.sleep(seconds)
        if time.monotonic() - told_at[0] < SIGN_EACH:
            return
        told_at[0] = time.monotonic()
        with suppress(LivereviewError):
            client.run(NoteSignOfLife(words=f"{title}: {len(todo)} runs are under way"))

    with get_client(sync_client=True) as prefect:
        night = jobs.Night(
            board=PrefectBoard(prefect, run),
            pauses=pauses,
            quiet=to_publish.publish,
            longest=LONGEST_WAIT,
        )
        courses = night.run(todo, pause, time.monotonic, progress)
    for course in courses:
        _lose(client, course)
    sharing.of_night(chosen, sharing.name_of(datetime.now(UTC))).clean()
    rows = jobs.table(courses)
    create_table_artifact(rows, key="night-table", description=f"The night at {title}")
    return _verdict(courses)


class Pages:
    """The pages of the reviews of a night, brought up to date as their searches end.

    Args:
        address: Where people reach the server; "": pages are not linked.
        reviews: Those with a protocol in force.
    """

    def __init__(self, client: Client, address: str, reviews: Sequence[TimedReview]):
        self._client = client
        self._address = address
        self._versions = {each.review: each.version or 0 for each in reviews}

    def publish(self, review: str) -> None:
        """Bring a review's page up to date, and link it.

        What can't be published spares the others.
        """
        try:
            answer = publish.fn(self._client, review, datetime.now(UTC))
        except LivereviewError as error:
            get_run_logger().error("%s could not be published: %s", review, error.message)
            return
        events.published(review, answer, self._address, self._versions.get(review))
        self._versions[review] = answer.version or 0


def _lose(client: Client, course: Course) -> None:
    """Have the owner write down a run that never came to search, or was broken off."""
    if course.seen is None or course.seen.state in ("COMPLETED", "FAILED"):
        return
    reason = f"{course.seen.state.lower()}: {course.seen.words or 'no reason was given'}"
    with suppress(LivereviewError):
        client.run(EndRun(run=course.run, reason=reason))
        client.run(
            LoseNight(
                id=f"run-{course.run}",  # as the run itself calls it, where it can
                review=course.job.review,
                what=course.job.search,
                reason=reason,
            )
        )


def _verdict(courses: Sequence[Course]) -> State[Any]:
    broken = [course for course in courses if not course.ran_through]
    if not broken:
        return Completed(message=f"all {len(courses)} runs of the night ran through")
    words = "; ".join(
        f"{course.job.review}: {course.job.search}: {course.seen.words if course.seen else ''}"
        for course in broken
    )
    return Failed(message=f"{len(broken)} of {len(courses)} runs did not run through: {words}")
