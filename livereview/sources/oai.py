"""OAI-PMH, the interface of repositories (http://www.openarchives.org/OAI/openarchivesprotocol.html): Dublin Core.

`url` is the repository's base address; the filters `set` and `metadataPrefix` (default oai_dc) choose what to harvest.
There is no keyword search: everything that changed in the days of the window is read. Other formats than Dublin Core
are read as far as they use its elements' names (title, creator, identifier …).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.records import Record, clean_doi, clean_isbn, clean_issn, clean_pmid, clean_year
from livereview.sources import answers
from livereview.sources.protocol import Page, Query, Reject, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain, reject

NAME = "oai"
TITLE = "OAI-PMH"
_OWN = ("set", "metadataPrefix")
_LISTS = ("ListRecords", "GetRecord", "ListIdentifiers")
_TYPES = (
    ("thesis", "thesis"),
    ("dissertation", "thesis"),
    ("preprint", "preprint"),
    ("working paper", "preprint"),
    ("conference", "conference-paper"),
    ("chapter", "book-chapter"),
    ("book", "book"),
    ("report", "report"),
    ("dataset", "dataset"),
    ("article", "journal-article"),
)
_NO_PLACE = re.compile(r"(?:issn\W*)?[\dXx -]+|https?:\S+", re.IGNORECASE)
Fields = dict[str, list[str]]


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """The first page of a harvest, or the next one by its token, with which nothing else may be sent."""
    if not query.url:
        raise Refused("a repository is harvested by its base address: give the search a url")
    if cursor:
        return Request(query.url, (("verb", "ListRecords"), ("resumptionToken", cursor)))
    if unknown := sorted({key for key, _ in query.filters} - set(_OWN)):
        raise Refused(f"OAI-PMH has no filter {', '.join(unknown)}; choose of {', '.join(_OWN)}")
    params = [("verb", "ListRecords"), ("metadataPrefix", query.filter("metadataPrefix") or "oai_dc")]
    if query.filter("set"):
        params.append(("set", query.filter("set") or ""))
    if window.start is not None:  # days are the one granularity that every repository knows
        params += [("from", answers.day(window.start)), ("until", answers.day(window.end))]
    return Request(query.url, tuple(params))


def parse(body: bytes, cursor: str | None) -> Page:
    """The records of a list or a single one; a deleted one is a reject that says so. Without a token it is the end.

    "noRecordsMatch" is an honest zero. A token that has expired is Retry: the harvest begins again.
    """
    root = _root(body)
    if (error := next(_named(root, "error"), None)) is not None:
        return _refusal(error)
    listed = next((element for verb in _LISTS for element in _named(root, verb)), None)
    if listed is None:
        raise SourceBroken(f"this repository sent {_kinds(root)}, not records: ask for ListRecords", source=NAME)
    items = [item for item in listed if _tag(item) in ("record", "header")]
    made = [_record(item) for item in items]
    rejects = (
        _reject(one, number, item)
        for number, (one, item) in enumerate(zip(made, items, strict=True))
        if isinstance(one, str)
    )
    token = next(_named(listed, "resumptionToken"), None)
    following = (token.text or "").strip() if token is not None else ""
    total = answers.whole(token.get("completeListSize")) if token is not None else None
    records = tuple(one for one in made if isinstance(one, Record))
    return Page(records, following if following and following != cursor else None, tuple(rejects), total)


def _root(body: bytes) -> Any:
    """The root, from XML that may hold what XML forbids: repositories pass on what people paste into them."""
    text = body.decode("utf-8", "replace").strip()
    if not text:
        raise Retry("the repository sent an empty answer; the same call may work later", source=NAME)
    if "<!ENTITY" in text[:10_000]:
        raise SourceBroken("this answer declares entities, which no repository needs", source=NAME)
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(body.strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SourceBroken(f"this is not a repository's answer: {error}"[:300], source=NAME) from None
    if root is None or _tag(root) not in ("OAI-PMH", "record", *_LISTS):
        raise _foreign(text)
    if _tag(root) == "OAI-PMH" and "</OAI-PMH>" not in text[-200:].replace("oai:", ""):
        raise Retry(f"the repository's answer is truncated after {len(text)} characters", source=NAME)
    return root if _tag(root) == "OAI-PMH" else _wrapped(root)


def _wrapped(root: Any) -> Any:
    """A list or record saved without what stands around it."""
    outer = etree.Element("OAI-PMH")
    inner = etree.SubElement(outer, "GetRecord") if _tag(root) == "record" else outer
    inner.append(root)
    return outer


def _foreign(text: str) -> LivereviewError:
    error = answers.not_an_answer(text, NAME, TITLE)
    error.message = error.message.replace(", not JSON", ", not OAI-PMH")
    return error


def _refusal(error: Any) -> Page:
    code, said = error.get("code") or "no code", plain(error.text, 200) or "no words"
    if code == "noRecordsMatch":
        return Page(total=0)
    if code == "badResumptionToken":
        raise Retry(f"the repository's token has expired ({said}): harvest again from the start", source=NAME)
    raise SourceBroken(f"the repository refused: {code}, {said}", source=NAME)


def _kinds(root: Any) -> str:
    return ", ".join(_tag(element) for element in root if _tag(element) not in ("responseDate", "request")) or "nothing"


def _tag(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _named(parent: Any, tag: str) -> Iterator[Any]:
    return (element for element in parent if _tag(element) == tag)


def _reject(reason: str, number: int, item: Any) -> Reject:
    return reject(reason, f"record[{number}]", etree.tostring(item))


def _record(item: Any) -> Record | str:
    header = item if _tag(item) == "header" else next(_named(item, "header"), None)
    key = plain(next((e.text for e in _named(header, "identifier")), None), 500) if header is not None else None
    if header is not None and header.get("status") == "deleted":
        return f"deleted by the repository: {key}"
    metadata = next(_named(item, "metadata"), None)
    if metadata is None or len(metadata) == 0:
        return "a header without a record: harvest with ListRecords"
    fields = _fields(metadata)
    return _made(key or _first(fields, "identifier") or "", fields)


def _fields(metadata: Any) -> Fields:
    """Every text of the record by the name of its element."""
    found: Fields = {}
    for element in metadata.iter():
        text = plain(" ".join(element.itertext()), 20_000) if _tag(element) and len(element) == 0 else None
        if text:
            found.setdefault(_tag(element).lower(), []).append(text)
    return found


def _first(fields: Fields, *tags: str) -> str | None:
    return next((text for tag in tags for text in fields.get(tag, ())), None)


def _made(key: str, fields: Fields) -> Record | str:
    title = plain(_first(fields, "title", "titleproper", "article-title"))
    if not key or not title:
        return "no identifier" if not key else "no title"
    ids = [text for tag in ("identifier", "doi", "relation", "source") for text in fields.get(tag, ())]
    doi = next((found for text in ids if (found := clean_doi(text))), None)
    published = _published(fields)
    said = " ".join(ids)
    return Record(
        source=NAME,
        source_key=key,
        title=title,
        authors=names(name(text) for text in fields.get("creator", ())),
        year=clean_year(published),
        published=published,
        container_title=_host(fields),
        doi=doi,
        pmid=next((clean_pmid(text) for text in ids if re.match(r"(?:info:)?pmid", text, re.IGNORECASE)), None),
        issn=clean_issn(said) if "issn" in said.lower() else None,
        isbn=clean_isbn(said) if "isbn" in said.lower() else None,
        url=next((address for text in ids if (address := link(text))), None)
        or link(f"https://doi.org/{doi}" if doi else ""),
        abstract=abstract(max(fields.get("description", fields.get("abstract", [""])), key=len)) or None,
        language=plain(_first(fields, "language"), 20),
        type=_type(fields),
    )


def _host(fields: Fields) -> str | None:
    """Where it appeared: an ISSN or an address in its place says nothing to people."""
    texts = (
        text
        for text in fields.get("source", ())
        if not re.fullmatch(r"(?:issn\W*)?[\dXx -]+|https?:\S+", text, re.IGNORECASE)
    )
    return plain(next(texts, None))


def _published(fields: Fields) -> str | None:
    """The earliest date it gives: the later ones are those of the repository's own steps."""
    dates = [day for text in fields.get("date", ()) if (day := answers.iso_date(text)) and clean_year(day)]
    return min(dates, default=None)


def _type(fields: Fields) -> str | None:
    said = " ".join(fields.get("type", ())).lower()
    return next((kind for word, kind in _TYPES if word in said), None)


SOURCE = Source(NAME, TITLE, parse, request, interval=1.0)
