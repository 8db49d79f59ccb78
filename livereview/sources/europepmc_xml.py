"""Europe PMC's XML as the objects that its JSON would hold, so that both are read by the same code."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from livereview.errors import LivereviewError, Retry, SourceBroken
from livereview.records import clean_doi
from livereview.sources.answers import first, mapping, not_an_answer, sequence, string
from livereview.sources.markup import refuse_crowded

# inline markup in these is text, not structure
_TEXTS = ("title", "abstractText", "abstract", "description")

# of no use in UTF-8, forbidden in XML, sent all the same
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def read_xml(body: bytes, source: str, title: str) -> dict[str, Any]:
    """A search answer or an errorBean as the JSON of the same endpoint.

    Retry if truncated, SourceBroken if foreign.
    """
    text = body.decode("utf-8", "replace").strip()
    refuse_crowded(body, source)
    try:
        root = fromstring(_CONTROL.sub(b"", body).strip())
        answer = mapping(_tree(root))
    except (ParseError, DefusedXmlException, ValueError, RecursionError) as error:
        raise _damaged(error, text, source, title) from None
    if _tag(root) not in ("responseWrapper", "errorBean"):
        raise not_an_answer(text, source, title)
    for key, item in (("resultList", "result"), ("RDF", "Description")):
        if key in answer:
            answer["resultList"] = {"result": _listed(answer[key], item)}
    return answer


def _listed(container: Any, item: str) -> list[Any] | None:
    """The items of a container.

    None where it holds something else, as an element renamed is no empty page.
    """
    if not mapping(container):
        return [] if not string(container) else None
    found = sequence(mapping(container).get(item)) or None
    if found and item == "Description":
        return [_from_dc(one) for one in found]
    return found


def _damaged(error: Exception, text: str, source: str, title: str) -> LivereviewError:
    foreign = not_an_answer(text, source, title)
    if "<responseWrapper" not in text[:500] or isinstance(error, DefusedXmlException):
        return foreign
    if not text.endswith("</responseWrapper>"):
        return Retry(f"{title}'s answer is truncated after {len(text)} characters", source=source)
    return SourceBroken(f"this is not {title}'s answer: not valid XML, {error}", source=source)


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _tree(element: Element) -> Any:
    """Text for a leaf, else an object.

    Names that repeat become lists, attributes are named like elements.
    """
    if (not len(element) and not element.attrib) or _tag(element) in _TEXTS:
        return "".join(element.itertext())
    tree: dict[str, list[Any]] = {
        key.rpartition("}")[2]: [value] for key, value in element.attrib.items()
    }
    for child in element:
        tree.setdefault(_tag(child), []).append(_tree(child))
    return {key: values[0] if len(values) == 1 else values for key, values in tree.items()}


def _from_dc(item: Any) -> Any:
    """One rdf:Description of the Dublin Core format as a result.

    Whatever is not an object stays, to be rejected.
    """
    if not isinstance(item, dict):
        return item
    links = [
        string(item.get("about")) or "",
        *(string(one) or "" for one in sequence(item.get("identifier"))),
    ]
    citation = parse_qs(
        " ".join(string(one) or "" for one in sequence(item.get("bibliographicCitation"))[1:])
    )
    kev = {key.removeprefix("rft."): values[0] for key, values in citation.items()}
    return {
        **_identity(links),
        "doi": next((doi for one in links if (doi := clean_doi(one))), None),
        "pmcid": " ".join(string(one) or "" for one in sequence(item.get("isVersionOf"))),
        "title": first(item.get("title")),
        "authorList": {"author": [{"fullName": one} for one in sequence(item.get("creator"))]},
        "abstractText": first(item.get("abstract")),
        "firstPublicationDate": first(item.get("date")),
        "language": first(item.get("language")),
        "pubType": first(item.get("description")),
        "journalTitle": kev.get("jtitle"),
        "journalIssn": " ".join(string(one) or "" for one in sequence(item.get("isPartOf"))),
        "journalVolume": kev.get("volume"),
        "issue": kev.get("issue"),
        "pageInfo": kev.get("pages"),
    }


def _identity(links: list[str]) -> dict[str, str]:
    """Source and id out of .../abstract/MED/123, .../article/PPR/PPR123 or .../articles/PMC123."""
    for one in links:
        if match := re.search(r"europepmc\.org/(?:abstract|article)/([A-Za-z]+)/([^/\s]+)$", one):
            return {"source": match.group(1).upper(), "id": match.group(2)}
        if match := re.search(r"europepmc\.org/articles?/(PMC\d+)$", one):
            return {"source": "PMC", "id": match.group(1)}
    return {}
