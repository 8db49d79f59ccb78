"""What the studies of one outcome say together, without pooling: synthesis by direction of effect.

Follows SWiM (BMJ 2020;368:l6890) and Cochrane Handbook ch. 12: studies are counted by the direction of their effect,
never by significance. A pooled estimate, where studies can be pooled, will stand beside this and not replace it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import comb

from livereview.evidence.forms import DIRECTIONS, Extraction, Result
from livereview.messages import mark, say
from livereview.review import Outcome

RULE = "direction-of-effect"
RULE_VERSION = "1"
RULE_TEXT = mark(
    "A study counts once for an outcome: in the direction of at least 70% of its results there, else as mixed. "
    "Results are counted by direction, never by statistical significance. "
    "The evidence points one way when more than half of the studies and more than half of their participants do, "
    "and there are at least two studies. One study alone is never enough. "
    "It suggests no important effect only when every interval of at least two studies lies within "
    "the smallest difference that matters. Participants are the largest group analysed for the outcome, else the "
    "whole study. The sign test is exact and two-sided, leaves out studies without a direction, and decides nothing."
)
STATES = (
    "no_studies",
    "insufficient_evidence",
    "mixed",
    "favours_intervention",
    "favours_comparison",
    "no_important_effect",
)
SIDES = ("favours_intervention", "favours_comparison")
# The null of these is 1, and a smallest important difference of them has two ends: not judged by this rule.
RATIOS = ("or", "rr", "hr", "irr", "rom", "odds ratio", "risk ratio", "rate ratio", "hazard ratio")


@dataclass(frozen=True, slots=True)
class StudyDirection:
    """One study's part in one outcome.

    direction     one of forms.DIRECTIONS, or "mixed"
    counts        (direction, number of results), in the order of forms.DIRECTIONS, without zeros
    participants  the most people analysed in one of its results, else of the whole study; None: not reported
    within        whether all its intervals lie within the smallest important difference; None: can't be told
    """

    study: str
    label: str
    year: int | None
    direction: str
    counts: tuple[tuple[str, int], ...]
    participants: int | None
    within: bool | None

    @property
    def results(self) -> int:
        return sum(n for _, n in self.counts)


@dataclass(frozen=True, slots=True)
class SignTest:
    """Exact two-sided sign test over studies with a direction; `p` is None with a `reason` when not estimable."""

    p: float | None
    favours_intervention: int
    favours_comparison: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Synthesis:
    """One outcome: its state (one of STATES) with the reason in words, and what it was counted from.

    participants  of the studies that report them; `unreported` is the number of studies that do not
    leading       the side with more studies, None at a tie or without any: what one study found, when there is one
    """

    outcome: Outcome
    state: str
    reason: str
    studies: tuple[StudyDirection, ...]
    participants: int
    unreported: int
    leading: str | None
    sign_test: SignTest

    @property
    def results(self) -> int:
        return sum(study.results for study in self.studies)

    @property
    def people(self) -> tuple[int | None, str | None]:
        """(participants, what to know of the number); None where no study reports them."""
        k = len(self.studies)
        unknown = f"not reported by {self.unreported} of {k} studies" if self.unreported else None
        return (self.participants, unknown) if k > self.unreported else (None, unknown or "no studies")

    def toward(self, direction: str) -> tuple[StudyDirection, ...]:
        """The studies that count in this direction."""
        return tuple(study for study in self.studies if study.direction == direction)


def synthesise(outcome: Outcome, forms: Iterable[Extraction]) -> Synthesis:
    """The synthesis of one outcome over all extractions; their order does not matter."""
    told = (_direction(outcome, form) for form in sorted(forms, key=lambda form: form.study))
    studies = tuple(study for study in told if study)
    state, reason = _state(outcome, studies)
    sides = Counter(study.direction for study in studies)
    ahead = sides[SIDES[0]] - sides[SIDES[1]]
    return Synthesis(
        outcome=outcome,
        state=state,
        reason=reason,
        studies=studies,
        participants=sum(study.participants or 0 for study in studies),
        unreported=sum(study.participants is None for study in studies),
        leading=SIDES[ahead < 0] if ahead else None,
        sign_test=sign_test(sides[SIDES[0]], sides[SIDES[1]]),
    )


def sign_test(intervention: int, comparison: int) -> SignTest:
    """Twice the smaller tail of Binomial(n, 1/2), at most 1; exact."""
    n = intervention + comparison
    if n == 0:
        return SignTest(None, 0, 0, "no study has a direction")
    tail = sum(comb(n, k) for k in range(min(intervention, comparison) + 1))
    return SignTest(min(1.0, 2 * tail / 2**n), intervention, comparison)


def _direction(outcome: Outcome, form: Extraction) -> StudyDirection | None:
    """What one study says on the outcome; None if it has no result there."""
    results = [result for result in form.results if result.outcome == outcome.id]
    if not results:
        return None
    counts = Counter(result.direction for result in results)
    most, n = counts.most_common(1)[0]
    analysed = [result.n for result in results if result.n is not None]
    return StudyDirection(
        study=form.study,
        label=form.label,
        year=form.year,
        direction=most if 10 * n >= 7 * len(results) else "mixed",
        counts=tuple((direction, counts[direction]) for direction in DIRECTIONS if counts[direction]),
        participants=max(analysed, default=form.participants),
        within=_within(outcome, results),
    )


def _within(outcome: Outcome, results: Sequence[Result]) -> bool | None:
    """Whether every interval lies within the smallest important difference; one result without it leaves it open."""
    limit, measure = outcome.important, (outcome.measure or "").casefold()
    if limit is None or not measure or measure in RATIOS:
        return None
    same = [result for result in results if (result.measure or "").casefold() == measure]
    intervals = [(result.ci_low, result.ci_high) for result in same]
    known = [(low, high) for low, high in intervals if low is not None and high is not None]
    if any(low < -limit or high > limit for low, high in known):
        return False
    return True if len(known) == len(results) else None


def _state(outcome: Outcome, studies: Sequence[StudyDirection]) -> tuple[str, str]:
    """(one of STATES, why)."""
    if not studies:
        return "no_studies", say("no included study reports this outcome")
    if len(studies) == 1:
        return "insufficient_evidence", say("one study alone is not enough")
    if all(study.within for study in studies):
        return "no_important_effect", say(
            "every interval lies within {important:g} {measure}", important=outcome.important, measure=outcome.measure
        )
    for side in SIDES:
        if _majority(studies, side):
            return side, "more than half of the studies and of their participants point this way"
    seen = {direction for study in studies for direction, _ in study.counts}
    if set(SIDES) <= seen:
        return "mixed", say(
            "results point both ways, and neither way has more than half of the studies and participants"
        )
    if any(study.participants is None for study in studies):
        return "insufficient_evidence", say("not all studies report how many people took part")
    return "insufficient_evidence", say("neither way has more than half of the studies and participants")


def _majority(studies: Sequence[StudyDirection], side: str) -> bool:
    """More than half of the studies and of all their participants; unknown numbers of people make no majority."""
    people = [study.participants for study in studies]
    if any(n is None for n in people):
        return False
    toward = [study for study in studies if study.direction == side]
    there = sum(study.participants or 0 for study in toward)
    return 2 * len(toward) > len(studies) and 2 * there > sum(n or 0 for n in people)
