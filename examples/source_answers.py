"""What each source would send for works of an example's catalogue, in that source's own format and
manner of writing.

The shapes follow the sources' published interfaces; only fields that carry facts of the catalogue
are filled. A work comes here as `make_recordings.said` puts it: the catalogue's facts in this
source's words.
"""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ET
from datetime import datetime
from typing import Any

Work = dict[str, Any]
Asked = dict[str, str]
# works on a page, where a source was asked for more: several pages even in a small example
PAGE = 50
ERROR_PAGE = b"""<!DOCTYPE html>
<html lang="en">
<head><title>Crossref</title></head>
<body><h1>Something went wrong</h1><p>This page came with status 200, as such pages sometimes do.</p></body>
</html>
"""


def people(work: Work) -> list[tuple[str, str]]:
    """(family, given) of each author; a group has no given name."""
    named = [author.partition(", ") for author in work.get("authors", ())]
    return [
        (family, _initials(given) if work.get("initials") else given) for family, _, given in named
    ]


def _initials(given: str) -> str:
    return " ".join(f"{part[0]}." for part in re.findall(r"\w+", given))


def date_parts(work: Work) -> list[int]:
    """Year, or year and month."""
    return [int(part) for part in work["date"].split("-")]


def full_date(work: Work) -> str:
    """The date as sources write it that want a day: 1 January where only the year is known."""
    return str((work["date"] + "-01-01")[:10])


def token(offset: int) -> str:
    """A cursor as opaque as the real ones."""
    return base64.urlsafe_b64encode(f'["{offset:06d}"]'.encode()).decode()


def offset_of(cursor: str) -> int:
    """The inverse of `token`; the first page's "*" is 0."""
    return 0 if cursor == "*" else int(json.loads(base64.urlsafe_b64decode(cursor))[0])


def as_json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def openalex(works: list[Work], asked: Asked) -> bytes:
    """A list page of OpenAlex works, newest publication first."""
    size, at = min(int(asked["per_page"]), PAGE), offset_of(asked["cursor"])
    works = sorted(works, key=lambda work: (full_date(work), work["key"]), reverse=True)
    more = token(at + size) if at + size < len(works) else None
    meta = {
        "count": len(works),
        "page": None,
        "per_page": size,
        "next_cursor": more,
        "groups_count": None,
    }
    return as_json(
        {
            "meta": meta,
            "results": [_openalex_work(work) for work in works[at : at + size]],
            "group_by": [],
        }
    )


def _openalex_work(work: Work) -> dict[str, Any]:
    doi = f"https://doi.org/{work['doi']}" if work.get("doi") else None
    own = f"https://openalex.org/{work['openalex']}"
    kinds = {"journal-article": "article", "trial": "other"}
    return {
        "id": own,
        "doi": doi,
        "title": work["title"],
        "display_name": work["title"],
        "publication_year": work["year"],
        "publication_date": full_date(work),
        "ids": {"openalex": own} | ({"doi": doi} if doi else {}),
        "language": None,
        "primary_location": {
            "is_oa": False,
            "landing_page_url": doi,
            "pdf_url": None,
            "source": _openalex_host(work),
        },
        "type": kinds.get(work["type"], work["type"]),
        "authorships": [_authorship(family, given) for family, given in people(work)],
        "biblio": _biblio(work),
        "is_retracted": False,
        "is_paratext": False,
        "abstract_inverted_index": None,
        "updated_date": f"{work['served']}T05:10:20.000000",
        "created_date": f"{work['served']}T00:00:00",
    }


def _biblio(work: Work) -> dict[str, Any]:
    first, _, last = (work.get("pages") or "").partition("-")
    numbers = {"volume": work.get("volume"), "issue": work.get("issue")}
    return {**numbers, "first_page": first or None, "last_page": last or first or None}


def _openalex_host(work: Work) -> dict[str, Any] | None:
    if not work.get("container_title"):
        return None
    kind = "journal" if work["type"] == "journal-article" else "repository"
    issn = work.get("issn")
    return {
        "display_name": work["container_title"],
        "issn_l": issn,
        "issn": [issn] if issn else None,
        "type": kind,
    }


def _authorship(family: str, given: str) -> dict[str, Any]:
    name = f"{given} {family}".strip()
    return {
        "author": {"display_name": name, "orcid": None},
        "institutions": [],
        "raw_author_name": name,
    }


def crossref(works: list[Work], asked: Asked) -> bytes:
    """A list page of Crossref works; there is always a next cursor, and the last page is empty."""
    size, at = min(int(asked["rows"]), PAGE), offset_of(asked["cursor"])
    message = {
        "facets": {},
        "next-cursor": token(min(at + size, len(works))),
        "total-results": len(works),
        "items": [_crossref_work(work) for work in works[at : at + size]],
        "items-per-page": size,
        "query": {"start-index": 0, "search-terms": asked.get("query.bibliographic")},
    }
    return as_json(
        {
            "status": "ok",
            "message-type": "work-list",
            "message-version": "1.0.0",
            "message": message,
        }
    )


def _crossref_work(work: Work) -> dict[str, Any]:
    known = {"volume": work.get("volume"), "issue": work.get("issue"), "page": work.get("pages")}
    stamp = {
        "date-parts": [[int(part) for part in work["served"].split("-")]],
        "date-time": f"{work['served']}T04:12:31Z",
    }
    return {
        "indexed": stamp,
        "publisher": work.get("publisher"),
        "DOI": work["doi"],
        "type": "posted-content" if work["type"] == "preprint" else work["type"],
        "created": stamp,
        "source": "Crossref",
        "title": [work["title"]],
        "prefix": work["doi"].partition("/")[0],
        "author": [_crossref_author(place, *name) for place, name in enumerate(people(work))],
        "container-title": [work["container_title"]] if work.get("container_title") else [],
        "issued": {"date-parts": [date_parts(work)]},
        "published": {"date-parts": [date_parts(work)]},
        "URL": f"https://doi.org/{work['doi']}",
        "ISSN": [work["issn"]] if work.get("issn") else [],
    } | {key: value for key, value in known.items() if value}


def _crossref_author(place: int, family: str, given: str) -> dict[str, Any]:
    name = {"given": given, "family": family} if given else {"name": family}
    return {**name, "sequence": "additional" if place else "first", "affiliation": []}


def europepmc(works: list[Work], asked: Asked) -> bytes:
    """A page of Europe PMC's search in core JSON.

    The page after the last one is empty and repeats the mark.
    """
    size, at = min(int(asked["pageSize"]), PAGE), offset_of(asked["cursorMark"])
    request = {
        "queryString": asked["query"],
        "resultType": "core",
        "cursorMark": asked["cursorMark"],
        "pageSize": size,
        "sort": "",
        "synonym": False,
    }
    return as_json(
        {
            "version": "6.9",
            "hitCount": len(works),
            "nextCursorMark": token(at + size) if works[at : at + size] else asked["cursorMark"],
            "request": request,
            "resultList": {"result": [_europepmc_result(work) for work in works[at : at + size]]},
        }
    )


def _europepmc_result(work: Work) -> dict[str, Any]:
    authors = [_europepmc_author(family, given) for family, given in people(work)]
    kind = "Preprint" if work["type"] == "preprint" else "Journal Article"
    optional = {"doi": work.get("doi"), "pageInfo": work.get("pages")}
    return {
        **_europepmc_place(work),
        **{key: value for key, value in optional.items() if value},
        "title": sentence(work["title"]),
        "authorString": ", ".join(author["fullName"] for author in authors) + ".",
        "authorList": {"author": authors},
        "pubYear": str(work["year"]),
        "pubTypeList": {"pubType": [kind]},
        "isOpenAccess": "N",
        "firstIndexDate": work["served"],
        "firstPublicationDate": full_date(work),
    }


def _europepmc_place(work: Work) -> dict[str, Any]:
    """Whose record it is and where it appeared: a preprint has its server as its publisher."""
    if work["type"] == "preprint":
        return {
            "id": work["ppr"],
            "source": "PPR",
            "bookOrReportDetails": {"publisher": work["container_title"]},
        }
    return {"id": work["pmid"], "source": "MED", "pmid": work["pmid"], "journalInfo": _issue(work)}


def _europepmc_author(family: str, given: str) -> dict[str, str]:
    letters = "".join(part[0] for part in re.findall(r"\w+", given))
    full = {"fullName": f"{family} {letters}".strip()}
    return (
        {**full, "firstName": given, "lastName": family, "initials": letters}
        if given
        else {**full, "collectiveName": family}
    )


def _issue(work: Work) -> dict[str, Any]:
    parts = {"issue": work.get("issue"), "volume": work.get("volume")}
    journal = {
        "title": work.get("container_title"),
        "medlineAbbreviation": work.get("abbreviation"),
        "issn": work.get("issn"),
    }
    month = f" {datetime.fromisoformat(full_date(work)):%b}" if len(date_parts(work)) > 1 else ""
    return {key: value for key, value in parts.items() if value} | {
        "dateOfPublication": f"{work['year']}{month}",
        "yearOfPublication": work["year"],
        "printPublicationDate": full_date(work),
        "journal": {key: value for key, value in journal.items() if value},
    }


def sentence(title: str) -> str:
    """A title as MEDLINE ends it."""
    return title if title[-1] in ".?!]" else title + "."


def pubmed(works: list[Work], asked: Asked) -> bytes:
    """Either of PubMed's two steps: the ids that a search found, or the records of some of them."""
    at, size = int(asked.get("retstart", 0)), int(asked.get("retmax", 20))
    if "term" in asked:
        return as_json(
            {
                "header": {"type": "esearch", "version": "0.3"},
                "esearchresult": _esearch(works, asked, at, size),
            }
        )
    wanted = (
        asked["id"].split(",")
        if asked.get("id")
        else [work["pmid"] for work in works][at : at + size]
    )
    root = ET.Element("PubmedArticleSet")
    for work in works:
        if work["pmid"] in wanted:
            _pubmed_article(root, work)
    return as_xml(
        root,
        '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
        '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n',
    )


def _esearch(works: list[Work], asked: Asked, at: int, size: int) -> dict[str, Any]:
    ids = [work["pmid"] for work in works][at : at + size]
    return {
        "count": str(len(works)),
        "retmax": str(len(ids)),
        "retstart": str(at),
        "querykey": "1",
        "webenv": "MCID_recorded",
        "idlist": ids,
        "translationset": [],
        "querytranslation": asked["term"],
    }


def _pubmed_article(root: ET.Element, work: Work) -> None:
    article = ET.SubElement(root, "PubmedArticle")
    citation = ET.SubElement(article, "MedlineCitation", Status="MEDLINE", Owner="NLM")
    put(citation, "PMID", work["pmid"], Version="1")
    body = ET.SubElement(citation, "Article", PubModel="Print")
    _pubmed_journal(ET.SubElement(body, "Journal"), work)
    put(body, "ArticleTitle", sentence(work["title"]))
    if work.get("pages"):
        put(ET.SubElement(body, "Pagination"), "MedlinePgn", short_pages(work["pages"]))
    authors = ET.SubElement(body, "AuthorList", CompleteYN="Y")
    for family, given in people(work):
        _pubmed_author(ET.SubElement(authors, "Author", ValidYN="Y"), family, given)
    put(
        ET.SubElement(body, "PublicationTypeList"),
        "PublicationType",
        "Journal Article",
        UI="D016428",
    )
    put(ET.SubElement(citation, "MedlineJournalInfo"), "MedlineTA", work.get("abbreviation"))
    data = ET.SubElement(article, "PubmedData")
    entered = ET.SubElement(ET.SubElement(data, "History"), "PubMedPubDate", PubStatus="entrez")
    for part, value in zip(("Year", "Month", "Day"), work["served"].split("-"), strict=True):
        put(entered, part, str(int(value)))
    ids = ET.SubElement(data, "ArticleIdList")
    put(ids, "ArticleId", work["pmid"], IdType="pubmed")
    put(ids, "ArticleId", work.get("doi"), IdType="doi")


def _pubmed_journal(journal: ET.Element, work: Work) -> None:
    put(journal, "ISSN", work.get("issn"), IssnType="Print")
    issue = ET.SubElement(journal, "JournalIssue", CitedMedium="Print")
    put(issue, "Volume", work.get("volume"))
    put(issue, "Issue", work.get("issue"))
    date = ET.SubElement(issue, "PubDate")
    for part, value in zip(("Year", "Month"), date_parts(work), strict=False):
        put(date, part, str(value) if part == "Year" else f"{datetime(2000, value, 1):%b}")
    put(journal, "Title", work.get("container_title"))
    put(journal, "ISOAbbreviation", work.get("abbreviation"))


def _pubmed_author(author: ET.Element, family: str, given: str) -> None:
    put(author, "LastName" if given else "CollectiveName", family)
    put(author, "ForeName", given)
    put(author, "Initials", "".join(part[0] for part in re.findall(r"\w+", given)))


def short_pages(pages: str) -> str:
    """Pages as MEDLINE shortens them: 1083-1090 becomes 1083-90."""
    first, _, last = pages.partition("-")
    if not (first.isdigit() and last.isdigit() and len(first) == len(last)):
        return pages
    same = next((place for place in range(len(last)) if first[place] != last[place]), 0)
    return f"{first}-{last[same:]}"


def put(parent: ET.Element, tag: str, text: str | None, **attributes: str) -> None:
    """A child element with this text; none where there is nothing to say."""
    if text:
        ET.SubElement(parent, tag, attributes).text = text


def as_xml(root: ET.Element, doctype: str = "") -> bytes:
    """The document, indented so that people can read a recording."""
    ET.indent(root, " ")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        + doctype
        + ET.tostring(root, encoding="unicode")
        + "\n"
    ).encode()
