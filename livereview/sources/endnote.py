"""EndNote XML, as EndNote and Zotero export it: <xml><records><record>…, with texts cut up into <style> spans."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Any

from lxml import etree

from livereview.errors import Retry, SourceBroken
from livereview.records import Record, clean_doi, clean_isbn, clean_issn, clean_pmcid, clean_year
from livereview.sources import answers, ris
from livereview.sources.protocol import Page, Reject, Source
from livereview.sources.text import abstract, link, name, names, plain, reject

NAME = "endnote"
TITLE = "EndNote XML"
_TYPES = {
    "journal article": "journal-article",
    "electronic article": "journal-article",
    "book": "book",
    "edited book": "book",
    "book section": "book-chapter",
    "conference proceedings": "conference-paper",
    "conference paper": "conference-paper",
    "thesis": "thesis",
    "report": "report",
    "government document": "report",
    "web page": "web-page",
    "dataset": "dataset",
}


def parse(body: bytes, cursor: str | None) -> Page:
    """Every <record> as a record or a reject; EndNote's older tagged files ("%T Title") likewise."""
    if re.match(rb"[\s\xef\xbb\xbf]*%[0A-Z] ", body):
        page = ris.parse(body, cursor)
        return replace(page, records=tuple(replace(record, source=NAME) for record in page.records))
    root = _root(body)
    records: list[Record] = []
    rejects: list[Reject] = []
    for number, element in enumerate(root.iter("record")):
        made = _record(element)
        if isinstance(made, Record):
            records.append(made)
        else:
            rejects.append(reject(made, f"record[{number}]", etree.tostring(element)))
    return Page(tuple(records), rejects=tuple(rejects), total=len(records) + len(rejects))


def _root(body: bytes) -> Any:
    text = body.decode("utf-8", "replace").strip()
    if not text:
        raise Retry("this file is empty", source=NAME)
    if "<!ENTITY" in text[:10_000]:
        raise SourceBroken("this file declares entities, which no export needs", source=NAME)
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(body.strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SourceBroken(f"this is not EndNote's XML: {error}"[:300], source=NAME) from None
    if root is None or next(root.iter("records", "record"), None) is None:
        raise answers.not_an_answer(text, NAME, TITLE)
    if etree.QName(root).namespace or "</records>" not in text:
        problem = "another kind of XML" if etree.QName(root).namespace else "cut off before </records>"
        raise SourceBroken(f"this is not EndNote's XML: {problem}", source=NAME)
    return root


def _text(element: Any, path: str) -> str | None:
    found = element.find(path)
    return "".join(found.itertext()).strip() or None if found is not None else None


def _record(element: Any) -> Record | str:
    title = plain(_text(element, "titles/title"))
    doi = next(
        (found for path in ("electronic-resource-num", "urls") if (found := clean_doi(_text(element, path)))), None
    )
    if not title and not doi:
        return "neither title nor DOI"
    year = _text(element, "dates/year")
    number = _text(element, "isbn")
    kind = element.find("ref-type")
    addresses = (link("".join(url.itertext()).strip()) for url in element.iterfind("urls//url"))
    return Record(
        source=NAME,
        source_key=doi or _digest(element),
        title=title,
        authors=names(name("".join(one.itertext())) for one in element.iterfind("contributors/authors/author")),
        year=clean_year(year),
        published=answers.iso_date(year),
        container_title=plain(_text(element, "titles/secondary-title") or _text(element, "periodical/full-title")),
        volume=plain(_text(element, "volume"), 100),
        issue=plain(_text(element, "number"), 100),
        pages=plain(_text(element, "pages"), 100),
        doi=doi,
        pmcid=clean_pmcid(_text(element, "custom2")),
        issn=clean_issn(number),
        isbn=clean_isbn(number),
        url=next(filter(None, addresses), None) or link(f"https://doi.org/{doi}" if doi else None),
        abstract=abstract(_text(element, "abstract")),
        language=plain(_text(element, "language"), 20),
        type=_TYPES.get((kind.get("name") or "").lower()) if kind is not None else None,
    )


def _digest(element: Any) -> str:
    """A key from what the record says, without its number in this file."""
    said = "\0".join(_text(element, path) or "" for path in ("titles", "contributors", "dates/year", "volume", "pages"))
    return "text:" + hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:20]


SOURCE = Source(NAME, TITLE, parse)
