"""The standing schedule: deployments that follow the protocols in force, without a restart.

A deployment carries a review, a cron line and a time zone, never the names of searches. Each minute
`follow` asks the owner what is in force, and makes, changes and deletes deployments through
Prefect's API to match.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.deployments.runner import RunnerDeployment
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectNotFound, TerminationSignal
from prefect.flows import Flow
from prefect.runner import Runner
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from livereview import timetable
from livereview.client import Client, wait_for_owner
from livereview.commands import ReadSchedule
from livereview.errors import LivereviewError
from livereview.settings import Settings
from livereview.timetable import TimedReview

from . import owner
from .night import mail_digests, night, publish_behind, recheck_night, tell_webhooks

log = logging.getLogger("livereview.schedule")

TAG = "livereview"  # on every deployment that is ours; others are never touched
COMMON = "all reviews"  # the tag of those that serve all reviews
PUBLISH_EVERY = "*/15 * * * *"
DIGEST_AT = "0 7 * * *"
RECHECK_AT = "30 5 * * *"  # each night; only what is due is asked for
LOOK_EACH = 60.0  # seconds between two looks at what is in force
AT_ONCE = 5  # flow runs that this machine has at once
# seconds between two signs of life of a run, by which Prefect knows one that was killed
HEARTBEAT = 60.0
# seconds without one, after which a run counts as killed: as long as the owner waits for a search
SILENT = 600.0
BEAT = "prefect.flow-run.heartbeat"
KILLED_RUNS = "livereview: end runs whose process is gone"
PAGE = 200  # deployments that Prefect gives in one answer


@dataclass(frozen=True, slots=True)
class Planned:
    """One deployment: the flow, what it is called, its parameters, and when it runs.

    Equal ones need no change.
    """

    flow: str
    name: str
    parameters: tuple[tuple[str, str], ...]
    cron: str
    timezone: str
    tags: tuple[str, ...]


FLOWS: Mapping[str, Flow[Any, Any]] = {
    "night": night,
    "recheck": recheck_night,
    "publish": publish_behind,
    "notify": tell_webhooks,
    "digest": mail_digests,
}


def planned(reviews: Sequence[TimedReview], narrowed: bool = False) -> list[Planned]:
    """The deployments for these reviews.

    A review that is not living has no nights; its reports are looked up all the same, for
    retractions. Where the schedule is `narrowed` to some reviews, another one serves what is common
    to all.
    """
    plans: list[Planned] = []
    for review in reviews:
        name, zone = review.review, review.timezone
        tags = (TAG, name)
        if review.is_living:
            for cron in review.crons:
                parameters = (("cron", cron), ("review", name))
                plans.append(Planned("night", _title(name, cron), parameters, cron, zone, tags))
        plans.append(
            Planned("recheck", f"{name} recheck", (("review", name),), RECHECK_AT, zone, tags)
        )
    if narrowed:
        return plans
    zone = timetable.zone_of_all(reviews)
    tags = (TAG, COMMON)
    plans.append(Planned("publish", "publish", (), PUBLISH_EVERY, "UTC", tags))
    plans.append(Planned("notify", "notify", (), PUBLISH_EVERY, "UTC", tags))
    plans.append(Planned("digest", "digest", (), DIGEST_AT, zone, tags))
    return plans


def _title(review: str, cron: str) -> str:
    """A name that Prefect takes: without / and %."""
    return f"{review} at {cron}".replace("/", " of ")


def deployment(plan: Planned) -> RunnerDeployment:
    """The deployment as Prefect wants it."""
    made = FLOWS[plan.flow].to_deployment(
        name=plan.name,
        schedule=Cron(plan.cron, timezone=plan.timezone),
        parameters=dict(plan.parameters),
        # After downtime every missed slot runs; windows come from our own ledger, so the later ones
        # find nothing new.
        concurrency_limit=1,
        tags=list(plan.tags),
        # so that it does not matter where the schedule was started
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    assert isinstance(made, RunnerDeployment)
    return made


def killed_runs() -> AutomationCore:
    """The automation that ends runs whose process is gone: Prefect shows them as running for ever.

    It waits for the heartbeat of each run, or for its end.
    """
    ends = {
        f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")
    }
    trigger = EventTrigger(
        after={BEAT},
        expect={BEAT, *ends},
        match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=timedelta(seconds=SILENT),
    )
    words = f"no sign of life for {SILENT:.0f} s: its process is gone"
    crashed = ChangeFlowRunState(name=None, state=StateType.CRASHED, message=words, force=False)
    return AutomationCore(name=KILLED_RUNS, trigger=trigger, actions=[crashed])


async def watch_for_killed_runs(prefect: PrefectClient) -> None:
    """Let Prefect end runs whose process is gone. An automation that is there stays as it is."""
    if not await prefect.read_automations_by_name(KILLED_RUNS):
        await prefect.create_automation(killed_runs())


class Incomplete(Exception):
    """Some deployments are not as the protocols in force say; the message names them."""


class Follower:
    """Keeps Prefect's deployments as the protocols in force say.

    Args:
        settings: Where the owner is.
        only: The reviews to serve; empty: all, new ones too.
        runner: Prefect's, which runs what is due.
    """

    def __init__(self, settings: Settings, only: Sequence[str], runner: Runner):
        self._settings = settings
        self._only = tuple(only)
        self._runner = runner
        self._me = owner.schedule_here(LOOK_EACH)
        self._client: Client | None = None
        self._applied: dict[str, Planned] = {}
        self._watched = False

    async def follow(self, each: float = LOOK_EACH) -> None:
        """Look again and again, until cancelled.

        Nothing that goes wrong ends it; all of it is said.
        """
        while True:
            try:
                words, ok = await self.look(), True
            except Incomplete as incomplete:
                words, ok = str(incomplete), False
                log.warning("%s", words)
            except (
                Exception
            ) as error:  # Prefect away, the owner away, a bug: the next look may find it mended
                words, ok = (
                    f"the schedule can't be brought up to date: {type(error).__name__}: {error}",
                    False,
                )
                log.exception("the schedule can't be brought up to date")
            await asyncio.to_thread(self._report, words, ok)
            await asyncio.sleep(each)

    async def look(self) -> str:
        """Bring Prefect's deployments up to date once; how it stands, in words."""
        reviews = await asyncio.to_thread(self._ask)
        plans = {
            _key(plan.flow, plan.name): plan for plan in planned(reviews, narrowed=bool(self._only))
        }
        async with get_client() as prefect:
            if not self._watched:
                await watch_for_killed_runs(prefect)
                self._watched = True
            there = await self._ours(prefect)
            problems = [each async for each in self._bring_up_to_date(plans, there)]
            for key in there.keys() - plans.keys():
                await self._delete(prefect, there[key])
                self._applied.pop(key, None)
        words = f"{len(reviews)} reviews on {len(plans)} deployments of Prefect"
        if problems:
            raise Incomplete(f"{words}, but {'; '.join(problems)}")
        return words

    async def _bring_up_to_date(
        self, plans: Mapping[str, Planned], there: Mapping[str, DeploymentResponse]
    ) -> AsyncIterator[str]:
        """Make and change deployments; what is wrong with one in words, which spares the others."""
        for key, plan in plans.items():
            present = there.get(key)
            if self._applied.get(key) != plan or present is None:
                try:
                    await self._apply(plan)
                except (httpx.TransportError, OSError):
                    raise  # Prefect is away: the others would fare no better
                except Exception as error:
                    log.exception("the deployment %s could not be made", plan.name)
                    yield f"{plan.name} could not be made: {error}"
                    continue
                self._applied[key] = plan
            elif present.paused or not any(schedule.active for schedule in present.schedules):
                yield f"{plan.name} is paused in Prefect, so it does not run: resume it there"

    def _ask(self) -> list[TimedReview]:
        """The reviews in force that this schedule serves."""
        client = self._connected()
        try:
            owner.deliver(self._settings.home, client)
            reviews = client.run(ReadSchedule()).reviews
        except LivereviewError:
            self._client = None  # it may come back at another address
            raise
        return [review for review in reviews if not self._only or review.review in self._only]

    def _connected(self) -> Client:
        if self._client is None:
            self._client = wait_for_owner(self._settings, longest=0)
        return self._client

    def _report(self, words: str, ok: bool) -> None:
        """Tell the owner that the schedule lives.

        An owner that is away is told at the next look.
        """
        try:
            sign = self._me.sign(words, ok=ok, reviews=self._only)
            self._connected().run(sign)
        except LivereviewError as error:
            log.warning("%s", error.message)
            self._client = None

    async def _ours(self, prefect: PrefectClient) -> dict[str, DeploymentResponse]:
        """The deployments in Prefect that this schedule is answerable for, by flow and name."""
        names = {flow.name: word for word, flow in FLOWS.items()}
        known: dict[str, DeploymentResponse] = {}
        flow_names: dict[Any, str] = {}
        offset = 0
        while True:
            tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
            page = await prefect.read_deployments(
                deployment_filter=tagged, limit=PAGE, offset=offset
            )
            for each in page:
                if self._only and not set(each.tags) & set(self._only):
                    continue
                if each.flow_id not in flow_names:
                    flow_names[each.flow_id] = (await prefect.read_flow(each.flow_id)).name
                flow = flow_names[each.flow_id]
                known[_key(names.get(flow, flow), each.name)] = each
            if len(page) < PAGE:
                return known
            offset += PAGE

    async def _apply(self, plan: Planned) -> None:
        made = await asyncio.to_thread(deployment, plan)
        await self._runner.aadd_deployment(made)
        log.info("deployment %s: %s, %s", plan.name, plan.cron, plan.timezone)

    async def _delete(self, prefect: PrefectClient, each: DeploymentResponse) -> None:
        try:
            await prefect.delete_deployment(each.id)
        except ObjectNotFound:
            return
        log.info("deployment %s is gone: no protocol in force asks for it", each.name)


def _key(flow: str, name: str) -> str:
    return f"{flow}/{name}"


def run(settings: Settings, only: Sequence[str] = (), each: float = LOOK_EACH) -> None:
    """Serve the schedule until stopped.

    A stop leaves the deployments active, so that a restart goes on.
    """
    try:
        asyncio.run(_serve(settings, only, each))
    except (KeyboardInterrupt, TerminationSignal) as stop:
        log.info("stopped by %s; the deployments stay active", type(stop).__name__)


async def _serve(settings: Settings, only: Sequence[str], each: float) -> None:
    runner = Runner(
        name="livereview", pause_on_shutdown=False, limit=AT_ONCE, heartbeat_seconds=HEARTBEAT
    )
    follower = Follower(settings, only, runner)
    following = asyncio.create_task(follower.follow(each))
    try:
        await runner.start()
    finally:
        following.cancel()
