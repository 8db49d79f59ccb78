"""The dialects of RIS: every marked entry is read.

And what another program reads in the same files of all formats.
"""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError
from livereview.records import Record
from livereview.sources import ris

PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads"
shared = pytest.mark.skipif(not PAYLOADS.exists(), reason="the shared data are not here")
STARTS = (
    b"<1>\nUnique Identifier\n  ",
    b"<1. >\nVN  - Ovid\nTI  - ",
    b"RT Journal\nA1 A\nT1 ",
    b"%0 Book\n%T ",
)
PARTS = (
    "<2>",
    "<2. >",
    "RT Book",
    "A1 Doe,Jo",
    "%0 Book",
    "%A Doe, J",
    "%T A",
    "TI  - A",
    "SO  - A. 4(2):1-2, 2019",
)
PARTS += (
    "Title",
    "  A title",
    "",
    "____________________",
    "ProQuest document ID: 7",
    "VN  - Ovid",
    "Source",
    "T1 B",
)


def one(text: str) -> Record:
    (record,) = ris.parse(text.encode(), None).records
    return record


def ovid(*lines: str) -> Record:
    return one("\n".join(["<1. >", "VN  - Ovid Technologies", "TI  - Title", *lines, ""]))


@settings(max_examples=100, database=None)
@given(
    st.sampled_from(STARTS), st.lists(st.sampled_from(PARTS), max_size=20), st.binary(max_size=100)
)
def test_no_mixture_breaks_the_reader(start: bytes, parts: list[str], noise: bytes) -> None:
    try:
        page = ris.parse(start + "\n".join(parts).encode() + b"\n" + noise, None)
    except LivereviewError as error:
        assert error.source == "ris"
    else:
        assert len(page.records) + len(page.rejects) == page.total != 0
        assert all(record.source_key for record in page.records)


@pytest.mark.parametrize(
    ("sentence", "place"),
    [
        ("J Inv. 37(12):1001-1010, 2019 Apr 20.", ("J Inv", "37", "12", "1001-1010", "2019-04-20")),
        ("J Inv. 37:1001-1010, 2019.", ("J Inv", "37", None, "1001-1010", "2019")),
        ("J Inv. 350:h1234, 2015 Mar 1.", ("J Inv", "350", None, "h1234", "2015-03-01")),
        ("J Inv. Vol.43(5), Sep 2015, pp. 623-634.", ("J Inv", "43", "5", "623-634", "2015-09")),
        ("J Inv. Vol 28(2) April 2015, 103-106.", ("J Inv", "28", "2", "103-106", "2015-04")),
        (
            "J Inv. Vol.75(2-A(E)),2014, pp. No Pagination Specified.",
            ("J Inv", "75", "2-A(E)", None, "2014"),
        ),
        ("J Inv June 2015;58(6):688-696", ("J Inv", "58", "6", "688-696", "2015-06")),
        (
            "Mayo J Inv. 34 (3) (pp 150-160), 2010. Date of Publication: March 2010.",
            ("Mayo J Inv", "34", "3", "150-160", "2010-03"),
        ),
        ("J Inv 12, Winter 2007: 7-14.", ("J Inv", None, None, "7-14", "2007")),
        ("J Inv, 2013(1): 3-28.", ("J Inv", "2013", "1", "3-28", "2013")),
        ("J Inv. 2007 15 June; 433-441.", ("J Inv", None, None, "433-441", "2007-06-15")),
        (
            "J Inv (Clinical ed.). 28(2):103-106, April-May 2015.",
            ("J Inv (Clinical ed.)", "28", "2", "103-106", "2015"),
        ),
        ("J Inv. ", ("J Inv", None, None, None, None)),
    ],
)
def test_the_sentence_of_a_source_in_the_manner_of_each_database(
    sentence: str, place: tuple[str | None, ...]
) -> None:
    record = ovid(f"SO  - {sentence}")
    assert (
        record.container_title,
        record.volume,
        record.issue,
        record.pages,
        record.published,
    ) == place


def test_fields_of_their_own_go_before_the_sentence() -> None:
    record = ovid(
        "SO  - Other. 1(2):3-4, 1999.",
        "JN  - J Inv",
        "VO  - 5",
        "IP  - 6",
        "PG  - 7-8",
        "YR  - 2001",
    )
    assert (record.container_title, record.volume, record.issue, record.pages) == (
        "J Inv",
        "5",
        "6",
        "7-8",
    )
    assert record.year == 2001


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("AU  - Ray, Rafael Y. MD, MPH 1", ("Ray, Rafael Y.",)),
        ("AU  - Bunk, Sandra Schmidt RN; PhD; FAAN 1", ("Bunk, Sandra Schmidt",)),
        ("AU  - Vermeer, Jan MD *;  van Vugt, Arie MD, PhD +", ("Vermeer, Jan", "van Vugt, Arie")),
        ("AU  - AHMED, Mughees.", ("AHMED, Mughees",)),
        ("AU  - Smith JA", ("Smith, JA",)),
        (
            "AU  - Ma, Yo-Yo\nAU  - Benz, George W [E-mail: b@example.org]",
            ("Ma, Yo-Yo", "Benz, George W"),
        ),
        ("ED  - McGar, John W.;  Elsh, Hany M.", ("McGar, John W.", "Elsh, Hany M.")),
        ("ED  - 20200131", ()),
    ],
)
def test_names_lose_degrees_and_marks_and_nothing_else(
    written: str, names: tuple[str, ...]
) -> None:
    assert ovid(written).authors == names


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("A title. [References].", "A title."),
        ('"Quoted".  [Article]', "Quoted"),
        ("A [bracketed] title", "A [bracketed] title"),
        ("A title [Retracted article]", "A title [Retracted article]"),
    ],
)
def test_a_title_loses_the_kind_of_article_behind_it(written: str, title: str) -> None:
    assert one(f"<1. >\nVN  - Ovid\nTI  - {written}\n").title == title


def test_a_line_of_an_abstract_that_looks_like_a_tag_stays_in_it() -> None:
    assert (
        ovid("AB  - In the year of", "COVID-19 care changed.").abstract
        == "In the year of COVID-19 care changed."
    )
    cochrane = one(
        "Record #1 of 1\nID: CN-02055555\nTI: A\nAB: First.\nAIM: the second.\nYR: 2019\n"
    )
    assert (cochrane.abstract, cochrane.year) == ("First. AIM: the second.", 2019)
    assert one("RT Journal\nT1 A\nAB Families\nUS and UK\nYR 2019").abstract == "Families US and UK"
    assert (
        one("%0 Book\n%T A\n%X Half of them:\n50% were young").abstract
        == "Half of them: 50% were young"
    )


def test_marks_that_were_taken_out_are_not_needed() -> None:
    tagged = "VN  - Ovid Technologies\nTI  - {}\n\n"
    labels = "Score\n  *****\nAccession Number\n  7.\nTitle\n  {}\n\n"
    for text in (tagged, labels):
        page = ris.parse((text.format("One") + text.format("Two")).encode(), None)
        assert [record.title for record in page.records] == ["One", "Two"]


# --- what is in the recorded files
# ---------------------------------------------------------------------------------

MARKED = [  # folder, files, what marks an entry
    ("refman_ovid", "*.txt", rb"(?m)^\s?<\d+\.? ?>\s*$"),
    ("refman_refworks", "*.txt", rb"(?m)^RT "),
    ("refman_endnote", "*.enw", rb"(?m)^%T "),
    ("refman_endnote", "*.ref", rb"(?m)^%T "),
    ("refman_endnote", "*.txt", rb"(?m)^%T "),
    ("refman_other", "*Nep*.txt", rb"(?m)^URL:"),
    ("refman_other", "*.testtxt", rb"(?m)^Document \d+ of \d+"),
]
# an entry of which only a number of pages is known
NOTHING_TO_KEEP = {"jr_OvidImporterTest1.txt": 1}


@shared
@pytest.mark.parametrize(("folder", "pattern", "mark"), MARKED)
def test_every_marked_entry_is_read(folder: str, pattern: str, mark: bytes) -> None:
    files = sorted((PAYLOADS / folder).glob(pattern))
    assert files
    for path in files:
        body, page = path.read_bytes(), ris.parse(path.read_bytes(), None)
        many = len(re.findall(mark, body) or re.findall(rb"(?m)^Accession Number", body))
        assert len(page.records) + len(page.rejects) == many, path.name
        assert len(page.rejects) == NOTHING_TO_KEEP.get(path.name, 0), path.name


READ = [  # folder, files, source: all files beside which another program's reading lies
    ("refman_ris", "zot*.ris", "ris"),
    ("refman_ovid", "zot*.txt", "ris"),
    ("refman_refworks", "zot*.txt", "ris"),
    ("refman_endnote", "zot*.enw", "ris"),
    ("refman_nbib", "zot*.nbib", "nbib"),
    ("refman_wos", "zot*.txt", "wos"),
]
DIFFERENT = {  # (file, number of the item, field): why ours is another
    (
        "zot_RIS_04.ris",
        0,
        "issue",
    ): "M1 is a number of any kind; of this one, 9999, nobody can tell which",
    (
        "zot_OVIDTagged_02.txt",
        0,
        "journal",
    ): "the volume behind the name of the journal is no part of it",
}
# entries without title and id
REJECTED = {("zot_RIS_05.ris", 22), ("zot_RIS_05.ris", 23), ("zot_RIS_10.ris", 1)}
# "Volume ID" and "Edition" stand for values: only the titles tell something
PLACEHOLDERS = "zot_RIS_05.ris"
CASES = [
    (path, source)
    for folder, files, source in READ
    for path in sorted((PAYLOADS / folder).glob(files))
]


def _bare(text: str | None) -> str:
    return re.sub(r"[\s.,\"]+", " ", text or "").casefold().strip()


def _whole(pages: str | None) -> str | None:
    """ "6913-7" written out, as the other program does."""
    found = re.fullmatch(r"(\d+)-(\d+)", pages or "")
    return (
        f"{found[1]}-{found[1][: max(0, len(found[1]) - len(found[2]))]}{found[2]}"
        if found
        else pages
    )


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()


def _said(item: dict[str, Any]) -> dict[str, Any]:
    people = [one for one in item["creators"] if one["creatorType"] not in ("editor", "translator")]
    year = re.search(r"\b[12]\d{3}\b", item.get("date") or item.get("issueDate") or "")
    return {
        "title": _bare(_title(item)),
        "year": int(year.group()) if year else None,
        "doi": item.get("DOI", "").lower(),
        "journal": _bare(item.get("publicationTitle") or item.get("bookTitle")),
        "pages": item.get("pages"),
        "volume": item.get("volume"),
        "issue": item.get("issue"),
        "authors": [
            _letters(f"{one['lastName']}{one.get('firstName') or ''}")
            for one in people or item["creators"]
        ],
    }


def _title(item: dict[str, Any]) -> str | None:
    found = (item.get(name) for name in ("title", "caseName", "subject", "nameOfAct"))
    return next(filter(None, found), None)


def _ours(record: Record) -> dict[str, Any]:
    return {
        "title": _bare(record.title),
        "year": record.year,
        "doi": record.doi,
        "journal": _bare(record.container_title),
        "pages": _whole(record.pages),
        "volume": record.volume,
        "issue": record.issue,
        "authors": [_letters(name) for name in record.authors],
    }


@shared
@pytest.mark.parametrize(("path", "source"), CASES, ids=lambda value: getattr(value, "name", value))
def test_another_program_reads_the_same_in_the_same_file(path: Path, source: str) -> None:
    page = import_module(f"livereview.sources.{source}").parse(path.read_bytes(), None)
    items = json.loads(Path(f"{path}.expected.json").read_text(encoding="utf-8"))
    kept = [item for number, item in enumerate(items) if (path.name, number) not in REJECTED]
    assert len(items) - len(kept) == len(page.rejects)
    for number, (record, item) in enumerate(zip(page.records, kept, strict=True)):
        ours = _ours(record)
        theirs = {"title": _said(item)["title"]} if path.name == PLACEHOLDERS else _said(item)
        differing = {name for name, value in theirs.items() if value and ours[name] != value}
        assert {(path.name, number, name) for name in differing} <= DIFFERENT.keys(), (ours, theirs)


@shared
def test_every_listed_difference_is_still_one() -> None:
    for name, number, field in DIFFERENT:
        path = next(path for path, _ in CASES if path.name == name)
        items = json.loads(Path(f"{path}.expected.json").read_text(encoding="utf-8"))
        record = ris.parse(path.read_bytes(), None).records[number]
        assert _ours(record)[field] != _said(items[number])[field]
