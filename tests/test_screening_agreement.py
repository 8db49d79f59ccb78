"""Agreement of reviewers: published examples, and laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.screening.agreement import Coefficient, Vote, ac1, alpha, kappa, kappas


def table(both: int, first: int, second: int, neither: int) -> list[tuple[str, str]]:
    return (
        [("i", "i")] * both + [("i", "e")] * first + [("e", "i")] * second + [("e", "e")] * neither
    )


def as_votes(pairs: list[tuple[str, str]]) -> list[Vote]:
    return [
        Vote(str(n), name, verdict)
        for n, pair in enumerate(pairs)
        for name, verdict in zip("ab", pair, strict=True)
    ]


def test_kappa_of_a_textbook() -> None:
    """20 and 15 of 50 agreed, 5 and 10 not: agreed .7, by chance .5, kappa .4.

    R's psych says .15 to .65.
    """
    found = kappa(table(20, 5, 10, 15))
    assert (found.items, found.agreed) == (50, 0.7) and found.value == pytest.approx(0.4)
    assert (found.low, found.high) == (
        pytest.approx(0.15, abs=0.005),
        pytest.approx(0.65, abs=0.005),
    )


def test_alpha_of_krippendorffs_own_example() -> None:
    """Computing Krippendorff's Alpha-Reliability (2011), data C: four observers, twelve units,
    nominal alpha .743.
    """
    rows = [
        "1 2 3 3 2 1 4 1 2 * * *",
        "1 2 3 3 2 2 4 1 2 5 * 3",
        "* 3 3 3 2 3 4 2 2 5 1 *",
        "1 2 3 3 2 4 4 1 2 5 1 *",
    ]
    votes = [
        Vote(f"{unit:02}", str(who), value)
        for who, row in enumerate(rows)
        for unit, value in enumerate(row.split())
        if value != "*"
    ]
    found = alpha(votes)
    assert found.value == pytest.approx(0.743, abs=0.0005) and found.items == 11
    assert found.low is not None and found.high is not None and found.low < found.value < found.high
    assert alpha(votes) == alpha(reversed(votes))


def test_ac1_keeps_its_meaning_where_kappa_loses_it() -> None:
    """Gwet 2008: of 125 cases 118 agreed on one answer, 5 and 2 differ: kappa is -.0234, AC1 .9408."""
    pairs = table(118, 5, 2, 0)
    assert kappa(pairs).value == pytest.approx(-0.0234, abs=0.0001)
    found = ac1(as_votes(pairs))
    assert found.value == pytest.approx(0.9408, abs=0.0001)
    assert found.low == pytest.approx(0.8970, abs=0.002)


def test_pairs_are_those_who_share_records() -> None:
    votes = [*as_votes(table(2, 1, 0, 2)), Vote("0", "c", "i"), Vote("9", "d", "e")]
    assert [(one, two, found.items) for one, two, found in kappas(votes)] == [
        ("a", "b", 5),
        ("a", "c", 1),
        ("b", "c", 1),
    ]


@pytest.mark.parametrize("coefficient", [alpha, ac1])
def test_what_has_no_meaning_is_named(coefficient: object) -> None:
    one_each = [Vote("1", "a", "i"), Vote("2", "b", "e")]
    same = as_votes(table(5, 0, 0, 0))
    for votes, reason in (([], "two votes"), (one_each, "two votes"), (same, "the same answer")):
        found = coefficient(votes)  # type: ignore[operator]
        assert (
            isinstance(found, Coefficient) and found.value is None and reason in str(found.reason)
        )


VOTES = st.lists(
    st.builds(Vote, st.sampled_from("12345"), st.sampled_from("abc"), st.sampled_from("iem")),
    max_size=20,
)


@given(VOTES, st.randoms(use_true_random=False))
def test_neither_order_nor_names_matter_and_nothing_is_nan(votes: list[Vote], dice: object) -> None:
    votes = list({(vote.item, vote.reviewer): vote for vote in votes}.values())
    mixed = [Vote(vote.item, vote.reviewer.upper(), vote.verdict) for vote in votes]
    dice.shuffle(mixed)  # type: ignore[attr-defined]
    for coefficient in (alpha, ac1):
        one, two = coefficient(votes), coefficient(mixed)
        assert (
            one.value == pytest.approx(two.value, nan_ok=False)
            if one.value is not None
            else two.value is None
        )
        assert one.value is None or (-1.001 <= one.value <= 1.001 and one.low <= one.high)  # type: ignore[operator]
