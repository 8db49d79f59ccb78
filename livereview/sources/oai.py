"""OAI-PMH, the interface of repositories
(http://www.openarchives.org/OAI/openarchivesprotocol.html).

`url` is the repository's base address; the filters `set` and `metadataPrefix` (default oai_dc)
choose what to harvest.
There is no keyword search: everything that changed in the days of the window is read. `oai_formats`
reads the metadata. Dublin Core that comes in another envelope (BASE's search, OSTI's pages) is read
from files as well.
"""

from __future__ import annotations

import html
import re
from typing import Any

from lxml import etree

from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.records import Record
from livereview.sources import answers
from livereview.sources.markup import refuse_crowded
from livereview.sources.oai_formats import Fields, read, tag
from livereview.sources.oai_record import record
from livereview.sources.protocol import Page, Query, Reject, Request, Source, Window
from livereview.sources.text import plain, reject

NAME = "oai"
TITLE = "OAI-PMH"
_OWN = ("set", "metadataPrefix")
_LISTS = ("ListRecords", "GetRecord", "ListIdentifiers")
# of OAI-PMH, OSTI, BASE
_HOLDERS = {"OAI-PMH": _LISTS, "RDF": ("records",), "response": ("result",)}
_ALONE = ("record", "dc", "mods", *_LISTS)  # saved without what stands around it
_SAFE: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "huge_tree": False,
    "load_dtd": False,
}
_FINAL = (
    "badVerb",
    "cannotDisseminateFormat",
    "idDoesNotExist",
    "noMetadataFormats",
    "noSetHierarchy",
)
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);)(?:(\w+);)?")
_DIRT = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#(?:x0*[0-8bcef]|x0*1[\da-f]|0*[0-8]|0*1[124-9]|0*2\d|0*3[01]);",
    re.I,
)


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """The first page of a harvest, or the next one by its token, with which nothing else may be
    sent.
    """
    if not query.url:
        raise Refused("a repository is harvested by its base address: give the search a url")
    if cursor:
        return Request(query.url, (("verb", "ListRecords"), ("resumptionToken", cursor)))
    if unknown := sorted({key for key, _ in query.filters} - set(_OWN)):
        raise Refused(f"OAI-PMH has no filter {', '.join(unknown)}; choose of {', '.join(_OWN)}")
    params = [
        ("verb", "ListRecords"),
        ("metadataPrefix", query.filter("metadataPrefix") or "oai_dc"),
    ]
    if query.filter("set"):
        params.append(("set", query.filter("set") or ""))
    if window.start is not None:  # days are the one granularity that every repository knows
        params += [("from", answers.day(window.start)), ("until", answers.day(window.end))]
    return Request(query.url, tuple(params))


def parse(body: bytes, cursor: str | None) -> Page:
    """The records of a list or a single one; a deleted one is a reject that says so.

    Without a token it is the end.

    "noRecordsMatch" is an honest zero. A token that has expired is Retry: the harvest begins again.
    """
    text = _text(body)
    root = _root(text)
    errors = [element for element in root if tag(element) == "error"]
    if errors:
        return _refusal(errors)
    listed = next((one for one in root.iter() if tag(one) in _HOLDERS[tag(root)]), None)
    if listed is None:
        raise SourceBroken(
            f"this repository sent {_kinds(root)}, not records: ask for ListRecords", source=NAME
        )
    items = _items(listed)
    made = [_record(item) for item in items]
    rejects = [
        reject(one, f"record[{number}]", etree.tostring(item))
        for number, (one, item) in enumerate(zip(made, items, strict=True))
        if isinstance(one, str)
    ]
    records = tuple(one for one in made if isinstance(one, Record))
    return _page(listed, records, (*rejects, *_lost(text, items)), cursor)


def _page(
    listed: Any, records: tuple[Record, ...], rejects: tuple[Reject, ...], cursor: str | None
) -> Page:
    token = next((one for one in listed.iter() if tag(one) == "resumptionToken"), None)
    following = (token.text or "").strip() if token is not None else ""
    if token is not None:
        said = token.get("completeListSize")
    else:
        said = listed.get("numFound") or listed.get("count")
    warnings: tuple[str, ...] = ()
    if following and following == cursor:
        warnings = (
            f"the repository gave the token of this very page for the next one: {following[:100]}",
        )
        following = ""
    return Page(records, following or None, rejects, answers.whole(said), warnings)


def _text(body: bytes) -> str:
    """The answer as text that can be parsed: repositories pass on what people paste into them."""
    said = re.match(rb"\s*<\?xml[^>]*encoding=[\"']([\w.-]{1,30})", body[:300])
    for encoding in ("utf-8", said.group(1).decode() if said else "utf-8"):
        try:
            text = body.decode(encoding)
            break
        except (LookupError, UnicodeError):
            text = body.decode("utf-8", "replace")
    start = re.search(r"<\?xml|<(?:[\w.-]+:)?OAI-PMH\b", text)
    if (
        start and "<!" not in text[: start.start()]
    ):  # before it: blank lines, or a warning of the server's PHP
        text = text[start.start() :]
    text = re.sub(
        r"^\s*<\?xml[^>]*>", "", text.lstrip("\ufeff")
    ).strip()  # what it says of the encoding is no more true
    return _ENTITY.sub(_character, re.sub(r"<(?![A-Za-z_/!?])", "&lt;", _DIRT.sub("", text)))


def _character(found: re.Match[str]) -> str:
    """A stray "&", or an entity of HTML, which XML does not know."""
    known = html.unescape(found.group()) if found.group(1) else found.group()
    if known != found.group():
        return known
    return "&amp;" + found.group()[1:]


def _root(text: str) -> Any:
    """The root of an answer.

    Retry for one that is empty or cut off, SourceBroken for all that is none.
    """
    if not text:
        raise Retry(
            "the repository sent an empty answer; the same call may work later", source=NAME
        )
    answer = text.encode("utf-8", "replace")
    refuse_crowded(answer, NAME)
    parser = etree.XMLParser(
        recover=True, remove_comments=True, remove_pis=True, encoding="utf-8", **_SAFE
    )
    try:
        root = etree.fromstring(answer, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _foreign(text) from error
    kind = tag(root) if root is not None else ""
    if not _known(kind, text):
        raise _foreign(text)
    if root.getroottree().docinfo.internalDTD is not None:
        raise SourceBroken(
            "this answer declares a document type or entities, which no repository needs",
            source=NAME,
        )
    if not _is_closed(kind, text):
        raise _truncated(text)
    return _wrapped(root) if kind in _ALONE else root


def _is_closed(kind: str, text: str) -> bool:
    return (
        re.search(
            rf"</(?:[\w.-]{{1,60}}:)?{kind}\s{{0,99}}>|<(?:[\w.-]{{1,60}}:)?{kind}\b[^<>]*/>\Z",
            text.rstrip(),
        )
        is not None
    )


def _known(kind: str, text: str) -> bool:
    if (
        kind == "response"
    ):  # BASE and others answer with what Solr gives; BASE's names begin with dc
        return re.search(r"\bdc(?:title|docid|collection)\b", text) is not None
    return kind in ("OAI-PMH", *_ALONE) or (kind == "RDF" and "<records" in text)


def _wrapped(root: Any) -> Any:
    """A list, a record or its metadata saved without what stands around it."""
    outer = etree.Element("OAI-PMH")
    inner = outer if tag(root) in _LISTS else etree.SubElement(outer, "GetRecord")
    if tag(root) not in ("record", *_LISTS):
        inner = etree.SubElement(etree.SubElement(inner, "record"), "metadata")
    inner.append(root)
    return outer


def _truncated(text: str) -> Retry:
    return Retry(f"the repository's answer is truncated after {len(text)} characters", source=NAME)


def _foreign(text: str) -> LivereviewError:
    if re.match(
        r"<(?:\?xml|(?:[\w.-]+:)?OAI-PMH)\b", text
    ):  # no root could be read though it begins like one
        return _truncated(text)
    error = answers.not_an_answer(text, NAME, TITLE)
    error.message = error.message.replace(", not JSON", ", not OAI-PMH")
    return error


def _refusal(errors: list[Any]) -> Page:
    """An empty page if nothing matches, which is the only error that is none."""
    told = {
        one.get("code") or "no code": plain("".join(one.itertext()), 200) or "no words"
        for one in errors
    }
    if set(told) == {"noRecordsMatch"}:
        return Page(total=0)
    code, said = next(pair for pair in told.items() if pair[0] != "noRecordsMatch")
    if code == "badResumptionToken":
        raise Retry(
            f"the repository's token has expired ({said}): harvest again from the start",
            source=NAME,
        )
    if code not in _FINAL and answers.busy(said):
        raise Retry(f"the repository can't answer now: {code}, {said}", source=NAME)
    raise SourceBroken(f"the repository refused: {code}, {said}", source=NAME)


def _kinds(root: Any) -> str:
    return (
        ", ".join(tag(one) for one in root if tag(one) not in ("responseDate", "request"))
        or "nothing"
    )


def _items(listed: Any) -> list[Any]:
    """Every record or lone header.

    Those that an element left open has swallowed are put back beside the others.
    """
    found = [
        one
        for one in listed.iter()
        if (tag(one) == "record" and any(tag(child) == "header" for child in one))
        or (one.getparent() is listed and tag(one) in ("record", "header", "doc"))
    ]
    for one in found:
        if one.getparent() is not listed:
            listed.append(one)
    return found


def _lost(text: str, items: list[Any]) -> tuple[Reject, ...]:
    """A reject for the records that damaged XML makes unreadable, so that they are counted."""
    lost = len(re.findall(r"<(?:[\w.-]+:)?header[\s>]", text)) - len(items)
    if lost > 0:
        return (reject(f"{lost} records can't be read: the XML is damaged", "list", ""),)
    return ()


def _record(item: Any) -> Record | str:
    if tag(item) == "doc":
        fields = _solr(item)
        return record(NAME, next(iter(fields.get("docid", ())), ""), fields)
    header = item if tag(item) == "header" else _inside(item, "header")
    if _has(header, "identifier"):
        key = plain("".join(_inside(header, "identifier").itertext()), 500)
    else:
        key = None
    if header is not None and header.get("status") == "deleted":
        return f"deleted by the repository: {key}"
    if _has(item, "title") and header is None:
        metadata = item
    else:
        metadata = _inside(item, "metadata")
    if metadata is None or len(metadata) == 0:
        return "a header without a record: harvest with ListRecords"
    return record(NAME, key or "", read(metadata))


def _inside(parent: Any, name: str) -> Any:
    if parent is not None:
        return next((one for one in parent.iter() if tag(one) == name), None)
    return None


def _has(parent: Any, name: str) -> bool:
    return _inside(parent, name) is not None


def _solr(doc: Any) -> Fields:
    """A document of BASE's search: dctitle, dccreator … are Dublin Core's elements."""
    found: Fields = {}
    for element in doc:
        values = list(element) if tag(element) == "arr" else [element]
        texts = [text for one in values if (text := "".join(one.itertext()).strip())]
        if texts and (name := str(element.get("name", ""))).startswith("dc"):
            found.setdefault(name.removeprefix("dc"), []).extend(texts)
    return found


SOURCE = Source(NAME, TITLE, parse, request, interval=1.0)
