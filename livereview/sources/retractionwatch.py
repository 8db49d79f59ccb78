"""The Retraction Watch data that Crossref publishes: one CSV of all notices, each naming the paper
it is about.

A record is the paper, not the notice: its state is in `retraction`. The file has some 67 MB, so
`only` cuts it down to the papers asked for. Facts from
https://www.crossref.org/documentation/retrieve-metadata/retraction-watch/.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from typing import Any

from livereview.errors import Retry, SourceBroken
from livereview.records import Record, clean_doi, clean_pmid, clean_year
from livereview.sources import answers
from livereview.sources.protocol import Page, Query, Reject, Request, Source, Window
from livereview.sources.text import link, names, plain, reject

NAME = "retractionwatch"
TITLE = "Retraction Watch"
URL = "https://api.labs.crossref.org/data/retractionwatch"
NEEDED = ("Record ID", "Title", "OriginalPaperDOI", "RetractionNature")
NATURES = {
    "retraction": "retracted",
    "expression of concern": "expression-of-concern",
    "correction": "corrected",
}
_DATE = re.compile(r"\s*(\d{1,2})/(\d{1,2})/(\d{4})")
Row = dict[str, Any]


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """The whole file: it has no query."""
    return Request(URL, secrets=(("mailto", "LIVEREVIEW_MAILTO"),))


def parse(body: bytes, cursor: str | None) -> Page:
    """Every row as the paper it is about, or as a reject."""
    records: list[Record] = []
    rejects: list[Reject] = []
    for number, row in enumerate(_rows(body), start=2):
        made = _record(row)
        if isinstance(made, Record):
            records.append(made)
        else:
            rejects.append(reject(made, f"row {number}", str(row)))
    return Page(tuple(records), rejects=tuple(rejects), total=len(records) + len(rejects))


def only(body: bytes, dois: Collection[str], pmids: Collection[str]) -> bytes:
    """The file cut down to the papers with one of these identifiers: the heading, and their rows as
    they stand.
    """
    rows = list(_rows(body))
    kept = [row for row in rows if _doi(row) in dois or _pmid(row) in pmids]
    out = io.StringIO()
    heading = [name for name in rows[0] if name] if rows else list(NEEDED)
    writer = csv.DictWriter(out, heading, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(kept)
    return out.getvalue().encode()


def _rows(body: bytes) -> Iterator[Row]:
    """The rows by their heading.

    Raises:
        SourceBroken: for another file, Retry for one that stops within a row.
    """
    text = _decoded(body).lstrip("\ufeff")
    if not text.strip():
        raise Retry(
            "Retraction Watch sent an empty file; the same call may work later", source=NAME
        )
    if text.lstrip()[0] in "<{":
        raise answers.not_an_answer(text.lstrip(), NAME, TITLE)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise SourceBroken(
            f"this is not Retraction Watch's file: no column {', '.join(missing)}", source=NAME
        )
    try:
        yield from (row for row in reader if any(value for key, value in row.items() if key))
    except csv.Error as error:
        raise SourceBroken(f"this is not Retraction Watch's file: {error}", source=NAME) from None


def _decoded(body: bytes) -> str:
    """The file mixes encodings: what is no UTF-8 is Latin-1."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _doi(row: Row) -> str | None:
    return clean_doi(row.get("OriginalPaperDOI"))


def _pmid(row: Row) -> str | None:
    found = clean_pmid(row.get("OriginalPaperPubMedID"))
    return None if found == "0" else found


def _record(row: Row) -> Record | str:
    key, title = plain(row.get("Record ID"), 50), plain(row.get("Title"))
    if key is None:
        return "no Record ID"
    nature = (plain(row.get("RetractionNature"), 50) or "").casefold()
    if nature not in (*NATURES, "reinstatement"):
        return f"unknown nature {nature!r}"
    published = _date(row.get("OriginalPaperDate"))
    return Record(
        source=NAME,
        source_key=key,
        title=title,
        authors=names(plain(one, 200) for one in str(row.get("Author") or "").split(";")),
        year=clean_year(published),
        published=published,
        container_title=plain(row.get("Journal")),
        doi=_doi(row),
        pmid=_pmid(row),
        url=link(str(row.get("URLS") or "").split(";")[0]),
        retraction=NATURES.get(nature),
    )


def _date(text: object) -> str | None:
    """ "7/31/2024 13:59" as an ISO date."""
    match = _DATE.match(str(text or ""))
    if match:
        return answers.iso(match.group(3), match.group(1), match.group(2))
    return None


SOURCE = Source(
    NAME,
    TITLE,
    parse,
    request,
    interval=10.0,
    days=False,
    archive=False,
    secrets=("LIVEREVIEW_MAILTO",),
)
