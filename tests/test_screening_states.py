"""Where a report stands because of the votes on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.screening.states import Ballot, Place, place, state_of

STAGES = ("title_abstract", "full_text")


def ballots(*words: str, stage: str = "title_abstract") -> list[Ballot]:
    """ "ada include", "eve exclude adjudication", … as they came."""
    found = []
    for number, line in enumerate(words):
        reviewer, verdict, role = [*line.split(), "vote"][:3]
        found.append(Ballot(stage, reviewer, role, verdict, number))
    return found


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ([], "open"),
        (["ada include"], "half"),
        (["ada include", "bo maybe"], "included"),
        (["ada exclude", "bo exclude"], "excluded"),
        (["ada exclude", "bo include"], "conflict"),
        (["ada exclude", "bo include", "eve include adjudication"], "included"),
        (
            ["ada exclude", "bo include", "eve include adjudication", "eve exclude adjudication"],
            "excluded",
        ),
        (["ada not_retrieved"], "not_retrieved"),
        (["ada not_retrieved", "bo include"], "half"),
        (["ada not_retrieved", "bo include", "ada include"], "included"),
        (["ada include", "ada exclude"], "half"),  # two records of one report, merged since
    ],
)
def test_the_state_at_one_stage(words: list[str], state: str) -> None:
    assert state_of(ballots(*words), 2) == state


def test_a_report_stands_at_the_first_stage_it_has_not_left() -> None:
    first = ballots("ada include", "bo include")
    assert place(first[:1], STAGES, 2) == Place("title_abstract", 1, "half")
    assert place(first, STAGES, 2) == Place("full_text", 0, "open")
    last = ballots("ada exclude", "bo exclude", stage="full_text")
    assert place([*first, *last], STAGES, 2) == Place("full_text", 2, "excluded")
    assert place([*ballots("ada exclude", "bo exclude"), *last], STAGES, 2) == Place(
        "title_abstract", 2, "excluded"
    )
    assert place(last, STAGES[1:], 2) == Place("full_text", 2, "excluded")


VOTES = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bo", "cy"]),
        st.sampled_from(["include", "exclude", "maybe", "not_retrieved"]),
    ),
    max_size=6,
)


@given(VOTES, st.randoms())
def test_the_order_of_votes_says_nothing(votes: list[tuple[str, str]], dice: object) -> None:
    before = ballots(*(" ".join(vote) for vote in votes))
    mixed = list(before)
    dice.shuffle(mixed)  # type: ignore[attr-defined]
    assert state_of(before, 2) == state_of(mixed, 2)
