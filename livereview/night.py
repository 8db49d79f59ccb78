"""Running one night by hand, and showing how a night or a review stands."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.table import Table

from livereview.commands.publishing import LedgerAttempt, ReviewStatus, SignatureDebt
from livereview.endings import RAN_THROUGH, Ending
from livereview.errors import Retry
from livereview.replay import ReplayServer
from livereview.settings import Settings

DATE, MINUTE = len("2026-03-01"), len("2026-03-01T02:00")  # so much of an ISO time is shown
PREFECT_SECONDS = 20.0  # a server on a busy machine answers within seconds
PACKAGED_FLOWS = "livereview._flows"  # what a wheel calls the package that is `flows` in a checkout


def flow_module(name: str) -> ModuleType:
    """The module `name` of the flows; importing it brings Prefect, which takes seconds."""
    package = PACKAGED_FLOWS if find_spec(PACKAGED_FLOWS) else "flows"
    return import_module(f"{package}.{name}")


@dataclass(frozen=True, slots=True)
class Night:
    """How each search ended, what went wrong in a sentence (None: nothing), and why none ran."""

    endings: Sequence[Ending]
    problem: str | None
    note: str | None = None


def run(
    settings: Settings,
    review: str,
    protocol: Path | None,
    *,
    only: list[str] | None = None,
    now: str | None = None,
    record: Path | None = None,
    recording: Path | None = None,
    clock_is_right: bool = False,
) -> Night:
    """Run the surveil flow in this process, against the network or against a recording served
    locally.

    Raises:
        PrefectAway: where the server that PREFECT_API_URL names does not answer.
    """
    prefect_must_answer()
    atexit.register(_hush)  # before Prefect's own, so that it runs after them
    # Prefect takes seconds to import: only those who run a night wait
    surveil = flow_module("surveil").surveil
    return _night(
        surveil,
        recording,
        review=review,
        protocol=str(protocol) if protocol else None,
        home=str(settings.home),
        only=only or None,
        now=now,
        record=str(record) if record else None,
        clock_is_right=clock_is_right,
    )


def recheck(
    settings: Settings,
    review: str,
    *,
    now: str | None = None,
    record: Path | None = None,
    recording: Path | None = None,
) -> Night:
    """Run the recheck flow in this process, likewise."""
    prefect_must_answer()
    atexit.register(_hush)
    recheck = flow_module("recheck").recheck
    kept = str(record) if record else None
    return _night(recheck, recording, review=review, home=str(settings.home), now=now, record=kept)


def _night(flow: Any, recording: Path | None, **parameters: Any) -> Night:
    """Run a flow to its end, on a recording if one is given."""
    import httpx

    try:
        with ReplayServer(recording) if recording else nullcontext() as server:
            state = flow(**parameters, via=server.base if server else None, return_state=True)
    except (
        httpx.HTTPError,
        RuntimeError,
    ) as error:  # RuntimeError: Prefect's word for a server that can't be reached
        raise PrefectAway(
            f"Prefect went away: {type(error).__name__}: {error}."
            f" What was searched until then is kept: livereview ledger"
        ) from None
    report = state.result(raise_on_failure=False)
    if isinstance(report, Exception):
        raise report
    problem = None if state.is_completed() else state.message
    return Night(report.searches, problem, report.note)


class PrefectAway(Retry):
    """The Prefect server does not answer: nothing was searched, or not all."""


def prefect_must_answer() -> None:
    """Raise PrefectAway where PREFECT_API_URL names a server that does not answer.

    Else Prefect starts its own.
    """
    url = os.environ.get("PREFECT_API_URL", "").rstrip("/")
    if not url:
        return
    import requests

    try:
        requests.get(f"{url}/health", timeout=PREFECT_SECONDS).raise_for_status()
    except requests.RequestException as error:
        raise PrefectAway(
            f"the Prefect server at {url} does not answer ({type(error).__name__}), so no search began. Start it with"
            f" `prefect server start`, or unset PREFECT_API_URL to search without one"
        ) from None


def _hush() -> None:
    """Say nothing more: Prefect's threads outlive the interpreter, and DuckDB then lists all that
    it can't free.
    """
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def table(endings: Sequence[Ending]) -> Table:
    """What each search brought and how it ended."""
    rows = Table("search", "found", "new", "changed", "rejected", "outcome")
    for ending in endings:
        counts = (ending.found, ending.fresh, ending.changed, ending.rejected)
        style = "" if ending.ran_through else "red"
        rows.add_row(ending.name, *map(str, counts), ending.outcome, style=style)
    return rows


def ledger(attempts: Sequence[LedgerAttempt]) -> Table:
    """Each run on a line."""
    rows = Table(
        "started",
        "search",
        "kind",
        "found",
        "new",
        "changed",
        "rejected",
        "pages",
        "seconds",
        "outcome",
    )
    for attempt in attempts:
        counts = (
            attempt.found,
            attempt.fresh,
            attempt.changed,
            attempt.rejected,
            attempt.pages,
        )
        rows.add_row(
            attempt.started[:MINUTE],
            attempt.name,
            attempt.kind,
            *map(str, counts),
            "-" if attempt.seconds is None else f"{attempt.seconds:.1f}",
            attempt.outcome,
            style="" if attempt.outcome in RAN_THROUGH else "red",
        )
    return rows


def show_status(status: ReviewStatus, out: Console) -> None:
    """A review's state: alarms first."""
    is_retired = status.state == "retired"
    retired = "  (retired: nothing is searched for any more)" if is_retired else ""
    out.rule(f"{status.review}: {status.title}{retired}")
    for alarm in status.alarms:
        out.print(f"ALARM {alarm}", style="red", markup=False, soft_wrap=True)
    out.print(_searches(status))
    flow = status.flow
    counts = {
        "records": flow["databases"] + flow["other"],
        "duplicates": flow["duplicates"],
        "to screen": flow["awaiting_screening"] + flow["in_screening"],
        "at full text": flow["awaiting_full_text"],
        "to be retrieved": status.to_retrieve.sought,
        "conflicts": status.conflicts,
        "included": flow["included"],
    }
    out.print("   ".join(f"{name} {count:,}" for name, count in counts.items()))
    if status.out_of_reach:
        out.print(
            f"{status.out_of_reach:,} included reports have neither DOI nor PMID and can't be"
            " rechecked"
        )
    if status.awaiting_signature:
        out.print(_debt(status.awaiting_signature), markup=False)
    version = "nothing published yet"
    if status.version:
        version = f"version {status.version} of {status.published}"
    out.print(f"{version}, a rebuild is due" if status.behind else version)


def _searches(status: ReviewStatus) -> Table:
    """How each search fares, a row each; those that wait for their first run last."""
    rows = Table("search", "last outcome", "last success", "found then", "usual")
    for search in status.searches:
        rows.add_row(
            search.name,
            search.last_outcome,
            search.last_success or "never",
            str(search.last_found),
            "-" if search.usual is None else f"{search.usual:.0f}",
        )
    for name in status.never_run:
        rows.add_row(name, "never run", "never", "-", "-")
    return rows


def _debt(debt: SignatureDebt) -> str:
    """What waits for a signature, in words."""
    what = f"changed findings that wait: {debt.findings:,},"
    if debt.whole_page:
        what = "the whole page waits"
    return (
        f"{what} for a lead's signature since {debt.since[:DATE]}, {debt.days:,} days of"
        f" {debt.promised_days} promised"
    )
