"""A PDF is put with the report that it is of, or with none."""

from __future__ import annotations

import pytest

from livereview.dedup.publications import Candidate, match
from tests.conftest import article

MEETINGS = article(
    1, doi="10.1000/trial1", title="Family group meetings and stays in care: a trial"
)
FOLLOW_UP = article(
    2,
    doi="10.1000/trial12",
    title="Family group meetings and stays in care: a trial. Three years later",
)
OTHER = article(3, doi="10.1000/xyz", title="Peer mentoring of young people who leave care")
SHORT = article(4, doi=None, title="Editorial")
CANDIDATES = [
    Candidate(name, record)
    for name, record in (("a", MEETINGS), ("b", FOLLOW_UP), ("c", OTHER), ("d", SHORT))
]


@pytest.mark.parametrize(
    ("text", "report"),
    [
        ("https://doi.org/10.1000/\ntrial1 Received May 2020", "a"),
        ("DOI 10.1000/TRIAL12.", "b"),
        ("JOURNAL\nFamily group meet-\nings and stays in care: A TRIAL\nby Doe", "a"),
        ("Family group meetings and stays in care: a trial. Three years later", "b"),
        ("Peer mentoring of young people who leave care", "c"),
        ("10.1000/trial1 Family group meetings and stays in care: a trial, 10.1000/xyz", "a"),
    ],
)
def test_a_publication_is_known_by_its_doi_or_its_title(text: str, report: str) -> None:
    assert match(text, CANDIDATES).report_id == report


@pytest.mark.parametrize(
    ("text", "likely"),
    [
        ("Editorial", ("d",)),  # too short a title to tell a publication by
        ("10.1000/trial1 and 10.1000/xyz", ("a", "c")),
        ("10.1000/xyz Family group meetings and stays in care: a trial", ("a", "c")),
        ("Young people leave care with a mentor: mentoring by peers", ("c",)),
        ("x" * 7_000 + " 10.1000/trial1", ()),  # in the references
        ("", ()),
    ],
)
def test_one_that_fits_none_or_several_is_for_a_person(text: str, likely: tuple[str, ...]) -> None:
    found = match(text, CANDIDATES)

    assert found.report_id is None
    assert found.likely == likely
    assert found.why
