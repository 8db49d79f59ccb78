"""OpenAlex, Crossref and Europe PMC: laws that hold for every answer, the end of paging, and
recorded payloads.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError, Retry, SourceBroken
from livereview.sources import crossref, europepmc, openalex
from livereview.sources.protocol import Source

PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads"
CASES = Path(__file__).parent / "data" / "sources"
SOURCES = (openalex.SOURCE, crossref.SOURCE, europepmc.SOURCE)
EXAMPLES = {"openalex": "list.json", "crossref": "list.json", "europepmc": "core.json"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
KEYS = {
    "openalex": "id doi title publication_date publication_year ids primary_location authorships biblio type language "
    "abstract_inverted_index is_retracted",
    "crossref": "DOI title subtitle author published issued container-title page ISSN ISBN abstract type subtype URL "
    "resource updated-by update-to language",
    "europepmc": "id source pmid title authorList authorString journalInfo pubYear pubTypeList pubType doi "
    "bookOrReportDetails commentCorrectionList firstPublicationDate",
}


def _envelope(source: Source, items: list[Any], cursor: str | None = "next") -> bytes:
    """A list page of the source around any items."""
    pages = {
        "openalex": {"meta": {"count": 9, "next_cursor": cursor}, "results": items},
        "crossref": {
            "status": "ok",
            "message-type": "work-list",
            "message": {"next-cursor": cursor, "items": items},
        },
        "europepmc": {"hitCount": 9, "nextCursorMark": cursor, "resultList": {"result": items}},
    }
    return json.dumps(pages[source.name]).encode()


def _example(source: Source) -> bytes:
    return (CASES / source.name / EXAMPLES[source.name]).read_bytes()


def _work(source: Source) -> dict[str, Any]:
    return {
        "openalex": {"id": "W1"},
        "crossref": {"DOI": "10.5555/a"},
        "europepmc": {"id": "1", "source": "MED"},
    }[source.name]


by_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)


@by_source
def test_every_item_comes_out_as_a_record_or_a_reject_whatever_its_fields_hold(
    source: Source,
) -> None:
    fields = st.sampled_from(KEYS[source.name].split())
    known = st.sampled_from(
        ["W12", "10.5555/abc", "MED", "12", "2020-02-31", "<b>\ud83d", "10.1/x"]
    )
    items = JSON | st.dictionaries(
        fields, known | JSON | st.dictionaries(st.text(max_size=3), JSON | known, max_size=3)
    )

    @settings(max_examples=60, database=None)
    @given(st.lists(items, max_size=4))
    def check(drawn: list[Any]) -> None:
        drawn.append(_work(source))
        page = source.parse(_envelope(source, drawn), None)
        assert len(page.records) + len(page.rejects) == len(drawn)
        for text in [
            *(reject.raw for reject in page.rejects),
            *(record.title or "" for record in page.records),
        ]:
            text.encode()  # half a character would break the database

    check()


@by_source
def test_a_cut_answer_is_never_read_as_a_shorter_one(source: Source) -> None:
    body = _example(source).strip()
    for length in range(1, len(body), 97):
        with pytest.raises(Retry, match="truncated"):
            source.parse(body[:length], None)


def test_a_cut_xml_answer_is_never_read_as_a_shorter_one() -> None:
    body = (CASES / "europepmc" / "dublin_core.xml").read_bytes().strip()
    for length in range(100, len(body), 97):
        with pytest.raises(Retry, match="truncated"):
            europepmc.parse(body[:length], None)


@by_source
@pytest.mark.parametrize("body", [b"", b"  \n", b"\xef\xbb\xbf"])
def test_an_empty_body_is_to_be_asked_for_again(source: Source, body: bytes) -> None:
    with pytest.raises(Retry, match="empty answer"):
        source.parse(body, None)


@by_source
@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"null",
        b"17",
        b'{"items": []}',
        b'{"results": []}',
        b"{not json at all}",
        b"{} {}",
        b"<a/>",
        b"<a",
    ],
)
def test_what_is_not_the_sources_is_broken_and_never_an_empty_page(
    source: Source, body: bytes
) -> None:
    with pytest.raises(SourceBroken, match=f"this is not {source.title}'s answer"):
        source.parse(body, None)


@by_source
def test_the_few_words_of_a_busy_gateway_are_to_be_asked_for_again(source: Source) -> None:
    with pytest.raises(Retry, match="Service Unavailable"):
        source.parse(b'{"message": "Service Unavailable"}', None)


@pytest.mark.parametrize(
    ("key", "kind"),
    [("I17", "institutions"), ("S17", "journals"), ("types/article", "types"), ("F17", "funders")],
)
def test_other_things_of_openalex_are_named_and_not_read_as_works(key: str, kind: str) -> None:
    item = {"id": f"https://openalex.org/{key}", "display_name": "x"}
    for body in (json.dumps(item).encode(), _envelope(openalex.SOURCE, [item])):
        with pytest.raises(SourceBroken, match=f"OpenAlex sent {kind}"):
            openalex.parse(body, None)


def test_another_programs_list_with_dois_is_not_taken_for_crossrefs() -> None:
    items = [{"itemType": "journalArticle", "title": "A title", "DOI": "10.5555/a"}]
    for data in (items, items[0], {"items": items}):
        with pytest.raises(SourceBroken, match="this is not Crossref's answer"):
            crossref.parse(json.dumps(data).encode(), None)


@by_source
def test_one_source_does_not_read_another_sources_answer(source: Source) -> None:
    for other in SOURCES:
        if other.name != source.name:
            with pytest.raises(SourceBroken, match="this is not"):
                source.parse(_example(other), None)


@by_source
def test_nesting_without_end_is_broken_not_a_crash(source: Source) -> None:
    with pytest.raises(SourceBroken):
        source.parse(b"[" * 50_000 + b"]" * 50_000, None)
    with pytest.raises(SourceBroken):
        source.parse(
            b"<responseWrapper>" + b"<a>" * 5_000 + b"</a>" * 5_000 + b"</responseWrapper>", None
        )


def test_xml_with_entities_of_its_own_is_refused() -> None:
    with pytest.raises(SourceBroken):
        europepmc.parse(
            b'<!DOCTYPE a [<!ENTITY b "c">]><responseWrapper>&b;</responseWrapper>', None
        )


def test_control_characters_do_not_spoil_an_xml_answer() -> None:
    body = (CASES / "europepmc" / "lite_xml.xml").read_bytes().replace(b"Lancet", b"Lan\x0bcet")
    assert europepmc.parse(body, None).records[0].container_title == "Lancet"


@by_source
def test_a_byte_order_mark_and_utf_16_are_read(source: Source) -> None:
    body = _example(source)
    page = source.parse(body, None)
    assert source.parse(b"\xef\xbb\xbf" + body, None) == page
    assert source.parse(body.decode().encode("utf-16"), None) == page


@by_source
def test_an_empty_page_ends_the_search_although_a_cursor_came_with_it(source: Source) -> None:
    assert source.parse(_envelope(source, []), None).next_cursor is None
    assert source.parse(_envelope(source, [_work(source)]), None).next_cursor is not None


@by_source
def test_a_missing_cursor_ends_the_search(source: Source) -> None:
    assert source.parse(_envelope(source, [_work(source)], None), None).next_cursor is None


def test_crossrefs_cursor_which_stays_the_same_gets_the_number_of_its_page() -> None:
    body = _envelope(crossref.SOURCE, [{"DOI": "10.5555/a"}], "DnF1+/==")
    second = crossref.parse(body, None).next_cursor
    third = crossref.parse(body, second).next_cursor
    assert (second, third) == ("2 DnF1+/==", "3 DnF1+/==")


@pytest.mark.parametrize(("sent", "mark"), [("AoII==", "AoII=="), (None, "*")])
def test_europe_pmc_ends_where_the_mark_is_the_one_that_was_sent(
    sent: str | None, mark: str
) -> None:
    body = _envelope(europepmc.SOURCE, [{"id": "1", "source": "MED"}], mark)
    assert europepmc.parse(body, sent).next_cursor is None


@by_source
def test_totals_are_told_where_the_source_tells_them(source: Source) -> None:
    totals = {"openalex": 5, "crossref": 7, "europepmc": 6}
    assert source.parse(_example(source), None).total == totals[source.name]


@pytest.mark.parametrize(
    ("updates", "state"),
    [
        (["correction", "retraction"], "retracted"),
        (["retraction", "correction"], "retracted"),
        (["withdrawal"], "retracted"),
        (["removal"], "retracted"),
        (["partial_retraction"], "retracted"),
        (["corrigendum", "expression_of_concern"], "expression-of-concern"),
        (["addendum"], "corrected"),
        (["new_version", "new_edition"], None),
        ([], None),
    ],
)
def test_crossrefs_most_severe_update_counts(updates: list[str], state: str | None) -> None:
    work = {
        "DOI": "10.5555/a",
        "type": "journal-article",
        "updated-by": [{"type": update} for update in updates],
    }
    notice = {"DOI": "10.5555/n", "type": "journal-article", "update-to": work["updated-by"]}
    article, told = crossref.parse(_envelope(crossref.SOURCE, [work, notice]), None).records
    types = {"retracted": "retraction-notice", "corrected": "erratum", None: "journal-article"}
    assert (article.retraction, article.type) == (state, "journal-article")
    assert (told.retraction, told.type) == (None, types.get(state, state))


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("Retraction in", "retracted"),
        ("Retraction of", None),
        ("Expression of concern in", "expression-of-concern"),
        ("Expression of concern for", None),
        ("Erratum in", "corrected"),
        ("Erratum for", None),
        ("Comment in", None),
    ],
)
def test_europe_pmc_links_say_what_happened_to_this_item(kind: str, state: str | None) -> None:
    item = {
        "id": "1",
        "source": "MED",
        "commentCorrectionList": {"commentCorrection": [{"type": kind}]},
    }
    assert europepmc.parse(_envelope(europepmc.SOURCE, [item]), None).records[0].retraction == state


def test_an_abstract_that_openalex_withholds_is_unknown_and_does_not_stop_the_page() -> None:
    works = [
        {"id": "W1", "abstract_inverted_index": value}
        for value in (None, {}, "text", {"a": None}, {"b": [0]})
    ]
    page = openalex.parse(_envelope(openalex.SOURCE, works), None)
    assert [record.abstract for record in page.records] == [None, None, None, None, "b"]


def test_crossref_abstracts_lose_markup_and_double_escapes() -> None:
    raw = "<jats:title>Abstract</jats:title>\n<jats:sec><jats:title>Aim</jats:title>"
    raw += "<jats:p>A &amp;amp; B, p&amp;lt;0.05\n</jats:p></jats:sec>"
    page = crossref.parse(_envelope(crossref.SOURCE, [{"DOI": "10.5555/a", "abstract": raw}]), None)
    assert page.records[0].abstract == "Aim A & B, p<0.05"


def test_the_same_article_reads_alike_in_europe_pmcs_json_and_xml() -> None:
    left, right = (
        europepmc.parse((CASES / "europepmc" / file).read_bytes(), None)
        for file in ("lite.json", "lite_xml.xml")
    )
    assert left.records == right.records


# --- recorded payloads
# -----------------------------------------------------------------------------------------------


def _payloads() -> list[Path]:
    found = [path for source in SOURCES for path in sorted((PAYLOADS / source.name).glob("*"))]
    return [path for path in found if not path.name.endswith(".meta.json")]


def _count(path: Path) -> int | None:
    """How many publications a payload holds, counted without the code under test.

    None where it holds no works.
    """
    text = path.read_text(encoding="utf-8")
    if path.parent.name == "europepmc" and path.suffix == ".xml":
        return text.count("<result>") + text.count("<rdf:Description ") or None
    if (
        path.suffix != ".json"
        or text[0] not in "{["
        or re.search(r"\.[45]\d\d\.|_out\.json$", path.name)
    ):
        return None
    data = json.loads(text)
    if path.parent.name == "europepmc":
        return len(data["resultList"]["result"]) if "resultList" in data else None
    if path.parent.name == "openalex":
        return (
            len(data["results"])
            if "results" in data
            else 1
            if {"id", "open_access"} & data.keys()
            else None
        )
    if data.get("message-type", "work-list") not in ("work", "work-list"):
        return None
    message = data.get("message", data)
    return len(message["items"]) if "items" in message else 1


def _source(path: Path) -> Source:
    return next(source for source in SOURCES if source.name == path.parent.name)


shared = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason=f"needs the recorded payloads in {PAYLOADS}"
)


@shared
@pytest.mark.parametrize("path", _payloads(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_recorded_payload_gives_all_its_records_or_a_clear_error(path: Path) -> None:
    expected = _count(path)
    if expected is None:
        with pytest.raises(LivereviewError) as failure:
            _source(path).parse(path.read_bytes(), None)
        assert isinstance(failure.value, Retry | SourceBroken) and len(failure.value.message) > 20
        return
    page = _source(path).parse(path.read_bytes(), None)
    assert (len(page.records), len(page.rejects)) == (expected, 0)
    assert len({record.source_key for record in page.records}) == expected


@shared
def test_recorded_crossref_works_keep_their_own_doi_and_date() -> None:
    for path in sorted((PAYLOADS / "crossref").glob("*.json")):
        if not path.name.endswith(".meta.json") and _count(path):
            message = (data := json.loads(path.read_text(encoding="utf-8"))).get("message", data)
            works = message.get("items", [message])
            records = crossref.parse(path.read_bytes(), None).records
            assert [record.source_key for record in records] == [
                work["DOI"].lower() for work in works
            ]
            dates = [work.get("published") or work.get("issued") or {} for work in works]
            years = [next(iter((date.get("date-parts") or [[]])[0]), None) for date in dates]
            assert [record.year for record in records] == years


@shared
def test_europe_pmcs_formats_agree_on_the_same_search() -> None:
    files = (
        "search_cancer.json",
        "search_cancer.xml",
        "search_cancer_core.json",
        "search_cancer_dc.xml",
    )
    pages = [europepmc.parse((PAYLOADS / "europepmc" / file).read_bytes(), None) for file in files]
    told = [
        [
            (r.source_key, r.title, r.doi, r.pmcid, r.year, r.volume, r.pages, r.issn)
            for r in page.records
        ]
        for page in pages
    ]
    assert told[0] == told[1] == told[2]
    assert [(key, title, doi, pmcid) for key, title, doi, pmcid, *_ in told[3]] == [
        item[:4] for item in told[0]
    ]
    plain_authors = [replace(record, authors=()) for record in pages[0].records]
    assert plain_authors == [replace(record, authors=()) for record in pages[1].records]
