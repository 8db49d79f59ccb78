"""RIS: as many records and rejects as TY lines, whatever a database or a person did to the file."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import SourceBroken
from livereview.records import Record
from livereview.sources import ris

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
FOREIGN = ("jr_RisImporterCorrupted.ris", "rispy_example_wos.ris")
EXPORTS = {
    "yhr_cinahl_07062023.ris.gz": 429,
    "yhr_cochrane_central_07062023.ris.gz": 234,
    "yhr_criminal_justice_abstracts_08062023.ris.gz": 131,
    "yhr_embase_08062023.ris.gz": 933,
    "yhr_eric_08062023.RIS.gz": 304,
    "yhr_medline_08062023.ris.gz": 959,
    "yhr_social_services_abstracts_08062023.RIS.gz": 538,
    "yhr_sociological_abstracts_07062023.RIS.gz": 327,
    "yhr_violence_abuse_abstracts_08062023.ris.gz": 17,
}
LINES = """TY  - JOUR|TY  -|ER  - |ER  -|TI  - A title|T1  - Another|AU  - Doe, J|N2  - text|ID  - 7|DB  - Embase
ID  - 12345|12.||a wrapped line|DO  - 10.5555/x|KW  - *x|PY  - ///|Y1  - 2022/13/45|SP  - |\ufeff|Record #1 of 2
C1  - stray|\x00\x1b|TY - JOUR""".replace("\n", "|").split("|")
shared = pytest.mark.skipif(not DATA.exists(), reason="the shared data are not here")


def one(*lines: str) -> Record:
    (record,) = ris.parse(
        "\n".join(["TY  - JOUR", "TI  - Title", *lines, "ER  - "]).encode(), None
    ).records
    return record


def starts(body: bytes) -> int:
    return len(re.findall(rb"(?m)^(?:\xef\xbb\xbf)?\s*TY {1,2}-", body))


@settings(max_examples=80, database=None)
@given(st.lists(st.sampled_from(LINES), max_size=30), st.sampled_from(["\n", "\r\n", "\r"]))
def test_records_and_rejects_are_the_ty_lines_and_what_stands_outside(
    lines: list[str], end: str
) -> None:
    lines = ["TY  - JOUR", *lines]
    page = ris.parse(end.join(lines).encode(), None)
    outside = sum("outside" in reject.reason for reject in page.rejects)
    assert (
        len(page.records) + len(page.rejects) - outside
        == sum(line.startswith("TY") for line in lines)
        == page.total
    )
    for record in page.records:
        assert record.source_key and (record.title or record.doi or record.source_key)


def test_a_file_without_ty_is_no_ris_file() -> None:
    for body in (
        b"",
        b"hello",
        b"\x1f\x8b\x08junk",
        b"PMID- 1\nTI  - A\n",
        b"\x89PNG\r\n\x00\x00",
        b"TYPE - 1\n",
    ):
        with pytest.raises(SourceBroken, match="this is not a RIS file: no line starts with TY"):
            ris.parse(body, None)


def test_one_bad_entry_harms_no_other() -> None:
    good = "TY  - JOUR\nTI  - Title {}\nER  - \n"
    body = good.format(1) + "TY  - JOUR\nN1  - nothing\nER  - \n" + good.format(2)
    page = ris.parse(body.encode(), None)
    assert [record.title for record in page.records] == ["Title 1", "Title 2"]
    (bad,) = page.rejects
    assert (bad.reason, bad.where, bad.raw) == (
        "no title and no id",
        "line 4",
        "TY  - JOUR\nN1  - nothing",
    )


def test_the_same_number_in_two_databases_is_two_items() -> None:
    keys = [
        one(f"DB  - {name}", "ID  - 2021043707").source_key
        for name in ("Embase", "Embase Preprint", "PsycINFO")
    ]
    assert keys == ["embase:2021043707", "embase:2021043707", "psycinfo:2021043707"]


def test_a_persons_own_label_is_no_id() -> None:
    assert one("ID  - smith2019", "DO  - 10.5555/a").source_key == "10.5555/a"
    assert one("ID  - 12345").source_key.startswith("hash:")


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        (["AN  - WOS:000440314900007"], "WOS:000440314900007"),
        (
            ["UR  - https://www.scopus.com/inward/record.uri?eid=2-s2.0-85123&doi=10.1%2fx"],
            "2-s2.0-85123",
        ),
        (
            ["UR  - https://search.proquest.com/docview/2214991469?accountid=1"],
            "proquest:2214991469",
        ),
        (
            ["UR  - https://www.proquest.com/scholarly-journals/a-title/docview/77/se-2?x=1"],
            "proquest:77",
        ),
        (["N1  - Accession Number: 154817612; x", "DB  - i3h"], "i3h:154817612"),
        (["ID  - 2020-55555-005"], "2020-55555-005"),
        (["PMID  - 33355555"], "medline:33355555"),
    ],
)
def test_ids_are_found_where_databases_put_them(lines: list[str], key: str) -> None:
    assert one(*lines).source_key == key


@pytest.mark.parametrize(
    ("lines", "iso"),
    [
        (["Y1  - 2022/09//"], "2022-09"),
        (["Y1  - 2022//"], "2022"),
        (["PY  - 2019/08/23"], "2019-08-23"),
        (["PY  - 2018/4/25"], "2018-04-25"),
        (["PY  - 2001/00/00/"], "2001"),
        (["Y1  - 2004-05-01", "DA  - May 2004"], "2004-05"),
        (["Y1  - 1992-07-01", "DA  - Jul 1992 - Sep 1992"], "1992"),
        (["DA  - SEP", "PY  - 2018"], "2018-09"),
        (["DA  - SEP 15", "PY  - 2018"], "2018-09-15"),
        (["Y1  - 1900/01/01", "DA  - 1950/01/01"], "1950-01-01"),
        (["DA  - 2020/07//undefined", "PY  - 2020"], "2020-07"),
        (["DA  - 2014/12/12", "PY  - 2015"], "2015"),
        (["PY  - Start date: 20170812"], "2017-08-12"),
        (["PY  - 0000"], None),
        (["PY  - YEAR/MONTH/DAY/"], None),
    ],
)
def test_dates_are_as_exact_as_the_database_is(lines: list[str], iso: str | None) -> None:
    record = one(*lines)
    assert (record.published, record.year) == (iso, int(iso[:4]) if iso else None)


@pytest.mark.parametrize(
    ("lines", "pages"),
    [
        (["SP  - 85", "EP  - 95"], "85-95"),
        (["SP  - 4", "EP  - 4"], "4"),
        (["SP  - 1-22"], "1-22"),
        (["SP  - pp 37-64"], "37-64"),
        (["SP  - 308", "U1  - 308-327"], "308-327"),
        (["U1  - 503-520"], "503-520"),
        (["SP  - ", "EP  - 12"], "12"),
        (["U1  - comment"], None),
    ],
)
def test_pages_in_every_manner(lines: list[str], pages: str | None) -> None:
    assert one(*lines).pages == pages


@pytest.mark.parametrize(
    "line",
    [
        "DO  - https://doi.org/10.5555/ABC",
        "DO  - doi:10.5555/abc",
        "M3  - doi: 10.5555/abc",
        "L3  - 10.5555/abc",
        "N1  - doi: 10.5555/abc",
        "UR  - http://dx.doi.org/10.5555/abc?x=10.1000/other",
    ],
)
def test_a_doi_is_found_where_databases_put_it(line: str) -> None:
    assert one("N1  - We build on 10.5555/cited", line).doi == "10.5555/abc"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Shannon,Claude E.", "Shannon, Claude E."),
        ("Dhingra L.S. ", "Dhingra, L.S."),
        ("Ferguson KM", "Ferguson, KM"),
        ("van der Berg J.", "van der Berg, J."),
        ("Invented Research Centre", "Invented Research Centre"),
        ("WHO", "WHO"),
    ],
)
def test_a_name_gets_its_comma_only_before_initials(written: str, name: str) -> None:
    assert one(f"AU  - {written}").authors == (name,)


def test_values_run_on_over_lines_and_a_less_than_sign_ends_nothing() -> None:
    record = one("AB  - We found x<y", "and p<alpha in", "US - based samples.", "KW  - a")
    assert record.abstract == "We found x<y and p<alpha in US - based samples."


# --- exports of a published review, and other programs' test files
# ---------------------------------------------------


@shared
@pytest.mark.parametrize(("name", "many"), EXPORTS.items())
def test_no_record_of_the_reviews_exports_is_lost(name: str, many: int) -> None:
    body = gzip.decompress((DATA / "youth_homelessness" / name).read_bytes())
    page = ris.parse(body, None)
    assert (len(page.records), page.rejects, starts(body)) == (many, (), many)
    assert all((record.title and record.year) or "embase" in name for record in page.records)
    keys = len({record.source_key for record in page.records})
    assert keys == many - ("medline" in name), "MEDLINE sent one record twice"
    assert not any(record.source_key.startswith("hash:") for record in page.records)


@shared
def test_every_recorded_ris_file_gives_as_many_as_it_has_ty_lines() -> None:
    total = 0
    for path in sorted((DATA / "payloads" / "refman_ris").glob("*.ris")):
        body = path.read_bytes()
        if path.name in FOREIGN:
            with pytest.raises(SourceBroken, match="not a RIS file"):
                ris.parse(body, None)
            continue
        page = ris.parse(body, None)
        assert len(page.records) + len(page.rejects) == starts(body) > 0, path.name
        titles = {(record.title or "").casefold() for record in page.records}
        assert len({record.source_key for record in page.records}) >= len(titles), path.name
        total += len(page.records)
    assert total > 1_100


@shared
@pytest.mark.parametrize(
    ("folder", "pattern", "advice"),
    [
        ("refman_nbib", "*.nbib", "use nbib|export it as RIS"),
        ("refman_wos", "*.txt", "use wos"),
        ("refman_bibtex", "*.bib", "use bibtex"),
        ("refman_csv", "*.csv", "use csv|export it as RIS"),
        ("refman_endnote", "*.xml", "use endnote"),
        ("refman_wos", "*.json", "use csl"),
    ],
)
def test_other_formats_are_no_ris_files_and_the_error_names_them(
    folder: str, pattern: str, advice: str
) -> None:
    for path in sorted((DATA / "payloads" / folder).glob(pattern)):
        with pytest.raises(
            SourceBroken, match=f"this is not a RIS file: no line starts with TY; .*(?:{advice})"
        ):
            ris.parse(path.read_bytes(), None)


def _same(record: Record, item: dict[str, Any]) -> None:
    """Another program's reading of the same entry, where both know the field."""
    assert record.title == " ".join(item["title"].split())
    if "DOI" in item:
        assert record.doi == item["DOI"].lower()
    if re.match(r"[12]\d{3}", item.get("date", "")):
        assert record.year == int(item["date"][:4])
    if item.get("publicationTitle") and item["publicationTitle"] != "Journal Title":
        assert record.container_title == item["publicationTitle"]


@shared
@pytest.mark.parametrize("number", ["02", "04", "06", "07", "08", "09", "12"])
def test_another_programs_expectations_hold(number: str) -> None:
    path = DATA / "payloads" / "refman_ris" / f"zot_RIS_{number}.ris"
    items = json.loads(path.with_suffix(".ris.expected.json").read_text(encoding="utf-8"))
    for record, item in zip(ris.parse(path.read_bytes(), None).records, items, strict=True):
        _same(record, item)


@pytest.mark.parametrize(
    "mark",
    ["TAG\u00a0\u00a0- ", "TAG  – ", "TAG \u2002— ", "  TAG  - ", "\tTAG  - "],
)
def test_tags_are_read_as_word_processors_and_mails_leave_them(mark: str) -> None:
    lines = [
        ("TY", "JOUR"),
        ("TI", "A title"),
        ("AU", "Lee, Ann"),
        ("AB", "In – and on"),
        ("ER", ""),
    ]
    text = "\n".join(mark.replace("TAG", tag) + value for tag, value in lines * 2)
    page = ris.parse(text.encode(), None)
    assert [(one.title, one.authors, one.abstract) for one in page.records] == [
        ("A title", ("Lee, Ann",), "In – and on")
    ] * 2
