"""The front page over all published reviews. Pure: the same summaries, the same bytes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from livereview.summary import data, gap_map, library, model, past, tombstone, words
from livereview.summary.library import Shelved
from livereview.summary.model import SCHEMA_VERSION, schema
from livereview.summary.model.front import FrontPage
from livereview.summary.past import PastFinding, PastMapEntry, PastSummary
from livereview.summary.snapshot import Withdrawal
from livereview.summary.templating import template

LATELY = timedelta(days=90)
FILES = (
    *("index.html", "index.json", "index.schema.json", "tombstone.schema.json"),
    *library.NAMES,
)
"""All that `files` may make."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One published review on the front page: its folder, the summary.json of its newest version as
    text, and what was withdrawn or taken back.
    """

    review: str
    summary: str
    withdrawals: tuple[Withdrawal, ...] = ()


def files(entries: Iterable[Entry]) -> Mapping[str, bytes]:
    """index.html and index.json over all published reviews, by title, the schemas of what lies
    outside a version's folder, and what `library` adds.
    """
    given = tuple(entries)
    listed = sorted(
        (_listing(entry) for entry in given), key=lambda row: (row["title"], row["review"])
    )
    shelf = [
        Shelved(entry.review, past.read(entry.summary), tuple(entry.withdrawals))
        for entry in sorted(given, key=lambda entry: entry.review)
    ]
    beside = library.files(shelf)
    newest = max(listed, key=lambda row: row["as_of"], default=None)
    to = newest["as_of_display"] if newest else ""  # the page may lie unchanged for months
    page = template("library.html").render(
        reviews=listed,
        gaps=_gap_maps(listed),
        lately=_lately(listed, newest["as_of"] if newest else ""),
        to=to,
        calendar="calendar.ics" in beside,
    )
    index = FrontPage.model_validate({"schema_version": SCHEMA_VERSION, "reviews": listed})
    return {
        **beside,
        "index.html": page.encode("utf-8", "replace"),
        "index.json": data.dump(model.plain(index), indent=1),
        "index.schema.json": data.dump(schema.schema("index"), indent=1),
        "tombstone.schema.json": data.dump(schema.schema("tombstone"), indent=1),
    }


def _lately(listed: Sequence[dict[str, Any]], newest: str) -> list[dict[str, Any]]:
    """Reviews with a version of the last 90 days before the newest event of all, newest first."""
    since = words.iso(datetime.fromisoformat(newest) - LATELY) if newest else ""
    return sorted(
        (row for row in listed if row["date"] >= (since or "")),
        key=lambda row: row["date"],
        reverse=True,
    )


def _gap_maps(listed: Sequence[dict[str, Any]]) -> list[tuple[str, Markup]]:
    """(titles, map) of areas by outcomes: how many studies there are, not what they say.

    One map for the reviews that share areas and outcomes: a pair that no review asks about is no
    gap.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in listed:
        if row["areas"] and row["outcomes"]:
            groups.setdefault(
                json.dumps([row["areas"], row["outcomes"]], sort_keys=True), []
            ).append(row)
    return [
        ("; ".join(row["title"] for row in some), _gap_map(str(n), some))
        for n, some in enumerate(groups.values())
    ]


def _gap_map(key: str, rows: Sequence[dict[str, Any]]) -> Markup:
    areas, outcomes = rows[0]["areas"], rows[0]["outcomes"]
    counts = Counter[tuple[str, str]]()
    levels: dict[tuple[str, str], set[str | None]] = {}
    for cell in (cell for row in rows for cell in row["map"]):
        pair = cell["area"], cell["outcome"]
        counts[pair] += cell["studies"]
        levels.setdefault(pair, set()).add(cell["certainty"])
    cells = [
        gap_map.Cell(
            area,
            outcome,
            counts[area, outcome],
            certainty=_only(levels.get((area, outcome), set())),
            empty=empty_cell(rows, area, outcome),
        )
        for area in areas
        for outcome in outcomes
    ]
    return gap_map.svg(key, "Evidence and gaps", areas, outcomes, cells)


def empty_cell(rows: Sequence[dict[str, Any]], area: str, outcome: str) -> str:
    """What a pair without a study is, over all reviews of the map."""
    asking = [row["known"].get(outcome, "no_studies") for row in rows if area in row["asked"]]
    return gap_map.empty_kind(asking)


def _outcome_states(summary: PastSummary) -> dict[str, str]:
    """By outcome what is known of it over all comparisons: not yet assessed before anything else,
    not asked last.
    """
    states: dict[str, list[str]] = {}
    for finding in summary.findings or ():
        states.setdefault(finding.outcome, []).append(finding.state)
    return {outcome: _least_known(some) for outcome, some in states.items()}


def _least_known(states: Sequence[str]) -> str:
    """The state that stands for an outcome of several comparisons."""
    if "not_yet_assessed" in states:
        return "not_yet_assessed"
    asked = [state for state in states if state != "not_asked"]
    return asked[0] if asked else "not_asked"


def _map(summary: PastSummary) -> list[dict[str, Any]]:
    """Studies by area and outcome; one that is about several stands in each.

    Their certainty is told where it is one for all of them.
    """
    counts = Counter[tuple[str, str]]()
    levels: dict[tuple[str, str], set[str | None]] = {}
    for about in _about(summary):
        for area in about.areas:
            for outcome in about.outcomes:
                counts[area, outcome] += 1
                levels.setdefault((area, outcome), set()).add(about.certainty.get(outcome))
    return [
        {
            "area": area,
            "outcome": outcome,
            "studies": n,
            "certainty": _only(levels[area, outcome]),
        }
        for (area, outcome), n in sorted(counts.items())
    ]


def _about(summary: PastSummary) -> list[PastMapEntry]:
    """What each study is about; of a version before there was a map, as its forms say."""
    if summary.map is not None:
        return [entry for entry in summary.map if entry.kind == "study"]
    return [
        PastMapEntry(
            kind="study",
            areas=(study.area,),
            outcomes=tuple({result.outcome for result in study.results}),
        )
        for study in summary.studies
        if study.area is not None
    ]


def _only(levels: set[str | None]) -> str | None:
    """The one level that there is; None where there are several."""
    return next(iter(levels)) if len(levels) == 1 else None


def _state(finding: PastFinding) -> dict[str, str]:
    return {
        "comparison": finding.comparison_label,
        "outcome": finding.outcome_label,
        "state": finding.state_display,
        "headline": finding.headline,
    }


def _listing(entry: Entry) -> dict[str, Any]:
    """A review's row on the front page and in index.json."""
    summary = past.read(entry.summary)
    review, version = summary.review, summary.version
    retired = summary.status.retirement
    row = {
        "review": entry.review,
        "title": review.title,
        "state": review.living.status,
        "answer": summary.answer.text,
        "caveat": summary.caveat,
        "version": version.number,
        "date": version.date,
        "date_display": version.date_display,
        "change": version.change,
        "change_display": version.change_display,
        "studies": len(summary.studies),
        "as_of": summary.as_of,
        "as_of_display": summary.as_of_display,
        "retirement": review.living.retirement,
        "retired": retired.model_dump(mode="json") if retired else None,
        "states": [_state(finding) for finding in summary.findings or ()],
        "areas": {area.id: area.label for area in review.taxonomy},
        "outcomes": {outcome.id: outcome.label for outcome in review.outcomes},
        "asked": [area.id for area in review.taxonomy if area.asked],
        "known": _outcome_states(summary),
        "map": _map(summary),
        "page": f"{entry.review}/latest/",
        "data": f"{entry.review}/latest/summary.json",
    }
    with words.as_dated_in(summary):
        return tombstone.listed(row, entry.withdrawals)
