"""What a Prefect server is to have for a centre, made from the protocols in force.

Pure: what there is to be, as values that `flows.deploy` compares with what is there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from prefect.flows import Flow
from prefect.utilities.callables import parameter_schema

from livereview import entrypoints, sources, timetable
from livereview.errors import LivereviewError
from livereview.sources.protocol import Query, Window
from livereview.surveillance.lookups import SOURCES as LOOKED_UP
from livereview.timetable import TimedReview, TimedSearch

from .dispatch import DEPLOYED, dispatch, dispatch_look_ups, queue_name, search_one
from .jobs import LOOK_UP, SEARCH
from .lanes import limit_name
from .night import mail_digests, publish_behind, recheck_night, tell_webhooks
from .schedule import DIGEST_AT, PUBLISH_EVERY, RECHECK_AT

TAG = (
    "livereview-pool"  # on each deployment that `livereview deploy` makes; others stay as they are
)
SLOT_TAG = "livereview-slot"  # on those that run by a cron line: only they can be late
FOLLOW_EVERY = "*/5 * * * *"
FOLLOW_SECONDS = 300.0  # the same in seconds
# Runs of one source at once: more would wait for the turns of its host, and keep workers waiting.
RUNS_OF_A_SOURCE = 2
QUEUE_OF_LOOK_UPS = "look-ups"
# sources whose searches ask a host each, so that more of them go on at once
OF_MANY_HOSTS = ("feed", "page", "oai", QUEUE_OF_LOOK_UPS)
RUNS_OF_MANY_HOSTS = 8
SCHEMA_VERSION = 2  # one more where what is made of the same plan changes
ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment as it is to be.

    Attributes:
        entrypoint: Where a worker finds the flow: module and name, installed on its machine.
        choices: The values that the form in Prefect's UI offers for a parameter.
        cron: When it runs by itself; "": when a dispatcher submits it, or a person.
        at_once: Runs of it at the same time; None: as many as workers take.
    """

    flow: str
    name: str
    entrypoint: str
    description: str
    parameters: tuple[tuple[str, str], ...] = ()
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    cron: str = ""
    timezone: str = "UTC"
    at_once: int | None = 1

    @property
    def key(self) -> str:
        """Flow and name, as Prefect names a deployment."""
        return f"{self.flow}/{self.name}"

    @property
    def tags(self) -> list[str]:
        """What its runs are found by."""
        return [TAG, SLOT_TAG] if self.cron else [TAG]

    @property
    def fingerprint(self) -> str:
        """Says whether a deployment was made of the same plan."""
        plan = json.dumps([SCHEMA_VERSION, asdict(self)], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(plan.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of the work pool, and how many of its runs go on at once."""

    name: str
    at_once: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is to be there: deployments, queues, and limits of hosts by name."""

    deployments: tuple[Deployment, ...]
    queues: tuple[Queue, ...]
    limits: tuple[str, ...]


def plan(reviews: Sequence[TimedReview], follow: Flow[..., Any]) -> Plan:
    """What there is to be for these reviews.

    Args:
        reviews: Those with a protocol in force.
        follow: The flow that brings Prefect up to date with the protocols in force.
    """
    living = [review for review in reviews if review.is_living]
    searches = [search for review in living for search in review.searches]
    used = sorted({search.source for search in searches})
    deployments = [*_nights(living), *_jobs(reviews, searches), *_common(reviews, follow)]
    queues = [_queue(source) for source in (*used, QUEUE_OF_LOOK_UPS)]
    hosts = {_host(search.source, search.url) for search in searches}
    hosts |= {_host(source, None) for source in LOOKED_UP}
    limits = sorted(limit_name(host) for host in hosts if host)
    return Plan(tuple(deployments), tuple(queues), tuple(limits))


def _queue(source: str) -> Queue:
    at_once = RUNS_OF_MANY_HOSTS if source in OF_MANY_HOSTS else RUNS_OF_A_SOURCE
    return Queue(queue_name(source), at_once)


def _nights(living: Sequence[TimedReview]) -> list[Deployment]:
    """A dispatcher for each cron line and time zone."""
    slots = {(cron, review.timezone) for review in living for cron in review.crons}
    return [
        _deployment(
            dispatch,
            f"night at {cron} {zone}".replace("/", " of ").replace("%", " "),
            description="Submits each search that the protocols in force give this slot.",
            parameters=(("cron", cron), ("timezone", zone)),
            choices=(("cron", (cron,)), ("timezone", (zone,))),
            cron=cron,
            timezone=zone,
        )
        for cron, zone in sorted(slots)
    ]


def _jobs(reviews: Sequence[TimedReview], searches: Sequence[TimedSearch]) -> list[Deployment]:
    """What dispatchers submit, and people by the form in Prefect's UI."""
    ids = tuple(sorted(review.review for review in reviews))
    names = tuple(sorted({search.name for search in searches}))
    zones = sorted({review.timezone for review in reviews})
    look_ups = [
        _deployment(
            dispatch_look_ups,
            f"look-ups in {zone}".replace("/", " of "),
            description="Submits the look-ups of each review of this time zone.",
            parameters=(("timezone", zone),),
            choices=(("timezone", (zone,)),),
            cron=RECHECK_AT,
            timezone=zone,
        )
        for zone in zones
    ]
    return [
        _deployment(
            search_one,
            DEPLOYED[SEARCH].rpartition("/")[2],
            description="Runs one search of a review now.",
            choices=(("review", ids), ("search", names)),
            at_once=None,
        ),
        _deployment(
            recheck_night,
            DEPLOYED[LOOK_UP].rpartition("/")[2],
            description="Looks up again the reports of a review that are due.",
            choices=(("review", ids),),
            at_once=None,
        ),
        *look_ups,
    ]


def _common(reviews: Sequence[TimedReview], follow: Flow[..., Any]) -> list[Deployment]:
    zone = timetable.zone_of_all(reviews)
    return [
        _deployment(publish_behind, "publish", cron=PUBLISH_EVERY),
        _deployment(tell_webhooks, "notify", cron=PUBLISH_EVERY),
        _deployment(mail_digests, "digest", cron=DIGEST_AT, timezone=zone),
        _deployment(follow, "follow the protocols", cron=FOLLOW_EVERY),
    ]


def _deployment(made_of: Flow[..., Any], name: str, **more: Any) -> Deployment:
    words = (made_of.fn.__doc__ or "").partition("\n")[0]
    entrypoint = f"{entrypoints.__name__}.{made_of.fn.__name__}"
    return Deployment(made_of.name, name, entrypoint, **{"description": words, **more})


def schema(made_of: Flow[..., Any], choices: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What the form in Prefect's UI asks for, with its choices.

    A run that is submitted otherwise may name what is newer than the form: the flow itself refuses
    what is not in the protocol in force.
    """
    form: dict[str, Any] = parameter_schema(made_of).model_dump(exclude_unset=True)
    for name, values in choices.items():
        if values:
            form["properties"][name]["enum"] = list(values)
    return form


def _host(source: str, url: str | None) -> str:
    """The host that a search asks first, or "" where only the search itself knows it."""
    if url:
        return urlsplit(url).hostname or ""
    try:
        request = sources.find(source).request
        if request:
            asked = request(Query("x"), Window(ANY_DAY, ANY_DAY), None)
        else:
            asked = None
    except (LivereviewError, ValueError, TypeError, KeyError):
        return ""
    return (urlsplit(asked.url).hostname or "") if asked else ""
