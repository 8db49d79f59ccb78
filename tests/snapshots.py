"""Small Snapshots whose flow balances, for the tests of the evidence and the summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from livereview import review_toml
from livereview.evidence.forms import Extraction, Result
from livereview.records import Record
from livereview.review import Outcome, Review
from livereview.summary.site import Build
from livereview.summary.snapshot import Flow, Published, Report, SearchFact, Snapshot, Study

MOMENT = datetime(2026, 3, 3, 2, 5, tzinfo=UTC)
CARE = Outcome("care", "Children entering care", "lower", "risk difference per 1,000 children", 5)
WELL = Outcome("well", "Wellbeing", "higher", "SMD", 0.2)
SMALL = review_toml.parse(
    (Path(__file__).parent / "data" / "review.toml").read_text(encoding="utf-8")
)


def review(**changes: Any) -> Review:
    """The small review with two outcomes and EMMIE; `changes` as in Review."""
    return replace(SMALL, **{"outcomes": (CARE, WELL), "emmie": True, **changes})


def result(outcome: str = "well", direction: str = "favours_intervention", **fields: Any) -> Result:
    """A result.

    One with an effect is on a scale that runs with the outcome, and its direction follows from it.
    """
    construct = fields.pop("construct", "a scale")
    if "effect" not in fields:
        return Result(outcome, construct, direction, **fields)
    return Result(outcome, construct, **{"higher_is_better": outcome == "well", **fields})


def study(name: str, *results: Result, **fields: Any) -> Extraction:
    plain: dict[str, Any] = {
        "label": name.title(),
        "reports": (f"10.1000/{name}",),
        "year": 2020,
        "results": results,
    }
    return Extraction(name, **{**plain, **fields})


def report(key: str, **fields: Any) -> Report:
    reason = fields.pop("reason", None)
    return Report(
        key, Record("openalex", key, **{"title": f"Report {key}", **fields}), ("openalex",), reason
    )


def fact(name: str = "openalex", **changes: Any) -> SearchFact:
    plain = SearchFact(
        name, name, f"{name} API", "mentoring AND care", MOMENT, "ok", None, MOMENT, 12, False
    )
    return replace(plain, **changes)


def snapshot(*forms: Extraction, excluded: tuple[Report, ...] = (), **changes: Any) -> Snapshot:
    """A Snapshot with one report a study; every search of the review has just succeeded."""
    protocol = changes.pop("review", review())
    studies = tuple(
        Study(form.study, form.label, (report(form.study, doi=f"10.1000/{form.study}"),), form)
        for form in forms
    )
    tally = tuple(sorted(Counter(one.reason or "" for one in excluded).items()))
    plain = Snapshot(
        review=protocol,
        moment=MOMENT,
        searches=tuple(fact(search.name) for search in protocol.searches),
        flow=flow(len(studies), tally),
        studies=studies,
        awaiting=(),
        excluded=excluded,
        history=(),
    )
    return replace(plain, **changes)


def flow(studies: int, excluded: tuple[tuple[str, int], ...] = (), **changes: int) -> Flow:
    """A flow that balances: 20 records found, 7 of them duplicates, and what was read in full."""
    read = studies + sum(n for _, n in excluded)
    plain = Flow(
        identified_databases=17 + read,
        identified_other=3,
        duplicates=7,
        screened=11 + read,
        awaiting_screening=2,
        in_screening=1,
        excluded=6,
        sought=4 + read,
        not_retrieved=1,
        awaiting_full_text=3,
        assessed=read,
        excluded_full_text=excluded,
        included=studies,
        awaiting_extraction=0,
        studies=studies,
    )
    return replace(plain, **changes)


def published(build: Build, number: int = 1, date: datetime = MOMENT) -> Published:
    """What the store keeps of a version."""
    return Published(
        number, date, build.content_hash, build.change, "an extraction", None, build.summary
    )
