"""DataCite's XML (<resource> of its metadata kernel, any version) as the object that its JSON would
hold.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from lxml import etree

from livereview.errors import LivereviewError, Retry, SourceBroken
from livereview.sources import answers, oai
from livereview.sources.markup import refuse_crowded
from livereview.sources.protocol import Page

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ROOT = re.compile(rb"<(?![!?])(?:[\w.-]+:)?([\w.-]+)")


def kind(body: bytes) -> str | None:
    """ "resource" for DataCite's XML, "OAI-PMH" for a harvest of it, None for all else."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] == b"<":
        found = _ROOT.search(re.sub(rb"<!--.*?(?:-->|\Z)", b"", start[:5_000], flags=re.DOTALL))
    else:
        found = None
    name = found.group(1).decode() if found else None
    return name if name in ("resource", "OAI-PMH") else None


def read_harvest(body: bytes, cursor: str | None, source: str) -> Page:
    """The page of an OAI-PMH harvest as this source's; its cursor is the token after "oai:"."""
    try:
        page = oai.parse(body, cursor)
    except LivereviewError as error:
        error.source = source
        raise
    records = tuple(
        replace(one, source=source, source_key=one.doi or one.source_key) for one in page.records
    )
    return replace(
        page, records=records, next_cursor=f"oai:{page.next_cursor}" if page.next_cursor else None
    )


def read_xml(body: bytes, source: str, title: str) -> dict[str, Any]:
    """The resource; SourceBroken for other XML and for entities, Retry for one that is cut off."""
    if b"<!ENTITY" in body[:10_000]:
        raise SourceBroken("this file declares entities, which DataCite's has not", source=source)
    refuse_crowded(body, source)
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body.lstrip(b"\xef\xbb\xbf \t\r\n"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SourceBroken(f"this is not {title}'s answer: {error}"[:300], source=source) from None
    if root is None or _tag(root) != "resource":
        raise answers.not_an_answer(body.decode("utf-8", "replace").strip(), source, title)
    if not _is_whole(body):
        raise Retry(f"{title}'s answer is truncated after {len(body)} bytes", source=source)
    for element in root.iter("{*}br"):  # the one element that may stand inside a text
        element.tail = f" {element.tail or ''}"
    return _resource(root)


def _is_whole(body: bytes) -> bool:
    """Whether the file ends with the end of its resource, or with a remark after it."""
    end = body.rstrip()
    if end.endswith(b"-->"):
        end = end[: end.rfind(b"<!--")].rstrip()
    return re.search(rb"</(?:[\w.-]{1,40}:)?resource\s{0,99}>\Z", end[-200:]) is not None


def _tag(element: Any) -> str:
    if isinstance(element.tag, str):
        return etree.QName(element).localname
    return ""


def _children(root: Any, *path: str) -> list[Any]:
    """The elements at the end of a path of names: what is nested elsewhere belongs to a related
    item.
    """
    found = [root]
    for name in path:
        found = [child for element in found for child in element if _tag(child) == name]
    return found


def _said(element: Any) -> str:
    return "".join(element.itertext()).strip()


def _text(root: Any, *path: str) -> str | None:
    return next((_said(element) for element in _children(root, *path)), None)


def _resource(root: Any) -> dict[str, Any]:
    types = next(iter(_children(root, "resourceType")), None)
    return {
        "doi": _text(root, "identifier"),
        "publicationYear": _text(root, "publicationYear"),
        "language": _text(root, "language"),
        "types": {} if types is None else {**types.attrib, "resourceType": _said(types)},
        "creators": [
            person for one in _children(root, "creators", "creator") for person in _people(one)
        ],
        "titles": _list(root, "titles", "title"),
        "dates": _list(root, "dates", "date"),
        "descriptions": _list(root, "descriptions", "description"),
        "relatedIdentifiers": _list(root, "relatedIdentifiers", "relatedIdentifier"),
        "relatedItems": [_related(one) for one in _children(root, "relatedItems", "relatedItem")],
    }


def _list(root: Any, many: str, one: str) -> list[dict[str, Any]]:
    return [{**e.attrib, "lang": e.get(_LANG), one: _said(e)} for e in _children(root, many, one)]


def _related(element: Any) -> dict[str, Any]:
    number = next(iter(_children(element, "relatedItemIdentifier")), None)
    return {
        **element.attrib,
        "titles": _list(element, "titles", "title"),
        "relatedItemIdentifier": {}
        if number is None
        else {**number.attrib, "relatedItemIdentifier": _said(number)},
        **{name: _text(element, name) for name in ("volume", "issue", "firstPage", "lastPage")},
    }


def _people(creator: Any) -> list[dict[str, Any]]:
    """Who stands in one <creator>: some repositories put all authors into a single one."""
    called, families, given = (
        _children(creator, name) for name in ("creatorName", "familyName", "givenName")
    )
    if len(called) == len(families) == len(given):
        rows = zip(called, families, given, strict=True)
        return [
            {**n.attrib, "name": _said(n), "familyName": _said(f), "givenName": _said(g)}
            for n, f, g in rows
        ]
    if len(called) > 1:
        return [{"name": _said(one)} for one in called]
    told = {"name": "creatorName", "familyName": "familyName", "givenName": "givenName"}
    return [{key: _text(creator, tag) for key, tag in told.items()}]
