"""The methods that a version used are named with their source, and no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from livereview.evidence.certainty import Rating
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Extraction
from livereview.review import Methods
from livereview.summary import data, site, standards
from tests.evidence import CARE, WELLBEING, around, finding, review, smd, study
from tests.snapshots import snapshot
from tests.test_summary_analysis_tables import snap

PLAIN = {"prisma", "prisma-lsr", "prisma-s", "emmie"}


def names(*findings: Finding, **changes: object) -> set[str]:
    shot = replace(snapshot(review=review(WELLBEING)), **changes)
    return {one.id for one in standards.used(shot, findings)} - PLAIN


def forms(n: int) -> list[Extraction]:
    return [study(f"s{place}", smd(0.1 * place, 0.2 + 0.02 * place)) for place in range(n)]


@pytest.mark.parametrize(
    ("n", "methods", "expected"),
    [
        (1, Methods(), set()),
        (2, Methods(), set()),
        (3, Methods(), {"reml", "i2", "prediction"}),
        (6, Methods(), {"reml", "i2", "prediction", "knapp-hartung"}),
        (6, Methods(estimator="DL", test="z"), {"dl", "i2", "prediction"}),
        (12, Methods(estimator="EE"), {"egger"}),
    ],
)
def test_what_was_used_is_named(n: int, methods: Methods, expected: set[str]) -> None:
    assert names(finding(WELLBEING, *forms(n), methods=methods)) == expected


def test_what_is_not_pooled_is_by_swim_and_one_study_is_by_nothing() -> None:
    apart = replace(WELLBEING, pool=False)
    assert names(finding(apart, *forms(3))) == {"swim"}
    assert names(finding(apart, *forms(1))) == set()
    assert names(finding(CARE)) == set()


def test_all_results_of_a_study_are_by_three_levels_and_cr2() -> None:
    more = [study(f"s{n}", smd(0.1 * n, 0.3), smd(0.2 * n, 0.3, instrument="b")) for n in range(8)]
    told = names(finding(WELLBEING, *more, methods=Methods(dependent="all")))
    assert {"three-level", "cr2"} <= told


def test_ratings_and_moderators_name_their_own() -> None:
    ratings = tuple(
        Rating(kind, "x", "low", ()) for kind in ("grade", "cerqual", "missing_evidence")
    )
    assert names(ratings=ratings) == {"grade", "grade-words", "cerqual", "rob-me"}
    moderated = data.weigh(snap()).findings
    assert "iceman" in names(*moderated)


def test_every_model_and_test_has_a_source() -> None:
    known = {standard.id for standard in standards.ALL}
    tables = (standards.BY_MODEL, standards.BY_ESTIMATOR, standards.BY_SMALL_STUDIES)
    assert {name for table in tables for name in table.values()} <= known
    assert len(known) == len(standards.ALL)


def test_the_methods_page_links_what_was_used() -> None:
    page = site.build(snapshot(study("a", around(0.5, 0.2))), 1, "x").files["methods.html"].decode()
    assert "https://doi.org/10.1136/bmj.n71" in page
    assert "ICEMAN" not in page
