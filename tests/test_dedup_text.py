"""Records made ready for comparison: what two sources write differently comes out equal."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview import registrations
from livereview.dedup import titles
from livereview.dedup.people import family, full_words, people
from livereview.dedup.text import bare_doi, features, journal, number, pages
from livereview.dedup.words import _GREEK, unmarked, words
from livereview.records import Record


def record(**known: object) -> Record:
    return Record("s", "1", **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Müller's “Café”—Ελλάδα", "mullers cafe ελλαδα"), ("β-blockers", "beta blockers"), ("  A\tB ", "a b"),
        ("Сопровождение №3", "сопровождение no3"), ("don’t", "dont"), ("ﬁeld ２", "field 2"), ("", ""), ("?!", ""),
    ],
)  # fmt: skip
def test_words_are_what_is_left_of_a_text_without_marks_and_case(text: str, expected: str) -> None:
    assert words(text) == expected


NEAR = st.text(
    st.one_of(st.characters(), st.sampled_from("aB9 '’_-“éßμαβΑϊøİıﬁ²Ⅷ½\u0301\u0345가")),
    max_size=40,
)


@given(NEAR)
def test_words_are_those_of_the_long_way_round(text: str) -> None:
    """Decomposed, in lower case, without combining marks and apostrophes.

    Greek letters, but no words, spelt out.
    """
    folded = unicodedata.normalize("NFKD", text).casefold()
    folded = "".join(c for c in folded if not unicodedata.combining(c)).replace("’", "'")
    if not re.search("[α-ω]{2}", folded):
        folded = folded.translate(_GREEK)
    assert words(text) == " ".join(re.findall(r"[^\W_]+", folded.replace("'", "")))


def test_markup_and_entities_are_removed_and_comparisons_stay() -> None:
    assert unmarked("ApoE<sup>-/-</sup> &amp; <p>H<sub>2</sub>O") == "ApoE-/- &  H2O"
    assert unmarked("x < y, p<0.05") == "x < y, p<0.05"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Doe, Jane", "doe"), ("Jane Doe", "doe"), ("Doe JA", "doe"), ("Doe J.A.", "doe"), ("J. A. Doe", "doe"),
        ("Müller, K", "muller"), ("van der Berg, Piet", "berg"), ("Berg P van der", "berg"), ("Doe", "doe"),
        ("Doe, J., Jr.", "doe"), ("Doe Jr, J", "doe"), ("Macedo Barcelos, A", "macedobarcelos"), ("Li X", "li"),
        ("Department for Education, UK", "departmentforeducation"), ("李, 明", "李"), ("", ""),
    ],
)  # fmt: skip
def test_the_family_name_is_found_in_every_way_of_writing_it(name: str, expected: str) -> None:
    assert family(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Doe, J; Roe, R", ["Doe, J", "Roe, R"]), ("Doe, J\nRoe, R", ["Doe, J", "Roe, R"]),
        ("Doe, J and Roe, R", ["Doe, J", "Roe, R"]), ("Doe, Jane", ["Doe, Jane"]),
        ("Doe J, Roe RA", ["Doe J", "Roe RA"]),
        ("Doe J.A.Roe R.van der Poe P.", ["Doe J.A.", "Roe R.", "van der Poe P."]),
        ("O'Reilly M. E.McGill F.", ["O'Reilly M. E.", "McGill F."]), ("Doe, J., Roe, R.", ["Doe, J.", "Roe, R."]),
        ("Jane Doe, Rik Roe, Piet Poe", ["Jane Doe", "Rik Roe", "Piet Poe"]),
        ("Ministry of Health, Welfare and Sport", ["Ministry of Health, Welfare", "Sport"]), ("", []),
    ],
)  # fmt: skip
def test_one_field_of_many_authors_comes_apart_by_whatever_separates_them(
    text: str, expected: list[str]
) -> None:
    assert people((text,)) == expected


def test_names_that_come_apart_already_are_left_alone_up_to_a_dozen() -> None:
    assert people(("Doe and Sons, Ltd", "Roe, R")) == ["Doe and Sons, Ltd", "Roe, R"]
    assert len(people(tuple(f"Doe{n}, J" for n in range(40)))) == 12
    assert full_words(["van Doe, Jane A", "Li, Xu"]) == {"doe", "jane"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("288-97", ("288", "297")), ("288–297", ("288", "297")), ("e12724", ("e12724", "")), ("01-Jun", ("1", "6")),
        (None, ("", "")), ("S87", ("s87", "")), ("p. 12-14", ("12", "14")), ("376 -- 383", ("376", "383")),
        ("Suppl-29", ("", "")), ("v45 n2 p249 Apr 2005", ("249", "")), ("243-5; author reply 243-5", ("243", "245")),
        ("01-Foo", ("", "")), ("448+", ("448", "")), ("iii", ("", "")),
    ],
)  # fmt: skip
def test_pages_are_read_in_every_way_of_writing_them(
    text: str | None, expected: tuple[str, str]
) -> None:
    assert pages(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Vol. 07", "7"),
        ("61 (Supplement 1)", "61"),
        ("1)", ""),
        (None, ""),
        ("2-3", "2"),
        ("May", "may"),
        ("0", "0"),
    ],
)
def test_volumes_and_issues_are_numbers_where_they_can_be(text: str | None, expected: str) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the bmj (clinical research ed.)", "bmj"), ("plos one [electronic resource]", "plos one"),
        ("ai zheng = chinese journal of cancer", "ai zheng"), ("the lancet", "lancet"), ("(untitled)", "untitled"),
    ],
)  # fmt: skip
def test_a_journal_is_named_without_its_additions(text: str, expected: str) -> None:
    assert journal(text) == expected


@pytest.mark.parametrize(
    ("doi", "expected"),
    [
        ("10.1000/ABC", "10.1000/abc"), ("10.31235/osf.io/x1_v2", "10.31235/osf.io/x1"), ("not a doi", ""),
        ("10.1000/a%281%29", "10.1000/a(1)"), ("10.21203/rs.3.rs-1/v3", "10.21203/rs.3.rs-1"), (None, ""),
        ("10.1000/conv2", "10.1000/conv2"),
    ],
)  # fmt: skip
def test_a_doi_loses_only_what_marks_a_version(doi: str | None, expected: str) -> None:
    assert bare_doi(doi) == expected


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Erratum: a trial", "correction"), ("Correction to: a trial", "correction"),
        ("A trial: addendum", "correction"), ("Retraction notice to “A trial”", "retraction"),
        ("Comment on A trial", "reply"), ("A trial. Author's reply", "reply"), ("Reprint of: A trial", "reprint"),
        ("Response to Doe", "reply"), ("The immune response", ""), ("Comments of children on care", ""),
        ("Mentoring: study protocol", "protocol"), ("Treatment protocols in care homes", ""),
        ("Correction officers and youth", ""),
    ],
)  # fmt: skip
def test_a_title_says_that_its_item_is_about_another(title: str, kind: str) -> None:
    assert titles.notice(title) == kind


def test_titles_name_parts_and_standing_columns() -> None:
    assert titles.parts("Leaving care, Part II") == titles.parts("Leaving care: part 2") == ("2",)
    assert titles.parts("Partly in care") == titles.parts("in part ill") == ()
    assert titles.parts("Leaving care, Part I1") == titles.parts("LEAVING CARE PART Il") == ("2",)
    assert titles.parts("Leaving care, part 11") == ("11",)
    assert all(
        map(
            titles.serial,
            ["editorial", "editors comments", "front matter", "special issue on care", "index"],
        )
    )
    assert not any(
        map(
            titles.serial,
            ["editorial boards and the peer review of care", "introduction of mentoring"],
        )
    )


def test_the_editors_column_is_known_by_its_heading() -> None:
    heads = [
        "editors comments",
        "weber editors comments what mentors do",
        "editorial",
        "remarks from the incoming editor",
    ]
    others = [
        "editorial board",
        "guest editorial",
        "editors introduction",
        "we are the editors comments",
        "editor",
        "",
    ]
    assert all(map(titles.column, heads))
    assert not any(map(titles.column, others))
    assert titles.serial("editors comments care and custody quarterly")
    assert not titles.serial("editors comments what mentors are for")


def test_a_title_loses_remarks_that_are_not_its_own() -> None:
    assert titles.cleaned("Care. [Review] [33 refs]").split() == ["Care."]
    assert titles.cleaned("RETRACTED ARTICLE: Care") == "Care"
    assert titles.cleaned("Retraction: Care") == "Retraction: Care"
    assert titles.cleaned("Care <ORIGINAL> Zorg") == "Care "
    assert titles.before_subtitle("[Care: a trial]") == "Care"


def test_features_tell_preprints_meetings_and_trials() -> None:
    assert features(record(container_title="medRxiv")).preprint
    assert features(record(doi="10.2139/ssrn.1")).preprint
    assert not features(
        record(doi="10.2139/ssrn.1", container_title="Proceedings of a conference")
    ).preprint
    assert all(features(record(pages=text)).meeting for text in ("S528-S529", "81A", "A129"))
    assert not any(
        features(record(pages=text)).meeting for text in ("S12-S30", "e12", "5-19", None)
    )
    assert registrations.in_text("NCT01234567, isrctn and ISRCTN12345678") == {
        "NCT01234567",
        "ISRCTN12345678",
    }
    assert features(record(url="https://clinicaltrials.gov/study/NCT01234567")).trial == {
        "NCT01234567"
    }


def test_a_record_of_nothing_has_features_of_nothing() -> None:
    f = features(record())
    assert (f.title, f.names, f.pages, f.year, f.serial) == ("", (), ("", ""), None, True)
    assert len(features(record(title="ab " * 5_000)).title) <= 1_000
