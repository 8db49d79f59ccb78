"""EndNote XML, as EndNote and Zotero export it: <xml><records><record>…, with texts cut up into
<style> spans.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Any

from lxml import etree

from livereview.errors import SourceBroken
from livereview.records import (
    Record,
    clean_doi,
    clean_isbn,
    clean_issn,
    clean_pmcid,
    clean_pmid,
    clean_year,
)
from livereview.sources import answers, ris, tagged
from livereview.sources.markup import refuse_crowded
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
    "patent": "patent",
    "newspaper article": "newspaper-article",
    "magazine article": "magazine-article",
    "unpublished work": "manuscript",
    "electronic book": "book",
    "electronic book section": "book-chapter",
    "encyclopedia": "book-chapter",
    "serial": "book-chapter",
    "blog": "web-page",
    "online database": "web-page",
}


def parse(body: bytes, cursor: str | None) -> Page:
    """Every <record> as a record or a reject.

    EndNote's older tagged files ("%T Title") likewise.
    """
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
    return Page(tagged.distinct(records), rejects=tuple(rejects), total=len(records) + len(rejects))


def _root(body: bytes) -> Any:
    lines = tagged.read_lines(body)
    text = "\n".join(lines)
    if not text.strip():
        raise tagged.foreign(lines, "this is not EndNote's XML", NAME)
    if re.search(r"<!ENTITY|<!DOCTYPE[^<>]{0,2000}\[", text):
        raise SourceBroken("this file declares entities, which no export needs", source=NAME)
    refuse_crowded(body, NAME)
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False
    )
    try:
        root = etree.fromstring(
            body.strip() if body[:2] not in (b"\xff\xfe", b"\xfe\xff") else body, parser
        )
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SourceBroken(f"this is not EndNote's XML: {error}"[:300], source=NAME) from None
    if root is None or next(root.iter("records", "record"), None) is None:
        raise answers.not_an_answer(text, NAME, TITLE)
    if etree.QName(root).namespace or not re.search(r"</records>|<records\s*/>", text):
        if etree.QName(root).namespace:
            problem = "another kind of XML"
        else:
            problem = "cut off before </records>: export it again"
        raise SourceBroken(f"this is not EndNote's XML: {problem}", source=NAME)
    _all_there(root, text)
    return root


def _all_there(root: Any, text: str) -> None:
    """SourceBroken where damage hides records: the parser forgives it, and drops what it can't
    place.
    """
    begun, read = len(re.findall(r"<record(?=[\s>/])", text)), sum(1 for _ in root.iter("record"))
    if read < begun:
        raise SourceBroken(
            f"this XML is damaged: {read} of its {begun} records can be read; export it again",
            source=NAME,
        )


def _text(element: Any, path: str) -> str | None:
    found = element.find(path)
    if found is not None:
        return "".join(found.itertext()).strip() or None
    return None


def _record(element: Any) -> Record | str:
    title = plain(_text(element, "titles/title"))
    addresses = ["".join(url.itertext()).strip() for url in element.iterfind("urls//url")]
    doi = next(
        filter(None, map(clean_doi, (_text(element, "electronic-resource-num"), *addresses))), None
    )
    if not title and not doi:
        return "neither title nor DOI"
    year = _text(element, "dates/year")
    number = _text(element, "isbn")
    kind = element.find("ref-type")
    return Record(
        source=NAME,
        source_key=doi or _digest(element),
        title=title,
        authors=_authors(element),
        year=clean_year(year),
        published=_published(year, _text(element, "dates/pub-dates/date")),
        container_title=next(
            (said for path in _PLACES if (said := plain(_text(element, path)))), None
        ),
        volume=plain(_text(element, "volume"), 100),
        issue=plain(_text(element, "number"), 100),
        pages=_pages(_text(element, "pages")),
        doi=doi,
        pmid=_pmid(element, addresses),
        pmcid=clean_pmcid(_text(element, "custom2")),
        issn=clean_issn(number),
        isbn=clean_isbn(number),
        url=next(filter(None, map(link, addresses)), None)
        or link(f"https://doi.org/{doi}" if doi else None),
        abstract=abstract(_text(element, "abstract")),
        language=plain(_text(element, "language"), 20),
        type=_TYPES.get((kind.get("name") or "").lower()) if kind is not None else None,
    )


_PLACES = (
    "titles/secondary-title",
    "periodical/full-title",
    "titles/alt-title",
    "alt-periodical/full-title",
    "periodical/abbr-1",
    "publisher",
)


def _authors(element: Any) -> tuple[str, ...]:
    """The authors; the editors, or those of the series, where there are none."""
    for kind in ("authors", "secondary-authors", "tertiary-authors"):
        if found := names(
            name("".join(one.itertext())) for one in element.iterfind(f"contributors/{kind}/author")
        ):
            return found
    return ()


def _pages(text: str | None) -> str | None:
    """Pages with one hyphen; not the "Available: http…" that some keep there."""
    said = plain(text, 100)
    if said and "://" not in said:
        return re.sub(r"(?:(?<!\s)\s++)?[-‐-―]+\s*", "-", said)
    return None


def _published(year: str | None, day: str | None) -> str | None:
    """The year, with what "Mar 3", "3 March" or "2015/03/03" beside it add.

    A range adds nothing.
    """
    words = re.findall(r"[a-z]{3,}", (day or "").lower())
    months = [tagged.MONTHS.index(word[:3]) + 1 for word in words if word[:3] in tagged.MONTHS]
    told = answers.iso_date((day or "").replace("/", "-"))
    if told and told[:4] == str(clean_year(year)):
        return told
    days = re.findall(r"(?<!\d)\d{1,2}(?!\d)", day or "")
    exact = str(months[0]) if len(months) == 1 and len(words) == 1 else None
    found = answers.iso(
        str(clean_year(year) or "") or None, exact, days[0] if exact and len(days) == 1 else None
    )
    return found or answers.iso_date(year)


def _pmid(element: Any, addresses: list[str]) -> str | None:
    """The PubMed id of an accession number that a database named PubMed or MEDLINE gave, or of an
    address there.
    """
    database = " ".join(
        filter(None, (_text(element, path) for path in ("remote-database-name", "source")))
    )
    if re.search(r"pubmed|medline|nlm", database, re.IGNORECASE):
        return clean_pmid(_text(element, "accession-num"))
    found = (
        re.search(r"ncbi\.nlm\.nih\.gov/(?:m/)?(?:pubmed/)?(\d{1,9})(?!\d)", one)
        for one in addresses
    )
    return next((match.group(1) for match in found if match), None)


def _digest(element: Any) -> str:
    """A key from what the record says, without its number in this file."""
    said = "\0".join(
        _text(element, path) or ""
        for path in ("titles", "contributors", "dates/year", "volume", "pages")
    )
    return "text:" + hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:20]


SOURCE = Source(NAME, TITLE, parse)
