"""The map of one review: what there is for each pair of two facets, and which studies it is.

Rows and columns are any two facets; areas by outcomes is the one on paper, and a small script draws
the others from the same entries. A pair is a gap only where the review asks about it and nothing is
left to read (after Snilstveit and others, J Clin Epidemiol 2016;79:120-9).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from livereview.evidence import appraisal
from livereview.evidence.certainty import LEVELS
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Extraction
from livereview.evidence.map_codes import DESIGNS, KINDS, MapCodes
from livereview.messages import many, mark, say
from livereview.review import Review
from livereview.summary import gap_map, words
from livereview.summary.model import Summary
from livereview.summary.model.map import MapEntry
from livereview.summary.snapshot import CodedReport, Snapshot, Study
from livereview.summary.tables import Cell, Table, tabled

PAGE = "map.html"
SCRIPT = "map.js"

NONE_CODED = ""
"""The id of the row or column of entries that have no value of a facet."""

EMPTY: Mapping[str, str] = {
    "gap": mark("gap"),
    "not_asked": mark("not asked"),
    "waiting": mark("not yet assessed"),
    "": mark("none"),
}
"""What an empty cell is, in words."""

STATE_WORDS: Mapping[str, str] = {
    "included": mark("in this review"),
    "being_assessed": mark("being assessed"),
    "listed": mark("listed only: it does not count in this review"),
}

BIAS: Mapping[str, str] = {
    "low": mark("Low risk of bias"),
    "middle": mark("Some or moderate risk of bias"),
    "high": mark("High risk of bias"),
    "none": mark("Risk of bias not judged"),
}
"""Judgements of all tools in three groups, so that one legend serves them."""

LOW_BIAS = ("low",)
HIGH_BIAS = ("high", "serious", "critical")


@dataclass(frozen=True, slots=True)
class Facet:
    """What a map can have as its rows, its columns or a filter.

    Attributes:
        id: Name of the field of MapEntry.
        values: Label by id, in the order in which they are shown.
        one: Word for one of them: "area".
    """

    id: str
    label: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GridCell:
    """One pair; `empty` is one of EMPTY where there is no entry."""

    entries: tuple[MapEntry, ...]
    empty: str = ""

    @property
    def count(self) -> str:
        """How many of each kind, in words: "2 studies, 1 review"."""
        parts = []
        for kind, text in COUNTS.items():
            number = sum(entry.kind == kind for entry in self.entries)
            if number:
                parts.append(many(*text, number))
        return ", ".join(parts)


COUNTS: Mapping[str, tuple[str, str]] = {
    "study": (mark("{n} study"), mark("{n} studies")),
    "ongoing": (mark("{n} under way"), mark("{n} under way")),
    "review": (mark("{n} review"), mark("{n} reviews")),
}


@dataclass(frozen=True, slots=True)
class Grid:
    """The map on paper: a row for each value of one facet, a cell for each of the other."""

    rows: Facet
    columns: Facet
    cells: tuple[tuple[str, tuple[GridCell, ...]], ...]


# What each study or report is about


def entries(snapshot: Snapshot, findings: Sequence[Finding]) -> tuple[MapEntry, ...]:
    """Everything that has a place on the map: included studies, then coded reports of none."""
    coded: dict[str, list[MapCodes]] = {}
    for report in snapshot.coded:
        if report.study is not None:
            coded.setdefault(report.study, []).append(report.codes)
    levels = _levels(findings)
    made = [
        _of_study(snapshot.review, study, coded.get(study.study_id, []), levels)
        for study in snapshot.studies
    ]
    made += [
        _of_report(report)
        for report in snapshot.coded
        if report.study is None and _is_shown(report)
    ]
    return tuple(made)


def _is_shown(report: CodedReport) -> bool:
    """Whether a report without a study is on the map.

    One that is excluded stays where it is no study that could count here: a map lists reviews and
    what is under way. What nobody has judged by its title yet is nothing to show.
    """
    if report.state == "excluded":
        return report.codes.kind in ("ongoing", "review")
    return report.state != "screening"


def _of_study(
    review: Review,
    study: Study,
    coded: Sequence[MapCodes],
    levels: Mapping[tuple[str, str], str],
) -> MapEntry:
    form = study.extraction
    measured = {result.outcome for result in form.results} if form else set()
    compared = _compared(review, form)
    kinds = {codes.kind for codes in coded}
    countries = _union(coded, "countries") or _places(form)
    return MapEntry(
        id=study.study_id,
        label=study.label,
        kind=next(iter(kinds)) if len(kinds) == 1 else "study",
        state="included",
        year=form.year if form else _year(study),
        areas=_ordered(
            [area.id for area in review.taxonomy],
            {*_union(coded, "areas"), form.area if form else None},
        ),
        outcomes=_ordered(
            [outcome.id for outcome in review.outcomes], {*measured, *_union(coded, "outcomes")}
        ),
        comparisons=_ordered(
            [comparison.id for comparison in review.comparisons],
            {*compared, *_union(coded, "comparisons")},
        ),
        design=next((codes.design for codes in coded if codes.design), None),
        countries=countries,
        populations=_union(coded, "populations"),
        risk_of_bias=form.risk_of_bias if form else None,
        certainty={
            outcome.id: levels[study.study_id, outcome.id]
            for outcome in review.outcomes
            if (study.study_id, outcome.id) in levels
        },
        link=f"study-{study.study_id}.html",
    )


def _of_report(report: CodedReport) -> MapEntry:
    codes, record = report.codes, report.report.record
    return MapEntry(
        id=report.report.report_id,
        label=record.title or report.report.report_id,
        kind=codes.kind,
        state="listed" if report.state == "excluded" else report.state,
        year=record.year,
        areas=codes.areas,
        outcomes=codes.outcomes,
        comparisons=codes.comparisons,
        design=codes.design,
        countries=codes.countries,
        populations=codes.populations,
        risk_of_bias=None,
        certainty={},
        link=words.link(record),
    )


def _compared(review: Review, form: Extraction | None) -> set[str]:
    """The comparisons that a study's results are about; the only one, where there is one."""
    if form is None or not form.results:
        return set()
    only = review.comparisons[0].id if len(review.comparisons) == 1 else None
    return {result.comparison or only for result in form.results} - {None}  # type: ignore[return-value]


def _places(form: Extraction | None) -> tuple[str, ...]:
    """The countries that a form names, parted by semicolons."""
    if form is None or not form.country:
        return ()
    return tuple(part.strip() for part in form.country.split(";") if part.strip())


def _year(study: Study) -> int | None:
    years = [report.record.year for report in study.reports if report.record.year]
    return min(years, default=None)


def _union(coded: Iterable[MapCodes], field: str) -> tuple[str, ...]:
    """What any report of a study was given, each once."""
    values: dict[str, None] = {}
    for codes in coded:
        values |= dict.fromkeys(getattr(codes, field))
    return tuple(values)


def _ordered(order: Sequence[str], values: set[str | None]) -> tuple[str, ...]:
    return tuple(id for id in order if id in values)


def _levels(findings: Sequence[Finding]) -> dict[tuple[str, str], str]:
    """By study and outcome the lowest certainty of the findings that the study counts for."""
    levels: dict[tuple[str, str], str] = {}
    for finding in findings:
        if finding.certainty is None:
            continue
        for row in finding.counted:
            key = (row.study, finding.outcome)
            level = finding.certainty.level
            if key not in levels or LEVELS.index(level) < LEVELS.index(levels[key]):
                levels[key] = level
    return levels


# Facets and the grid


def facets(summary: Summary) -> tuple[Facet, ...]:
    """The facets by which this map can be read: those that have two values, and are on some entry."""
    review = summary.review
    areas = {area.id: area.label for area in review.taxonomy if area.id not in left_out(summary)}
    made = (
        Facet("areas", say(mark("Area")), areas),
        Facet("outcomes", say(mark("Outcome")), {row.id: row.label for row in review.outcomes}),
        Facet(
            "comparisons",
            say(mark("Comparison")),
            {row.id: row.label for row in review.comparisons},
        ),
        Facet("design", say(mark("Design")), {id: say(text) for id, text in DESIGNS.items()}),
        Facet("countries", say(mark("Country")), _words_of(summary.map, "countries")),
        Facet("populations", say(mark("People")), _words_of(summary.map, "populations")),
        Facet("kind", say(mark("Kind")), {id: say(text) for id, text in KINDS.items()}),
    )
    return tuple(facet for facet in made if len(facet.values) > 1 and _is_used(summary, facet.id))


def _is_used(summary: Summary, facet: str) -> bool:
    return any(values(entry, facet) for entry in summary.map)


def left_out(summary: Summary) -> dict[str, str]:
    """Areas that the review does not ask about and that nothing here is about, by id: a row of them
    would say nothing.
    """
    used = {area for entry in summary.map for area in entry.areas}
    return {
        area.id: area.label
        for area in summary.review.taxonomy
        if not area.asked and area.id not in used
    }


def values(entry: MapEntry, facet: str) -> tuple[str, ...]:
    """What an entry has of a facet."""
    value = getattr(entry, facet)
    if isinstance(value, tuple):
        return value
    return (value,) if value else ()


def _words_of(entries_: Iterable[MapEntry], facet: str) -> dict[str, str]:
    """Values in people's own words, in alphabetical order."""
    found: set[str] = set()
    for entry in entries_:
        found.update(values(entry, facet))
    return {word: word for word in sorted(found, key=lambda word: (word.casefold(), word))}


def first_pair(offered: Sequence[Facet]) -> tuple[Facet, Facet] | None:
    """Which two facets stand on paper: areas by outcomes, else the first two that there are."""
    by_id = {facet.id: facet for facet in offered}
    preferred = [by_id[id] for id in ("areas", "outcomes") if id in by_id]
    others = [facet for facet in offered if facet not in preferred and facet.id != "kind"]
    two = [*preferred, *others][:2]
    return (two[0], two[1]) if len(two) > 1 else None


def has_page(summary: Summary) -> bool:
    """Whether there are two facets to set against each other, and so a map."""
    return first_pair(facets(summary)) is not None


def grid(summary: Summary, rows: Facet, columns: Facet) -> Grid:
    """The map on paper.

    What has no value of a facet stands in a row or column of its own: it would else be missing.
    """
    down = {**rows.values, **_rest(summary.map, rows)}
    across = {**columns.values, **_rest(summary.map, columns)}
    empties = gaps(summary) if (rows.id, columns.id) == ("areas", "outcomes") else {}
    cells = []
    for row in down:
        line = []
        for column in across:
            here = tuple(
                entry
                for entry in summary.map
                if _has(entry, rows.id, row) and _has(entry, columns.id, column)
            )
            line.append(GridCell(here, "" if here else empties.get((row, column), "")))
        cells.append((down[row], tuple(line)))
    return Grid(rows, Facet(columns.id, columns.label, across), tuple(cells))


def _rest(entries_: Iterable[MapEntry], facet: Facet) -> dict[str, str]:
    """A last row or column for what has no value, where there is any such entry."""
    if all(values(entry, facet.id) for entry in entries_):
        return {}
    return {NONE_CODED: say(REST.get(facet.id, mark("Not coded")))}


REST: Mapping[str, str] = {"outcomes": mark("None of these outcomes")}
"""What an entry without a value of a facet is called; a study of how a programme works has no outcome."""


def _has(entry: MapEntry, facet: str, value: str) -> bool:
    given = values(entry, facet)
    return value in given if value != NONE_CODED else not given


def gaps(summary: Summary) -> dict[tuple[str, str], str]:
    """What a pair of area and outcome is where nothing is there: one of EMPTY."""
    states: dict[str, set[str]] = {}
    for finding in summary.findings:
        states.setdefault(finding.outcome, set()).add(finding.state)
    made = {}
    for area in summary.review.taxonomy:
        for outcome in summary.review.outcomes:
            asked = states.get(outcome.id, set()) if area.asked else set()
            made[area.id, outcome.id] = gap_map.empty_kind(asked)
    return made


def bias_group(entry: MapEntry) -> str:
    """One of BIAS."""
    if entry.risk_of_bias is None:
        return "none"
    if entry.risk_of_bias in LOW_BIAS:
        return "low"
    return "high" if entry.risk_of_bias in HIGH_BIAS else "middle"


def bias_in_words(entry: MapEntry) -> str:
    """The judgement as people read it; empty where there is none."""
    if entry.risk_of_bias:
        return appraisal.in_words(entry.risk_of_bias)
    return ""


def _bias_of(entry: MapEntry) -> str:
    """The judgement with what it judges; empty where there is none."""
    judged = bias_in_words(entry)
    if judged:
        return say(mark("risk of bias: {level}"), level=judged)
    return ""


# As a table and for the script

COLUMNS = (
    *("id", "label", "kind", "state", "year", "areas", "outcomes", "comparisons", "design"),
    *("countries", "populations", "risk_of_bias", "certainty", "link"),
)
"""Of map.csv: lists parted by |."""


def table(shown: Sequence[MapEntry]) -> Table:
    """The map as a table: a row a study or report."""
    return tabled("map", COLUMNS, [[_cell(entry, name) for name in COLUMNS] for entry in shown])


def _cell(entry: MapEntry, name: str) -> Cell:
    value = getattr(entry, name)
    if isinstance(value, tuple):
        return " | ".join(value) or None
    if isinstance(value, dict):
        return " | ".join(f"{outcome}: {level}" for outcome, level in value.items()) or None
    cell: Cell = value
    return cell


def for_script(
    summary: Summary, offered: Sequence[Facet], first: tuple[Facet, Facet]
) -> dict[str, object]:
    """What map.js draws from: facets, entries, what empty cells are, and its words."""
    return {
        "facets": [
            {
                "id": facet.id,
                "label": facet.label,
                "values": list(facet.values.items()),
                "rest": say(REST.get(facet.id, mark("Not coded"))),
            }
            for facet in offered
        ],
        "rows": first[0].id,
        "columns": first[1].id,
        "entries": [_for_script(entry) for entry in summary.map],
        "gaps": [[*pair, kind] for pair, kind in gaps(summary).items()],
        "empty": {kind: say(text) for kind, text in EMPTY.items()},
        "groups": {name: _pairs(texts) for name, texts in GROUPS.items()},
        "states": {id: say(text) for id, text in STATE_WORDS.items()},
        "words": {id: say(text) for id, text in WORDS.items()},
    }


def _pairs(texts: Mapping[str, str]) -> list[tuple[str, str]]:
    """In the order in which a legend shows them, which an object of JSON would lose."""
    return [(id, say(text)) for id, text in texts.items()]


CERTAINTY: Mapping[str, str] = {
    "high": mark("High certainty"),
    "moderate": mark("Moderate certainty"),
    "low": mark("Low certainty"),
    "very_low": mark("Very low certainty"),
    "none": mark("Certainty not rated"),
}

GROUPS: Mapping[str, Mapping[str, str]] = {"kind": KINDS, "certainty": CERTAINTY, "bias": BIAS}
"""By what bubbles can be told apart."""

WORDS: Mapping[str, str] = {
    "shown": mark("{n} of {all} shown"),
    "caption": mark("{rows} by {columns}: how many studies; choose a cell to see which"),
}
"""What the script says."""


def _for_script(entry: MapEntry) -> dict[str, object]:
    plain = entry.model_dump(mode="json")
    return {**plain, "bias": bias_group(entry), "bias_words": _bias_of(entry)}
