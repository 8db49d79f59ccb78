"""One table of words: every cell is told, in plain English, and no sentence can say what its
interval denies.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.evidence import checked, measures, per_thousand, wording
from livereview.evidence.finding import Finding
from livereview.evidence.wording import CLASSES, LEVELS, TABLE
from livereview.review import Outcome
from tests import sentences
from tests.evidence import CARE, WELLBEING, around, finding, rated, ratio, review, smd, study


def example(kind: str) -> Finding:
    """A finding of each class."""
    found = {
        "effect": finding(CARE, study("a", ratio(0.5, 0.4, 0.6))),
        "small_effect": finding(CARE, study("a", ratio(0.93, 0.88, 0.98))),
        "little_or_no_difference": finding(WELLBEING, study("a", smd(0.0, 0.1))),
        "too_little": finding(WELLBEING, study("a", smd(0.1, 0.6))),
        "disagree": finding(
            CARE, study("a", ratio(0.5, 0.4, 0.6)), study("b", ratio(2.0, 1.6, 2.5))
        ),
        "disagree_one_way": finding(
            replace(WELLBEING, pool=False),
            study("a", smd(0.6, 0.5, n=30)),
            study("b", smd(-0.1, 0.3, n=3000)),
        ),
        "disagree_within": finding(
            WELLBEING, study("a", smd(0.6, 0.2, subgroup="women"), smd(-0.6, 0.2, subgroup="men"))
        ),
        "no_studies": finding(CARE),
        "not_yet_assessed": finding(CARE, waiting=3),
        "not_asked": finding(CARE).model_copy(update={"state": "not_asked"}),
    }[kind]
    assert wording.class_of(found) == kind
    return found


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("level", LEVELS)
def test_every_cell_of_the_table_is_told(kind: str, level: str) -> None:
    found = example(kind)
    if level != "unrated":
        found = rated(found, level) if found.studies else found
    told = wording.headline(found)
    assert re.fullmatch(r"[A-Z].*\.", told)
    assert not re.search(r"[{}]|\bNone\b|  ", told)
    assert not re.search(r"\d", told), "the sentence that is signed holds no figure"
    assert set(TABLE[kind]) == set(LEVELS)


def test_the_sentences_in_the_docs_are_those_of_the_table() -> None:
    assert sentences.PLACE.read_text(encoding="utf-8") == sentences.text(), (
        "run python -m tests.sentences"
    )


@pytest.mark.parametrize(("level", "how"), [
    ("high", "With Signs of Safety, fewer children enter care than with usual practice."),
    ("moderate", "It is likely that with Signs of Safety fewer children enter care than with usual practice."),
    ("low", "It may be that with Signs of Safety fewer children enter care than with usual practice."),
    ("very_low", "We are very unsure if, with Signs of Safety, fewer children enter care than with usual practice."),
])  # fmt: skip
def test_wording_follows_certainty(level: str, how: str) -> None:
    assert wording.headline(rated(example("effect"), level)) == how


def test_an_unrated_finding_claims_less_than_a_rated_one() -> None:
    assert wording.headline(example("effect")).startswith("So far, ")
    assert "nobody has rated it yet" in wording.words(example("effect")).text


def test_a_small_difference_is_said_to_be_small() -> None:
    assert "but the difference is small" in wording.headline(rated(example("small_effect"), "high"))


def test_labels_make_phrases_where_the_protocol_gives_none() -> None:
    plain = Outcome("care", "Children entering care", "lower", "RR", 5, True, risk=60)
    found = finding(plain, study("a", ratio(1.5, 1.3, 1.7)))
    assert "results for children entering care are worse" in wording.headline(found)


@pytest.mark.parametrize(("value", "words"), [
    (-12.4, "12 fewer"), (3.0, "3 more"), (0.34, "0.3 more"), (-0.02, "no difference"), (1200.0, "1,200 more"),
])  # fmt: skip
def test_figures_per_thousand(value: float, words: str) -> None:
    assert per_thousand.difference(value) == words


@pytest.mark.parametrize(("text", "id", "per"), [
    ("g", "SMD", 1), ("Hedges’ g", "SMD", 1), ("standardized mean difference", "SMD", 1), ("aOR", "OR", 1),
    ("risk difference per 1,000 children", "RD", 1000), ("percentage points", "RD", 100), ("Relative risk", "RR", 1),
])  # fmt: skip
def test_a_measure_has_one_name(text: str, id: str, per: int) -> None:
    found = measures.read(text)
    assert found is not None
    assert (found.measure.id, found.per) == (id, per)


@pytest.mark.parametrize("text", [None, "", "self-rated scale", "OR per 1,000", "SMD per 100"])
def test_what_is_no_measure_is_none(text: str | None) -> None:
    assert measures.read(text) is None


EFFECTS = st.lists(
    st.tuples(st.floats(-1.5, 1.5), st.floats(0.05, 1.0), st.booleans()), min_size=0, max_size=6
)  # (value on the scale of analysis towards more of the outcome, half width, scale runs with the outcome)


@given(
    EFFECTS, EFFECTS, st.booleans(), st.sampled_from(["lower", "higher"]), st.sampled_from(LEVELS)
)
def test_words_arrows_and_figures_always_agree(
    scales: list[tuple[float, float, bool]],
    ratios: list[tuple[float, float, bool]],
    pool: bool,
    better: str,
    level: str,
) -> None:
    good = better == "higher"
    wellbeing = replace(WELLBEING, pool=pool, better=better)
    care = replace(CARE, pool=pool, better=better, measure="OR")
    forms = [
        study(f"s{n}", smd(value if along else -value, half, good=good == along))
        for n, (value, half, along) in enumerate(scales)
    ] + [
        study(f"r{n}", around(2.718281828**value, half, measure="OR"))
        for n, (value, half, _) in enumerate(ratios)
    ]
    for found in checked.findings(review(wellbeing, care), forms):
        if level != "unrated" and found.studies:
            found = rated(found, level)
        _agrees(found)


def _agrees(found: Finding) -> None:
    told = wording.headline(found)
    estimate = found.estimate
    if found.state == "effect":
        assert found.good == ((found.side == "more") == (found.better == "higher"))
        phrase, other = (
            (found.more, found.fewer) if found.side == "more" else (found.fewer, found.more)
        )
        assert phrase in told
        assert other not in told
        if estimate is not None:
            assert estimate.clear == found.side
    else:
        assert found.side is None
        assert found.good is None
    if found.state == "little_or_no_difference" and estimate is not None:
        low, high = estimate.low, estimate.high
        if estimate.absolute is not None:
            low, high = estimate.absolute.low, estimate.absolute.high
        assert found.important is not None
        assert -found.important < low < high < found.important
    if estimate is not None and estimate.clear is None:
        assert found.state != "effect"
    for part in found.studies:
        if part.value is not None and estimate is not None and part.measure == estimate.measure:
            assert part.leans == (
                "more"
                if part.value > estimate.null
                else "fewer"
                if part.value < estimate.null
                else None
            )


@pytest.mark.parametrize(
    ("value", "told"),
    [(-1008.4, "−1,008"), (99.994, "99.99"), (100.004, "100"), (0.5, "0.50"), (-0.125, "−0.12")],
)
def test_a_figure_has_no_more_digits_than_it_is_known_by(value: float, told: str) -> None:
    assert wording.number(value) == told


def test_a_size_that_matters_by_the_protocol_is_called_small_as_a_rule_of_thumb_only() -> None:
    important = rated(finding(WELLBEING, study("a", smd(0.4, 0.1))), "high")
    assert important.size == "important"
    assert "small" not in wording.headline(important)
    assert "The difference is small by a rule of thumb (SMD 0.40" in wording.size(important)


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.496, "moderate"), (0.494, "small"), (-0.796, "large"), (0.194, "very small")],
)
def test_a_standardised_size_is_called_by_the_figure_that_is_printed(
    value: float, told: str
) -> None:
    found = finding(WELLBEING, study("a", smd(value, 0.1)))
    assert f"{told} by a rule of thumb (SMD" in wording.size(found)


def test_the_studies_that_an_unpooled_effect_rests_on_are_named() -> None:
    """The largest study says nothing clear; the sentence rests on a smaller one."""
    apart = replace(CARE, pool=False)
    clear = study("a", ratio(0.33, 0.17, 0.64, n=200))
    largest = study("b", ratio(0.83, 0.48, 1.46, n=400))
    found = finding(apart, clear, largest)
    assert found.state == "effect" and found.estimate is None
    said = wording.words(found).text
    assert "The largest study: B 2020 could be anything within its interval" in said
    assert (
        "On its own, one study clearly found that fewer children enter care: A 2020 (RR 0.33"
        in said
    )
