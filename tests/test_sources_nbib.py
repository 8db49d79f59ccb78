"""PubMed's .nbib: a record for each PMID (or each OWN of ERIC), with the fields that PubMed's XML
would give.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError, SourceBroken
from livereview.records import Record
from livereview.sources import nbib, tagged

FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads" / "refman_nbib"
RIS = ("asr_pubmed_endnote.txt", "asr_pubmed_zotero.ris")
LINES = (
    *(
        "PMID- 1",
        "PMID-2",
        "OWN - NLM",
        "TI  - A title",
        "      wrapped",
        "AB  - text",
        "FAU - Doe, Jo",
        "AU  - Doe J",
    ),
    *(
        "DP  - 2019 Sep-Oct",
        "PT  - Letter",
        "LID - 10.5555/x [doi]",
        "SO  no tag",
        "",
        "\x00\x1b",
        "TI-",
        "PG  - 1-2",
    ),
)
shared = pytest.mark.skipif(not FOLDER.exists(), reason="the shared data are not here")


def one(*lines: str) -> Record:
    (record,) = nbib.parse(
        "\n".join(["PMID- 35555555", "TI  - Title", *lines]).encode(), None
    ).records
    return record


@settings(max_examples=80, database=None)
@given(st.lists(st.sampled_from(LINES), max_size=30), st.sampled_from(["\n", "\r\n"]))
def test_records_and_rejects_are_as_many_as_the_pmid_lines(lines: list[str], end: str) -> None:
    lines = ["PMID- 9", *lines]
    page = nbib.parse(end.join(lines).encode(), None)
    read = len(page.records) + len(page.rejects)
    without_pmid = read - sum(line.startswith("PMID") for line in lines)
    assert page.total == read
    # an entry without a PMID begins behind a blank line or nowhere
    assert 0 <= without_pmid <= sum(not line for line in lines)


@settings(max_examples=80, database=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    for text in (body, b"PMID- 1\nTI  - " + body):
        try:
            page = nbib.parse(text, None)
        except LivereviewError as error:
            assert error.source == "nbib"
        else:
            assert page.records or page.rejects


@pytest.mark.parametrize(
    ("lines", "iso"),
    [
        (["DP  - 2019 May 3"], "2019-05-03"),
        (["DP  - 2012 Oct"], "2012-10"),
        (["DP  - 2003 Mar-Apr"], "2003"),
        (["DP  - 2009 Spring"], "2009"),
        (["DP  - 2007 Dec-2008 Jan"], "2007"),
        (["DEP - 20200131"], "2020-01-31"),
        (["DP  - 2021", "DEP - 20211227"], "2021"),
        ([], None),
    ],
)
def test_dates_are_as_exact_as_they_are_certain(lines: list[str], iso: str | None) -> None:
    assert (one(*lines).published, one(*lines).year) == (iso, int(iso[:4]) if iso else None)


@pytest.mark.parametrize(
    "line",
    [
        "LID - 10.5555/ABC.1 [doi]",
        "AID - 10.5555/abc.1 [doi]",
        "AID - doi:10.5555/abc.1",
        "SO  - Invented. 2020;1:2. doi:\n      10.5555/abc.1.",
        "LID - S0145(19)1 [pii]\nLID - 10.5555/abc.1 [doi]",
    ],
)
def test_the_doi_is_found_in_each_of_its_places(line: str) -> None:
    assert one(line).doi == "10.5555/abc.1"


def test_full_names_go_before_short_ones_and_groups_keep_their_place() -> None:
    full = one("CN  - A Group", "FAU - Doe, Jo", "AU  - Doe J", "FIR - Investigator, An")
    assert full.authors == ("A Group", "Doe, Jo")
    assert one("AU  - Doe JB", "AU  - et al.").authors == ("Doe, JB",)
    assert one("FED - Editor, Ed").authors == ("Editor, Ed",)
    assert one("FED - Editor, Ed", "CN  - A Group").authors == ("A Group",)


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        (["EIN - J Inv. 2020;1:2", "RIN - J Inv. 2021;1:2"], "retracted"),
        (["ECI - J Inv. 2020;1:2", "EIN - J Inv. 2020;1:2"], "expression-of-concern"),
        (["EIN - J Inv. 2020;1:2"], "corrected"),
        (["PT  - Retracted Publication"], "retracted"),
        (["PT  - Published Erratum", "EFR - J Inv. 2019;1:2"], None),
        (["CIN - J Inv. 2020;1:2"], None),
    ],
)
def test_the_worst_that_happened_to_an_article_is_said(lines: list[str], state: str | None) -> None:
    assert one(*lines).retraction == state


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["Review", "Published Erratum"], "erratum"),
        (["JOURNAL ARTICLE"], "journal-article"),
        (["Preprint"], "preprint"),
        (["Dissertations/Theses - Doctoral Dissertations"], "thesis"),
        (["Collected Works - General", "Books"], "book"),
        (["Biography"], "biography"),
        ([], None),
    ],
)
def test_types_in_the_words_of_pubmed_and_eric(words: list[str], kind: str | None) -> None:
    assert one(*(f"PT  - {word}" for word in words)).type == kind


def test_a_file_that_is_not_nbib_is_named() -> None:
    cases = {
        b"": "empty",
        b"hello": "export it as RIS",
        b"PT J\nTI A\n": "use wos",
        b"%PDF-1.4": "PDF",
    }
    cases |= {b"TY  - JOUR\nPMID- 1\n": "use ris", b"<1. >\nVN  - Ovid Technologies\n": "use ris"}
    cases |= {
        b"PK\x03\x04": "Excel",
        b"Title,Authors\nA,B\n": "use csv",
        b"<PubmedArticleSet>": "use pubmed",
    }
    cases |= {
        b'[{"id": 1}]': "use csl",
        b"<html><body>": "web page",
        b"@article{a,\n": "use bibtex",
    }
    for body, advice in cases.items():
        with pytest.raises(SourceBroken, match=f"this is not a .nbib file: .*{advice}"):
            nbib.parse(body, None)


@shared
def test_every_recorded_file_gives_as_many_as_it_has_records() -> None:
    counted = {}
    for path in sorted(FOLDER.iterdir()):
        if path.name in RIS:
            with pytest.raises(SourceBroken, match="use ris"):
                nbib.parse(path.read_bytes(), None)
        elif path.suffix != ".json":
            body, page = path.read_bytes(), nbib.parse(path.read_bytes(), None)
            marks = re.findall(rb"(?m)^PMID-", body) or re.findall(
                rb"(?m)^(?:OWN - ERIC|PMC -)", body
            )
            assert len(page.records) + len(page.rejects) == len(marks), path.name
            counted[path.name] = len(page.records), len(page.rejects)
    assert counted["mk_medline_test.medline"] == (175, 0)
    assert [name for name, (_, bad) in counted.items() if bad] == [
        "jr_MedlinePlainImporterTestMultiAbstract.txt"
    ]


def test_an_export_that_breaks_off_says_so() -> None:
    whole = "PMID- 1\nTI  - A\nSO  - J Inv. 2020;1:2.\n\nPMID- 2\nTI  - B\nSO  - J Inv. 2020;1:3.\n"
    assert nbib.parse(whole.encode(), None).warnings == ()
    assert nbib.parse(whole[:-30].encode(), None).warnings == (tagged.BROKEN_OFF,)
    assert nbib.parse(b"PMID- 1\nTI  - A\n\nPMID- 2\nTI  - B\n", None).warnings == ()


@shared
def test_the_fields_of_a_large_export_are_there() -> None:
    records = nbib.parse((FOLDER / "mk_medline_test.medline").read_bytes(), None).records
    assert len({record.source_key for record in records}) == 175
    assert all(record.title and record.year in (2015, 2016) for record in records)
    assert all(record.container_title for record in records[:-1]), (
        "the file breaks off in the last record"
    )
    assert sum(record.doi is not None for record in records) == 171
    assert sum(record.abstract is not None for record in records) == 171
    assert all(
        re.fullmatch(r"[^,]+, [^,]+|[^,]+", name) for record in records for name in record.authors
    )
