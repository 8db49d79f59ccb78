"""OpenAIRE's legacy search (https://api.openaire.eu/search/publications), XML or JSON, with the
names of the Graph API.

Its JSON is its XML with attributes as "@classid" and text as "$", and a list of one as the one:
both are read as one.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from livereview.errors import Retry, SourceBroken
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.markup import refuse_crowded


def read(body: bytes, source: str, title: str) -> Any:
    """The answer in the Graph API's shape, or as it is where it is no legacy one.

    Raises as answers.read_json.
    """
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"<response" in body[:2_000]:
        told = _xml(body, source, title)
    else:
        data = answers.read_json(body, source, title)
        told = mapping(mapping(data).get("response"))
        if "results" not in told:
            return data
    rows = sequence(_one(told["results"]).get("result"))
    total = answers.whole(_text(_one(told.get("header")).get("total")))
    return {"header": {"numFound": total}, "results": [_product(mapping(row)) for row in rows]}


def _xml(body: bytes, source: str, title: str) -> dict[str, Any]:
    if b"<!ENTITY" in body[:10_000]:
        raise SourceBroken("this answer declares entities, which OpenAIRE's has not", source=source)
    refuse_crowded(body, source)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        told = _plain(etree.fromstring(body.strip(), parser))
    except (etree.XMLSyntaxError, ValueError) as error:
        if not body.rstrip().endswith(b"</response>"):
            raise Retry(
                f"{title}'s answer is truncated after {len(body)} bytes", source=source
            ) from error
        raise SourceBroken(f"this is not {title}'s answer: {error}"[:300], source=source) from None
    if not isinstance(told, dict) or "results" not in told:
        raise SourceBroken(f"this is not {title}'s answer: XML without results", source=source)
    return told


def _plain(element: Any) -> dict[str, Any]:
    """An element as the legacy JSON has it, without namespaces but for those two prefixes that JSON
    keeps.
    """
    made: dict[str, Any] = {f"@{key}": value for key, value in element.attrib.items()}
    for child in element.iterchildren(tag=etree.Element):
        name = etree.QName(child).localname
        name = f"{child.prefix}:{name}" if child.prefix in ("dri", "oaf") else name
        made[name] = [*sequence(made.get(name)), _plain(child)]
    if element.text and not len(element):
        made["$"] = element.text.strip()
    return made


def _text(value: object) -> str | None:
    """The first text in a "$", a list of such, or a bare one."""
    for one in sequence(value):
        if text := string(mapping(one).get("$")) if isinstance(one, dict) else string(one):
            return text
    return None


def _one(value: object) -> dict[str, Any]:
    return next((one for one in sequence(value) if isinstance(one, dict)), {})


def _product(row: dict[str, Any]) -> dict[str, Any]:
    result = _one(_one(_one(row.get("metadata")).get("oaf:entity")).get("oaf:result"))
    return {
        "id": _text(_one(row.get("header")).get("dri:objIdentifier")),
        "type": _one(result.get("resulttype")).get("@classid"),
        "mainTitle": _title(sequence(result.get("title"))),
        "authors": [_person(mapping(one), _text(one)) for one in sequence(result.get("creator"))],
        "publicationDate": _text(result.get("dateofacceptance")),
        "descriptions": [_text(one) for one in sequence(result.get("description"))],
        "pids": [
            {"scheme": mapping(one).get("@classid"), "value": _text(one)}
            for one in sequence(result.get("pid"))
        ],
        "language": {"code": _one(result.get("language")).get("@classid")},
        "container": _journal(_one(result.get("journal"))),
        "instances": [
            _instance(mapping(one))
            for one in sequence(_one(result.get("children")).get("instance"))
        ],
    }


def _person(told: dict[str, Any], full: str | None) -> dict[str, Any]:
    return {
        "fullName": full,
        **{name: told.get(f"@{name}") for name in ("name", "surname", "rank")},
    }


def _journal(told: dict[str, Any]) -> dict[str, Any]:
    numbers = {
        "vol": "@vol",
        "iss": "@iss",
        "sp": "@sp",
        "ep": "@ep",
        "issnPrinted": "@issn",
        "issnOnline": "@eissn",
    }
    return {"name": _text(told), **{name: told.get(key) for name, key in numbers.items()}}


def _title(titles: list[Any]) -> str | None:
    main = [one for one in titles if mapping(one).get("@classid") == "main title"]
    return _text(main) or _text(titles)


def _instance(one: dict[str, Any]) -> dict[str, Any]:
    pages = [_text(mapping(place).get("url")) for place in sequence(one.get("webresource"))]
    return {
        "type": _one(one.get("instancetype")).get("@classname"),
        "urls": [page for page in pages if page],
    }
