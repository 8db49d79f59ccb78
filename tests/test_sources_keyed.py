"""Sources that want the key of whoever subscribes, Scopus and Web of Science, and GOV.UK's search.

The answers are written after the services' documentation; none is a recording.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from livereview.errors import Refused, Retry, SourceBroken
from livereview.fetch.paging import pages
from livereview.sources import SOURCES
from livereview.sources.protocol import Page, Query, Request, Source, Window
from tests.world import Time, World, as_json, making, reply

MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 31, tzinfo=UTC))
EVER = Window(None, MAY.end)


def parsed(name: str, answer: object, cursor: str | None = None) -> Page:
    return SOURCES[name].parse(json.dumps(answer).encode(), cursor)


def at(name: str, url: str) -> Source:
    """The source, asked at another address."""
    source = SOURCES[name]
    request = source.request
    assert request

    def asked(query: Query, window: Window, cursor: str | None) -> Request:
        return replace(request(query, window, cursor), url=url)

    return replace(source, request=asked)


# --- Scopus
# --------------------------------------------------------------------------------------------------

ENTRY = {
    "dc:identifier": "SCOPUS_ID:85100000001",
    "eid": "2-s2.0-85100000001",
    "dc:title": "Home visits for families",
    "dc:creator": "Doe A.",
    "author": [
        {"surname": "Doe", "given-name": "Ann", "authname": "Doe A."},
        {"authname": "Roe B.", "initials": "B."},
    ],
    "prism:publicationName": "Care Journal",
    "prism:issn": "01452134",
    "prism:volume": "12",
    "prism:issueIdentifier": "3",
    "prism:pageRange": "20-29",
    "prism:coverDate": "2026-05-02",
    "prism:doi": "10.1000/hv.1",
    "pubmed-id": "38773000",
    "dc:description": "Abstract: they help.",
    "subtype": "ar",
    "link": [{"@ref": "scopus", "@href": "https://www.scopus.com/inward/record.uri?eid=1"}],
}


def scopus(total: int, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    found = {"opensearch:totalResults": str(total), "entry": list(entries), **more}
    return {"search-results": found}


def test_a_document_of_scopus_is_read_with_all_that_its_complete_view_has() -> None:
    (record,) = parsed("scopus", scopus(1, ENTRY)).records
    assert record.authors == ("Doe, Ann", "Roe B., B.")
    assert (record.issn, record.volume, record.issue, record.pages) == (
        *("0145-2134", "12", "3"),
        "20-29",
    )
    assert (record.doi, record.pmid, record.published) == ("10.1000/hv.1", "38773000", "2026-05-02")
    assert (record.type, record.abstract) == ("journal-article", "they help.")


def test_scopus_says_by_its_code_that_a_document_was_retracted() -> None:
    (record,) = parsed("scopus", scopus(1, {**ENTRY, "subtype": "tb", "author": None})).records
    assert record.retraction == "retracted" and record.authors == ("Doe A.",)


def test_scopus_is_read_to_its_end_by_cursors_and_sends_one_with_the_last_page_too() -> None:
    first = scopus(3, ENTRY, {**ENTRY, "eid": "2-s2.0-2"}, cursor={"@next": "b"})
    last = scopus(3, {**ENTRY, "eid": "2-s2.0-3"}, cursor={"@next": "c"})
    keys = {"LIVEREVIEW_SCOPUS_KEY": "k3y", "LIVEREVIEW_SCOPUS_INSTTOKEN": "t0ken"}
    with World() as world, making(world, Time(), secrets=keys) as fetcher:
        source = at("scopus", world.script("/s", as_json(first), as_json(last)))
        assert len(list(pages(fetcher, source, Query("TITLE(kin)"), MAY))) == 2
    assert [seen.query["cursor"] for seen in world.seen] == ["*", "b"]
    assert world.seen[0].headers["x-els-apikey"] == "k3y"
    assert world.seen[0].headers["x-els-insttoken"] == "t0ken"
    assert "k3y" not in json.dumps(world.seen[0].query)


def test_a_key_without_a_subscription_gets_scopus_smaller_view_and_a_note() -> None:
    refusal = {
        "service-error": {
            "status": {"statusCode": "AUTHORIZATION_ERROR", "statusText": "not authorized"}
        }
    }
    smaller = scopus(1, {**ENTRY, "author": None, "dc:description": None})
    with World() as world, making(world, Time()) as fetcher:
        source = at("scopus", world.script("/s", as_json(refusal, 401), as_json(smaller)))
        (answer,) = pages(fetcher, source, Query("TITLE(kin)"), MAY)
    assert answer.note is not None and "first authors only" in answer.note
    assert world.seen[-1].query["view"] == "STANDARD" and world.seen[-1].query["start"] == "0"


def test_a_used_up_quota_of_scopus_is_for_later_and_a_bad_query_is_not() -> None:
    quota = {"service-error": {"status": {"statusCode": "QUOTA_EXCEEDED", "statusText": "Quota"}}}
    with pytest.raises(Retry, match="no more requests"):
        parsed("scopus", quota)
    bad = {"service-error": {"status": {"statusCode": "INVALID_INPUT", "statusText": "Bad"}}}
    with pytest.raises(SourceBroken, match="Bad"):
        parsed("scopus", bad)


# --- Web of Science
# --------------------------------------------------------------------------------------------------

HIT = {
    "uid": "WOS:000267144200002",
    "title": "Home visits for families",
    "types": ["Article"],
    "source": {
        "sourceTitle": "CARE JOURNAL",
        "publishYear": 2026,
        "publishMonth": "MAY 2",
        "volume": "12",
        "issue": "3",
        "pages": {"range": "20-29", "begin": "20", "end": "29"},
    },
    "names": {"authors": [{"displayName": "Doe, Ann", "wosStandard": "Doe, A"}]},
    "links": {"record": "https://www.webofscience.com/api/gateway?KeyUT=1"},
    "identifiers": {"doi": "10.1000/hv.1", "issn": "0145-2134", "pmid": "38773000"},
}
FULL = {
    "UID": "WOS:000267144200002",
    "static_data": {
        "summary": {
            "names": {
                "name": [
                    {"role": "author", "last_name": "Doe", "first_name": "Ann"},
                    {"role": "researcher_id", "display_name": "nobody"},
                ]
            },
            "titles": {
                "title": [
                    {"type": "source", "content": "CARE JOURNAL"},
                    {"type": "item", "content": "Home visits for families"},
                ]
            },
            "pub_info": {
                "pubyear": 2026,
                "pubmonth": "MAY",
                "sortdate": "2026-05-01",
                "vol": 12,
                "issue": "3",
                "page": {"begin": "20", "end": "29", "content": "20-29"},
            },
            "doctypes": {"doctype": "Article"},
        },
        "fullrecord_metadata": {
            "abstracts": {"abstract": {"abstract_text": {"p": ["They help.", "Somewhat."]}}},
            "languages": {"language": {"type": "primary", "content": "English"}},
        },
    },
    "dynamic_data": {
        "cluster_related": {
            "identifiers": {
                "identifier": [
                    {"type": "doi", "value": "10.1000/hv.1"},
                    {"type": "issn", "value": "0145-2134"},
                    {"type": "pmid", "value": "MEDLINE:38773000"},
                ]
            }
        }
    },
}


def expanded(total: int, records: object) -> dict[str, Any]:
    return {
        "Data": {"Records": {"records": records}},
        "QueryResult": {"QueryID": 1, "RecordsFound": total},
    }


def test_both_interfaces_of_web_of_science_say_the_same_of_an_article() -> None:
    starter = {"metadata": {"total": 1, "page": 1, "limit": 50}, "hits": [HIT]}
    (small,) = parsed("wosstarter", starter).records
    (full,) = parsed("wosexpanded", expanded(1, {"REC": FULL})).records
    for field in ("title", "authors", "year", "published", "container_title", "volume", "issue"):
        assert getattr(small, field) == getattr(full, field), field
    for field in ("pages", "doi", "pmid", "issn", "type", "source_key"):
        assert getattr(small, field) == getattr(full, field), field
    assert small.abstract is None and full.abstract == "They help. Somewhat."
    assert (full.published, full.language) == ("2026-05", "English")


def test_a_single_document_is_read_and_retractions_are_told() -> None:
    (record,) = parsed("wosstarter", {**HIT, "types": ["Article", "Retracted Publication"]}).records
    assert (record.retraction, record.type) == ("retracted", "journal-article")


def test_web_of_science_needs_a_query_and_all_databases_have_no_days() -> None:
    for name in ("wosstarter", "wosexpanded"):
        request = SOURCES[name].request
        assert request
        with pytest.raises(Refused, match="needs a query"):
            request(Query("", (("edition", "SCI"),)), MAY, None)
    starter = SOURCES["wosstarter"].request
    assert starter
    asked = dict(starter(Query("TS=kin", (("db", "WOK"),)), MAY, None).params)
    assert asked["db"] == "WOK" and "modifiedTimeSpan" not in asked


@pytest.mark.parametrize("name", ["wosstarter", "wosexpanded"])
def test_the_key_travels_in_a_header_and_a_wrong_one_is_named(name: str) -> None:
    setting = SOURCES[name].secrets[0]
    with World() as world, making(world, Time(), secrets={setting: "k3y-of-wos"}) as fetcher:
        source = at(name, world.script("/w", reply(b'{"message":"Invalid authentication"}', 401)))
        with pytest.raises(SourceBroken, match="check the source's key"):
            list(pages(fetcher, source, Query("TS=kin"), MAY))
    assert world.seen[0].headers["x-apikey"] == "k3y-of-wos"


# --- GOV.UK
# --------------------------------------------------------------------------------------------------

DOCUMENT = {
    "title": "Keeping families together",
    "link": "/government/publications/keeping-families",
    "description": "An evaluation.",
    "public_timestamp": "2026-05-02T09:30:00.000+01:00",
    "content_id": "0a1b",
    "content_store_document_type": "research",
    "organisations": [{"title": "Department for Education", "acronym": "DfE"}],
    "is_withdrawn": False,
}


def govuk(total: int, *documents: dict[str, Any]) -> dict[str, Any]:
    return {"results": list(documents), "total": total, "start": 0, "suggested_queries": []}


def test_a_document_of_govuk_is_a_report_of_its_departments() -> None:
    (record,) = parsed("govuk", govuk(1, DOCUMENT)).records
    assert record.authors == ("Department for Education",) and record.type == "report"
    assert record.url == "https://www.gov.uk/government/publications/keeping-families"
    assert (record.published, record.source_key) == ("2026-05-02", "0a1b")
    page = {**DOCUMENT, "content_store_document_type": "news_story", "is_withdrawn": True}
    (other,) = parsed("govuk", govuk(1, page)).records
    assert (other.type, other.retraction) == ("web-page", "retracted")


def test_govuk_hands_out_its_filters_and_days_as_its_own_parameters() -> None:
    request = SOURCES["govuk"].request
    assert request
    asked = request(Query("kinship", (("organisations", "ofsted"),)), EVER, None)
    assert ("filter_organisations", "ofsted") in asked.params
    assert not any(name == "filter_public_timestamp" for name, _ in asked.params)


def test_govuks_refusal_of_a_parameter_is_told_in_its_words() -> None:
    with World() as world, making(world, Time()) as fetcher:
        words = {"error": 'Unexpected parameters: "filter_x"'}
        source = at("govuk", world.script("/g", as_json(words, 422)))
        with pytest.raises(SourceBroken, match="Unexpected parameters"):
            list(pages(fetcher, source, Query("kinship"), MAY))
