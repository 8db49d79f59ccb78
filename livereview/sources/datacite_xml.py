"""DataCite's XML (<resource> of its metadata kernel) as the object that its JSON would hold."""

from __future__ import annotations

from typing import Any

from lxml import etree

from livereview.errors import Retry, SourceBroken
from livereview.sources import answers

_LISTS = {
    "titles": ("title", "title", "titleType"),
    "dates": ("date", "date", "dateType"),
    "descriptions": ("description", "description", "descriptionType"),
}


def read_xml(body: bytes, source: str, title: str) -> dict[str, Any]:
    """The resource; SourceBroken for other XML and for entities, Retry for one that is cut off."""
    text = body.decode("utf-8", "replace").strip()
    if "<!ENTITY" in text[:10_000]:
        raise SourceBroken("this file declares entities, which DataCite's has not", source=source)
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(body.strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SourceBroken(f"this is not {title}'s answer: {error}"[:300], source=source) from None
    if root is None or _tag(root) != "resource":
        raise answers.not_an_answer(text, source, title)
    if not text.endswith("resource>"):
        raise Retry(f"{title}'s answer is truncated after {len(text)} characters", source=source)
    return _resource(root)


def _tag(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _all(root: Any, tag: str) -> list[Any]:
    return [element for element in root.iter() if _tag(element) == tag]


def _text(root: Any, tag: str) -> str | None:
    return next(("".join(element.itertext()).strip() for element in _all(root, tag)), None)


def _resource(root: Any) -> dict[str, Any]:
    kind = next(iter(_all(root, "resourceType")), None)
    ids = [one for one in root if _tag(one) == "identifier"]
    return {
        "doi": next(("".join(one.itertext()).strip() for one in ids), None),
        "creators": [_creator(one) for one in _all(root, "creator")],
        "publicationYear": _text(root, "publicationYear"),
        "language": _text(root, "language"),
        "types": {"resourceTypeGeneral": kind.get("resourceTypeGeneral"), "resourceType": kind.text}
        if kind is not None
        else {},
        **{name: [_said(one, *row) for one in _all(root, row[0])] for name, row in _LISTS.items()},
    }


def _said(element: Any, tag: str, key: str, attribute: str) -> dict[str, Any]:
    return {key: "".join(element.itertext()).strip(), attribute: element.get(attribute)}


def _creator(element: Any) -> dict[str, Any]:
    told = {"name": "creatorName", "familyName": "familyName", "givenName": "givenName"}
    return {key: _text(element, tag) for key, tag in told.items()}
