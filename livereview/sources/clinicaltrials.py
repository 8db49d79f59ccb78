"""ClinicalTrials.gov, version 2 of its interface (https://clinicaltrials.gov/api/v2/studies): lists
and single studies.

The query is that of the site's search (query.term). Days are those of the last update; the filter
`window` names another date area (StudyFirstPostDate). Other filters are sent as parameters
(filter.overallStatus, query.cond …). Its errors are plain text. Facts from
https://clinicaltrials.gov/data-api/api.
"""

from __future__ import annotations

import re
from typing import Any

from livereview import registrations
from livereview.errors import Retry
from livereview.links import LinkKind
from livereview.records import Record, Related, clean_pmid, clean_year
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, name, names, plain

NAME = "clinicaltrials"
TITLE = "ClinicalTrials.gov"
URL = "https://clinicaltrials.gov/api/v2/studies"
# What a register calls the references that report on the trial itself, and not on its background.
# DERIVED ones are found by the register, which looks for the number in PubMed.
RESULTS = ("RESULT", "DERIVED")
_OWN = ("window",)


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page; all parameters must stay the same from page to page."""
    text = answers.search_text(query, _OWN, TITLE)
    params = [("query.term", text)] if text else []
    params += [(key, value) for key, value in query.filters if key not in _OWN]
    if window.start is not None:
        days = f"RANGE[{answers.day(window.start)},{answers.day(window.end)}]"
        params.append(
            ("filter.advanced", f"AREA[{query.filter('window') or 'LastUpdatePostDate'}]{days}")
        )
    params += [("pageSize", "200"), ("countTotal", "true"), ("format", "json")]
    return Request(URL, (*params, *([("pageToken", cursor)] if cursor else [])))


def parse(body: bytes, cursor: str | None) -> Page:
    """The studies of a page, a single one or a bare list.

    There is no next token on the last page, unless it is full:
    an empty page follows then (https://github.com/cyanheads/clinicaltrialsgov-mcp-server/issues/98,
    2026).
    """
    if (
        re.match(rb"\s*[^\s{\[<][^\n]{,300}page ?token", body, re.IGNORECASE)
        and b"unknown parameter" not in body
    ):
        raise Retry(
            "ClinicalTrials.gov no longer knows this page's token: search again from the start",
            source=NAME,
        )
    data = answers.read_json(body, NAME, TITLE)
    listed = isinstance(data, dict) and isinstance(data.get("studies"), list)
    if listed:
        items = data["studies"]
    elif isinstance(data, list):
        items = data
    else:
        items = [data]
    if not listed and not any(mapping(item).get("protocolSection") for item in items):
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(data, NAME, TITLE, "studies")
    records, rejects = answers.read_items(items, _record, "studies")
    token, total = (
        string(mapping(data).get("nextPageToken")),
        answers.whole(mapping(data).get("totalCount")),
    )
    if listed and not items and (token or (total and cursor is None)):
        raise Retry(
            "ClinicalTrials.gov sent an empty page before the end of the search", source=NAME
        )
    return Page(records, token if listed else None, rejects, total)


def _record(item: dict[str, Any]) -> Record | str:
    section = mapping(item.get("protocolSection"))
    about, status = (
        mapping(section.get("identificationModule")),
        mapping(section.get("statusModule")),
    )
    key = plain(string(about.get("nctId")), 20)
    if key is None:
        return "no NCT number"
    posted = mapping(status.get("studyFirstPostDateStruct")) or mapping(
        status.get("startDateStruct")
    )
    published = answers.iso_date(
        string(status.get("studyFirstSubmitDate")) or string(posted.get("date"))
    )
    told = mapping(section.get("descriptionModule"))
    return Record(
        source=NAME,
        source_key=key,
        title=plain(string(about.get("officialTitle")) or string(about.get("briefTitle"))),
        authors=names(_people(section)),
        year=clean_year(published),
        published=published,
        container_title=TITLE,
        url=f"https://clinicaltrials.gov/study/{key}",
        abstract=abstract(
            string(told.get("briefSummary")) or string(told.get("detailedDescription"))
        ),
        type="trial",
        registration=registrations.own(key),
        related=_related(about, section, key),
    )


def _related(about: dict[str, Any], section: dict[str, Any], key: str) -> tuple[Related, ...]:
    """The trial's numbers in other registers, and what the register says its results are in."""
    others = [mapping(one) for one in sequence(about.get("secondaryIdInfos"))]
    text = " ".join(f"{string(one.get('type'))} {string(one.get('id'))}" for one in others)
    numbers = sorted(registrations.in_field(text) - {registrations.own(key)})
    found = [Related(LinkKind.REGISTERED_TWICE, f"trial:{number}") for number in numbers]
    references = sequence(mapping(section.get("referencesModule")).get("references"))
    for reference in map(mapping, references):
        pmid = clean_pmid(string(reference.get("pmid")))
        if pmid and reference.get("type") in RESULTS:
            found.append(Related(LinkKind.REGISTRATION, f"pmid:{pmid}"))
    return tuple(found)


def _people(section: dict[str, Any]) -> list[str | None]:
    """The officials of the study without degrees ("Ann Doe, MD").

    Its sponsor where none is named.
    """
    officials = sequence(mapping(section.get("contactsLocationsModule")).get("overallOfficials"))
    named = [name((string(mapping(one).get("name")) or "").partition(",")[0]) for one in officials]
    sponsor = mapping(mapping(section.get("sponsorCollaboratorsModule")).get("leadSponsor"))
    return list(filter(None, named)) or [name(string(sponsor.get("name")))]


SOURCE = Source(NAME, TITLE, parse, request, interval=1.0)
