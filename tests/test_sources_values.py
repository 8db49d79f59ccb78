"""What holds for every reader's records: nothing is nothing, and an author is somebody."""

from __future__ import annotations

import pytest

from livereview.records import Record
from livereview.sources import SOURCES, people, values
from livereview.sources.protocol import Page
from livereview.sources.text import abstract

NOTHING = ("NA", "nan", "NaN", "None", "null", "n/a", "N/A", "<NA>", ".", "-", "[Not available]")


@pytest.mark.parametrize("word", NOTHING)
def test_a_word_for_nothing_is_nothing_in_every_field(word: str) -> None:
    said = dict.fromkeys(
        ("container_title", "volume", "issue", "pages", "abstract", "language", "type"), word
    )
    record = Record("x", "1", title="A title", authors=(word, "Lee, Ann"), **said)
    assert values.tidied(record) == Record("x", "1", title="A title", authors=("Lee, Ann",))
    page = values.tidied_page(Page((Record("x", "hash:1", title=word),), total=1))
    assert page.records == () and [reject.reason for reject in page.rejects] == [
        "no title and no id"
    ]


@pytest.mark.parametrize("source", ["ris", "bibtex", "csv", "nbib", "wos"])
def test_it_is_so_in_every_reader(source: str) -> None:
    bodies = {
        "ris": "TY  - JOUR\nTI  - T\nAU  - NA\nAB  - NA\nVL  - 12.0\nER  - \n",
        "bibtex": "@article{a, title={T}, author={NA}, abstract={NA}, volume={12.0}}",
        "csv": "title,authors,abstract,volume\nT,NA,NA,12.0\n",
        "nbib": "PMID- 9\nTI  - T\nFAU - NA\nAB  - NA\nVI  - 12.0\n",
        "wos": "PT J\nTI T\nAU NA\nAB NA\nVL 12.0\nER\nEF",
    }
    (record,) = SOURCES[source].parse(bodies[source].encode(), None).records
    assert (record.title, record.authors, record.abstract, record.volume) == ("T", (), None, "12")


def test_words_that_are_meant_stay() -> None:
    novel = Record("x", "1", title="None", authors=("Na", "Null, Gary", "Ivanov, NA", "Nan, Li"))
    assert values.tidied(novel) == novel
    assert values.tidied(Record("x", "1", title="None")).title is None
    title = Record("x", "1", title="NA: a history of nothing", volume="4.5", issue="1.0 beta")
    assert values.tidied(title) == title


@pytest.mark.parametrize(
    "text",
    [
        "[No abstract available]",
        "No abstract available.",
        "Abstract available from the publisher.",
        "An abstract is unavailable.",
        "Abstract not available",
        "No abstract provided",
        "This article does not have an abstract",
        "There is no abstract available for this article.",
        "Abstract",
        "Abstract: none",
        "Abstract: N/A",
        "[ABSTRACT FROM AUTHOR]",
        "<p>No abstract available</p>",
        "Abstract not yet available",
        "This abstract is not available.",
        "No summary available",
        "Kein Abstract verfügbar",
        "Resumen no disponible",
    ],
)
def test_a_sentence_that_there_is_no_abstract_is_none(text: str) -> None:
    assert values.is_no_abstract(text)


@pytest.mark.parametrize(
    "text", ["No abstract ideas were used.", "Abstract art was not available to them."]
)
def test_a_sentence_about_abstract_things_is_one(text: str) -> None:
    assert not values.is_no_abstract(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Abstract: We tried.", "We tried."),
        ("ABSTRACT We tried.", "We tried."),
        ("Abstract Background We tried.", "Background We tried."),
        ("<h4>Abstract</h4><p>Reasoning was tried.</p>", "Reasoning was tried."),
        ("Summary The trial ran.", "The trial ran."),
        ("Abstract reasoning was tested.", "Abstract reasoning was tested."),
        ("Abstract Reasoning Tests were used.", "Abstract Reasoning Tests were used."),
        ("Summary Care Records were read.", "Summary Care Records were read."),
        ("Summary care records were read.", "Summary care records were read."),
        ("Abstracts were read.", "Abstracts were read."),
    ],
)
def test_the_word_abstract_goes_only_where_it_is_a_heading(text: str, kept: str) -> None:
    assert abstract(text) == kept


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Werner, S. M. [Author, Reprint Author; E-mail: a@example.org]", "Werner, S. M."),
        ("Lee, A. (a.lee@example.org)", "Lee, A."),
        ("Lee, A. <a.lee@example.org>", "Lee, A."),
        ("Lee, A., Electronic address: a.lee@example.org", "Lee, A."),
        ("a.lee@example.org", None),
        ("Lee, A. [Inventor]", "Lee, A."),
        ("Lee, Ann (Editor)", "Lee, Ann"),
        ("Lee, Ann, editor", "Lee, Ann"),
        ("Urban, Ed", "Urban, Ed"),
        ("Lee, Ann, PhD, MPH", "Lee, Ann"),
        ("Ann Lee PhD", "Ann Lee"),
        ("Lee, MD", "Lee, MD"),  # initials
        ("de Groot, MD", "de Groot, MD"),
        ("Stumpf M.P.H.", "Stumpf M.P.H."),
        ("King, Martin, Jr", "King, Martin, Jr"),
        ("Lee, A et al.", "Lee, A"),
        ("van den Haven, null", "van den Haven"),
        ("Prof. Dr. Ann Lee", "Ann Lee"),
        ("Lee, Ann 0000-0002-1825-0097", "Lee, Ann"),
        ("Department of Health and Social Care,", "Department of Health and Social Care"),
        ("ann(at)example.org", None),
        ("ann [at] example [dot] org", None),
        ("ann at example dot org", None),
        ("ann＠example.org", None),
        ("Lee A ann.lee AT example.org", "Lee A"),
        ("University at Albany", "University at Albany"),
        ("Children at U.S. Bases", "Children at U.S. Bases"),
        ("Lee, A.*", "Lee, A."),
        ("*Lee, Ann", "Lee, Ann"),
        ("Lee, A†", "Lee, A"),
        ("Lee, A.¹", "Lee, A."),
        ("Lee, A.1,2", "Lee, A."),
        ("Study Group 5", "Study Group 5"),
        ("Lee, Ann...", "Lee, Ann"),
        ("Lee, Ann [Edited by]", "Lee, Ann"),
        ("Lee, Ann, on behalf of the Trial Group", "Lee, Ann"),
        ("Correspondence: Ann Lee", "Ann Lee"),
        ("Ann Lee, MD, PhD", "Ann Lee"),
        ("O&#39;Brien, Pat", "O'Brien, Pat"),
        ("O&amp;#39;Brien, Pat", "O'Brien, Pat"),
        ("Anonymous, A.", None),
        ("[s.n.]", None),
        ("null null", None),
        ("Anonymous", None),
        ("[Anonymous]", None),
        ("et al.", None),
        ("No authorship indicated", None),
        ("Alcoholics Anonymous", "Alcoholics Anonymous"),
    ],
)
def test_an_author_is_a_name(text: str, name: str | None) -> None:
    assert people.tidy(text) == name
    assert people.tidy(people.tidy(text)) == name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Department of Health and Social Care", ["Department of Health and Social Care"]),
        ("Health and Safety Executive", ["Health and Safety Executive"]),
        ("Department of Health and Department for Education",
         ["Department of Health", "Department for Education"]),
        ("Department of Health, Social Services and Public Safety",
         ["Department of Health, Social Services and Public Safety"]),
        ("Department of Health and Lee, A.", ["Department of Health", "Lee, A."]),
        ("Lee, A. and Ray, B.", ["Lee, A.", "Ray, B."]),
        ("Lee, A. and Department of Health and Social Care",
         ["Lee, A.", "Department of Health and Social Care"]),
        ("Fawn, M.J.\n and Laut, S.", ["Fawn, M.J.", "Laut, S."]),
        ("Alag&iacute;c, Suad; Gal&#225;rraga, Omar", ["Alagíc, Suad", "Galárraga, Omar"]),
        ("Lee, A. [Author; E-mail: a@x.org]; Ray, B.", ["Lee, A.", "Ray, B."]),
        ("Ann Lee and Bo Ray", ["Ann Lee", "Bo Ray"]),
        ("Ann Lee, Bo Ray and Cy Dee", ["Ann Lee", "Bo Ray", "Cy Dee"]),
        ("King, Martin, Jr", ["King, Martin, Jr"]),
        ("Doe, A., Roe, B.", ["Doe, A.", "Roe, B."]),
    ],
)  # fmt: skip
def test_a_cell_is_parted_where_a_name_ends(text: str, names: list[str]) -> None:
    assert people.cut(text) == names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Brownfield C D", "Brownfield, C D"),
        ("Van der Meer J A B", "Van der Meer, J A B"),
        ("Shannon C.E.", "Shannon, C.E."),
        ("Shannon,Claude", "Shannon, Claude"),
        ("Claude Shannon", "Claude Shannon"),
        ("Study Group B", "Study Group B"),
    ],
)
def test_initials_are_given_names(text: str, name: str) -> None:
    assert people.person(text) == name


def test_a_wrapped_name_is_one_and_lists_are_many() -> None:
    assert people.lines_of_names("Department of Health and\nSocial Care\nLee, A; Ray, B") == [
        *("Department of Health and Social Care", "Lee, A", "Ray, B"),
    ]


def test_a_list_by_semicolons_in_bibtex_is_a_list() -> None:
    body = "@article{k, title={T}, author={Lee, Ann; Ray, Bo; D{\\'e}, Cy}}"
    (record,) = SOURCES["bibtex"].parse(body.encode(), None).records
    assert record.authors == ("Lee, Ann", "Ray, Bo", "Dé, Cy")


def test_a_guessed_encoding_is_a_note_of_the_page_and_no_warning() -> None:
    page = SOURCES["ris"].parse("TY  - JOUR\nTI  - Café\nER  - \n".encode("cp1252"), None)
    assert page.warnings == () and "cp1252" in page.notes[0]


NOT_YET = (
    "n.d.",
    "[n.d.]",
    "TBD",
    "in press",
    "Epub ahead of print",
    "Online first",
    "Forthcoming",
)


@pytest.mark.parametrize("word", NOT_YET)
def test_a_volume_or_page_that_is_not_known_yet_is_nothing(word: str) -> None:
    record = Record("x", "1", title="In press", volume=word, issue=word, pages=word)
    assert values.tidied(record) == Record("x", "1", title="In press")


@pytest.mark.parametrize("word", ["[s.n.]", "[S.l.]", "[S.l.: s.n.]"])
def test_a_library_s_word_for_no_publisher_is_nothing(word: str) -> None:
    assert values.tidied(Record("x", "1", title="T", container_title=word)).container_title is None
