"""Where a publication can be read without paying, as sources say: Unpaywall, OpenAlex and Europe PMC.

Only addresses of a PDF count; a landing page is for people. Facts from
https://unpaywall.org/data-format, https://docs.openalex.org/api-entities/works/work-object and
https://europepmc.org/RestfulWebService.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from livereview.records import clean_doi
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.text import link, plain

VERSIONS = {
    "publishedVersion": "published version",
    "acceptedVersion": "accepted manuscript",
    "submittedVersion": "submitted manuscript",
}
BEST_FIRST = (*VERSIONS.values(), None)
LONGEST_LICENCE = 60  # characters


@dataclass(frozen=True, slots=True)
class OpenCopy:
    """A PDF that anybody may fetch.

    Attributes:
        origin: The source that tells of it.
        licence: As the source names it, such as cc-by; None: it names none.
        version: One of VERSIONS' values; None: not said.
    """

    doi: str
    url: str
    origin: str
    licence: str | None = None
    version: str | None = None


def told_by(source: str, body: bytes) -> tuple[OpenCopy, ...]:
    """The open copies that an answer of a look-up tells of, the published version first.

    None for a source that tells of none, and for what is no answer of it.
    """
    reader = _READERS.get(source)
    if reader is None:
        return ()
    try:
        data = json.loads(body)
    except ValueError:
        return ()
    found = {(copy.doi, copy.url): copy for copy in reader(data)}
    return tuple(sorted(found.values(), key=lambda copy: BEST_FIRST.index(copy.version)))


def _unpaywall(data: Any) -> Iterator[OpenCopy]:
    work = mapping(data)
    places = [work.get("best_oa_location"), *sequence(work.get("oa_locations"))]
    for place in map(mapping, places):
        yield from _copy(
            "Unpaywall",
            work.get("doi"),
            place.get("url_for_pdf"),
            place.get("license"),
            place.get("version"),
        )


def _openalex(data: Any) -> Iterator[OpenCopy]:
    for work in map(mapping, sequence(mapping(data).get("results"))):
        places = [work.get("best_oa_location"), *sequence(work.get("locations"))]
        for place in map(mapping, places):
            if place.get("is_oa") is True:
                yield from _copy(
                    "OpenAlex",
                    work.get("doi"),
                    place.get("pdf_url"),
                    place.get("license"),
                    place.get("version"),
                )


def _europepmc(data: Any) -> Iterator[OpenCopy]:
    results = sequence(mapping(mapping(data).get("resultList")).get("result"))
    for work in map(mapping, results):
        listed = sequence(mapping(work.get("fullTextUrlList")).get("fullTextUrl"))
        for place in map(mapping, listed):
            is_open = place.get("availabilityCode") in ("OA", "F")
            if is_open and place.get("documentStyle") == "pdf":
                yield from _copy(
                    "Europe PMC", work.get("doi"), place.get("url"), work.get("license"), None
                )


def _copy(origin: str, doi: Any, url: Any, licence: Any, version: Any) -> Iterator[OpenCopy]:
    known, address = clean_doi(string(doi)), link(string(url))
    if known and address and address.startswith(("https://", "http://")):
        named = plain(string(licence), LONGEST_LICENCE)
        yield OpenCopy(known, address, origin, named, VERSIONS.get(string(version) or ""))


_READERS: dict[str, Callable[[Any], Iterator[OpenCopy]]] = {
    "unpaywall": _unpaywall,
    "openalex": _openalex,
    "europepmc": _europepmc,
}
