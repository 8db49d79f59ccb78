"""The published folder of one version. Pure: the same Snapshot, the same bytes.

`Build.content_hash` tells whether there is anything new to publish (data.py says what it covers):
publish when it differs from the last version's; else build that version again, with its number, its
date and the history before it, to refresh the dates of searches and the counts of work in progress.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any

from markupsafe import Markup

from livereview.evidence import map_codes, wording
from livereview.summary import (
    addresses,
    analysis_tables,
    api_page,
    badge,
    bars,
    cards,
    checklist,
    consultation,
    crate,
    data,
    dictionary,
    drawing,
    evidence_map,
    feeds,
    figures,
    findings_table,
    flow_diagram,
    forest,
    glance,
    linked_data,
    model,
    oembed,
    pictures,
    plain_summary,
    raster,
    reader_analysis,
    references,
    search_report,
    tables,
    tombstone,
    trace,
    words,
)
from livereview.summary.addresses import Place
from livereview.summary.data import Edition, Evidence
from livereview.summary.model import Summary, schema
from livereview.summary.model.findings import PublishedFinding
from livereview.summary.pictures import Picture
from livereview.summary.snapshot import Snapshot
from livereview.summary.tables import Table
from livereview.summary.templating import template

# How many studies, exclusions and results the page lists: the first of these that keeps it under
# WEIGHT bytes, which is about 28 kB gzipped. It says how many it leaves out; the files always have
# all.
SHOWN = (100, 50, 25, 10)
WEIGHT = 130_000

DRAWN = 50  # studies in the PNG of a picture; its SVG has all
Encode = Callable[[Table], bytes]
Draw = Callable[[Sequence[str]], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Build:
    """A built version: its files by path, and what the version row keeps.

    `summary` is its summary.json as text.
    """

    files: Mapping[str, bytes]
    content_hash: str
    change: str
    summary: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A version before its files are made: whether it holds anything new, and what its change is,
    is known already.

    Attributes:
        summary, text: summary.json as typed data, and as it is written.
    """

    snapshot: Snapshot
    evidence: Evidence
    change: str
    summary: Summary
    text: bytes

    @property
    def content_hash(self) -> str:
        return self.summary.version.content_hash


def build(
    snapshot: Snapshot,
    number: int,
    trigger: str,
    signed_by: str | None = None,
    moment: datetime | None = None,
    home: str = "../",
    encode: Encode | None = None,
) -> Build:
    """`draft` and its `files`, for one home."""
    made = draft(snapshot, number, trigger, signed_by, moment)
    (written,) = files(made, home, encode=encode)
    return Build(written, made.content_hash, made.change, made.text.decode())


def draft(
    snapshot: Snapshot,
    number: int,
    trigger: str,
    signed_by: str | None = None,
    moment: datetime | None = None,
) -> Draft:
    """Version `number` without its files; raises Refused when the flow diagram does not balance.

    Args:
        moment: The version's date; None: the Snapshot's. A refreshed build of an old version passes
            that version's.
    """
    flow_diagram.check(snapshot)
    evidence = data.weigh(snapshot)
    with words.as_told_in(snapshot.review):
        change = data.compare(snapshot, evidence)
        edition = Edition(number, moment or snapshot.moment, trigger, signed_by, change)
        summary = data.summary(snapshot, evidence, edition)
        listed = tombstone.marked(summary.versions, snapshot.withdrawals)
    summary = summary.model_copy(update={"versions": listed})
    text = data.dump(model.plain(summary), indent=1)
    return Draft(snapshot, evidence, change.kind, summary, text)


def _draw(svgs: Sequence[str]) -> Sequence[bytes]:
    return [raster.png(svg) for svg in svgs]


def files(
    made: Draft, *homes: str, encode: Encode | None = None, draw: Draw = _draw
) -> tuple[Mapping[str, bytes], ...]:
    """All files of a version, once for each place that they are for.

    Args:
        homes: The way from these files to the review's folder: "../" for latest/, "../../" for v/N/,
            or its full address.
        encode: A table as a Parquet file: the same rows must be the same bytes. None: there are no
            such files.
        draw: Pictures as PNG, as `raster.png` makes them.
    """
    with words.as_told_in(made.snapshot.review):
        drawn = _pictures(made.snapshot, made.evidence)
        # drawing takes a third of the time, and may be another process's work
        with ThreadPoolExecutor(1) as apart:
            cards_ = _cards(made)
            shown = [str(drawing.alone(picture.on_page(DRAWN))) for picture in drawn]
            pngs = apart.submit(draw, [*shown, *cards_.values()])
            same = {**_files(made), **_deep_pages(made, drawn), **_drawn(drawn)}
            same |= _tabled(made, drawn, encode)
            bound = [_bound(made, drawn, home, encode is not None) for home in homes]
            names = [*(picture.name for picture in drawn), *cards_]
            same |= {f"{name}.png": png for name, png in zip(names, pngs.result(), strict=True)}
        return tuple(_sealed(made, {**same, **one}) for one in bound)


def _sealed(made: Draft, written: dict[str, bytes]) -> Mapping[str, bytes]:
    """The files with those that list them all."""
    everything = {**written, "ro-crate-metadata.json": crate.crate(made.summary, written)}
    return {**everything, "SHA256SUMS": crate.sums(everything)}


def _bound(made: Draft, drawn: Sequence[Picture], home: str, parquet: bool) -> dict[str, bytes]:
    """The files that link to other versions."""
    earlier = [old.content for old in made.snapshot.history]
    number = made.summary.version.number
    place = addresses.place(made.snapshot.review, home, number)
    return {
        "changes.atom": feeds.atom(made.summary, earlier, place, made.snapshot.withdrawals),
        "changes.json": feeds.json_feed(made.summary, earlier, place, made.snapshot.withdrawals),
        "embed.html": _embed(made.summary, home),
        "oembed.json": data.dump(oembed.describe(made.summary, place), indent=1),
        **_consultations(made, home),
        **_finding_pages(made, place),
        "index.html": _page(made, drawn, place, parquet),
    }


def _told(made: Draft) -> dict[str, PublishedFinding]:
    """The findings that have a page and a card of their own, by the name of their pictures."""
    published = {finding.id: finding for finding in made.summary.findings}
    return {
        pictures.name_of(finding): published[finding.id]
        for finding in made.evidence.findings
        if finding.state in cards.SAYING
    }


def _cards(made: Draft) -> dict[str, str]:
    """The cards of the review and of its findings as SVG, by file without its ending."""
    own = {
        f"card-{name}": str(cards.of_finding(made.summary, finding, name))
        for name, finding in _told(made).items()
    }
    brief = wording.brief(made.evidence.findings)
    return {"card": str(cards.of_review(made.summary, brief)), **own}


def _finding_pages(made: Draft, place: Place) -> dict[str, bytes]:
    """A page for each finding that says something: to link to, and for frames on other sites."""
    page = template("finding.html")
    pages: dict[str, bytes] = {}
    for name, finding in _told(made).items():
        file = f"finding-{name}.html"
        values = {"s": made.summary, "f": finding, "place": place, "name": name, "file": file}
        text = page.render(caveat=wording.CAVEAT, **values)
        pages[file] = text.encode("utf-8", "replace")
    return pages


def _consultations(made: Draft, home: str) -> dict[str, bytes]:
    """A page for each published consultation and all of them as data; nothing before the first."""
    told = consultation.to_json(
        made.snapshot.consultations, [version.number for version in made.summary.versions]
    )
    page = template("consultation.html")
    pages = {
        one["page"]: page.render(s=made.summary, c=one, home=home).encode("utf-8", "replace")
        for one in told
    }
    if told:
        return {**pages, consultation.DATA: data.dump(told, indent=1)}
    return {}


def _files(made: Draft) -> dict[str, bytes]:
    """The files that are the same wherever they stand."""
    snapshot, summary = made.snapshot, made.summary
    place = addresses.place(snapshot.review, addresses.PINNED, summary.version.number)
    searched = search_report.of_snapshot(snapshot)
    traced = trace.of_summary(snapshot, summary)
    titles = {report.id: report.title for study in summary.studies for report in study.reports}
    files = {
        "summary.json": made.text,
        **{f"{name}.schema.json": schema_text(name, place.version) for name in SCHEMAS},
        "status.json": data.dump(model.plain(summary.status), indent=1),
        "prisma.json": data.dump(model.plain(summary.flow), indent=1),
        "prisma-s.json": data.dump(model.plain(searched), indent=1),
        "searches.html": template("searches.html")
        .render(s=summary, report=searched)
        .encode("utf-8", "replace"),
        "trace.json": data.dump(model.plain(traced), indent=1),
        "trace.html": template("trace.html")
        .render(s=summary, trace=traced, titles=titles)
        .encode("utf-8", "replace"),
        "embed.js": template("embed.js").render().encode(),
        "badge.svg": str(badge.svg(summary)).encode(),
    }
    return files | _citations(summary) | {"prov.json": crate.provenance(summary)}


SCHEMAS = ("summary", "trace", "prisma-s")
"""Files that have their JSON Schema beside them."""


@cache
def schema_text(name: str = "summary", folder: str = "") -> bytes:
    """The JSON Schema of a published file, made from the types that it is written from.

    Args:
        folder: The whole address of the version, where its `$id` can be fetched for ever; "": not
            known.
    """
    made = dict(schema.schema(name))
    if folder:
        made["$id"] = f"{folder}{name}.schema.json"
    return data.dump(made, indent=1)


def _drawn(drawn: Sequence[Picture]) -> dict[str, bytes]:
    """Each picture as SVG and table."""
    written: dict[str, bytes] = {}
    for picture in drawn:
        written[f"{picture.name}.svg"] = str(drawing.alone(picture.svg)).encode()
        written[f"{picture.name}.csv"] = tables.plain(picture.rows)
    return written


def _tables(made: Draft) -> tuple[Table, ...]:
    """All tables of a version."""
    findings = made.evidence.findings
    return (
        *tables.published(made.snapshot),
        tables.findings(findings),
        *tables.behind(made.snapshot, findings),
        *_map_table(made),
    )


def _map_table(made: Draft) -> tuple[Table, ...]:
    """The map as a table; none where nothing is on it."""
    if made.summary.map:
        return (evidence_map.table(made.summary.map),)
    return ()


def _tabled(made: Draft, drawn: Sequence[Picture], encode: Encode | None) -> dict[str, bytes]:
    """Each table as CSV and with types, and the page that says what its columns are."""
    written = _tables(made)
    files = {f"{table.name}.csv": table.csv for table in written}
    if encode is not None:
        files |= {f"{table.name}.parquet": encode(table) for table in written}
    page = template("data.html").render(
        described=dictionary.described(written),
        parquet=encode is not None,
        **_shared(made, drawn),
    )
    return {**files, "data.html": page.encode("utf-8", "replace")}


def _citations(summary: Summary) -> dict[str, bytes]:
    """The included reports for reference managers, and what the reporting standards ask for."""
    asked = checklist.items(summary)
    page = template("checklist.html").render(s=summary, items=asked)
    return {
        "refs.ris": references.ris(summary),
        "refs.bib": references.bibtex(summary),
        "refs.csl.json": references.csl(summary),
        "checklist.json": data.dump([asdict(item) for item in asked], indent=1),
        "checklist.html": page.encode("utf-8", "replace"),
    }


def _pictures(snapshot: Snapshot, evidence: Evidence) -> tuple[Picture, ...]:
    return pictures.pictures(snapshot, evidence.findings)


def _embed(summary: Summary, home: str) -> bytes:
    """A page for frames on other sites: the answer never without its caveat, version, search date
    and certainty.
    """
    told = {
        "home": home,
        "pinned": home == addresses.PINNED,
        "certainty": oembed.certainty(summary),
    }
    page = template("embed.html").render(s=summary, **told)
    return page.encode("utf-8", "replace")


def _page(made: Draft, drawn: Sequence[Picture], place: Place, parquet: bool) -> bytes:
    """The first page, as many studies on it as its weight allows."""
    shared = _shared(made, drawn)
    home = place.home
    own = {
        "home": home,
        "place": place,
        "parquet": parquet,
        "behind": tuple(analysis_tables.ALL),
        "call": consultation.call(made.snapshot.consultations, made.snapshot.review, home),
        "consulted": consultation.listed(made.snapshot.consultations),
        **_first_page(made, place),
    }
    return _light("index.html", {**shared, **own})


def _light(name: str, values: Mapping[str, Any]) -> bytes:
    """A page with the largest number of studies that keeps it under WEIGHT."""
    page = b""
    for shown in SHOWN:
        page = template(name).render(shown=shown, **values).encode("utf-8", "replace")
        if len(page) <= WEIGHT:
            break
    return page


def _shared(made: Draft, drawn: Sequence[Picture]) -> dict[str, Any]:
    """What the templates of a version's pages read."""
    snapshot, summary = made.snapshot, made.summary
    review = summary.review
    ordered = figures.by_risk_of_bias(snapshot.studies, snapshot.review.tools)
    return {
        "s": summary,
        "findings": made.evidence.findings,
        "ordered": [study.study_id for study in ordered],
        "studies": {study.id: study for study in summary.studies},
        "labels": {outcome.id: outcome.label for outcome in review.outcomes},
        "areas": {area.id: area.label for area in review.taxonomy},
        "pictures": {picture.name: picture for picture in drawn},
        "direction": figures.direction,
        "flow_rows": flow_diagram.rows(snapshot.flow, snapshot.review.base),
    }


def _first_page(made: Draft, place: Place) -> dict[str, Any]:
    """What only the first page shows."""
    findings, summary = made.evidence.findings, made.summary
    pooled = [finding for finding in findings if pictures.is_pooled(finding)]
    return {
        "brief": wording.brief(findings),
        "glance": glance.glance(summary, findings),
        "waiting": plain_summary.waiting_reports(summary.debt),
        "plain": plain_summary.plain_summary(summary, findings),
        "tables": findings_table.findings_tables(findings),
        "names": {finding.id: pictures.name_of(finding) for finding in findings},
        "forests": {one.id: bars.forest(one, forest.parts_of(one)) for one in pooled},
        "ends": {one.id: bars.ends(one) for one in pooled},
        "told": _told(made),
        "linked": linked_data.describe(summary, place),
    }


def _deep_pages(made: Draft, drawn: Sequence[Picture]) -> dict[str, bytes]:
    """The pages behind the first one: studies, methods, and a page for each study."""
    shared = _shared(made, drawn)
    pages = {name: _light(name, shared) for name in ("studies.html", "methods.html")}
    page = template("study.html")
    for study in made.summary.studies:
        text = page.render(study=study, **shared)
        pages[f"study-{study.id}.html"] = text.encode("utf-8", "replace")
    pages |= _map_page(made.summary, shared)
    place = addresses.place(made.snapshot.review, addresses.PINNED, made.summary.version.number)
    programs = api_page.values(place, made.evidence.findings)
    return {
        **pages,
        "analysis.html": _analysis_page(made, shared),
        "api.html": template("api.html").render(**programs, **shared).encode("utf-8", "replace"),
    }


def _map_page(summary: Summary, shared: Mapping[str, Any]) -> dict[str, bytes]:
    """The map and its script; nothing where there are not two facets to set against each other."""
    offered = evidence_map.facets(summary)
    pair = evidence_map.first_pair(offered)
    if pair is None:
        return {}
    page = template("map.html").render(
        grid=evidence_map.grid(summary, *pair),
        empty=evidence_map.EMPTY,
        states=evidence_map.STATE_WORDS,
        kinds=map_codes.KINDS,
        bias_in_words=evidence_map.bias_in_words,
        values_of=evidence_map.values,
        facets=offered,
        pair=pair,
        left_out=tuple(evidence_map.left_out(summary).values()),
        script_data=evidence_map.for_script(summary, offered, pair),
        **shared,
    )
    return {
        evidence_map.PAGE: page.encode("utf-8", "replace"),
        evidence_map.SCRIPT: template(evidence_map.SCRIPT).render().encode(),
    }


def _analysis_page(made: Draft, shared: Mapping[str, Any]) -> bytes:
    """The page on which readers pool the studies themselves."""
    findings = made.evidence.findings
    choices = reader_analysis.choices(made.snapshot, findings)
    page = template("analysis.html").render(
        choices=choices,
        plain=reader_analysis.plain(choices, findings),
        data=reader_analysis.script_data(choices, made.summary.language),
        models=reader_analysis.MODELS,
        tests=reader_analysis.TESTS,
        predictions=reader_analysis.PREDICTIONS,
        policy=Markup(reader_analysis.policy()),  # noqa: S704 - our own constant
        script=Markup(reader_analysis.script()),  # noqa: S704 - our own file
        **shared,
    )
    return page.encode("utf-8", "replace")
