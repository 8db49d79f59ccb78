"""Looking known reports up again: retractions and corrections since, and abstracts that their first
source had not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from livereview.errors import Refused
from livereview.ops import nights
from livereview.ops.protocols import protocol
from livereview.ops.surveil import is_free
from livereview.review import Search
from livereview.store import searches, tasks
from livereview.store.open import Connection, Store
from livereview.store.searches import Run
from livereview.store.tasks import Checked
from livereview.surveillance.lookups import DUE, PROMISED, SOURCES, askable


def due(store: Store, *, review: str, source: str, now: datetime) -> dict[str, Any]:
    """The reports that this source is to be asked about now, included ones first: [{record, doi,
    pmid}].
    """
    if source not in SOURCES:
        raise Refused(
            f"{source!r} can't be asked about known reports; choose one of {', '.join(SOURCES)}"
        )
    with store.read() as con:
        protocol(con, review)
        last, limit = tasks.last_checks(con, review, now), now - timedelta(days=DUE)
        found = [
            {"record": one.known.record, "doi": one.known.doi, "pmid": one.known.pmid}
            for one in tasks.watched(con, review)
            if askable(one.known, source) and not _since(last.get((one.report_id, source)), limit)
        ]
    return {"reports": found}


def _since(moment: datetime | None, limit: datetime) -> bool:
    return moment is not None and moment > limit


def begin_lookup(
    store: Store,
    *,
    review: str,
    source: str,
    search: str,
    now: datetime,
    runner: Mapping[str, Any] | None = None,
    run: str | None = None,
) -> dict[str, Any]:
    """Start a look-up of known reports at a source, in the ledger like any search; `runner`, `run`
    as in `begin`.
    """
    what = Search(
        name=f"look-up: {source}",
        source=source,
        platform=source,
        query="reports known by DOI or PMID",
    )

    def job(con: Connection) -> None:
        protocol(con, review)
        nights.check_clock(con, review, now, clock_is_right=False)
        is_free(con, search, review, what.name)
        searches.begin(con, search, review, what, Run("lookup", None, now), now)
        nights.lease(con, search, runner, run)

    store.write(job)
    return {"search": search}


def checked(
    store: Store, *, review: str, source: str, records: Sequence[str], now: datetime
) -> dict[str, Any]:
    """Write that this source was asked about the reports of these records, and answered."""

    def job(con: Connection) -> None:
        protocol(con, review)
        tasks.save_checked(con, review, source, records, now)

    store.write(job)
    return {"checked": len(records)}


def overdue(included: Sequence[Checked], now: datetime) -> list[str]:
    """An alarm where included reports were not looked up within the promised days, or never since
    they were found.
    """
    limit = now - timedelta(days=PROMISED)
    late = sum(report.reachable and (report.last or report.since) < limit for report in included)
    words = f"{late} included reports were not rechecked for retractions within {PROMISED} days"
    if late:
        return [f"{words}; look them up now on the page Searches"]
    return []


def out_of_reach(included: Sequence[Checked]) -> int:
    """How many included reports no source can be asked about, as they have neither DOI nor PMID."""
    return sum(not report.reachable for report in included)
