"""The published folder of one version, and the front page over all reviews. Pure: the same Snapshot, the same bytes.

`Build.content_hash` tells whether there is anything new to publish (data.py says what it covers): publish when it
differs from the last version's; else build that version again, with its number, its date and the history before it,
to refresh the dates of searches and the counts of work in progress.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from livereview.evidence.synthesis import SIDES
from livereview.summary import (
    checklist,
    crate,
    data,
    feeds,
    figures,
    flow_diagram,
    gap_map,
    pictures,
    references,
    search_report,
    tables,
    trace,
    words,
)
from livereview.summary.data import Edition, Evidence
from livereview.summary.pictures import Picture
from livereview.summary.snapshot import Snapshot

# How many studies, exclusions and results the page lists: the first of these that keeps it under WEIGHT bytes, which is
# about 28 kB gzipped. It says how many it leaves out; the files always have all.
SHOWN = (100, 50, 25, 10)
WEIGHT = 130_000


@dataclass(frozen=True, slots=True)
class Build:
    """A built version: its files by path, and what the version row keeps. `summary` is its summary.json as text."""

    files: Mapping[str, bytes]
    content_hash: str
    change: str
    summary: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A version before its files are made: whether it holds anything new, and what its change is, is known already.

    summary, text   summary.json as data and as it is written
    """

    snapshot: Snapshot
    evidence: Evidence
    change: str
    summary: dict[str, Any]
    text: bytes

    @property
    def content_hash(self) -> str:
        return str(self.summary["version"]["content_hash"])


@dataclass(frozen=True, slots=True)
class Entry:
    """One published review on the front page: its folder and the summary.json of its newest version as text."""

    review: str
    summary: str


def build(
    snapshot: Snapshot,
    number: int,
    trigger: str,
    signed_by: str | None = None,
    moment: datetime | None = None,
    home: str = "../",
) -> Build:
    """`draft` and its `files`, for one home."""
    made = draft(snapshot, number, trigger, signed_by, moment)
    (written,) = files(made, home)
    return Build(written, made.content_hash, made.change, made.text.decode())


def draft(
    snapshot: Snapshot, number: int, trigger: str, signed_by: str | None = None, moment: datetime | None = None
) -> Draft:
    """Version `number` without its files; raises Refused when the flow diagram does not balance.

    moment  the version's date; None: the Snapshot's. A refreshed build of an old version passes that version's
    """
    flow_diagram.check(snapshot)
    evidence = data.weigh(snapshot)
    change = data.compare(snapshot, evidence)
    edition = Edition(number, moment or snapshot.moment, trigger, signed_by, change)
    summary = data.summary(snapshot, evidence, edition)
    return Draft(snapshot, evidence, change.kind, summary, data.dump(summary, indent=1))


def files(made: Draft, *homes: str) -> tuple[Mapping[str, bytes], ...]:
    """All files of a version, once for each place that they are for.

    homes   the way from these files to the review's folder: "../" for latest/, "../../" for v/N/, or its full address
    """
    drawn = _pictures(made.snapshot, made.evidence)
    same = _files(made, drawn)
    return tuple(_sealed(made, {**same, **_bound(made, drawn, home)}) for home in homes)


def _sealed(made: Draft, written: dict[str, bytes]) -> Mapping[str, bytes]:
    """The files with those that list them all."""
    everything = {**written, "ro-crate-metadata.json": crate.crate(made.summary, written)}
    return {**everything, "SHA256SUMS": crate.sums(everything)}


def _bound(made: Draft, drawn: Sequence[Picture], home: str) -> dict[str, bytes]:
    """The files that link to other versions."""
    earlier = [json.loads(old.summary) for old in made.snapshot.history]
    return {
        "changes.atom": feeds.atom(made.summary, earlier, home),
        "changes.json": feeds.json_feed(made.summary, earlier, home),
        "embed.html": _embed(made.summary, home),
        "index.html": _page(made, drawn, home),
    }


def _files(made: Draft, drawn: Sequence[Picture]) -> dict[str, bytes]:
    """The files that are the same wherever they stand."""
    snapshot, summary, report = made.snapshot, made.summary, search_report.to_json(made.snapshot)
    traced = trace.to_json(snapshot, summary)
    titles = {one["id"]: one["title"] for study in summary["studies"] for one in study["reports"]}
    files = {
        "summary.json": made.text,
        "summary.schema.json": _template("summary.schema.json").render().encode(),
        "status.json": data.dump(summary["status"], indent=1),
        "prisma.json": data.dump(summary["flow"], indent=1),
        "prisma-s.json": data.dump(report, indent=1),
        "searches.html": _template("searches.html").render(s=summary, report=report).encode("utf-8", "replace"),
        "studies.csv": tables.studies_csv(snapshot),
        "effects.csv": tables.effects_csv(snapshot),
        "exclusions.csv": tables.exclusions_csv(snapshot),
        "trace.json": data.dump(traced, indent=1),
        "trace.html": _template("trace.html").render(s=summary, trace=traced, titles=titles).encode("utf-8", "replace"),
        "embed.js": _template("embed.js").render().encode(),
    }
    for picture in drawn:
        files[f"{picture.name}.svg"] = picture.svg.encode()
        files[f"{picture.name}.csv"] = tables.plain(picture.rows)
    return files | _citations(summary) | {"prov.json": crate.provenance(summary)}


def _citations(summary: dict[str, Any]) -> dict[str, bytes]:
    """The included reports for reference managers, and what the reporting standards ask for."""
    asked = checklist.items(summary)
    page = _template("checklist.html").render(s=summary, items=asked)
    return {
        "refs.ris": references.ris(summary),
        "refs.bib": references.bibtex(summary),
        "refs.csl.json": references.csl(summary),
        "checklist.json": data.dump([asdict(item) for item in asked], indent=1),
        "checklist.html": page.encode("utf-8", "replace"),
    }


def _pictures(snapshot: Snapshot, evidence: Evidence) -> tuple[Picture, ...]:
    pooled = {key: found for key, (found, _) in evidence.pooled.items() if found}
    return pictures.pictures(snapshot, evidence.found, pooled)


def _embed(summary: dict[str, Any], home: str) -> bytes:
    """A page for frames on other sites: the answer never without its caveat, version, search date and certainty."""
    rated = [one for one in summary["outcomes"] if one["certainty"]["level"]]
    told = "; ".join(f"{one['label']}: {one['certainty']['level'].replace('_', ' ')}" for one in rated)
    page = _template("embed.html").render(s=summary, page=f"{home}latest/", certainty=told or "not rated")
    return page.encode("utf-8", "replace")


def _page(made: Draft, drawn: Sequence[Picture], home: str) -> bytes:
    summary, page = json.loads(made.text), b""
    for shown in SHOWN:
        page = _page_of(made.snapshot, summary, drawn, home, shown)
        if len(page) <= WEIGHT:
            break
    return page


def _page_of(snapshot: Snapshot, summary: dict[str, Any], drawn: Sequence[Picture], home: str, shown: int) -> bytes:
    ordered = [study.study_id for study in figures.by_risk_of_bias(snapshot.studies)]
    page = _template("index.html").render(
        s=summary,
        home=home,
        shown=shown,
        sides=SIDES,
        words=words,
        ordered=ordered,
        studies={study["id"]: study for study in summary["studies"]},
        labels={outcome["id"]: outcome["label"] for outcome in summary["outcomes"]},
        areas={area["id"]: area["label"] for area in summary["review"]["taxonomy"]},
        pictures={picture.name: picture for picture in drawn},
        flow_rows=flow_diagram.rows(snapshot.flow),
        linked=_linked_data(summary),
    )
    return page.encode("utf-8", "replace")


def _linked_data(summary: dict[str, Any]) -> dict[str, Any]:
    """schema.org's description of the page; the template escapes it for its script element."""
    review, version = summary["review"], summary["version"]
    return {
        "@context": "https://schema.org",
        "@type": "ScholarlyArticle",
        "name": review["title"],
        "author": [{"name": name} for name in review["authors"]],
        "abstract": f"{summary['answer']['text']} {summary['caveat']}",
        "version": str(version["number"]),
        "dateModified": version["date"],
        "license": review["licence"],
        "isBasedOn": sorted({r["link"] for study in summary["studies"] for r in study["reports"] if r["link"]})[:50],
    }


def _template(name: str) -> Template:
    return _ENVIRONMENT.get_template(name)


def _safe_text(value: Any) -> Any:
    return words.tidy(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_ENVIRONMENT = Environment(
    loader=PackageLoader("livereview.summary"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_safe_text,
)


def library(entries: Iterable[Entry]) -> Mapping[str, bytes]:
    """index.html and index.json over all published reviews, by title."""
    listed = sorted((_listing(entry) for entry in entries), key=lambda row: (row["title"], row["review"]))
    newest = max((row["as_of"] for row in listed), default="")
    page = _template("library.html").render(reviews=listed, gaps=_gap_maps(listed), lately=_lately(listed, newest))
    return {
        "index.html": page.encode("utf-8", "replace"),
        "index.json": data.dump({"schema_version": data.SCHEMA_VERSION, "reviews": listed}, indent=1),
    }


LATELY = timedelta(days=90)


def _lately(listed: Sequence[dict[str, Any]], newest: str) -> list[dict[str, Any]]:
    """Reviews with a version of the last 90 days before the newest event of all, newest first."""
    since = words.iso(datetime.fromisoformat(newest) - LATELY) if newest else ""
    return sorted((row for row in listed if row["date"] >= (since or "")), key=lambda row: row["date"], reverse=True)


def _gap_maps(listed: Sequence[dict[str, Any]]) -> list[tuple[str, Markup]]:
    """(titles, map) of areas by outcomes: how many studies there are, not what they say.

    One map for the reviews that share areas and outcomes: a pair that no review asks about is no gap.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in listed:
        if row["areas"] and row["outcomes"]:
            groups.setdefault(json.dumps([row["areas"], row["outcomes"]], sort_keys=True), []).append(row)
    return [("; ".join(row["title"] for row in some), _gap_map(str(n), some)) for n, some in enumerate(groups.values())]


def _gap_map(key: str, rows: Sequence[dict[str, Any]]) -> Markup:
    areas, outcomes = rows[0]["areas"], rows[0]["outcomes"]
    counts = Counter[tuple[str, str]]()
    for cell in (cell for row in rows for cell in row["map"]):
        counts[cell["area"], cell["outcome"]] += cell["studies"]
    cells = [gap_map.Cell(area, outcome, counts[area, outcome]) for area in areas for outcome in outcomes]
    return gap_map.svg(key, "Evidence and gaps", areas, outcomes, cells)


def _map(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Studies with a result, by area and outcome."""
    counts: dict[tuple[str, str], int] = {}
    for study in summary["studies"]:
        for outcome in {result["outcome"] for result in study.get("results", ())} if study.get("area") else ():
            counts[study["area"], outcome] = counts.get((study["area"], outcome), 0) + 1
    return [{"area": area, "outcome": outcome, "studies": n} for (area, outcome), n in sorted(counts.items())]


def _listing(entry: Entry) -> dict[str, Any]:
    summary = json.loads(entry.summary)
    version = summary["version"]
    return {
        "review": entry.review,
        "title": summary["review"]["title"],
        "state": summary["review"]["living"]["status"],
        "answer": summary["answer"]["text"],
        "caveat": summary["caveat"],
        "version": version["number"],
        "date": version["date"],
        "date_display": version["date_display"],
        "change": version["change"],
        "change_display": version["change_display"],
        "studies": len(summary["studies"]),
        "as_of": summary["as_of"],
        "retirement": summary["review"]["living"]["retirement"],
        "states": [{"outcome": one["label"], "state": one["state_display"]} for one in summary["outcomes"]],
        "areas": {one["id"]: one["label"] for one in summary["review"]["taxonomy"]},
        "outcomes": {one["id"]: one["label"] for one in summary["outcomes"]},
        "map": _map(summary),
        "page": f"{entry.review}/latest/",
        "data": f"{entry.review}/latest/summary.json",
    }
