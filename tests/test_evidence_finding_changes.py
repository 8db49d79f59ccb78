"""What changed in a finding, in types that readers can't misread.

And what waits for a signature.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from livereview.evidence import finding_changes, sign_off, wording
from livereview.evidence.falls import Fall
from livereview.evidence.finding import Finding
from livereview.evidence.finding_changes import CONCLUSION_CHANGED, MEANING_CHANGED, compare
from livereview.evidence.sign_off import Shown
from tests.evidence import CARE, finding, rated, ratio, study

WHEN = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
NONE = finding(CARE)
FEWER = finding(CARE, study("a", ratio(0.8, 0.72, 0.89)))
MORE = finding(CARE, study("a", ratio(3.0, 1.79, 5.02)))
OPEN = finding(CARE, study("a", ratio(0.96, 0.44, 2.06)))
NEARLY = finding(CARE, study("a", ratio(0.805, 0.725, 0.895)))
STRONGER = finding(CARE, study("a", ratio(0.6, 0.54, 0.67)))
BOTH = finding(CARE, study("a", ratio(0.8, 0.72, 0.89)), study("b", ratio(0.79, 0.6, 1.04)))


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (FEWER, MORE, "now_shows"),
        (OPEN, MORE, "new_finding"),
        (NONE, FEWER, "new_finding"),
        (None, FEWER, "new_finding"),
        (None, NONE, "none"),
        (FEWER, None, "left_out"),
        (FEWER, OPEN, "no_longer_supported"),
        (FEWER, NONE, "no_longer_supported"),
        (FEWER, STRONGER, "larger"),
        (STRONGER, FEWER, "smaller"),
        (FEWER, NEARLY, "figures_updated"),
        (FEWER, BOTH, "figures_updated"),
        (FEWER, FEWER, "none"),
        (FEWER, rated(FEWER, "low"), "more_certain"),
        (rated(FEWER, "low"), rated(FEWER, "high"), "more_certain"),
        (rated(FEWER, "high"), rated(FEWER, "low"), "less_certain"),
        (rated(FEWER, "high"), FEWER, "less_certain"),
        (NONE, finding(CARE, waiting=4), "none"),
    ],
)
def test_kinds_of_change(before: Finding | None, after: Finding | None, kind: str) -> None:
    change = compare(before, after)
    assert change.kind == kind
    assert change.means_something_else == (kind in MEANING_CHANGED)
    assert kind == "none" or change.text


WORDS = ["fewer", "more", "intervention", "comparator", "comparison_label", "outcome_label"]


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("state", [FEWER, OPEN, NONE], ids=["effect", "too little", "no studies"])
def test_a_protocol_that_tells_it_in_other_words_waits_and_is_no_new_evidence(
    state: Finding, words: str
) -> None:
    change = compare(state, state.model_copy(update={words: "something else"}))
    assert (change.kind, change.means_something_else) == ("reworded", True)
    assert change.kind not in CONCLUSION_CHANGED


def test_a_unit_counts_where_the_figures_are_told_in_it() -> None:
    assert compare(FEWER, FEWER.model_copy(update={"unit": "weeks"})).kind == "none"
    assert FEWER.estimate is not None
    days = FEWER.model_copy(
        update={"unit": "days", "estimate": FEWER.estimate.model_copy(update={"measure": "MD"})}
    )
    assert compare(days, days.model_copy(update={"unit": "weeks"})).kind == "reworded"


@pytest.mark.parametrize("meant", [{"better": "higher", "good": False}, {"kind": "harm"}])
def test_what_is_good_for_people_is_part_of_the_meaning(meant: dict[str, object]) -> None:
    """With its own phrases the sentence stays, and its colour and arrow turn around."""
    turned = FEWER.model_copy(update=meant)
    assert wording.headline(turned) == wording.headline(FEWER)
    assert compare(FEWER, turned).kind == "now_shows"


def test_another_assumed_risk_is_a_larger_difference_though_the_ratio_stays() -> None:
    often = finding(replace(CARE, risk=600), study("a", ratio(0.8, 0.72, 0.89)))
    assert compare(FEWER, often).kind == "larger"
    assert compare(often, FEWER).kind == "smaller"


def test_where_nothing_is_pooled_the_first_studys_size_is_compared() -> None:
    apart = replace(CARE, pool=False)
    second = study("b", ratio(0.9, 0.6, 1.35, n=100))
    small, large = (
        finding(apart, study("a", effect), second)
        for effect in (ratio(0.8, 0.72, 0.89), ratio(0.3, 0.25, 0.36))
    )
    assert small.estimate is None and small.state == large.state == "effect"
    assert compare(small, large).kind == "larger"
    assert compare(small, small).kind == "none"


def test_many_small_moves_add_up_to_one_that_waits() -> None:
    """Each is within half a standard error of the version before, and together they would be any
    size at all.
    """
    stood = shown(None, FEWER).findings[0]
    kinds: list[str] = []
    for step in range(1, 5):
        made = shown(
            stood,
            finding(CARE, study("a", ratio(*(end * 0.98**step for end in (0.8, 0.72, 0.89))))),
        )
        stood = made.findings[0]
        kinds += [change.kind for change in (*made.changes, *made.pending)]
    assert kinds == ["figures_updated", "larger", "larger", "larger"]
    assert stood.weighing is not None
    assert stood.estimate is not None and stood.estimate.value == pytest.approx(0.8 * 0.98)


def test_a_correction_of_what_is_held_makes_its_wait_no_shorter() -> None:
    first = shown(FEWER, MORE).findings[0]
    later = {"a": datetime(2026, 4, 1, tzinfo=UTC)}
    again = sign_off.shown([first], [OPEN], signed={}, sign_off=True, arrived=later)
    assert again.findings[0].weighing is not None
    assert again.findings[0].weighing.since == "2026-03-03"


def test_a_page_in_another_language_waits_whole() -> None:
    made = sign_off.shown([FEWER], [FEWER], signed={}, sign_off=True, arrived={}, translated=True)
    assert made.translated and made.waits is not None
    signed = {made.waits: "lena"}
    done = sign_off.shown(
        [FEWER], [FEWER], signed=signed, sign_off=True, arrived={}, translated=True
    )
    assert (done.translated, done.signed_by) == (False, "lena")
    free = sign_off.shown([FEWER], [FEWER], signed={}, sign_off=False, arrived={}, translated=True)
    assert not free.translated


def test_a_study_that_adds_weight_never_reads_as_weaker() -> None:
    assert compare(FEWER, BOTH).text == "a study was added and the answer stands"


def test_no_sentence_changes_its_meaning_without_a_signature() -> None:
    every = [
        NONE,
        FEWER,
        MORE,
        OPEN,
        NEARLY,
        STRONGER,
        BOTH,
        rated(FEWER, "low"),
        rated(FEWER, "high"),
        rated(MORE, "low"),
    ]
    for before in every:
        for after in every:
            change = compare(before, after)
            if wording.headline(before) != wording.headline(after):
                assert change.means_something_else, (before.state, after.state)


# What a version shows


def shown(
    before: Finding | None, now: Finding, signed: dict[str, str] | None = None, sign: bool = True
) -> Shown:
    old = None if before is None else [before]
    return sign_off.shown(
        old, [now], signed=signed or {}, sign_off=sign, arrived={"a": WHEN, "b": WHEN}
    )


def test_a_first_version_shows_what_there_is() -> None:
    assert plain(shown(None, FEWER)) == (FEWER,)


def plain(made: Shown) -> tuple[Finding, ...]:
    """What is shown, without the size that figures may move from."""
    return tuple(finding.model_copy(update={"moves_from": None}) for finding in made.findings)


def test_a_changed_meaning_waits_and_the_signed_answer_stands_marked() -> None:
    made = shown(FEWER, MORE)
    (kept,) = made.findings
    assert kept.estimate == FEWER.estimate
    assert wording.headline(kept) == wording.headline(FEWER)
    assert kept.weighing is not None
    assert (kept.weighing.since, kept.weighing.studies) == ("2026-03-03", 1)
    assert [change.kind for change in made.pending] == ["now_shows"]
    assert made.changes == ()
    assert wording.weighing(kept, "3 March 2026") == (
        "New evidence since 3 March 2026 (1 study) is being weighed; this answer may change."
    )


def test_a_held_finding_stays_held_the_same_while_nothing_new_comes() -> None:
    first = shown(FEWER, MORE)
    again = shown(first.findings[0], MORE)
    assert again.findings == first.findings
    assert again.waits == first.waits


def test_a_signature_publishes_exactly_what_was_signed() -> None:
    held = shown(FEWER, MORE)
    assert held.waits is not None
    done = shown(FEWER, MORE, signed={held.waits: "lena"})
    assert plain(done) == (MORE,)
    assert done.signed_by == "lena"
    assert done.pending == ()
    other = shown(FEWER, OPEN, signed={held.waits: "lena"})
    assert other.pending


def test_a_name_given_before_a_fall_is_not_for_the_fall() -> None:
    held = shown(FEWER, MORE)
    assert held.waits is not None
    signed = {held.waits: "lena"}
    fall = Fall("included reports", 12, 7)
    both = sign_off.shown([FEWER], [MORE], signed=signed, sign_off=True, arrived={}, falls=[fall])
    assert both.falls == (fall,) and both.pending and both.signed_by is None
    assert both.waits is not None
    signed[both.waits] = "lena"
    done = sign_off.shown([FEWER], [MORE], signed=signed, sign_off=True, arrived={}, falls=[fall])
    assert (plain(done), done.falls, done.waits, done.signed_by) == ((MORE,), (), None, "lena")
    further = Fall("included reports", 12, 6)
    assert sign_off.shown(
        [FEWER], [MORE], signed=signed, sign_off=True, arrived={}, falls=[further]
    ).waits


def test_figures_that_are_updated_publish_themselves() -> None:
    made = shown(FEWER, NEARLY)
    assert plain(made) == (NEARLY,)
    assert [change.kind for change in made.changes] == ["figures_updated"]


def test_without_sign_off_all_is_published() -> None:
    made = shown(FEWER, MORE, sign=False)
    assert plain(made) == (MORE,)
    assert made.pending == ()


def test_a_first_rating_waits_too() -> None:
    made = shown(FEWER, rated(FEWER, "low"))
    assert [change.kind for change in made.pending] == ["more_certain"]
    assert (
        wording.weighing(made.findings[0], None)
        == "This answer is being weighed anew and may change."
    )


def test_an_outcome_that_leaves_the_protocol_stays_until_signed() -> None:
    made = sign_off.shown([FEWER], [], signed={}, sign_off=True, arrived={})
    assert [finding.id for finding in made.findings] == [FEWER.id]


def test_every_kind_has_a_former_class_and_words() -> None:
    from livereview.summary import words

    assert set(finding_changes.FORMER_CLASS) == set(finding_changes.KINDS)
    assert set(words.CHANGES) >= set(finding_changes.KINDS)
    assert set(words.KINDS) >= set(finding_changes.KINDS) - {"none"}


def test_a_first_study_that_clearly_found_the_opposite_waits_for_a_signature() -> None:
    """Among many it moves the mean by little, and the page says of it what it never said before."""
    many = [study(f"s{n}", ratio(0.7, 0.63, 0.7778)) for n in range(12)]
    one = study("opposite", ratio(1.2, 1.01, 1.4257, n=300))
    before, after = (finding(CARE, *many), finding(CARE, *many, one))
    assert (before.state, after.state, before.size) == ("effect", "effect", after.size)
    assert finding_changes.compare(before, after).means_something_else
    another = finding(CARE, *many, one, study("more", ratio(0.7, 0.63, 0.7778)))
    assert not finding_changes.compare(after, another).means_something_else


def test_a_first_study_that_says_too_little_is_never_announced_as_an_answer() -> None:
    change = compare(NONE, OPEN)
    assert change.kind == "new_finding" and change.means_something_else
    assert change.text.startswith("there is evidence now, and it gives no answer")
    assert compare(OPEN, FEWER).text.startswith("the evidence now says something")


def test_a_clear_result_beside_little_or_no_difference_waits_for_a_signature() -> None:
    """Sixty thousand people speak for no difference, and one small study clearly found harm."""
    level = finding(CARE, study("a", ratio(1.0, 0.97, 1.03, n=60000)))
    harm = finding(
        CARE,
        study("a", ratio(1.0, 0.97, 1.03, n=60000)),
        study("b", ratio(2.7, 1.4, 5.2, n=400)),
    )
    assert level.state == harm.state == "little_or_no_difference"
    assert "One study has a clear result of its own: B 2020" in wording.evidence(harm)
    change = compare(level, harm)
    assert change.kind == "now_shows" and change.means_something_else
    assert compare(harm, harm).kind == "none"
