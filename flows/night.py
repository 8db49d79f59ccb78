"""What the schedule serves: flows whose parameters say only which review and which cron line.

What a night searches is chosen when it starts, from the protocol in force: a search that left the
protocol since the schedule was made is not asked for, a new one is, and neither is an error.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import Flow
from prefect.states import Completed, Failed

from livereview import fetch, review_toml, settings
from livereview.client import Client, wait_for_owner
from livereview.commands import EndRun, LoseNight, NoteNight, ReadProtocol
from livereview.commands.publishing import Published
from livereview.endings import Ending, NightReport
from livereview.errors import LivereviewError
from livereview.review import Review, Search
from livereview.settings import Settings
from livereview.shared_answers import NightAnswers

from . import events, lanes, owner, sharing
from .notices import digest, notify
from .publish import publish as publish_flow
from .recheck import recheck
from .surveil import (
    Options,
    publish,
    retired,
    search,
    verdict,
)

# outcomes after which a search is not tried again in its night
# seconds; the net under the limits of searches and requests: the next night is due by then
LONGEST_NIGHT = 20 * 3600
LONGEST_JOB = 6 * 3600  # likewise for what is not a night


def ended_by_force(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Have the owner end what a cancelled or crashed run had in hand, now and not at the next
    night.
    """
    chosen = settings.read(os.environ)
    word = "cancelled" if state.is_cancelled() or state.is_cancelling() else "crashed"
    reason = f"{word}: {state.message or 'no reason was given'}"
    parameters = flow_run.parameters
    review = str(parameters.get("review", ""))
    what = str(parameters.get("search") or parameters.get("cron") or flow.name)
    due = flow_run.expected_start_time or datetime.now(UTC)
    if review:
        lost = LoseNight(id=f"run-{flow_run.id}", review=review, what=what, reason=reason, due=due)
        owner.keep(chosen.home, lost)
    try:
        client = wait_for_owner(chosen, longest=60)
        client.run(EndRun(run=str(flow_run.id), reason=reason))
        owner.deliver(chosen.home, client)
    except LivereviewError as error:
        owner.log.warning(
            "the owner could not be told that the run %s was %s: %s", flow_run.name, word, error
        )


@flow(
    name="night",
    flow_run_name="night-{review}",
    timeout_seconds=LONGEST_NIGHT,
    on_cancellation=[ended_by_force],
    on_crashed=[ended_by_force],
    validate_parameters=False,
)
def night(review: str, cron: str) -> State[Any]:
    """Search, take in and publish what is due in a review at this cron line.

    What fails is tried again.

    Args:
        review: Id of the review.
        cron: The cron line; its searches are those that the protocol in force gives it.
    """
    chosen = settings.read(os.environ)
    with (
        owner.told_if_lost(chosen, review, cron),
        owner.session(chosen) as client,
        lanes.fetcher(chosen) as fetcher,
    ):
        return whole_night(client, fetcher, chosen, review, cron)


def whole_night(
    client: Client,
    fetcher: fetch.Fetcher,
    chosen: Settings,
    review: str,
    cron: str,
    sleep: Callable[[float], None] = time.sleep,
) -> State[Any]:
    """The rounds of a night: all searches of the line, then those that failed, after each pause of
    the settings.
    """
    log = get_run_logger()
    endings: dict[str, Ending] = {}
    published: Published | None = None
    failed: Sequence[str] | None = None
    slot = owner.due_at()
    shared = sharing.of_night(chosen, sharing.name_of(slot))
    shared.clean()
    for pause in (0.0, *chosen.try_again):
        if pause:
            names = ", ".join(failed or ())
            log.warning("%s did not run through; tried again in %.0f s", names, pause)
            sleep(pause)
        now = datetime.now(UTC)
        in_force = client.run(ReadProtocol(review=review))
        if in_force.status == "retired":
            return retired(review, publish(client, review, now))
        if in_force.status == "paused":
            return _nothing(client, review, cron, "the review is paused: nothing was searched")
        plans = due(review_toml.parse(in_force.text, accepted=True), cron, failed)
        endings |= _round(client, fetcher, review, plans, Options(due=slot), shared)
        for gone in set(failed or ()) - {plan.name for plan in plans}:
            _note(
                client,
                review,
                gone,
                "the search left the protocol, or its cron line, during the night",
            )
            endings.pop(gone, None)
        if plans:
            published = publish(client, review, datetime.now(UTC))
        failed = [name for name, ending in endings.items() if not ending.is_done]
        if not failed:
            break
    if not endings:
        words = f"no search of the protocol in force is due at {cron}"
        return _nothing(client, review, cron, words)
    mine = {name: ending for name, ending in endings.items() if not ending.already_run}
    if not mine:
        words = f"nothing was searched: another schedule serves {review} too, and came first"
        return _nothing(client, review, cron, words)
    _show(review, mine, published, chosen.address)
    return verdict(NightReport(review, list(mine.values()), published))


def _round(
    client: Client,
    fetcher: fetch.Fetcher,
    review: str,
    plans: Sequence[Search],
    options: Options,
    shared: NightAnswers,
) -> dict[str, Ending]:
    """How each of these searches ended; what another schedule runs for this slot is noted."""
    endings: dict[str, Ending] = {}
    for plan in plans:
        chosen = replace(options, shared=sharing.for_search(shared, plan))
        ending = search(client, fetcher, review, plan, datetime.now(UTC), chosen)
        if ending.already_run:
            _note(client, review, plan.name, ending.error or ending.outcome)
        endings[plan.name] = ending
    return endings


def due(rules: Review, cron: str, only: Sequence[str] | None = None) -> tuple[Search, ...]:
    """The searches that the protocol gives this cron line, in its order.

    Of these names, where some are given.
    """
    return tuple(
        search
        for search in rules.searches
        if (search.schedule or rules.living.search_schedule) == cron
        and (only is None or search.name in only)
    )


def _show(
    review: str, endings: Mapping[str, Ending], published: Published | None, address: str
) -> None:
    """Show the night in Prefect: its events, its table, a link to the page."""
    for ending in endings.values():
        events.search_ended(review, ending)
    if published is not None:
        events.published(review, published, address)
    rows = [{"search": name, **asdict(ending)} for name, ending in endings.items()]
    create_table_artifact(rows, key=f"night-{review}", description=f"The night of {review}")


def _nothing(client: Client, review: str, cron: str, words: str) -> State[Any]:
    """A night without searches, which is as it should be; it is in the ledger."""
    _note(client, review, cron, words)
    get_run_logger().info("%s", words)
    return Completed(message=words, data=NightReport(review, note=words))


def _note(client: Client, review: str, what: str, words: str) -> None:
    client.run(NoteNight(id=uuid4().hex, review=review, what=what, note=words))


@flow(
    name="recheck night",
    flow_run_name="recheck-{review}",
    timeout_seconds=LONGEST_NIGHT,
    on_cancellation=[ended_by_force],
    on_crashed=[ended_by_force],
    validate_parameters=False,
)
def recheck_night(review: str, night: str = "") -> State[Any]:
    """Look up again the reports of a review that are due.

    Args:
        review: Id of the review.
        night: The night whose answers it shares, which its dispatcher says; else it asks alone.
    """
    with owner.told_if_lost(settings.read(os.environ), review, "recheck"):
        return recheck.fn(review, night=night)


@flow(name="publish what is behind", timeout_seconds=LONGEST_JOB)
def publish_behind() -> State[Any]:
    """Rebuild every review whose published folder is behind."""
    return publish_flow.fn()


@flow(name="tell webhooks", timeout_seconds=LONGEST_JOB)
def tell_webhooks() -> State[Any]:
    """Post what webhooks have not heard of yet."""
    return notify.fn()


@flow(name="mail digests", timeout_seconds=LONGEST_JOB)
def mail_digests() -> State[Any]:
    """Mail each person what waits for them, and leads how the night went.

    Who was not reached is tried once more.
    """
    state = digest.fn()
    if state.is_failed():
        return Failed(message=state.message)
    return state
