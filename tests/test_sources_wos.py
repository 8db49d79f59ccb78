"""Web of Science: a record for each PT and for each row, in every form in which it is exported."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError, SourceBroken
from livereview.records import Record
from livereview.sources import tagged, wos

PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads"
HEAD = "PT\tAU\tTI\tSO\tPY\tDI\tUT"
LINES = (
    *(
        "PT J",
        "PT B",
        "AU Doe, J",
        "   Roe, R",
        "TI A title",
        "SO A JOURNAL",
        "PY 2019",
        "PD MAY",
        "UT WOS:000455555",
        "ER",
    ),
    *("EF", "", "VL 4", "AB US families", "FN Clarivate", "\x00\x1b", "DI 10.5555/x", "AUGlued, J"),
)
shared = pytest.mark.skipif(not PAYLOADS.exists(), reason="the shared data are not here")


def one(*lines: str, kind: str = "J") -> Record:
    text = "\n".join(["FN Clarivate", f"PT {kind}", "TI Title", *lines, "ER", "", "EF"])
    (record,) = wos.parse(text.encode(), None).records
    return record


@settings(max_examples=80, database=None)
@given(st.lists(st.sampled_from(LINES), max_size=30), st.sampled_from(["\n", "\r\n", "\r"]))
def test_records_and_rejects_are_as_many_as_the_pt_lines(lines: list[str], end: str) -> None:
    lines = ["PT J", *lines]
    page = wos.parse(end.join(lines).encode(), None)
    read = len(page.records) + len(page.rejects)
    without_pt = read - sum(line.startswith("PT ") for line in lines)
    assert page.total == read
    # an entry that lost its PT begins behind the ER of another
    assert 0 <= without_pt <= sum(line == "ER" for line in lines)


@settings(max_examples=80, database=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    for text in (body, b"PT J\nTI " + body, HEAD.encode() + b"\n" + body):
        try:
            page = wos.parse(text, None)
        except LivereviewError as error:
            assert error.source == "wos"
        else:
            assert len(page.records) + len(page.rejects) == page.total


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize(
    "text", [f"{HEAD}\nJ\tLindqvist, Åsa\tÜber Pflege\tJ INV\t2019\t\tWOS:000455555000001\n"]
)
def test_a_table_is_read_in_the_encodings_in_which_it_is_saved(text: str, encoding: str) -> None:
    (record,) = wos.parse(text.encode(encoding), None).records
    assert (record.title, record.authors, record.year) == ("Über Pflege", ("Lindqvist, Åsa",), 2019)


def test_a_table_without_rows_and_an_export_without_records_are_empty_pages() -> None:
    for body in (HEAD + "\n", "FN Clarivate Analytics Web of Science\nVR 1.0\nEF\n"):
        page = wos.parse(body.encode(), None)
        assert (page.records, page.rejects, page.total) == ((), (), 0)


def test_an_export_that_breaks_off_says_so() -> None:
    whole = "FN Clarivate\nPT J\nTI A title\nER\n\nPT J\nTI Another\nER\n\nEF\n"
    assert wos.parse(whole.encode(), None).warnings == ()
    assert wos.parse(whole[:-10].encode(), None).warnings == (tagged.BROKEN_OFF,)


@pytest.mark.parametrize(
    ("lines", "iso"),
    [
        (["PD DEC 16 2020", "PY 2020"], "2020-12-16"),
        (["PD JUN 14", "PY 2006"], "2006-06-14"),
        (["PD SEP", "PY 2018"], "2018-09"),
        (["PD MAR-APR", "PY 2018"], "2018"),
        (["PD SPR", "PY 2018"], "2018"),
        (["PD 04 2006", "PY 2006"], "2006-04"),
        (["PD 1998, thesis publ. 1997", "PY 1998"], "1998"),
        (["PD 2006 May-Jun", "PY 2006"], "2006"),
        (["EA DEC 2023"], "2023-12"),
        (["PY 2024", "EA DEC 2023"], "2024"),
        ([], None),
    ],
)
def test_dates_are_as_exact_as_they_are_certain(lines: list[str], iso: str | None) -> None:
    assert (one(*lines).published, one(*lines).year) == (iso, int(iso[:4]) if iso else None)


@pytest.mark.parametrize(
    ("lines", "pages"),
    [
        (["BP 12", "EP 19"], "12-19"),
        (["BP 33", "EP 33"], "33"),
        (["BP BRD"], "BRD"),
        (["BP 41103-1", "EP 41103-41103-3", "PS 41103-1-3"], "41103-1-3"),
        (["AR UNSP 1722034"], "1722034"),
        (["AR 104501", "BP 1", "EP 9"], "1-9"),
        ([], None),
    ],
)
def test_pages_in_every_manner(lines: list[str], pages: str | None) -> None:
    assert one(*lines).pages == pages


@pytest.mark.parametrize(
    ("form", "said", "source", "kind"),
    [
        ("J", "Article; Early Access", "J", "journal-article"),
        ("J", "Article; Proceedings Paper", "J", "conference-paper"),
        ("J", "Editorial Material", "J", "editorial"),
        ("J", "Book Review", "J", "book-review"),
        ("J", "Correction, Addition", "J", "erratum"),
        ("J", "Retraction", "J", "retraction-notice"),
        ("J", "Article; Retracted Publication", "J", "journal-article"),
        ("B", "Article; Book Chapter", "A Book", "book-chapter"),
        ("B", "Article", "A Book", "book-chapter"),
        ("B", "Book", "Title", "book"),
        ("B", "", "Title", "book"),
        ("C", "Proceedings Paper", "A Conference", "conference-paper"),
        ("S", "Review", "A Yearbook", "journal-article"),
        ("P", "Patent", "A Gazette", "patent"),
    ],
)
def test_types(form: str, said: str, source: str, kind: str) -> None:
    assert one(f"DT {said}", f"SO {source}", kind=form).type == kind


def test_what_was_retracted_is_marked_and_its_notice_is_not() -> None:
    assert one("DT Article; Retracted Publication").retraction == "retracted"
    assert one("DT Retraction").retraction is None
    assert one("DT Article").retraction is None


def test_the_doi_of_a_book_is_not_that_of_its_chapters() -> None:
    assert one("D2 10.5555/book", "SO A Book", "DT Article; Book Chapter", kind="B").doi is None
    assert one("D2 10.5555/book", "SO Title", "DT Book", kind="B").doi == "10.5555/book"


def test_full_names_are_taken_only_if_they_are_all_there() -> None:
    assert one("AU Doe, J", "   Roe, R", "AF Doe, Jo", "   Roe, Ri").authors == (
        "Doe, Jo",
        "Roe, Ri",
    )
    assert one("AU Doe, J", "   Roe, R", "AF Doe, Jo").authors == ("Doe, J", "Roe, R")
    assert one("AU Doe, J (j.doe@example.org)").authors == ("Doe, J",)
    assert one("BE Editor, E").authors == ("Editor, E",)


@shared
def test_every_recorded_file_gives_as_many_as_it_has_pt_lines() -> None:
    total = 0
    files = [
        *(PAYLOADS / "refman_wos").iterdir(),
        PAYLOADS / "refman_ris" / "rispy_example_wos.ris",
    ]
    for path in sorted(file for file in files if file.suffix != ".json"):
        body = path.read_bytes()
        if path.name == "jr_IsiImporterTestEmpty.isi":
            with pytest.raises(SourceBroken, match="no line starts with PT"):
                wos.parse(body, None)
            continue
        page = wos.parse(body, None)
        assert (len(page.records), page.rejects) == (len(re.findall(rb"(?m)^PT ", body)), ()), (
            path.name
        )
        assert page.warnings == (), path.name
        assert (
            all(record.title and record.year and record.type for record in page.records)
            or "Test2" in path.name
        )
        total += len(page.records)
    assert total == 98
