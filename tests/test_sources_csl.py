"""CSL-JSON: each item a record or a reject, names and dates as they are told, and nothing cut that
looks empty.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from livereview.errors import LivereviewError, SourceBroken
from livereview.records import Record
from livereview.sources import csl

PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads"


def one(**item: Any) -> Record:
    body = json.dumps([{"id": "1", "type": "article-journal", "title": "T", **item}])
    (record,) = csl.parse(body.encode(), None).records
    return record


@pytest.mark.skipif(not PAYLOADS.exists(), reason="the shared data are not here")
def test_the_recorded_file_is_read_as_zotero_reads_it() -> None:
    path = PAYLOADS / "refman_csl" / "zot_CSLJSON_01.json"
    (item,) = json.loads(path.with_name(path.name + ".expected.json").read_text(encoding="utf-8"))
    page = csl.parse(path.read_bytes(), None)
    (record,) = page.records
    assert (record.title, record.type, record.volume, page.rejects) == (
        item["title"],
        "book",
        "2058",
        (),
    )
    assert (
        record.authors == ("Bachar, Mostafa",)
        and record.published == "2013-01-01"
        and record.year == 2013
    )
    assert record.isbn == item["ISBN"].replace("-", "") and record.language == item["language"]


def test_a_list_an_object_and_items_are_the_same() -> None:
    item = {"id": "1", "type": "book", "title": "T"}
    read = [
        csl.parse(json.dumps(shape).encode(), None).records
        for shape in ([item], item, {"items": [item]})
    ]
    assert read[0] == read[1] == read[2] and len(read[0]) == 1
    for empty in (b"[]", b'{"items": []}'):
        assert csl.parse(empty, None).total == 0


@pytest.mark.parametrize(
    ("issued", "iso", "year"),
    [
        ({"date-parts": [["2013", "1", "2"]]}, "2013-01-02", 2013),
        ({"date-parts": [[2013, 1]]}, "2013-01", 2013),
        ({"date-parts": [[2010, 1], [2012]]}, "2010-01", 2010),
        ({"date-parts": [[]]}, None, None),
        ({"date-parts": [[""]]}, None, None),
        ({"date-parts": [[None]]}, None, None),
        ({"raw": "2013-04-05"}, "2013-04-05", 2013),
        ({"raw": "April 2013"}, None, 2013),
        ({"literal": "c. 1999"}, None, 1999),
        ("2001-02", "2001-02", 2001),
        (None, None, None),
    ],
)
def test_dates(issued: object, iso: str | None, year: int | None) -> None:
    assert (one(issued=issued).published, one(issued=issued).year) == (iso, year)


@pytest.mark.parametrize(
    ("author", "said"),
    [
        ({"literal": "WHO"}, "WHO"),
        (
            {"family": "Gogh", "given": "Vincent", "non-dropping-particle": "van"},
            "van Gogh, Vincent",
        ),
        ({"family": "Humboldt", "given": "A.", "dropping-particle": "von"}, "Humboldt, A. von"),
        ({"family": "King", "given": "M.", "suffix": "Jr"}, "King, M., Jr"),
        ({"family": "Plato"}, "Plato"),
        ({"name": "A body"}, "A body"),
    ],
)
def test_names(author: dict[str, str], said: str) -> None:
    assert one(author=[author]).authors == (said,)
    assert one(editor=[author]).authors == (said,)


def test_markup_pages_and_what_zotero_keeps_in_the_note() -> None:
    assert one(title="A <i>b</i> H<sub>2</sub>O &amp; c").title == "A b H2O & c"
    record = one(page="12–19", note="PMID: 123\nPMCID: PMC9\nDOI: 10.5555/n", ISSN=["0001-8708"])
    assert (record.pages, record.pmid, record.pmcid, record.doi) == (
        "12-19",
        "123",
        "PMC9",
        "10.5555/n",
    )
    assert (record.issn, one(URL="https://doi.org/10.5555/u").doi) == ("0001-8708", "10.5555/u")


def test_a_bad_item_harms_no_other() -> None:
    page = csl.parse(
        b'[{"id":1,"type":"book","title":"A"}, 7, {"id":2,"type":"book"}, {"id":3,"title":"B"}]',
        None,
    )
    assert [record.title for record in page.records] == ["A", "B"]
    assert [(reject.where, bool(reject.reason)) for reject in page.rejects] == [
        ("items[1]", True),
        ("items[2]", True),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding: str) -> None:
    body = '[{"id": "1", "type": "book", "title": "Über"}]'.encode(encoding)
    assert csl.parse(body, None).records[0].title == "Über"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b'[{"id": "1", "type": "bo', "breaks off"),
        (b'[{"id": "1", "title": "T"}', "breaks off"),
        (b"TY  - JOUR\n", "use ris"),
        (b"@article{a, title={T}}", "use bibtex"),
        (b"<html>", "web page"),
        (b"{}", "not CSL-JSON's"),
        (b'{"message": {"items": [{"a": 1}]}}', "not CSL-JSON's"),
        (b'[{"a": 1}]', "not CSL-JSON's"),
        (b"[1, 2]", "not CSL-JSON's"),
        (b"[" * 100_000, "CSL-JSON"),
    ],
)
def test_what_is_cut_or_foreign_is_an_error(body: bytes, words: str) -> None:
    with pytest.raises(SourceBroken, match=words):
        csl.parse(body, None)


def test_no_cut_looks_like_fewer_items() -> None:
    body = json.dumps([{"id": n, "type": "book", "title": f"T{n}"} for n in range(4)])
    for cut in range(len(body)):
        with pytest.raises(LivereviewError):
            csl.parse(body[:cut].encode(), None)


def test_an_item_a_line_is_a_list_of_items() -> None:
    body = b'{"id": 1, "title": "A"}\n\n{"id": 2, "title": "B"}\n'
    assert [record.title for record in csl.parse(body, None).records] == ["A", "B"]


def test_a_date_without_its_outer_list_is_one() -> None:
    body = b'[{"title": "A", "issued": {"date-parts": [2019, 5]}}]'
    (record,) = csl.parse(body, None).records
    assert (record.published, record.year) == ("2019-05", 2019)
