"""BibTeX: as many records and rejects as entries, LaTeX as text, names by BibTeX's rules, hostile
files in time.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError, SourceBroken
from livereview.records import Record, clean_doi, clean_isbn
from livereview.sources import bibtex, tagged
from livereview.sources.text import plain

PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads"
shared = pytest.mark.skipif(not PAYLOADS.exists(), reason="the shared data are not here")
GOOD = "@article{g%d, title={Good %d}, year=2020}\n"
TYPES = {
    **{
        "journalArticle": "journal-article",
        "conferencePaper": "conference-paper",
        "bookSection": "book-chapter",
    },
    **{"webpage": "web-page"},
}
# (file, entry, field): what we say instead of what Zotero says, and why
DIFFERENT: dict[tuple[str, int, str], object] = {
    # crossref is resolved: Zotero leaves the chapter without its book and date
    ("zot_BibTeX_03.bib", 0, "published"): "2006-10",
    ("zot_BibTeX_03.bib", 0, "container_title"): "Proceedings of the Xth Conference on XYZ",
    ("zot_BibTeX_03.bib", 1, "container_title"): "Proceedings of the Xth Conference on XYZ",
    # an ISBN whose check digit is wrong is none
    ("zot_BibTeX_04.bib", 0, "isbn"): None,
    # a tilde is a tilde
    (
        "zot_BibTeX_06.bib",
        0,
        "title",
    ): "non-braking space: ; accented characters: ñ and ñ; tilde operator: ~",
    # a DOI in the entry of a chapter is that of the chapter (Zotero has no field for it and puts it
    # in "extra")
    ("zot_BibTeX_13.bib", 0, "doi"): "10.12345/123456",
    # a body is no person, even where no braces say so
    ("zot_BibTeX_18.bib", 0, "authors"): ("Corporation for Digital Scholarship",),
    # Zotero's "℡" is a slip of its table, "D\\écoret" of its macros
    ("zot_BibTeX_19.bib", 0, "title"): "The impossible TEL—book",
    ("zot_BibTeX_19.bib", 0, "authors"): ("Sweıg, Stefan", "Décoret, Xavier"),
    ("zot_BibTeX_19.bib", 0, "container_title"): "Dëad Poeeet Society",
    # an institution is where a report appears
    ("zot_BibTeX_21.bib", 0, "container_title"): "Internet Engineering Task Force",
    # no blank after an apostrophe written as a command
    ("zot_BibTeX_22.bib", 0, "authors"): (
        "Cuturi, Marco",
        "Vert, Jean-philippe",
        "D'aspremont, Alexandre",
    ),
}
INITIALS = {"Wright, K. C.": "Wright, KC"}  # initials as they were typed


def one(*fields: str, kind: str = "article", before: str = "") -> Record:
    body = f"{before}\n@{kind}{{key, title = {{T}}, {', '.join(fields)}}}\n"
    return bibtex.parse(body.encode(), None).records[0]


def wanted(item: dict[str, Any]) -> dict[str, object]:
    """Zotero's item in our fields: markup removed, editors only where there are no authors, one
    hyphen in pages.
    """
    kinds = [creator["creatorType"] == "author" for creator in item["creators"]]
    people = [c for c in item["creators"] if c["creatorType"] == "author" or not any(kinds)]
    joined = [", ".join(filter(None, (c.get("lastName"), c.get("firstName")))) for c in people]
    places = ("publicationTitle", "bookTitle", "proceedingsTitle", "publisher", "university")
    date = item.get("date")
    return {
        "type": TYPES.get(item["itemType"], item["itemType"]),
        "title": plain(item["title"]),
        "authors": tuple(INITIALS.get(text, text) for text in joined),
        "published": date,
        "container_title": plain(next((item[key] for key in places if item.get(key)), None)),
        "volume": item.get("volume"),
        "issue": item.get("issue") or item.get("reportNumber"),
        "pages": re.sub("[–—]", "-", item["pages"]) if item.get("pages") else None,
        "doi": clean_doi(item.get("DOI")),
        "issn": item.get("ISSN"),
        "isbn": clean_isbn(item.get("ISBN")),
        "abstract": item.get("abstractNote"),
        "language": item.get("language"),
        **({"url": item["url"]} if item.get("url") else {}),
    }


@shared
@pytest.mark.parametrize(
    "path", sorted((PAYLOADS / "refman_bibtex").glob("zot_*.bib")), ids=lambda path: path.name
)
def test_each_field_is_as_zotero_has_it(path: Path) -> None:
    expected = json.loads(path.with_name(path.name + ".expected.json").read_text(encoding="utf-8"))
    page = bibtex.parse(path.read_bytes(), None)
    assert (len(page.records), page.rejects) == (len(expected), ())
    for number, (item, record) in enumerate(zip(expected, page.records, strict=True)):
        for field, value in wanted(item).items():
            value = DIFFERENT.get((path.name, number, field), value)
            assert getattr(record, field) == value, (field, number)


@shared
def test_every_recorded_file_gives_as_many_as_it_has_entries() -> None:
    total = 0
    for path in [
        *(PAYLOADS / "refman_bibtex").glob("*.bib"),
        *(PAYLOADS / "refman_other").glob("*.bib"),
    ]:
        body = path.read_bytes()
        said = re.findall(rb"(?mi)^\W*@\s*(?!string|comment|preamble)([a-z]+)\s*[{(]", body)
        page = bibtex.parse(body, None)
        assert (len(page.records), page.rejects) == (len(said), ()), path.name
        total += len(said)
    assert total == COUNTED


COUNTED = 50


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (
            r"{\"U}ber \'{e}t\'e \`a {\c c}a \v{S}koda \H{o} \~n \r{a} \k{e} \=o",
            "Über été à ça Škoda ő ñ å ę ō",
        ),
        (
            r"S{\o}rensen \O re {\ss} {\ae} {\L}\'od\'z {\'\i} {\'{\i}} \aa",
            "Sørensen Øre ß æ Łódź í í å",
        ),
        (
            r"Nested {{braces {in} Title}} \& 5\% \$3 \# a\_b",
            "Nested braces in Title & 5% $3 # a_b",
        ),
        (
            r"\textit{a} \emph{b} {\bf c} \textbf{\textsc{d}} CO$_2$ 10$^{-3}$ $\alpha$",
            "a b c d CO₂ 10⁻³ α",
        ),
        (r"``Q'' a -- b --- c~d e\,f \textless 5 \ldots", "“Q” a – b — c d e f <5 …"),
        (r"$5 to $10 in {\textquoteleft}care{\textquoteright}", "$5 to $10 in ‘care’"),
        (r"\unknown{kept} \{x\}", "kept {x}"),
    ],
)
def test_latex_becomes_text(latex: str, text: str) -> None:
    assert one(f"note = {{x}}, abstract = {{{latex}}}").abstract == text


@pytest.mark.parametrize(
    ("author", "authors"),
    [
        ("Ludwig van Beethoven", ("van Beethoven, Ludwig",)),
        ("van der Berg, Jr, Jan and de la Cruz, Ana", ("van der Berg, Jan, Jr", "de la Cruz, Ana")),
        (
            "{Department for Education and Skills} and Doe, A.",
            ("Department for Education and Skills", "Doe, A."),
        ),
        ("Doe, Ann and others", ("Doe, Ann",)),
        ("{Doe, Ann and Roe, Bob}", ("Doe, Ann", "Roe, Bob")),
        ("Liu F. and Li C.", ("Liu, F.", "Li, C.")),
        ("World Health Organization", ("World Health Organization",)),
        ('Anders {\\AA}str{\\"o}m\n  AND Sandy Anderson', ("Åström, Anders", "Anderson, Sandy")),
        ("Plato", ("Plato",)),
        (
            "{Barnes and Noble} and {The {UN} and Friends}",
            ("Barnes and Noble", "The UN and Friends"),
        ),
    ],
)
def test_names(author: str, authors: tuple[str, ...]) -> None:
    assert one(f"author = {{{author}}}").authors == authors


@pytest.mark.parametrize(
    ("fields", "iso"),
    [
        ("year = 2020, month = mar", "2020-03"),
        ("year = 2020, month = 10 # {~} # mar", "2020-03-10"),
        ("year = {2020}, month = {MAR 1}", "2020-03-01"),
        ("year = 2020, month = {September}", "2020-09"),
        ("year = 2020, month = {Mar--Apr}", "2020"),
        ("year = 2020, month = 7", "2020-07"),
        ("year = {in press}", None),
        ("date = {2021-05-02}", "2021-05-02"),
        ("date = {2021-05/2021-06}", "2021-05"),
        ("year = {c2019a}, month = 99", "2019"),
    ],
)
def test_dates(fields: str, iso: str | None) -> None:
    assert one(fields).published == iso


def test_strings_are_joined_and_found_in_any_case() -> None:
    strings = '@string{JoC = "Journal of " # "Care"}\n@STRING(pre = {The })\n'
    assert (
        one("journal = pre # joc # { \\& Work}", before=strings).container_title
        == "The Journal of Care & Work"
    )


def test_biblatex_fields() -> None:
    record = one(
        "journaltitle = {J}, date = {2020-02}, eprinttype = {arXiv}, eprint = {2001.00001}",
        kind="online",
    )
    assert (record.container_title, record.published, record.type) == ("J", "2020-02", "web-page")
    assert record.url == "https://arxiv.org/abs/2001.00001"
    assert one("eprinttype = {pubmed}, eprint = {12345}").pmid == "12345"
    assert one("subtitle = {Sub}").title == "T: Sub"
    assert one("archiveprefix = {arXiv}, eprint = {2001.1}", kind="misc").type == "preprint"


def test_a_chapter_inherits_from_its_book_but_not_the_books_doi() -> None:
    book = (
        "@book{B, title={Book}, year=2019, isbn={9780262033848}, doi={10.5555/book}, editor={E, E}}"
    )
    page = bibtex.parse(
        f"@inbook{{c, title={{C}}, author={{A, A}}, crossref={{b}}}}\n{book}".encode(), None
    )
    chapter = page.records[0]
    assert (chapter.container_title, chapter.year, chapter.isbn) == ("Book", 2019, "9780262033848")
    assert (chapter.doi, chapter.authors) == (None, ("A, A",))
    loop = b"@inbook{a, title={A}, crossref={b}}\n@inbook{b, title={B}, crossref={a}}"
    assert len(bibtex.parse(loop, None).records) == 2


def test_addresses_are_not_latex() -> None:
    assert one(r"url = {https://x.org/~a/b\_c\%20d\&e}").url == "https://x.org/~a/b_c%20d&e"
    assert one(r"doi = {10.1007/978-3\_1}").doi == "10.1007/978-3_1"


@pytest.mark.parametrize(
    "bad",
    [
        "@article{b, title = {Unclosed\n",
        '@article{b, title = "Unclosed\n',
        "@article{b title is {A}}\n",
        "@article{b, year = 2020}\n",
        "@article{b,\n",
    ],
)
def test_one_bad_entry_harms_no_other(bad: str) -> None:
    page = bibtex.parse((GOOD % (1, 1) + bad + GOOD % (2, 2)).encode(), None)
    assert [record.title for record in page.records] == ["Good 1", "Good 2"]
    (reject,) = page.rejects
    assert reject.where == "line 2" and reject.raw == bad.strip() and reject.reason


def test_what_people_do_to_entries() -> None:
    body = """% @article{old, title={Old}}
@comment{ @article{gone, title={Gone}} }
@Article ( one , Title = {One} year = 2020 , % a remark, with "quotes" {
  , title = {Twice}, pages = {1 -- 2},, )
@article{title = {No label}} @misc{,title={Two on a line}}
"""
    page = bibtex.parse(body.encode(), None)
    assert ([record.title for record in page.records], page.rejects) == (
        ["One", "No label", "Two on a line"],
        (),
    )
    assert page.records[0].pages == "1-2" and page.records[0].year == 2020


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_encodings(encoding: str) -> None:
    (record,) = bibtex.parse("@book{a,\r\n title={Über Ämter}}".encode(encoding), None).records
    assert record.title == "Über Ämter"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"<html></html>", "web page"),
        (b"PK\x03\x04", "Excel"),
        (b"@media (max-width: 3px) { a { b: c } }", "none of the 1 entries"),
        (b"@article{a, title={Cut o", "none of the 1 entries"),
    ],
)
def test_what_is_no_bibtex_is_an_error(body: bytes, words: str) -> None:
    with pytest.raises(SourceBroken, match=words):
        bibtex.parse(body, None)


def test_a_file_that_breaks_off_says_so() -> None:
    whole = GOOD % (1, 1) + GOOD % (2, 2)
    assert bibtex.parse(whole.encode(), None).warnings == ()
    cut = bibtex.parse(whole[:-9].encode(), None)
    assert (len(cut.records), len(cut.rejects), cut.warnings) == (1, 1, (tagged.BROKEN_OFF,))
    assert bibtex.parse(b"@comment{jabref-meta: databaseType:bibtex;}", None).total == 0


@pytest.mark.parametrize(
    "body",
    [
        "@article{a, title=" + "{" * 500_000,
        "@article{a, title=" + "{" * 200_000 + "}" * 200_000 + "}",
        "@comment{" * 100_000,
        "@comment{\n" * 100_000,
        "@article{" + " " * 500_000,
        '@article{a, title="' + '" ' * 200_000,
        "@article{a, author={" + "a and " * 50_000 + "}, title={x}}",
        "@article{a, title={" + "\\" * 100_000 + "$" * 1000 + "}}",
        "@string{a={"
        + "x" * 1000
        + "}}\n"
        + "".join(f"@string{{a=a{'#a' * 9}}}\n" for _ in range(99)),
        "@article{a,\n" * 50_000,
        "".join(GOOD % (n, n) for n in range(20_000)),
    ],
)
def test_hostile_files_take_no_longer_than_others(body: str) -> None:
    began = time.process_time()
    with contextlib.suppress(LivereviewError):
        bibtex.parse(body.encode(), None)
    assert time.process_time() - began < 10


@settings(max_examples=80, database=None)
@given(
    st.lists(
        st.sampled_from(
            [
                GOOD % (1, 1),
                "@x{",
                "}",
                "{",
                '"',
                "#",
                "=",
                "title",
                ",",
                "\n",
                "\\'",
                "$",
                "@string{a",
            ]
        )
    )
)
def test_no_text_breaks_the_reader_nor_costs_a_good_entry(parts: list[str]) -> None:
    page = bibtex.parse(("".join(parts) + "\n" + GOOD % (7, 7)).encode(), None)
    assert "Good 7" in {record.title for record in page.records} or "comment" in "".join(parts)
