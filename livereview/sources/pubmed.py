"""PubMed by NCBI's E-utilities: a search that leaves its result on their server, then the records,
200 at a time.

https://www.ncbi.nlm.nih.gov/books/NBK25499/ (parameters) and NBK25497 (limits). Only the first
9,999 records of a
search can be had, so a larger one is halved by date until each part is small enough: nothing is cut
off.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any
from xml.etree.ElementTree import Element

from livereview.errors import LivereviewError, Retry, SourceBroken
from livereview.records import Record, clean_doi, clean_issn, clean_pmcid, clean_pmid, clean_year
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string, whole
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.pubmed_xml import NAME, TITLE, articles, medline_date, read_xml, refusal
from livereview.sources.text import link, names, plain

URL = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"
LIMIT = 9_999
BATCH = 200
_OWN = ("window",)
_SECRETS = (("api_key", "NCBI_API_KEY"), ("email", "LIVEREVIEW_MAILTO"))
# before the oldest record: where the halving of an open window starts
_BEGINNING = date(1800, 1, 1)
_LOST = {  # words of the search that PubMed did not use, in its JSON and its XML
    "phrasesnotfound": "phrase not found",
    "fieldsnotfound": "field not found",
    "phrasesignored": "phrase ignored",
    "quotedphrasesnotfound": "quoted phrase not found",
    "outputmessages": "PubMed says",
    "PhraseNotFound": "phrase not found",
    "FieldNotFound": "field not found",
    "PhraseIgnored": "phrase ignored",
    "QuotedPhraseNotFound": "quoted phrase not found",
    "OutputMessage": "PubMed says",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a search stands. `parts` are the spans still to be searched, the current one first.

    A span is the path of halvings that leads to it: "" is the whole window, "0" its first half,
    "01" the second half of that. While `env` is set, `key`, `start` and `count` tell which records
    of the current span come next.
    """

    parts: tuple[str, ...] = ("",)
    total: int | None = None
    env: str | None = None
    key: str | None = None
    start: int = 0
    count: int = 0


def _read(cursor: str | None) -> _Place:
    data = json.loads(cursor) if cursor else {}
    return _Place(**{**data, "parts": tuple(data.get("parts", ("",)))})


def _write(place: _Place) -> str | None:
    return json.dumps(asdict(place)) if place.parts else None


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """The search of the next span, or the next 200 records of the current one.

    Days are those of PubMed's Create Date.

    The filter `window` names another date field, such as "edat" or "lr". POST, as searches outgrow
    an address.
    """
    place = _read(cursor)
    form = [("db", "pubmed"), ("tool", "livereview")]
    if place.env is not None:
        form += [
            ("WebEnv", place.env),
            ("query_key", place.key or "1"),
            ("retstart", str(place.start)),
        ]
        form += [("retmax", str(BATCH)), ("retmode", "xml")]
        return Request(URL + "efetch.fcgi", form=tuple(form), secrets=_SECRETS)
    form += [
        ("term", _term(query, window, place.parts[0])),
        ("usehistory", "y"),
        ("retmax", "0"),
        ("retmode", "json"),
    ]
    return Request(URL + "esearch.fcgi", form=tuple(form), secrets=_SECRETS)


def _term(query: Query, window: Window, path: str) -> str:
    text = answers.search_text(query, _OWN, TITLE)
    parts = [f"({text})"] if text else []
    parts += [f"({value}[{name}])" for name, value in query.filters if name not in _OWN]
    if window.start is not None or path:
        field = query.filter("window") or "crdt"
        first, last = (day.strftime("%Y/%m/%d") for day in _span(window, path))
        parts.append(f'("{first}"[{field}] : "{last}"[{field}])')
    return " AND ".join(parts)


def _span(window: Window, path: str) -> tuple[date, date]:
    """First and last day of a span; SourceBroken where a single day would have to be halved."""
    if window.start:
        first = date.fromisoformat(answers.day(window.start))
    else:
        first = _BEGINNING
    last = date.fromisoformat(answers.day(window.end))
    for half in path:
        if first >= last:
            raise SourceBroken(
                f"PubMed has more than {LIMIT:,} records for the single day {first}, over what it hands out:"
                " narrow the search",
                source=NAME,
            )
        middle = first + timedelta(days=(last - first).days // 2)
        if half == "0":
            first, last = (first, middle)
        else:
            first, last = (middle + timedelta(days=1), last)
    return first, last


def parse(body: bytes, cursor: str | None) -> Page:
    """A search (no records, but where they lie), or a set of records; summaries too, from files."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        root = read_xml(body)
        if root.tag == "eSearchResult":
            return _found(_search_data(root), cursor)
        if root.tag == "eSummaryResult":
            return _summaries_xml(root)
        return _delivered(root, cursor)
    data = answers.read_json(body, NAME, TITLE)
    if isinstance(data, dict) and isinstance(data.get("esearchresult"), dict):
        return _found(data["esearchresult"], cursor)
    result = mapping(mapping(data).get("result"))
    if isinstance(result.get("uids"), list):
        return _page(
            *answers.read_items(
                [result.get(str(uid)) for uid in result["uids"]], _summary, "result"
            )
        )
    raise _foreign(data)


def _foreign(data: Any) -> LivereviewError:
    said = string(mapping(data).get("error")) or string(
        mapping(mapping(data).get("esummaryresult")).get("ERROR")
    )
    if said:  # only the error's own words: the object around them repeats the key
        return refusal(said)
    if "records" in mapping(data) or mapping(data).get("status") == "error":
        return SourceBroken("this is an answer of the PMC id converter, not PubMed's", source=NAME)
    return answers.foreign(data, NAME, TITLE, "esearchresult, or XML with PubmedArticleSet")


def _search_data(root: Element) -> dict[str, Any]:
    """The XML of a search as the JSON of the same search."""
    data: dict[str, Any] = {child.tag.lower(): (child.text or "").strip() or None for child in root}
    data["idlist"] = [one.text for one in root.iterfind("IdList/Id")]
    data["ERROR"] = (root.findtext("ERROR") or "").strip() or None
    for name in ("ErrorList", "WarningList"):
        found = [child for child in root.iterfind(f"{name}/*") if child.tag in _LOST]
        data[name.lower()] = {
            tag: [one.text for one in found if one.tag == tag] for tag in {c.tag for c in found}
        }
    return data


def _found(result: dict[str, Any], cursor: str | None) -> Page:
    """The page of a search: its total, and a cursor that leads to its records or, over the limit,
    to its halves.
    """
    if said := string(result.get("ERROR")):
        raise refusal(said)
    count, place = whole(result.get("count")), _read(cursor)
    if count is None:
        raise SourceBroken(
            "PubMed's search answer has no count: has its interface changed?", source=NAME
        )
    place = replace(place, total=count if place.total is None else place.total)
    if count > LIMIT:
        halves = (place.parts[0] + "0", place.parts[0] + "1")
        return Page(
            (),
            _write(replace(place, parts=halves + place.parts[1:])),
            (),
            place.total,
            _lost(result),
        )
    if count == 0:
        return Page(
            (), _write(replace(place, parts=place.parts[1:])), (), place.total, _lost(result)
        )
    env, key = string(result.get("webenv")), string(result.get("querykey"))
    if env is None:
        return _without_history(result, count)
    following = replace(place, env=env, key=key, start=0, count=count)
    return Page((), _write(following), (), place.total, _lost(result))


def _without_history(result: dict[str, Any], count: int) -> Page:
    """A search that others made for its ids only: nothing can follow, and the page says so."""
    if not result.get("idlist"):
        raise Retry(
            f"PubMed found {count} records but kept no history of the search; try again",
            source=NAME,
        )
    return Page(
        (),
        None,
        (),
        count,
        (*_lost(result), f"only ids of {count} records, made without usehistory=y"),
    )


def _lost(result: dict[str, Any]) -> tuple[str, ...]:
    listed = {**mapping(result.get("errorlist")), **mapping(result.get("warninglist"))}
    said = [
        (_LOST[key], string(one)) for key in listed if key in _LOST for one in sequence(listed[key])
    ]
    return tuple(f"{what}: {words}" for what, words in said if words and words != "No items found.")


def _delivered(root: Element, cursor: str | None) -> Page:
    """Records and rejects of a set, and the cursor of what follows.

    Retry if none came where some were asked for.
    """
    place = _read(cursor)
    records, rejects = articles(root)
    got = len(records) + len(rejects)
    if place.env is None:
        return _page(records, rejects)
    asked = min(BATCH, place.count - place.start)
    if got == 0:
        raise Retry(
            f"PubMed sent none of the {asked} records asked for, from {place.start} on", source=NAME
        )
    short: tuple[str, ...] = ()
    if got < asked:
        short = (f"PubMed sent {got} of {asked} records asked for, from {place.start} on",)
    if place.start + BATCH < place.count:
        following = replace(place, start=place.start + BATCH)
    else:
        following = _Place(place.parts[1:], place.total)
    return Page(records, _write(following), rejects, place.total, short)


def _page(records: tuple[Record, ...], rejects: tuple[Any, ...]) -> Page:
    return Page(records, None, rejects)


def _summaries_xml(root: Element) -> Page:
    """The old XML summaries: Item elements named by an attribute."""
    if said := (root.findtext("ERROR") or "").strip():
        raise refusal(said)
    items = []
    for summary in root.iterfind("DocSum"):
        fields = {
            item.get("Name", "").lower(): (item.text or "").strip()
            for item in summary.iterfind("Item")
        }
        people = [{"name": item.text} for item in summary.iterfind("Item[@Name='AuthorList']/Item")]
        ids = [
            {"idtype": i.get("Name"), "value": i.text}
            for i in summary.iterfind("Item[@Name='ArticleIds']/Item")
        ]
        items.append(
            {**fields, "uid": summary.findtext("Id"), "authors": people, "articleids": ids}
        )
    return _page(*answers.read_items(items, _summary, "DocSum"))


def _summary(item: dict[str, Any]) -> Record | str:
    ids = _ids(item)
    if item.get("error") or not (ids["pmid"] or ids["pmcid"]):
        return f"no PMID: {string(item.get('error')) or 'the summary has none'}"
    people = [string(mapping(one).get("name")) or "" for one in sequence(item.get("authors"))]
    published = medline_date(string(item.get("pubdate")) or string(item.get("epubdate")))
    return Record(
        source=NAME,
        source_key=ids["pmid"] or ids["pmcid"] or "",
        title=plain(string(item.get("title"))),
        authors=names(
            plain(re.sub(r"^(\S.*) ([A-Z]{1,3})$", r"\1, \2", person), 200) for person in people
        ),
        year=clean_year(published),
        published=published,
        container_title=plain(string(item.get("fulljournalname")) or string(item.get("source"))),
        volume=plain(string(item.get("volume")), 100),
        issue=plain(string(item.get("issue")), 100),
        pages=plain(string(item.get("pages")), 100),
        issn=clean_issn(f"{string(item.get('issn'))} {string(item.get('essn'))}"),
        url=link(f"https://pubmed.ncbi.nlm.nih.gov/{ids['pmid']}/") if ids["pmid"] else None,
        related=(),
        **ids,
    )


def _ids(item: dict[str, Any]) -> dict[str, str | None]:
    """The ids of a summary, from PubMed or from PMC, whose own number is not a PMID."""
    listed = [mapping(one) for one in sequence(item.get("articleids"))]
    ids = {string(one.get("idtype")): string(one.get("value")) for one in listed}
    of_pmc = "pmcid" in ids and "pubmed" not in ids
    pmid = ids.get("pmid") or ids.get("pubmed") or (None if of_pmc else string(item.get("uid")))
    pmcid = clean_pmcid(ids.get("pmcid")) or clean_pmcid(ids.get("pmc"))
    return {"pmid": clean_pmid(pmid), "pmcid": pmcid, "doi": clean_doi(ids.get("doi"))}


SOURCE = Source(
    NAME, TITLE, parse, request, interval=0.34, secrets=tuple(setting for _, setting in _SECRETS)
)
