"""Where the protocol names core reviewers, two novices never make a pair.

Nobody is told whose votes a report has.
"""

from __future__ import annotations

import pytest

from livereview.errors import Refused
from livereview.ops import surveil
from livereview.store.open import Store
from tests.conftest import NOW, article, found
from tests.test_ops_ranking import queue
from tests.test_web_screen import vote


@pytest.fixture
def core(reviewed: Store, protocol: str) -> Store:
    surveil.register(
        reviewed, text=protocol.replace("votes = 2", 'votes = 2\ncore = ["ada"]'), now=NOW
    )
    return reviewed


def test_a_second_novice_does_not_meet_what_a_novice_has_voted_on(core: Store) -> None:
    one, two = found(core, article(1), article(2))
    vote(core, one, "bo", "include")
    assert queue(core, "cy") == [two] and queue(core, "ada") == [one, two]
    with pytest.raises(Refused, match="must be a core reviewer's: ada"):
        vote(core, one, "cy", "include")


def test_a_novice_may_follow_a_core_reviewer_and_the_other_way_round(core: Store) -> None:
    one, two = found(core, article(1), article(2))
    vote(core, one, "ada", "exclude")
    assert queue(core, "cy") == [one, two]
    vote(core, one, "cy", "exclude")
    vote(core, two, "bo", "include")
    vote(core, two, "ada", "include")
    assert queue(core, "cy") == []


def test_one_s_own_word_may_be_changed_and_taken_back(core: Store) -> None:
    (one,) = found(core, article(1))
    vote(core, one, "bo", "include")
    vote(core, one, "bo", "exclude")
    vote(core, one, "bo", "withdrawn")
    assert queue(core, "cy") == [one] and queue(core, "bo") == [one]


def test_without_core_reviewers_anybody_s_vote_will_do(reviewed: Store) -> None:
    (one,) = found(reviewed, article(1))
    vote(reviewed, one, "bo", "include")
    assert queue(reviewed, "cy") == [one]
