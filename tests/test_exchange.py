"""Files of other tools: their decisions read, ours written, no formula anywhere."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from livereview.errors import Refused
from livereview.exchange import decisions, sheets, write
from livereview.exchange.decisions import Row
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, Forms, article, found
from tests.test_web_screen import in_force, vote

People = Callable[..., Browser]
FILES = f"/r/{REVIEW}/files"
RAYYAN = (
    'key,title,doi,notes\r\n1,Trial 1 of mentoring,10.1000/trial1,"RAYYAN-INCLUSION: {""Ann Lee""=>""Included"", '
    '""Bo""=>""Excluded""} | RAYYAN-LABELS: pilot,UK | RAYYAN-EXCLUSION-REASONS: wrong population"\r\n'
    "2,Trial 2 of mentoring,,\r\n"
)
RIS = (
    "TY  - JOUR\r\nTI  - Trial 1 of mentoring\r\nDO  - 10.1000/trial1\r\nN1  - mine\r\nN1  - ASReview_relevant\r\n"
    "ER  - \r\n\r\nTY  - JOUR\r\nT1  - Trial 2 of mentoring\r\nN1  - ASReview_irrelevant\r\nER  - \r\n\r\n"
    "TY  - JOUR\r\nTI  - Trial 3\r\nN1  - ASReview_not_seen\r\nER  - \r\n"
)


def test_rayyan_gives_a_row_for_each_person() -> None:
    sheet = decisions.read(RAYYAN.encode(), "articles.csv")
    assert (sheet.kind, sheet.undecided, sheet.problems) == ("Rayyan", 1, ())
    title = ("Trial 1 of mentoring",)
    assert sheet.rows == (
        Row(2, "10.1000/trial1", "include", None, "Ann_Lee", None, None, ("pilot", "UK"), also=title),
        Row(2, "10.1000/trial1", "exclude", None, "Bo", "wrong population", None, ("pilot", "UK"), also=title),
    )  # fmt: skip


def test_lines_above_the_headings_other_words_and_floats_are_read() -> None:
    text = "sep=;\nExport of today\nTitle;DOI;asreview_label\nOne;10.1000/a;1.0\nTwo;;0.0\nThree;;nan\n"
    sheet = decisions.read(text.encode(), "out.csv")
    assert [(row.record, row.verdict, row.also) for row in sheet.rows] == [
        ("10.1000/a", "include", ("One",)),
        ("Two", "exclude", ()),
    ]
    assert sheet.undecided == 1
    own = (
        "record,stage,reviewer,verdict\nx,title_abstract,ann,Include \ny,title_abstract,ann,TRUE\n"
    )
    assert [row.verdict for row in decisions.read(own.encode(), "own.csv").rows] == ["include"] * 2
    wrapped = "TY  - JOUR\nTI  - A long\n title\nN1  - ASReview_relevant\n"
    assert decisions.read(wrapped.encode(), "out.ris").rows[0].record == "A long title"


def test_asreview_in_ris_and_in_tables() -> None:
    ris = decisions.read(RIS.encode(), "out.ris")
    assert [(row.record, row.verdict) for row in ris.rows] == [
        ("10.1000/trial1", "include"),
        ("Trial 2 of mentoring", "exclude"),
    ]
    assert ris.kind == "ASReview" and ris.undecided == 1
    table = "title,doi,asreview_label,asreview_note\nA,,1,good\nB,10.1/b,0,\nC,,-1,\nD,,,\n,,1,\nE,,7,\n"
    sheet = decisions.read(table.encode(), "asreview.csv")
    assert [(row.record, row.verdict, row.note) for row in sheet.rows] == [
        ("A", "include", "good"),
        ("10.1/b", "exclude", None),
    ]
    assert sheet.undecided == 2 and [number for number, _ in sheet.problems] == [6, 7]
    assert (
        "neither DOI nor PMID" in sheet.problems[0][1]
        and "'7' is no answer" in sheet.problems[1][1]
    )


def test_covidence_is_told_by_the_name_of_its_list() -> None:
    table = 'Title,DOI,Covidence #,Study,Notes,Tags\nA,10.1/a,#7,A 2020,"Exclusion reason: Wrong study design; ",x;y\n'
    sheet = decisions.read(table.encode(), "review_1_excluded_csv_2026.csv")
    assert sheet.kind == "Covidence"
    assert sheet.rows == (
        Row(2, "10.1/a", "exclude", reason="Wrong study design", tags=("x", "y"), also=("A",)),
    )
    assert (
        decisions.read(table.encode(), "review_1_included_csv_2026.csv").rows[0].verdict
        == "include"
    )


def test_eppi_reviewer_has_flags() -> None:
    table = "ItemId,Title,I/E/D/S flag\n1,A,I\n2,B,E\n3,C,D\n"
    sheet = decisions.read(table.encode(), "eppi.csv")
    assert sheet.kind == "EPPI-Reviewer" and [row.verdict for row in sheet.rows] == [
        "include",
        "exclude",
    ]


def excel(*rows: list[object]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def test_excel_is_a_table_too() -> None:
    body = excel(["Title", "included"], ["A", 1], ["B", 0.0], [None, None], ["C", None])
    sheet = decisions.read(body, "x.xlsx")
    assert [(row.number, row.verdict) for row in sheet.rows] == [
        (2, "include"),
        (3, "exclude"),
    ] and sheet.undecided == 1


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n", "holds no decisions of a kind that is read"),
        (b"PK\x03\x04cut", "not a whole Excel file"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel"),
        (b'title,included\n"A,1\n', "can't be read as CSV"),
    ],
)
def test_what_is_no_table_of_decisions_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        decisions.read(body, "file.csv")


def test_a_zip_bomb_is_refused_before_it_unpacks() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"0" * 20_000_000)
    with pytest.raises(Refused, match="unpacks to more than 5 MB"):
        sheets.read(out.getvalue(), "bomb.xlsx")


EVIL = [
    "=HYPERLINK(1)",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "  =1",
]


def test_no_text_becomes_a_formula() -> None:
    rows = [{"a": text} for text in EVIL] + [{"a": "-0.23"}, {"a": -0.23}]
    cells = [
        row["a"]
        for row in csv.DictReader(
            io.StringIO(write.as_csv(["a"], rows).decode("utf-8-sig"), newline="")
        )
    ]
    assert all(cell.startswith("'") for cell in cells[:-2]) and cells[-2:] == ["-0.23", "-0.23"]
    body = write.as_xlsx(["a"], rows, NOW)
    kinds = [
        row[0].data_type for row in load_workbook(io.BytesIO(body)).active.iter_rows(min_row=2)
    ]
    assert kinds == ["s"] * (len(EVIL) + 1) + ["n"]
    made = load_workbook(io.BytesIO(body)).properties  # not when the file was written
    assert made.created == made.modified == NOW.replace(tzinfo=None, microsecond=0)
    assert body == write.as_xlsx(["a"], rows, NOW)


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_what_we_write_we_read_again(texts: list[str]) -> None:
    columns = [f"c{n}" for n in range(len(texts))]
    plain = [" ".join(write._BAD.sub("", text).split()) for text in texts]
    rows = [{"id": "x", **dict(zip(columns, plain, strict=True))}]
    for body in (write.as_csv(["id", *columns], rows), write.as_xlsx(["id", *columns], rows, NOW)):
        (line,) = sheets.read(body, "x")
        assert [line.values[column] for column in columns] == plain


def send(lead: Browser, body: bytes, name: str, **fields: str) -> str:
    lead.get(FILES)
    one = next(
        form for form in Forms(lead.page.text).all if str(form["action"]).endswith("/import")
    )
    lead.page = lead.http.post(
        one["action"], data={**one["fields"], **fields}, files={"file": (name, body)}
    )
    return lead.page.text


def test_the_lead_brings_in_what_rayyan_exported(reviewed: Store, browser: People) -> None:
    found(reviewed, article(1), article(2))
    lena = browser("lena", "lead")
    for _ in range(2):
        page = send(lena, RAYYAN.encode(), "articles.csv", stage="title_abstract")
    assert (
        "Read as Rayyan" in page
        and "2 known already" in page
        and "1 rows without an answer" in page
    )
    assert in_force(reviewed) == [
        ("Ann_Lee", "include", None, None),
        ("Bo", "exclude", "wrong-population", None),
    ]
    page = send(
        lena,
        b"title,included\nTrial 9 of nothing,1\n",
        "a.csv",
        stage="title_abstract",
        reviewer="cy",
    )
    assert '<td class="n">2</td>' in page and "no record of review" in page
    assert "holds no decisions" in send(lena, b"a,b\n1,2\n", "b.csv")


def test_everything_can_be_taken_out_and_read_again(reviewed: Store, browser: People) -> None:
    one, _ = found(reviewed, article(1, title="=cmd|' /C calc'!A0"), article(2))
    vote(reviewed, one, "ada", "exclude", reason="wrong-design", note="=1+1")
    vote(reviewed, one, "bo", "include")
    lena = browser("lena", "lead")
    lena.get(FILES)
    body = lena.http.get(f"/r/{REVIEW}/export/csv")
    assert body.headers["content-disposition"] == f'attachment; filename="{REVIEW}-decisions.csv"'
    rows = list(csv.DictReader(io.StringIO(body.content.decode("utf-8-sig"), newline="")))
    assert [(row["reviewer"], row["verdict"]) for row in rows] == [
        ("ada", "exclude"),
        ("bo", "include"),
        ("", ""),
    ]
    assert rows[0]["title"].startswith("'=") and rows[0]["note"] == "'=1+1"
    sheet = decisions.read(lena.http.get(f"/r/{REVIEW}/export/xlsx").content, "x.xlsx")
    assert [(row.reviewer, row.reason) for row in sheet.rows] == [
        ("ada", "wrong-design"),
        ("bo", None),
    ]
    ris = lena.http.get(f"/r/{REVIEW}/export/ris").content
    assert (
        b'RAYYAN-INCLUSION: {"ada"=>"Excluded", "bo"=>"Included"}' in ris
        and ris.count(b"ER  -") == 2
    )
    assert lena.http.get(f"/r/{REVIEW}/export/pdf").status_code == 404
