"""OSF: what is asked for, the end of paging, whose name and DOI is meant, and recorded payloads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError, Refused, SourceBroken
from livereview.records import Record
from livereview.sources.osf import SOURCE, parse, request
from livereview.sources.protocol import Query, Window

PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads" / "osf"
MAY = Window(datetime(2026, 5, 1, 2, tzinfo=UTC), datetime(2026, 5, 31, 2, tzinfo=UTC))
EVER = Window(None, MAY.end)
recorded = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the project"
)


def page_of(items: list[Any], following: str | None = None) -> bytes:
    address = (
        f"https://api.osf.io/v2/preprints/?page={following}&embed=contributors"
        if following
        else None
    )
    return json.dumps({"data": items, "links": {"next": address, "meta": {"total": 9}}}).encode()


def preprint(**attributes: Any) -> dict[str, Any]:
    return {"id": "ab3de", "type": "preprints", "attributes": {"title": "Care", **attributes}}


def read(item: dict[str, Any]) -> Record:
    (record,) = parse(page_of([item]), None).records
    return record


def test_a_search_asks_for_every_preprint_of_both_its_first_and_its_last_day() -> None:
    asked = request(Query("these words are not applied"), MAY, None)
    assert asked.url == "https://api.osf.io/v2/preprints/"
    assert asked.params == (
        ("filter[provider]", "socarxiv"),
        ("filter[date_modified][gte]", "2026-05-01"),
        ("filter[date_modified][lt]", "2026-06-01"),
        ("embed", "contributors"),
        ("page[size]", "100"),
        ("page", "1"),
    )


def test_a_protocol_may_choose_the_server_the_date_and_what_is_read() -> None:
    asked = dict(
        request(
            Query(filters=(("provider", "psyarxiv"), ("window", "date_created"))), MAY, "4"
        ).params
    )
    assert (asked["filter[provider]"], asked["filter[date_created][gte]"], asked["page"]) == (
        "psyarxiv",
        "2026-05-01",
        "4",
    )
    plans = request(Query(filters=(("kind", "registrations"), ("title", "mentoring"))), EVER, None)
    assert plans.url == "https://api.osf.io/v2/registrations/"
    assert plans.params[0] == ("filter[title]", "mentoring") and "2026" not in str(plans.params)
    with pytest.raises(Refused, match="preprints, registrations, nodes"):
        request(Query(filters=(("kind", "files"),)), EVER, None)


def test_the_token_is_a_secret_header_and_a_hundred_requests_an_hour_are_kept() -> None:
    assert request(Query(), EVER, None).secrets == (
        ("header:Authorization", "LIVEREVIEW_OSF_TOKEN"),
    )
    assert SOURCE.secrets == ("LIVEREVIEW_OSF_TOKEN",) and SOURCE.interval * 100 >= 3_600


def test_paging_follows_the_links_and_ends_with_them() -> None:
    assert parse(page_of([preprint()], "2"), None).next_cursor == "2"
    assert parse(page_of([preprint()], "3"), "2").next_cursor == "3"
    for following, cursor in ((None, "3"), ("3", "3"), ("1", None), ("x", None)):
        assert parse(page_of([preprint()], following), cursor).next_cursor is None
    assert parse(page_of([], "4"), "3").next_cursor is None
    with pytest.raises(SourceBroken):
        parse(b'{"total": 0, "offset": 0, "data": []}', None)


def test_all_versions_of_a_preprint_are_one_item() -> None:
    assert {
        read({**preprint(), "id": name}).source_key for name in ("ab3de", "ab3de_v1", "ab3de_v12")
    } == {"ab3de"}
    assert read({**preprint(), "id": "cd_vx"}).source_key == "cd_vx"


def test_the_doi_of_the_article_it_became_is_not_the_preprints() -> None:
    assert read(preprint(doi="10.1016/j.x.2027.1")).doi is None
    assert read(preprint(doi="10.31235/osf.io/AB3DE")).doi == "10.31235/osf.io/ab3de"
    own = {
        **preprint(doi="10.1016/j.x.2027.1"),
        "links": {"preprint_doi": "https://doi.org/10.31235/osf.io/ab3de"},
    }
    assert read(own).doi == "10.31235/osf.io/ab3de"


def contributor(said: dict[str, Any], **user: Any) -> dict[str, Any]:
    return {"type": "contributors", "attributes": said, "embeds": {"users": user}}


def test_authors_are_the_embedded_contributors_who_count_as_authors() -> None:
    known = {
        "data": {
            "attributes": {
                "full_name": "Ines M. Prado",
                "family_name": "Prado",
                "given_name": "Ines",
            }
        }
    }
    people = [
        contributor({"bibliographic": True}, **known),
        contributor({"bibliographic": False}, data={"attributes": {"full_name": "Only Helper"}}),
        contributor(
            {"unregistered_contributor": "Nila Ray"}, data={"attributes": {"full_name": "N. R."}}
        ),
        contributor({}, errors=[{"meta": {"full_name": "Gone Person"}}]),
        contributor({}),
    ]
    for name in ("contributors", "bibliographic_contributors"):
        item = {**preprint(), "embeds": {name: {"data": people}}}
        assert read(item).authors == ("Prado, Ines", "Nila Ray", "Gone Person")
    assert read(preprint()).authors == ()


@pytest.mark.parametrize("gone", [{"date_withdrawn": "2026-05-02T00:00:00"}, {"withdrawn": True}])
def test_what_was_withdrawn_is_marked(gone: dict[str, Any]) -> None:
    assert read(preprint(**gone)).retraction == "retracted"
    assert read(preprint(date_withdrawn=None, withdrawn=False)).retraction is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
ALL = "id type attributes relationships links embeds title doi description contributors data provider date_published"
FIELDS = st.sampled_from(ALL.split())


@settings(max_examples=60, database=None)
@given(
    st.lists(
        JSON | st.dictionaries(FIELDS, JSON | st.dictionaries(FIELDS, JSON, max_size=3)), max_size=4
    )
)
def test_every_item_comes_out_as_a_record_or_a_reject(items: list[Any]) -> None:
    spoiled = [{**preprint(), **item} if isinstance(item, dict) else item for item in items]
    page = parse(page_of([*spoiled, preprint()]), None)
    assert len(page.records) + len(page.rejects) == len(items) + 1


@settings(max_examples=60, database=None)
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_other_body_is_an_error_that_names_its_source(body: bytes) -> None:
    with pytest.raises(LivereviewError) as failure:
        parse(body, None)
    assert failure.value.source == "osf"


@recorded
def test_each_recorded_preprint_project_and_registration_is_a_record() -> None:
    read_in_all = 0
    for path in sorted(PAYLOADS.glob("*.json")):
        raw = json.loads(path.read_text())
        items = raw.get("results", raw.get("data"))
        items = items if isinstance(items, list) else [items]
        if ".meta." in path.name or "ls-files" in path.name or "errors" in raw:
            continue
        page = parse(path.read_bytes(), None)
        assert len(page.records) == len(items) and not page.rejects, path.name
        for record, item in zip(page.records, items, strict=True):
            key = item["url"].strip("/") if "url" in item else item["id"].partition("_v")[0]
            assert record.source_key == key and record.title and record.published and record.type
        following = (raw.get("links") or {}).get("next")
        assert (page.next_cursor is None) == (following is None), path.name
        read_in_all += len(items)
    assert read_in_all == 68


@recorded
def test_lists_of_files_and_refusals_are_no_answer() -> None:
    files = sorted(path for path in PAYLOADS.glob("ls-files*.json") if ".meta." not in path.name)
    assert len(files) == 9
    for path in files:
        with pytest.raises(SourceBroken, match="sent files, not preprints"):
            parse(path.read_bytes(), None)
    with pytest.raises(SourceBroken, match="must be deleted prior"):
        parse((PAYLOADS / "delete-p1-error.00.400.json").read_bytes(), None)
