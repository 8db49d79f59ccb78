"""Semantic Scholar (https://api.semanticscholar.org/graph/v1): bulk search by token, papers in
other answers.

The query is its bulk syntax: + for AND, | for OR, - for NOT, "phrases", prefix*. It has no index
date: a window is one of publication dates and reaches 90 days further back. Filters are sent as
parameters (fieldsOfStudy, venue …). A key (LIVEREVIEW_S2_KEY) is all but needed. Facts from
https://api.semanticscholar.org/api-docs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from livereview.errors import SourceBroken
from livereview.records import Record, clean_doi, clean_issn, clean_pmcid, clean_pmid, clean_year
from livereview.sources import answers
from livereview.sources.answers import first, mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain

NAME = "semanticscholar"
TITLE = "Semantic Scholar"
URL = "https://api.semanticscholar.org/graph/v1/paper/search/bulk"
FIELDS = "externalIds,title,abstract,authors,year,publicationDate,journal,venue,publicationVenue,publicationTypes,url"
LATE = timedelta(days=90)
_WRAPPED = ("citingPaper", "citedPaper", "paper")
_TYPES = {
    "JournalArticle": "journal-article",
    "Review": "journal-article",
    "CaseReport": "journal-article",
    "ClinicalTrial": "journal-article",
    "Study": "journal-article",
    "Conference": "conference-paper",
    "Book": "book",
    "BookSection": "book-chapter",
    "Dataset": "dataset",
    "Editorial": "editorial",
    "LettersAndComments": "letter",
    "News": "news",
}


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page of a thousand papers, by the token of the page before.

    Ordered by id, so that none shifts.
    """
    params = [
        ("query", answers.search_text(query, (), TITLE)),
        ("fields", FIELDS),
        ("sort", "paperId"),
        *query.filters,
    ]
    if window.start is not None:
        params.append(("publicationDateOrYear", f"{answers.day(window.start - LATE)}:"))
    if cursor:
        params.append(("token", cursor))
    return Request(URL, tuple((key, value) for key, value in params if value), secrets=SECRETS)


def parse(body: bytes, cursor: str | None) -> Page:
    """The papers of a search, of lists of citations, references or recommendations, of a batch, or
    a single one.
    """
    data = answers.read_json(body, NAME, TITLE)
    items = _papers(data)
    records, rejects = answers.read_items(items, _record, "data")
    # None at the end; an empty page with a token is not the end
    token = string(mapping(data).get("token"))
    return Page(records, token, rejects, answers.whole(mapping(data).get("total")))


def _papers(data: Any) -> list[Any]:
    """The papers in any of its answers.

    A batch has null for those it does not know, which are none.
    """
    known = mapping(data)
    found: Any = data
    if not isinstance(data, list):
        found = known.get("data", known.get("recommendedPapers"))
    if found is None and known.get("total") == 0:
        return []
    items = [
        _unwrapped(item)
        for item in (found if isinstance(found, list) else [data])
        if item is not None
    ]
    if any("paperId" in mapping(item) for item in items) or (
        items == [] and isinstance(found, list)
    ):
        return items
    if refused := answers.refusal(data, NAME, TITLE):
        raise refused
    if any("authorId" in mapping(item) for item in items):
        raise SourceBroken(f"Semantic Scholar sent authors, not papers: ask {URL}", source=NAME)
    raise answers.foreign(data, NAME, TITLE, "data with papers")


def _unwrapped(item: Any) -> Any:
    return next((mapping(item)[key] for key in _WRAPPED if key in mapping(item)), item)


def _record(paper: dict[str, Any]) -> Record | str:
    ids = mapping(paper.get("externalIds"))
    key, doi = plain(string(paper.get("paperId")), 100), clean_doi(string(ids.get("DOI")))
    if key is None:
        return "no paperId: a paper that Semantic Scholar only has the reference of"
    venue, journal = mapping(paper.get("publicationVenue")), mapping(paper.get("journal"))
    published = answers.iso_date(paper.get("publicationDate")) or answers.iso(paper.get("year"))
    return Record(
        source=NAME,
        source_key=key,
        title=plain(string(paper.get("title"))),
        authors=names(
            name(string(mapping(one).get("name"))) for one in sequence(paper.get("authors"))
        ),
        year=clean_year(string(paper.get("year"))) or clean_year(published),
        published=published,
        container_title=plain(string(journal.get("name")) or string(paper.get("venue"))),
        volume=plain(string(journal.get("volume")), 100),
        pages=plain(string(journal.get("pages")), 100),
        doi=doi or _arxiv(ids),
        pmid=clean_pmid(string(ids.get("PubMed"))),
        pmcid=_pmcid(string(ids.get("PubMedCentral"))),
        issn=clean_issn(string(venue.get("issn"))),
        url=link(string(paper.get("url"))) or f"https://www.semanticscholar.org/paper/{key}",
        abstract=abstract(string(paper.get("abstract"))),
        type=_TYPES.get(first(paper.get("publicationTypes")) or ""),
    )


def _arxiv(ids: dict[str, Any]) -> str | None:
    number = string(ids.get("ArXiv"))
    return clean_doi(f"10.48550/arxiv.{number}") if number else None


def _pmcid(text: str | None) -> str | None:
    return clean_pmcid(text if not text or text.upper().startswith("PMC") else f"PMC{text}")


SECRETS = (("header:x-api-key", "LIVEREVIEW_S2_KEY"),)
SOURCE = Source(NAME, TITLE, parse, request, interval=1.0, secrets=("LIVEREVIEW_S2_KEY",))
