"""Further sources: an answer of each kind, what is asked, and every recorded payload counted
against itself.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.settings import SECRETS
from livereview.sources import SOURCES, answers
from livereview.sources.protocol import Query, Window

PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads"
MAY = Window(datetime(2026, 5, 1, 2, tzinfo=UTC), datetime(2026, 5, 31, 2, tzinfo=UTC))
EVER = Window(None, MAY.end)
TITLE = "Kinship care and placement stability"

ERIC = {
    "response": {
        "numFound": 3,
        "start": 0,
        "docs": [{"id": "EJ1", "title": TITLE, "author": ["Doe, Ann"]}],
    }
}
DOAJ_ITEM = {
    "id": "d1",
    "bibjson": {"title": TITLE, "year": "2026", "author": [{"name": "Ann Doe"}]},
}
DOAJ = {"total": 150, "page": 1, "pageSize": 100, "results": [DOAJ_ITEM]}
ZENODO_ITEM = {
    "id": 7,
    "metadata": {
        "title": TITLE,
        "publication_date": "2026-05-02",
        "creators": [{"name": "Doe, Ann"}],
    },
}
ZENODO = {
    "hits": {"total": 60, "hits": [ZENODO_ITEM]},
    "links": {"next": "https://zenodo.org/api/records?page=2"},
}
TRIAL = {"protocolSection": {"identificationModule": {"nctId": "NCT00000001", "briefTitle": TITLE}}}
TRIALS = {"studies": [TRIAL], "nextPageToken": "abc", "totalCount": 9}
RXIV_ITEM = {
    "doi": "10.1101/2026.05.01.1",
    "title": TITLE,
    "authors": "Doe, A.; Roe, R.",
    "date": "2026-05-01",
}
RXIV = {
    "messages": [{"status": "ok", "cursor": 0, "count": 1, "total": "31"}],
    "collection": [RXIV_ITEM],
}
OPENAIRE = {
    "header": {"numFound": 2, "nextCursor": "x"},
    "results": [{"id": "doi_1", "mainTitle": TITLE}],
}
UNPAYWALL = {"doi": "10.1000/a", "genre": "journal-article", "title": TITLE, "year": 2026}
S2 = {
    "total": 2,
    "token": "t2",
    "data": [{"paperId": "p1", "title": TITLE, "authors": [{"name": "A. Doe"}]}],
}
CORE = {
    "totalHits": 300,
    "limit": 100,
    "offset": 0,
    "results": [{"id": 5, "title": TITLE, "oaiIds": []}],
}
DATACITE_ITEM = {
    "attributes": {
        "doi": "10.5555/x",
        "titles": [{"title": TITLE}],
        "creators": [{"name": "Doe, Ann"}],
    }
}
DATACITE = {
    "data": [DATACITE_ITEM],
    "meta": {"total": 2},
    "links": {"next": "https://api.datacite.org/dois?page%5Bcursor%5D=c2&page%5Bsize%5D=1"},
}
OSF_ITEM = {
    "id": "abcde",
    "type": "preprints",
    "attributes": {"title": TITLE, "date_published": "2026-05-01T00:00:00"},
}
OSF = {
    "data": [OSF_ITEM],
    "links": {"next": "https://api.osf.io/v2/preprints/?page=2", "meta": {"total": 120}},
}
# Written after the documentation: none of these services gave an answer to keep.
CTIS = {
    "pagination": {"totalRecords": 150, "currentPage": 1, "totalPages": 2, "nextPage": True},
    "data": [{"ctNumber": "2026-527084-15-00", "ctTitle": TITLE, "ctStatus": 2}],
}
GOVUK = {
    "results": [{"title": TITLE, "link": "/government/publications/kin", "content_id": "c-1"}],
    "total": 700,
    "start": 0,
    "aggregates": {},
    "suggested_queries": [],
}
SCOPUS = {
    "search-results": {
        "opensearch:totalResults": "30",
        "cursor": {"@current": "*", "@next": "AoE="},
        "entry": [{"dc:identifier": "SCOPUS_ID:1", "dc:title": TITLE, "dc:creator": "Doe A."}],
    }
}
WOS_STARTER = {
    "metadata": {"total": 60, "page": 1, "limit": 50},
    "hits": [{"uid": "WOS:1", "title": TITLE, "source": {"sourceTitle": "CARE"}}],
}
WOS_EXPANDED = {
    "Data": {
        "Records": {
            "records": {
                "REC": [
                    {
                        "UID": "WOS:1",
                        "static_data": {
                            "summary": {"titles": {"title": [{"type": "item", "content": TITLE}]}}
                        },
                    }
                ]
            }
        }
    },
    "QueryResult": {"QueryID": 1, "RecordsFound": 120},
}
ICTRP = f"""<?xml version="1.0"?><Trials_downloaded_from_ICTRP><Trial><TrialID>ISRCTN12345678</TrialID>
<Public_title>{TITLE}</Public_title></Trial></Trials_downloaded_from_ICTRP>"""
CSL = [
    {
        "id": "x",
        "type": "article-journal",
        "title": TITLE,
        "author": [{"family": "Doe", "given": "Ann"}],
    }
]
ARXIV = f"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">
<o:totalResults>3</o:totalResults><o:startIndex>0</o:startIndex><entry><id>http://arxiv.org/abs/2605.00001v2</id>
<title>{TITLE}</title><published>2026-05-01T00:00:00Z</published><author><name>Ann Doe</name></author></entry></feed>"""
OAI = f"""<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>
<record><header><identifier>oai:a:1</identifier></header><metadata><dc xmlns="http://purl.org/dc/elements/1.1/">
<title>{TITLE}</title><creator>Doe, Ann</creator><date>2026-05-01</date><identifier>doi:10.5555/y</identifier></dc>
</metadata></record><record><header status="deleted"><identifier>oai:a:2</identifier></header></record>
<resumptionToken completeListSize="9">tok</resumptionToken></ListRecords></OAI-PMH>"""

# source: (an answer, key of its record, cursor that follows, total)
ANSWERS: dict[str, tuple[Any, str, str | None, int | None]] = {
    "eric": (ERIC, "EJ1", "1", 3),
    "doaj": (DOAJ, "d1", "2", 150),
    "zenodo": (ZENODO, "7", "2", 60),
    "clinicaltrials": (TRIALS, "NCT00000001", "abc", 9),
    "biorxiv": (RXIV, "10.1101/2026.05.01.1", "1", 31),
    "openaire": (OPENAIRE, "doi_1", "x", 2),
    "unpaywall": (UNPAYWALL, "10.1000/a", None, 1),
    "semanticscholar": (S2, "p1", "t2", 2),
    "core": (CORE, "5", "1", 300),
    "datacite": (DATACITE, "10.5555/x", "c2", 2),
    "osf": (OSF, "abcde", "2", 120),
    "arxiv": (ARXIV, "2605.00001", "1", 3),
    "oai": (OAI, "oai:a:1", "tok", 9),
    "csl": (CSL, "", None, 1),
    "ctis": (CTIS, "2026-527084-15-00", "2", 150),
    "govuk": (GOVUK, "c-1", "1", 700),
    "scopus": (SCOPUS, "2-s2.0-1", "1 AoE=", 30),
    "wosstarter": (WOS_STARTER, "WOS:1", "2", 60),
    "wosexpanded": (WOS_EXPANDED, "WOS:1", "2", 120),
    "ictrp": (ICTRP, "ISRCTN12345678", None, 1),
}
by_source = pytest.mark.parametrize("name", ANSWERS)


def body(answer: Any) -> bytes:
    return answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()


@by_source
def test_an_answer_gives_its_record_the_next_cursor_and_the_total(name: str) -> None:
    answer, key, following, total = ANSWERS[name]
    page = SOURCES[name].parse(body(answer), None)
    (record,) = page.records
    assert record.title == TITLE and record.source == name
    assert record.source_key == key or (not key and record.source_key.startswith("text:"))
    assert (page.next_cursor, page.total) == (following, total)
    assert len(page.rejects) == (name == "oai")


@by_source
@pytest.mark.parametrize(
    "other",
    ["<html><title>Just moved</title></html>", '{"unexpected": 1}', "plain words", "[1, 2]"],
)
def test_what_is_not_this_sources_answer_is_broken_and_never_an_empty_page(
    name: str, other: str
) -> None:
    with pytest.raises(SourceBroken):
        SOURCES[name].parse(other.encode(), None)


@by_source
def test_busy_empty_and_truncated_answers_are_for_later(name: str) -> None:
    whole = body(ANSWERS[name][0])
    # a person's file gets no better by waiting
    error = SourceBroken if SOURCES[name].request is None else Retry
    for later in (b"", b"Too Many Requests", whole[: len(whole) * 2 // 3]):
        with pytest.raises(error):
            SOURCES[name].parse(later, None)


# What one service says in another's shape is meant so: OpenAlex through citations, OAI-PMH in
# DataCite's and OAI's readers, Atom in feeds, and a watched page reads any page.
KIN = {
    ("citations", "openalex"),
    ("datacite", "oai"),
    ("oai", "datacite"),
    ("feed", "arxiv"),
    ("page", "*"),
}


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if source.request])
def test_another_services_answer_is_broken_and_never_a_page_of_records(name: str) -> None:
    for other, (answer, *_) in ANSWERS.items():
        if other == name or (name, other) in KIN or (name, "*") in KIN:
            continue
        with pytest.raises((SourceBroken, Retry)):
            SOURCES[name].parse(body(answer), None)


@pytest.mark.parametrize(
    ("name", "empty"),
    [
        ("eric", {"response": {"numFound": 0, "start": 0, "docs": []}}),
        ("doaj", {"total": 0, "page": 1, "pageSize": 100, "results": []}),
        ("zenodo", {"hits": {"total": 0, "hits": []}, "links": {}}),
        ("clinicaltrials", {"studies": [], "totalCount": 0}),
        ("biorxiv", {"messages": [{"status": "no posts found"}], "collection": []}),
        ("openaire", {"header": {"numFound": 0}, "results": []}),
        ("semanticscholar", {"total": 0, "token": None, "data": []}),
        ("core", {"totalHits": 0, "limit": 100, "offset": 0, "results": []}),
        ("datacite", {"data": [], "meta": {"total": 0}, "links": {}}),
        ("osf", {"data": [], "links": {"next": None, "meta": {"total": 0}}}),
        ("oai", '<OAI-PMH><error code="noRecordsMatch">none</error></OAI-PMH>'),
        ("ctis", {"pagination": {"totalRecords": 0, "currentPage": 1}, "data": []}),
        ("govuk", {"results": [], "total": 0, "start": 0, "aggregates": {}}),
        (
            "scopus",
            {
                "search-results": {
                    "opensearch:totalResults": "0",
                    "entry": [{"@_fa": "true", "error": "Result set was empty"}],
                }
            },
        ),
        ("wosstarter", {"metadata": {"total": 0, "page": 1, "limit": 50}, "hits": []}),
        (
            "wosexpanded",
            {"Data": {"Records": {"records": ""}}, "QueryResult": {"RecordsFound": 0}},
        ),
    ],
)
def test_an_honest_zero_is_an_empty_page_and_the_end(name: str, empty: Any) -> None:
    page = SOURCES[name].parse(body(empty), None)
    assert page.records == () and page.next_cursor is None


@pytest.mark.parametrize(
    ("name", "answer", "error", "words"),
    [
        (
            "semanticscholar",
            {"error": "Unrecognized or unsupported fields: [x]"},
            SourceBroken,
            "Unrecognized",
        ),
        ("semanticscholar", {"message": "Too Many Requests", "code": "429"}, Retry, "Too Many"),
        ("semanticscholar", [{"authorId": "1", "name": "A"}], SourceBroken, "authors, not papers"),
        (
            "osf",
            {"errors": [{"detail": "Request was throttled; try again in 5 s"}]},
            Retry,
            "throttled",
        ),
        (
            "osf",
            {"data": [{"id": "1", "type": "files", "attributes": {"name": "a"}}]},
            SourceBroken,
            "files, not",
        ),
        (
            "datacite",
            {"errors": [{"status": "400", "title": "bad query"}]},
            SourceBroken,
            "bad query",
        ),
        (
            "doaj",
            {"status": "bad_request", "error": "disallowed Lucene features"},
            SourceBroken,
            "disallowed",
        ),
        ("zenodo", {"status": 429, "message": "wait"}, Retry, "429"),
        ("core", {"message": "You exceeded the rate limit"}, Retry, "rate limit"),
        (
            "oai",
            '<OAI-PMH><error code="badResumptionToken">old</error></OAI-PMH>',
            Retry,
            "from the start",
        ),
        (
            "oai",
            '<OAI-PMH><error code="badArgument">no</error></OAI-PMH>',
            SourceBroken,
            "badArgument",
        ),
        ("oai", "<OAI-PMH><Identify/></OAI-PMH>", SourceBroken, "Identify, not records"),
        ("oai", '<!DOCTYPE a [<!ENTITY b "c">]><OAI-PMH>&b;</OAI-PMH>', SourceBroken, "entities"),
        ("arxiv", '<!DOCTYPE a [<!ENTITY b "c">]><feed>&b;</feed>', SourceBroken, "entities"),
    ],
)
def test_errors_that_come_as_answers_have_their_right_kind(
    name: str, answer: Any, error: type, words: str
) -> None:
    with pytest.raises(error, match=words):
        SOURCES[name].parse(body(answer), None)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("eric", {"response": {"numFound": 300, "start": 200, "docs": []}}),
        ("doaj", {"total": 300, "page": 2, "pageSize": 100, "results": []}),
        ("core", {"totalHits": 300, "limit": 100, "offset": 100, "results": []}),
    ],
)
def test_an_empty_page_before_the_end_is_asked_for_again(name: str, answer: Any) -> None:
    with pytest.raises(Retry, match="empty page"):
        SOURCES[name].parse(body(answer), None)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("eric", {"response": {"start": 0, "docs": ERIC["response"]["docs"]}}),
        ("doaj", {"page": 1, "pageSize": 100, "results": [DOAJ_ITEM]}),
        ("core", {"limit": 100, "offset": 0, "results": CORE["results"]}),
    ],
)
def test_a_list_that_no_longer_tells_its_length_is_no_end(name: str, answer: Any) -> None:
    with pytest.raises(SourceBroken, match="how many"):
        SOURCES[name].parse(body(answer), None)


def test_an_empty_page_with_a_token_goes_on() -> None:
    assert (
        SOURCES["semanticscholar"]
        .parse(body({"total": 9, "token": "t3", "data": []}), "t2")
        .next_cursor
        == "t3"
    )


@pytest.mark.parametrize("name", ["eric", "core"])
def test_a_page_that_does_not_tell_its_place_is_placed_by_the_cursor(name: str) -> None:
    answer = json.loads(json.dumps(ANSWERS[name][0]))
    mapping = answer.get("response", answer)
    mapping.pop("start", None), mapping.pop("offset", None)
    mapping["numFound" if name == "eric" else "totalHits"] = 500
    assert SOURCES[name].parse(body(answer), "200").next_cursor == "201"


@given(st.integers(0, 50), st.integers(1, 10), st.none() | st.integers(1, 60))
def test_places_reach_every_item_once(total: int, size: int, reach: int | None) -> None:
    start: int | None = 0
    read = 0
    while start is not None:
        count = max(0, min(size, total - start))
        read += count
        start = answers.next_place(start, count, total, "toy", "Toy", reach)
    assert read == total if reach is None or reach >= total else min(total, reach) <= read


def test_datacites_xml_is_read_like_its_json() -> None:
    text = f"""<?xml version="1.0"?><resource xmlns="http://datacite.org/schema/kernel-4">
<identifier identifierType="DOI">10.5555/z</identifier><creators><creator><creatorName>Doe, Ann</creatorName></creator>
</creators><titles><title>{TITLE}</title><title titleType="Subtitle">A trial</title></titles>
<publicationYear>2026</publicationYear><resourceType resourceTypeGeneral="Report"/></resource>"""
    (record,) = SOURCES["datacite"].parse(text.encode(), None).records
    assert (record.title, record.doi, record.type) == (f"{TITLE}: A trial", "10.5555/z", "report")
    assert record.authors == ("Doe, Ann",) and record.year == 2026
    with pytest.raises(Retry):
        SOURCES["datacite"].parse(text[:-30].encode(), None)


def test_arxivs_empty_page_before_the_end_is_a_hiccup() -> None:
    start = ARXIV.index("<entry>")
    with pytest.raises(Retry, match="before the end"):
        SOURCES["arxiv"].parse(f"{ARXIV[:start]}</feed>".encode(), None)


ASKED = {
    "eric": ("search", "(kinship)"),
    "zenodo": ("q", "(kinship) AND created:[2026-05-01 TO 2026-05-31]"),
    "clinicaltrials": ("filter.advanced", "AREA[LastUpdatePostDate]RANGE[2026-05-01,2026-05-31]"),
    "openaire": ("fromPublicationDate", "2026-01-31"),
    "semanticscholar": ("publicationDateOrYear", "2026-01-31:"),
    "core": ("q", "(kinship) AND (createdDate>=2026-05-01 AND createdDate<=2026-05-31)"),
    "datacite": ("query", "(kinship) AND updated:[2026-05-01 TO 2026-05-31]"),
    "osf": ("filter[date_modified][gte]", "2026-05-01"),
    "arxiv": ("search_query", "(kinship) AND submittedDate:[202605010000 TO 202605312359]"),
    "oai": ("from", "2026-05-01"),
    "govuk": ("filter_public_timestamp", "from:2026-05-01,to:2026-05-31"),
    "scopus": (
        "query",
        "(kinship) AND ORIG-LOAD-DATE AFT 20260430 AND ORIG-LOAD-DATE BEF 20260601",
    ),
    "wosstarter": ("modifiedTimeSpan", "2026-05-01 2026-05-31"),
    "wosexpanded": ("loadTimeSpan", "2026-05-01+2026-05-31"),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_window_is_asked_for_in_the_sources_own_words(name: str) -> None:
    source = SOURCES[name]
    assert source.request
    asked = dict(source.request(Query("kinship", url="https://a.example/oai"), MAY, None).params)
    key, value = ASKED[name]
    assert asked[key] == value
    ever = source.request(Query("kinship", url="https://a.example/oai"), EVER, None)
    assert "2026-0" not in json.dumps(ever.params)


def test_days_and_places_that_travel_in_the_path() -> None:
    doaj, biorxiv = SOURCES["doaj"].request, SOURCES["biorxiv"].request
    assert doaj and biorxiv
    assert (
        "last_updated%3A%5B2026-05-01T00%3A00%3A00Z%20TO" in doaj(Query('a "b c"'), MAY, None).url
    )
    assert (
        biorxiv(Query(), MAY, "30").url
        == "https://api.biorxiv.org/details/medrxiv/2026-05-01/2026-05-31/30/json"
    )
    with pytest.raises(Refused, match="medrxiv or biorxiv"):
        biorxiv(Query(filters=(("server", "other"),)), MAY, None)


@pytest.mark.parametrize(
    ("name", "cursor", "pair"),
    [
        ("eric", "200", ("start", "200")),
        ("doaj", "3", ("page", "3")),
        ("zenodo", "3", ("page", "3")),
        ("clinicaltrials", "tok", ("pageToken", "tok")),
        ("openaire", "tok", ("cursor", "tok")),
        ("semanticscholar", "tok", ("token", "tok")),
        ("core", "100", ("offset", "100")),
        ("datacite", "tok", ("page[cursor]", "tok")),
        ("osf", "4", ("page", "4")),
        ("arxiv", "100", ("start", "100")),
        ("oai", "tok", ("resumptionToken", "tok")),
        ("govuk", "500", ("start", "500")),
        ("scopus", "25 AoE=", ("cursor", "AoE=")),
        ("scopus", "200", ("start", "200")),
        ("wosstarter", "3", ("page", "3")),
        ("wosexpanded", "101", ("firstRecord", "101")),
    ],
)
def test_the_next_page_is_asked_for_by_the_cursor(
    name: str, cursor: str, pair: tuple[str, str]
) -> None:
    request = SOURCES[name].request
    assert (
        request
        and pair in request(Query("kinship", url="https://a.example/oai"), MAY, cursor).params
    )


def test_unpaywall_is_asked_for_one_doi_and_a_repository_needs_an_address() -> None:
    unpaywall, oai = SOURCES["unpaywall"].request, SOURCES["oai"].request
    assert unpaywall and oai
    assert unpaywall(Query("10.1000/a b?"), MAY, None).url.startswith(
        "https://api.unpaywall.org/v2/10.1000/a"
    )
    with pytest.raises(Refused, match="one DOI"):
        unpaywall(Query("kinship"), MAY, None)
    with pytest.raises(Refused, match="url"):
        oai(Query("kinship"), MAY, None)


def test_every_secret_that_a_source_names_is_a_setting_that_is_kept_out_of_logs() -> None:
    assert {name for source in SOURCES.values() for name in source.secrets} <= set(SECRETS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda x: st.lists(x, max_size=3),
    max_leaves=4,
)


@settings(max_examples=60)
@given(st.data())
def test_any_values_in_a_known_shape_never_crash(data: st.DataObject) -> None:
    name = data.draw(
        st.sampled_from([name for name, row in ANSWERS.items() if not isinstance(row[0], str)])
    )

    def spoiled(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: data.draw(JSON) if data.draw(st.integers(0, 4)) == 0 else spoiled(v)
                for key, v in value.items()
            }
        return [spoiled(one) for one in value] if isinstance(value, list) else value

    try:
        SOURCES[name].parse(json.dumps(spoiled(ANSWERS[name][0])).encode(), None)
    except LivereviewError as error:
        assert error.source == name


@by_source
@settings(max_examples=30)
@given(st.binary(max_size=300))
def test_any_bytes_never_crash(name: str, raw: bytes) -> None:
    try:
        SOURCES[name].parse(raw, None)
    except LivereviewError as error:
        assert error.source == name


# How many items a payload holds, counted without the source's code.
def papers(data: Any) -> int:
    """How many papers Semantic Scholar sent, whatever was asked.

    Null stands for an id that it does not know.
    """
    known = data if isinstance(data, dict) else {}
    found = known.get("data", known.get("recommendedPapers", data))
    if isinstance(found, list):
        return sum(one is not None for one in found)
    return 0 if known.get("total") == 0 else 1


def works(data: Any) -> int:
    """How many works CORE sent; version 2 answers several searches at once."""
    if isinstance(data, list):
        return sum(works(one) for one in data)
    found = data.get("results", data.get("data"))
    return len(found) if isinstance(found, list) else found is not None


COUNTED = {
    "semanticscholar": papers,
    "core": works,
    "doaj": lambda data: len(data["results"]) if "results" in data else 1,
    "zenodo": lambda data: 1,
    "clinicaltrials": lambda data: len(data["studies"]) if "studies" in data else 1,
    "biorxiv": lambda data: len(data["collection"]),
    "openaire": lambda data: len(data["results"]),
    "eric": lambda data: len(data["response"]["docs"]),
    "osf": lambda data: (
        len(found) if isinstance(found := data.get("results", data.get("data")), list) else 1
    ),
    "datacite": lambda data: 1,
}


@pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the project"
)
@pytest.mark.parametrize("name", COUNTED)
def test_no_item_of_a_recorded_answer_is_lost(name: str) -> None:
    read = 0
    for path in sorted((PAYLOADS / name).glob("*.json")):
        if path.name.endswith((".meta.json", ".expected.json")):
            continue
        try:
            page = SOURCES[name].parse(path.read_bytes(), None)
        except LivereviewError as error:
            assert isinstance(error, SourceBroken | Retry), path.name
            continue
        assert len(page.records) + len(page.rejects) == COUNTED[name](
            json.loads(path.read_bytes())
        ), path.name
        read += 1
    assert read, "not one answer could be read"


@pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the project"
)
def test_every_repositorys_recorded_list_is_read_whole() -> None:
    read = 0
    for path in sorted((PAYLOADS / "oai_pmh").glob("*.xml")):
        raw = path.read_bytes()
        items = raw.count(b"<record>") + raw.count(b"<record ")
        try:
            page = SOURCES["oai"].parse(raw, None)
        except LivereviewError as error:
            assert b"<error" in raw or items == 0 or b"<rdf:RDF" in raw, f"{path.name}: {error}"
            continue
        if b"<ListRecords" in raw:
            assert len(page.records) + len(page.rejects) == items, path.name
            read += 1
    assert read > 15
