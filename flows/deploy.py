"""Bring a Prefect server up to date with the protocols in force: pool, queues, limits, deployments
and automations.

What is there already as it is to be is not touched; what others made is not looked at.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from prefect import flow
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.objects import State
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.events.actions import CallWebhook
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.flows import Flow
from prefect.states import Completed
from prefect.types import SecretDict
from prefect.workers.utilities import get_default_base_job_template_for_infrastructure_type
from pydantic import SecretStr

from livereview import settings
from livereview.client import wait_for_owner
from livereview.commands import ReadSchedule
from livereview.errors import Refused
from livereview.timetable import TimedReview

from . import deployments, owner, schedule
from .deployments import SLOT_TAG, TAG, Deployment, Plan, Queue
from .dispatch import dispatch, dispatch_look_ups, search_one
from .events import SEARCH_FAILED
from .lanes import DECAY, PREFIX, SLOTS
from .night import LONGEST_NIGHT, mail_digests, publish_behind, recheck_night, tell_webhooks
from .pages import PAGE, all_of

log = logging.getLogger("livereview.deploy")

POOL = "livereview"
POOL_TYPE = "process"
ALERTS = "livereview-alerts"  # the block with the address that automations post to
NAMED = "livereview: "  # what the names of our automations begin with


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is not as it is to be: in words, and what mends it."""

    words: str
    make: Callable[[], object]


@flow(name="follow the protocols", timeout_seconds=1800, validate_parameters=False)
def follow() -> State[Any]:
    """Bring Prefect's deployments up to date with the protocols in force."""
    chosen = settings.read(os.environ)
    with owner.session(chosen) as client, get_client(sync_client=True) as prefect:
        reviews = list(client.run(ReadSchedule()).reviews)
        wanted = deployments.plan(reviews, follow)
        pool = _pool_of(prefect)
        done = [_made(change) for change in of_deployments(prefect, wanted, pool)]
        paused = _paused(prefect)
        words = f"{len(reviews)} reviews on {len(wanted.deployments)} deployments of Prefect"
        if paused:
            words += f", but paused in Prefect: {', '.join(paused)}"
        client.run(owner.schedule_deployed(deployments.FOLLOW_SECONDS).sign(words, ok=not paused))
    return Completed(message="; ".join([words, *done]))


FLOWS: Mapping[str, Flow[..., Any]] = {
    each.name: each
    for each in (
        dispatch,
        dispatch_look_ups,
        search_one,
        recheck_night,
        publish_behind,
        tell_webhooks,
        mail_digests,
        follow,
    )
}


def _made(change: Change) -> str:
    change.make()
    log.info("%s", change.words)
    return change.words


def changes(
    prefect: SyncPrefectClient,
    reviews: Sequence[TimedReview],
    pool: str = POOL,
    pool_type: str = POOL_TYPE,
    alerts: str = "",
) -> list[Change]:
    """All that is to change on a Prefect server, in the order in which it is to be made.

    Args:
        reviews: Those with a protocol in force.
        alerts: Address that is told when nights go wrong; "": the one that was given before.
    """
    wanted = deployments.plan(reviews, follow)
    return [
        *_of_pool(prefect, pool, pool_type),
        *of_deployments(prefect, wanted, pool),
        *_of_automations(pool, alerts),
    ]


def of_deployments(prefect: SyncPrefectClient, wanted: Plan, pool: str) -> list[Change]:
    """What is to change about queues, limits and deployments."""
    return [
        *_of_queues(wanted.queues, pool),
        *_of_limits(prefect, wanted.limits),
        *_of_deployments(prefect, wanted.deployments, pool),
    ]


# Pool, queues, limits


def _of_pool(prefect: SyncPrefectClient, pool: str, pool_type: str) -> list[Change]:
    try:
        present = prefect.read_work_pool(pool)
    except ObjectNotFound:
        return [
            Change(
                f"make the work pool {pool} ({pool_type})",
                partial(_make_pool, prefect, pool, pool_type),
            )
        ]
    if present.is_paused:
        return [Change(f"the work pool {pool} is paused: resume it in Prefect", lambda: None)]
    return []


def _make_pool(prefect: SyncPrefectClient, pool: str, pool_type: str) -> None:
    template = asyncio.run(_template(pool_type))
    prefect.create_work_pool(
        WorkPoolCreate(name=pool, type=pool_type, base_job_template=template or {})
    )


async def _template(pool_type: str) -> dict[str, Any] | None:
    return await get_default_base_job_template_for_infrastructure_type(pool_type)


def _of_queues(wanted: Sequence[Queue], pool: str) -> list[Change]:
    """Queues that are not there; one that is there keeps the limit that people gave it."""
    try:
        limits = {queue.name: queue.concurrency_limit for queue in prefect_queues(pool)}
    except ObjectNotFound:
        limits = {}
    return [
        Change(
            f"make the queue {queue.name}, of which {queue.at_once} runs go on at once",
            partial(_make_queue, queue, pool),
        )
        for queue in wanted
        if limits.get(queue.name) is None
    ]


def prefect_queues(pool: str) -> list[Any]:
    """The queues of a work pool."""

    async def ask() -> list[Any]:
        async with get_client() as prefect:
            return list(await prefect.read_work_queues(work_pool_name=pool, limit=PAGE))

    return asyncio.run(ask())


def _make_queue(wanted: Queue, pool: str) -> None:
    """Make it, or limit one that a run made on its way."""

    async def make() -> None:
        async with get_client() as prefect:
            try:
                await prefect.create_work_queue(
                    wanted.name, concurrency_limit=wanted.at_once, work_pool_name=pool
                )
            except ObjectAlreadyExists:
                queue = await prefect.read_work_queue_by_name(wanted.name, work_pool_name=pool)
                await prefect.update_work_queue(queue.id, concurrency_limit=wanted.at_once)

    asyncio.run(make())


def _of_limits(prefect: SyncPrefectClient, names: Sequence[str]) -> list[Change]:
    present = {
        limit.name: limit
        for limit in all_of(prefect.read_global_concurrency_limits)
        if limit.name.startswith(PREFIX)
    }
    changed = []
    for name in names:
        limit = present.get(name)
        if limit and limit.limit == SLOTS and limit.slot_decay_per_second:
            continue
        changed.append(
            Change(
                f"{'mend' if limit else 'make'} the limit {name}: one request at a time",
                partial(prefect.upsert_global_concurrency_limit_by_name, name, SLOTS, DECAY),
            )
        )
    return changed


# Deployments


def _of_deployments(
    prefect: SyncPrefectClient, wanted: Sequence[Deployment], pool: str
) -> list[Change]:
    present = _present(prefect, TAG)
    changed = []
    for each in wanted:
        there = present.pop(each.key, None)
        if there and _is_as(there, each, pool):
            continue
        when = f", {each.cron} {each.timezone}" if each.cron else ""
        word = "change" if there else "make"
        changed.append(
            Change(f"{word} the deployment {each.key}{when}", partial(_apply, prefect, each, pool))
        )
    for key, there in present.items():
        changed.append(
            Change(
                f"remove the deployment {key}: no protocol in force asks for it",
                partial(_delete, prefect, there),
            )
        )
    for key, there in _present(prefect, schedule.TAG).items():
        changed.append(
            Change(
                f"remove the deployment {key}: livereview schedule made it, stop that first",
                partial(_delete, prefect, there),
            )
        )
    return changed


def _is_as(there: DeploymentResponse, wanted: Deployment, pool: str) -> bool:
    """Whether a deployment is as planned. That somebody paused it is theirs to say."""
    if there.version != wanted.fingerprint or there.work_pool_name != pool:
        return False
    crons = [
        (each.schedule.cron, each.schedule.timezone)
        for each in there.schedules
        if isinstance(each.schedule, CronSchedule)
    ]
    return crons == ([(wanted.cron, wanted.timezone)] if wanted.cron else [])


def _present(prefect: SyncPrefectClient, tag: str) -> dict[str, DeploymentResponse]:
    """The deployments with this tag, by flow and name."""
    tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[tag]))

    def read(limit: int, offset: int) -> list[DeploymentResponse]:
        return prefect.read_deployments(deployment_filter=tagged, limit=limit, offset=offset)

    present: dict[str, DeploymentResponse] = {}
    flows: dict[UUID, str] = {}
    for each in all_of(read):
        if each.flow_id not in flows:
            flows[each.flow_id] = prefect.read_flow(each.flow_id).name
        present[f"{flows[each.flow_id]}/{each.name}"] = each
    return present


def _apply(prefect: SyncPrefectClient, wanted: Deployment, pool: str) -> None:
    """Make or change a deployment; one that was paused stays so."""
    schedules = []
    if wanted.cron:
        cron = CronSchedule(cron=wanted.cron, timezone=wanted.timezone)
        schedules.append(DeploymentScheduleCreate(schedule=cron, active=True))
    prefect.create_deployment(
        flow_id=prefect.create_flow_from_name(wanted.flow),
        name=wanted.name,
        version=wanted.fingerprint,
        schedules=schedules,
        concurrency_limit=wanted.at_once,
        parameters=dict(wanted.parameters),
        description=wanted.description,
        work_pool_name=pool,
        tags=wanted.tags,
        entrypoint=wanted.entrypoint,
        parameter_openapi_schema=deployments.schema(FLOWS[wanted.flow], dict(wanted.choices)),
        enforce_parameter_schema=False,
        pull_steps=[],
    )


def _delete(prefect: SyncPrefectClient, there: DeploymentResponse) -> None:
    try:
        prefect.delete_deployment(there.id)
    except ObjectNotFound:
        return


def _paused(prefect: SyncPrefectClient) -> list[str]:
    return sorted(key for key, each in _present(prefect, TAG).items() if each.paused)


def _pool_of(prefect: SyncPrefectClient) -> str:
    """The pool that deployments are in now: `follow` keeps them there."""
    for each in _present(prefect, TAG).values():
        if each.work_pool_name:
            return each.work_pool_name
    return POOL


# Automations


def _of_automations(pool: str, alerts: str) -> list[Change]:
    changed = _of_automation(schedule.killed_runs())
    block = _address()
    if alerts and (block is None or block.url.get_secret_value() != alerts):
        changed.append(Change("keep the address that is told", partial(_keep_address, alerts)))
    if block is not None:
        for automation in alarms(_id(block), pool):
            changed += _of_automation(automation)
    elif alerts:  # they name the address by an id, which it does not have yet
        names = [alarm.name for alarm in alarms(UUID(int=0), pool)]
        changed += [
            Change(f"make the automation {name}", partial(_make_alarm, name, pool))
            for name in names
        ]
    return changed


def _of_automation(wanted: AutomationCore) -> list[Change]:
    """What is to be done so that it stands as wanted."""
    present = prefect_automations(wanted.name)
    if len(present) == 1 and present[0].description == wanted.description:
        return []
    word = "change" if present else "make"
    return [Change(f"{word} the automation {wanted.name}", partial(_automate, wanted))]


def _make_alarm(name: str, pool: str) -> None:
    """Make this one of `alarms`, once the address is kept that it names."""
    block = _address()
    assert block is not None
    _automate(next(alarm for alarm in alarms(_id(block), pool) if alarm.name == name))


def _address() -> Webhook | None:
    """The block of the address that automations tell; None where none was given yet."""
    try:
        present = Webhook.load(ALERTS)
    except ValueError:  # Prefect's word for: there is none
        return None
    assert isinstance(present, Webhook)
    return present


def _id(block: Webhook) -> UUID:
    assert block._block_document_id
    return block._block_document_id


def _keep_address(alerts: str) -> None:
    headers = SecretDict({"content-type": "application/json"})
    Webhook(method="POST", url=SecretStr(alerts), headers=headers).save(ALERTS, overwrite=True)


def alarms(block: UUID, pool: str) -> list[AutomationCore]:
    """What somebody is told of: runs that are late or crashed, searches that failed twice in a
    night, a pool whose workers are gone.
    """
    ours, slots = _tagged(TAG), _tagged(SLOT_TAG)
    runs = ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"})
    searches = ResourceSpecification({"prefect.resource.id": "livereview.search.*"})
    pools = ResourceSpecification(
        {"prefect.resource.id": "prefect.work-pool.*", "prefect.resource.name": pool}
    )
    triggers = {
        "a run is late: no worker took it": _reactive("prefect.flow-run.Late", runs, slots),
        "a run crashed": _reactive("prefect.flow-run.Crashed", runs, ours),
        "a search failed twice in a night": _reactive(SEARCH_FAILED, searches, threshold=2),
        "the work pool has no workers": _reactive("prefect.work-pool.not-ready", pools),
    }
    return [
        described(AutomationCore(name=f"{NAMED}{words}", trigger=trigger, actions=[_told(block)]))
        for words, trigger in triggers.items()
    ]


def _tagged(tag: str) -> ResourceSpecification:
    """Runs with this tag, as events relate to them."""
    return ResourceSpecification(
        {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{tag}"}
    )


def _reactive(
    event: str,
    resource: ResourceSpecification,
    related: ResourceSpecification | None = None,
    threshold: int = 1,
) -> EventTrigger:
    """An event, or several about one thing within a night."""
    return EventTrigger(
        expect={event},
        match=resource,
        match_related=related or ResourceSpecification({}),
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=threshold,
        within=timedelta(seconds=LONGEST_NIGHT if threshold > 1 else 0),
    )


def _told(block: UUID) -> CallWebhook:
    payload = (
        '{"text": {{ (automation.name ~ ": " ~ event.resource.name) | tojson }},'
        ' "event": {{ event.event | tojson }}, "resource": {{ event.resource.id | tojson }},'
        ' "occurred": {{ event.occurred.isoformat() | tojson }}}'
    )
    return CallWebhook(block_document_id=block, payload=payload)


def described(automation: AutomationCore) -> AutomationCore:
    """With a fingerprint in its description, by which a changed one is known."""
    plan = automation.model_dump(mode="json", exclude={"description"})
    plan["trigger"].pop("id", None)  # made anew each time
    mark = hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()[:12]
    automation.description = f"Made by livereview deploy ({mark})"
    return automation


def prefect_automations(name: str) -> list[Any]:
    """The automations of this name."""

    async def ask() -> list[Any]:
        async with get_client() as prefect:
            return list(await prefect.read_automations_by_name(name))

    return asyncio.run(ask())


def _automate(automation: AutomationCore) -> None:
    """Make it in place of those of its name."""

    async def make() -> None:
        async with get_client() as prefect:
            for old in await prefect.read_automations_by_name(automation.name):
                await prefect.delete_automation(old.id)
            await prefect.create_automation(automation)

    asyncio.run(make())


def ask(chosen: settings.Settings) -> list[TimedReview]:
    """The reviews in force, as the owner has them."""
    client = wait_for_owner(chosen, longest=0)
    try:
        reviews = list(client.run(ReadSchedule()).reviews)
    finally:
        client.close()
    if not reviews:
        raise Refused("no review is in force yet: livereview register review.toml")
    return reviews


def bring_up_to_date(
    chosen: settings.Settings,
    *,
    pool: str,
    pool_type: str,
    alerts: str,
    say: Callable[[str], None],
    agreed: Callable[[], bool],
    refused: str,
) -> None:
    """Say what is to change, and change it where somebody agrees.

    Args:
        refused: The words where nobody does.
    """
    reviews = ask(chosen)
    with get_client(sync_client=True) as prefect:
        todo = changes(prefect, reviews, pool, pool_type, alerts)
        for change in todo:
            say(change.words)
        if not alerts and _address() is None:
            say("Prefect tells nobody when nights go wrong: name an address with --alerts-to")
        if not todo:
            say("Nothing is to change.")
        elif not agreed():
            raise Refused(refused)
        for change in todo:
            change.make()
    if todo:
        say(f"Done. Start workers on any machine: prefect worker start --pool {pool}")
