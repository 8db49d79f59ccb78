"""The published folder of one version, and the front page over all reviews. Pure: the same Snapshot, the same bytes.

`Build.content_hash` tells whether there is anything new to publish (data.py says what it covers): publish when it
differs from the last version's; else build that version again, with its number, its date and the history before it,
to refresh the dates of searches and the counts of work in progress.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from livereview.evidence.synthesis import SIDES
from livereview.summary import data, feeds, figures, flow_diagram, pictures, search_report, tables, words
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
    """All files of version `number`; raises Refused when the flow diagram does not balance.

    moment  the version's date; None: the Snapshot's. A refreshed build of an old version passes that version's
    home    from these files to the review's folder: "../" for latest/, "../../" for v/N/, or its full address
    """
    flow_diagram.check(snapshot)
    evidence = data.weigh(snapshot)
    change = data.compare(snapshot, evidence)
    edition = Edition(number, moment or snapshot.moment, trigger, signed_by, change)
    summary = data.summary(snapshot, evidence, edition)
    files = _files(snapshot, evidence, summary, home)
    return Build(files, summary["version"]["content_hash"], change.kind, files["summary.json"].decode())


def _files(snapshot: Snapshot, evidence: Evidence, summary: dict[str, Any], home: str) -> dict[str, bytes]:
    text, report = data.dump(summary, indent=1), search_report.to_json(snapshot)
    files = {
        "summary.json": text,
        "summary.schema.json": _template("summary.schema.json").render().encode(),
        "status.json": data.dump(summary["status"], indent=1),
        "prisma.json": data.dump(summary["flow"], indent=1),
        "prisma-s.json": data.dump(report, indent=1),
        "searches.html": _template("searches.html").render(s=summary, report=report).encode("utf-8", "replace"),
        "studies.csv": tables.studies_csv(snapshot),
        "effects.csv": tables.effects_csv(snapshot),
        "exclusions.csv": tables.exclusions_csv(snapshot),
        "changes.atom": feeds.atom(summary, [json.loads(old.summary) for old in snapshot.history], home),
        "index.html": _page(snapshot, evidence, json.loads(text), home),
    }
    for picture in _pictures(snapshot, evidence):
        files[f"{picture.name}.svg"] = picture.svg.encode()
        files[f"{picture.name}.csv"] = tables.plain(picture.rows)
    return {**files, "SHA256SUMS": _sums(files)}


def _pictures(snapshot: Snapshot, evidence: Evidence, limit: int | None = None) -> tuple[Picture, ...]:
    pooled = {key: found for key, (found, _) in evidence.pooled.items() if found}
    return pictures.pictures(snapshot, evidence.found, pooled, limit)


def _sums(files: Mapping[str, bytes]) -> bytes:
    """The file that `sha256sum -c` checks."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def _page(snapshot: Snapshot, evidence: Evidence, summary: dict[str, Any], home: str) -> bytes:
    page = b""
    for shown in SHOWN:
        page = _page_of(snapshot, evidence, summary, home, shown)
        if len(page) <= WEIGHT:
            break
    return page


def _page_of(snapshot: Snapshot, evidence: Evidence, summary: dict[str, Any], home: str, shown: int) -> bytes:
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
        pictures={picture.name: picture for picture in _pictures(snapshot, evidence, shown)},
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
    page = _template("library.html").render(reviews=listed)
    return {
        "index.html": page.encode("utf-8", "replace"),
        "index.json": data.dump({"schema_version": data.SCHEMA_VERSION, "reviews": listed}, indent=1),
    }


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
        "page": f"{entry.review}/latest/",
        "data": f"{entry.review}/latest/summary.json",
    }
