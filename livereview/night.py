"""Running one night by hand, and showing how a night or a review stands."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.table import Table

from livereview.errors import Retry
from livereview.replay import ReplayServer
from livereview.settings import Settings

PREFECT_SECONDS = 20.0  # a server on a busy machine answers within seconds
COLUMNS = ("found", "fresh", "changed", "rejected")
PACKAGED_FLOWS = "livereview._flows"  # what a wheel calls the package that is `flows` in a checkout


def flow_module(name: str) -> ModuleType:
    """The module `name` of the flows; importing it brings Prefect, which takes seconds."""
    package = PACKAGED_FLOWS if find_spec(PACKAGED_FLOWS) else "flows"
    return import_module(f"{package}.{name}")


@dataclass(frozen=True, slots=True)
class Night:
    """How each search ended, what was published, what went wrong in a sentence (None: nothing), and
    why none ran.
    """

    endings: list[dict[str, Any]]
    published: dict[str, Any]
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
    result = state.result(raise_on_failure=False)
    if isinstance(result, Exception):
        raise result
    problem = None if state.is_completed() else state.message
    return Night(result["searches"], result["published"], problem, result.get("note"))


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


def table(endings: list[dict[str, Any]]) -> Table:
    """What each search brought and how it ended."""
    found = Table("search", "found", "new", "changed", "rejected", "outcome")
    for ending in endings:
        style = "" if ending["outcome"] in ("ok", "ok-zero") else "red"
        found.add_row(
            ending["name"], *(str(ending[key]) for key in COLUMNS), ending["outcome"], style=style
        )
    return found


def ledger(attempts: list[dict[str, Any]]) -> Table:
    """Each run on a line."""
    found = Table(
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
    for one in attempts:
        style = "" if one["outcome"] in ("ok", "ok-zero") else "red"
        seconds = f"{one['seconds']:.1f}" if one["seconds"] is not None else "-"
        counts = [str(one[key]) for key in (*COLUMNS, "pages")]
        found.add_row(
            one["started"][:16],
            one["name"],
            one["kind"],
            *counts,
            seconds,
            one["outcome"],
            style=style,
        )
    return found


def show_status(one: dict[str, Any], out: Console) -> None:
    """A review's state: alarms first."""
    retired = "  (retired: nothing is searched for any more)" if one["state"] == "retired" else ""
    out.rule(f"{one['review']}: {one['title']}{retired}")
    for alarm in one["alarms"]:
        out.print(f"ALARM {alarm}", style="red", markup=False, soft_wrap=True)
    searches = Table("search", "last outcome", "last success", "found then", "usual")
    for row in one["searches"]:
        usual = f"{row['usual']:.0f}" if row["usual"] is not None else "-"
        searches.add_row(
            row["name"],
            row["last_outcome"],
            row["last_success"] or "never",
            str(row["last_found"]),
            usual,
        )
    for name in one["never_run"]:
        searches.add_row(name, "never run", "never", "-", "-")
    out.print(searches)
    flow = one["flow"]
    out.print(
        f"records {flow['databases'] + flow['other']:,}   duplicates {flow['duplicates']:,}   to screen "
        f"{flow['awaiting_screening'] + flow['in_screening']:,}   at full text {flow['awaiting_full_text']:,}   "
        f"to be retrieved {one['to_retrieve']['sought']:,}   conflicts {one['conflicts']:,}   "
        f"included {flow['included']:,}"
    )
    if one["out_of_reach"]:
        out.print(
            f"{one['out_of_reach']:,} included reports have neither DOI nor PMID and can't be rechecked"
        )
    if waits := one["awaiting_signature"]:
        what = (
            "the whole page waits"
            if waits["whole_page"]
            else f"changed findings that wait: {waits['findings']:,},"
        )
        out.print(
            f"{what} for a lead's signature since {waits['since'][:10]}, {waits['days']:,} days of"
            f" {waits['promised_days']} promised",
            markup=False,
        )
    version = (
        f"version {one['version']} of {one['published']}"
        if one["version"]
        else "nothing published yet"
    )
    out.print(version + (", a rebuild is due" if one["behind"] else ""))
