"""A whole invented review, form by form: 14 studies, 152 effects, 20 outcomes, beside what its
authors would print.

The studies, scales and numbers are made up; the shape is that of a published review: instruments
that run either way, measures under several names, constructs, times, subgroups and arms that a
finding must choose among. The authors' side is worked out here by textbook formulas from the
figures that they would choose, and by no code of the project.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from math import exp, log, sqrt
from random import Random
from typing import Any

import pytest

from livereview.evidence import checked, checks, wording
from livereview.evidence.certainty import Reason
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Extraction
from livereview.review import FollowUp, Methods, Outcome, Review
from tests.evidence import rated, review

SEED = 18
STUDIES, OUTCOMES, EFFECTS = 14, 20, 152
SIZES = (9, 8, 7, 7, 6, 6, 5, 5, 5, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 1)
"""Studies of each outcome."""

TRUE = (0.45, -0.4, 0.0, 0.3, 0.0, -0.35, 0.5, 0.0, 0.35, 0.0)
"""Effects that the outcomes have, again and again, in standard deviations or log ratios."""

Z = 1.959963984540054
NAMES = {
    "SMD": ("SMD", "Hedges' g", "d"),
    "RR": ("RR", "relative risk"),
    "MD": ("MD", "mean difference"),
}
METHODS = Methods(estimator="DL", test="z", few=2, sensitivity=())
"""As reviews of these years have it: DerSimonian and Laird, z."""

BANDS = (FollowUp("short", "up to half a year", 0, 6), FollowUp("long", "longer", 6, 60))
LEVELS = ("high", "moderate", "low", "very_low")


@dataclass
class Authors:
    """What the authors take from each study for one outcome: (value, variance, people)."""

    outcome: Outcome
    chosen: list[tuple[float, float, int]] = field(default_factory=list)

    @property
    def pooled(self) -> tuple[float, float, float]:
        """Mean and interval on the scale of analysis; of two studies the common effect."""
        weights = [1 / v for _, v, _ in self.chosen]
        total = sum(weights)
        mean = sum(w * y for w, (y, _, _) in zip(weights, self.chosen, strict=True)) / total
        q = sum(w * (y - mean) ** 2 for w, (y, _, _) in zip(weights, self.chosen, strict=True))
        scale = total - sum(w**2 for w in weights) / total
        tau2 = max(0.0, (q - (len(weights) - 1)) / scale) if len(weights) > 2 else 0.0
        again = [1 / (v + tau2) for _, v, _ in self.chosen]
        mean = sum(w * y for w, (y, _, _) in zip(again, self.chosen, strict=True)) / sum(again)
        half = Z / sqrt(sum(again))
        return mean, mean - half, mean + half

    @property
    def verdict(self) -> str:
        """What they would write: which way it goes, or that nobody can tell."""
        _, low, high = self.pooled
        if low > 0:
            return "more"
        return "fewer" if high < 0 else "unclear"


@dataclass(frozen=True)
class Case:
    """The review with its forms, and its authors' side by outcome."""

    review: Review
    forms: tuple[Extraction, ...]
    authors: tuple[Authors, ...]
    effects: int


def _outcome(place: int) -> Outcome:
    measure = ("SMD", "RR", "SMD", "MD")[place % 4]
    better = ("higher", "lower")[place % 3 % 2]
    return Outcome(
        f"o{place}",
        f"Outcome {place}",
        better,
        measure,
        None,
        True,
        more=f"more of thing {place} is seen",
        fewer=f"less of thing {place} is seen",
        constructs=("main", "second"),
        follow_up=("long", "short"),
        unit="points" if measure == "MD" else None,
    )


def _typed(
    draw: Random, outcome: Outcome, value: float, variance: float, people: int
) -> dict[str, Any]:
    """The result as its report prints it: on a scale that may run the other way, by any name."""
    measure = outcome.measure or ""
    runs_with = measure == "RR" or draw.random() < 0.6
    half = Z * sqrt(variance)
    shown = exp if measure == "RR" else float
    turned = 1 if runs_with else -1
    low, high = sorted((shown(turned * (value - half)), shown(turned * (value + half))))
    return {
        "outcome": outcome.id,
        "comparison": "sos",
        "measure": draw.choice(NAMES[measure]),
        "effect": shown(turned * value),
        "ci_low": low,
        "ci_high": high,
        "n": people,
        "higher_is_better": (outcome.better == "higher") == runs_with,
    }


def _chosen(draw: Random, authors: Authors, true: float) -> list[dict[str, Any]]:
    """The result that the authors take from a study: whole, or men and women apart."""
    outcome = authors.outcome
    value = draw.gauss(true, 0.15)
    variance, people = draw.uniform(0.004, 0.03), draw.randrange(60, 900)
    place = {"construct": "main", "time": 12, "time_unit": "months"}
    if draw.random() < 0.75:
        authors.chosen.append((value, variance, people))
        return [_typed(draw, outcome, value, variance, people) | place]
    men, women = (value + 0.05, 2 * variance), (value - 0.05, 2 * variance)
    authors.chosen.append((value, variance, 2 * people))
    return [
        _typed(draw, outcome, *one, people) | place | {"subgroup": name}
        for one, name in ((men, "men"), (women, "women"))
    ]


def _decoy(draw: Random, outcome: Outcome) -> dict[str, Any]:
    """A result that the protocol prefers less, with an effect of its own."""
    place = draw.choice(
        [
            {"construct": "main", "time": 3, "time_unit": "months"},
            {"construct": "second", "time": 12, "time_unit": "months"},
            {"construct": "something else", "time": 24, "time_unit": "months"},
        ]
    )
    return _typed(draw, outcome, draw.gauss(0, 0.6), 0.02, draw.randrange(60, 2000)) | place


@cache
def case() -> Case:
    """The review, always the same."""
    draw = Random(SEED)
    authors = [Authors(_outcome(place)) for place in range(OUTCOMES)]
    results: dict[int, list[dict[str, Any]]] = {number: [] for number in range(STUDIES)}
    for place, one in enumerate(authors):
        for number in sorted(draw.sample(range(STUDIES), SIZES[place])):
            results[number] += _chosen(draw, one, TRUE[place % len(TRUE)])
    short = EFFECTS - sum(len(some) for some in results.values())
    measured = [
        (number, one)
        for number, some in results.items()
        for one in {row["outcome"] for row in some}
    ]
    measured.sort()
    for number, outcome in draw.choices(measured, k=short):
        results[number].append(_decoy(draw, authors[int(outcome[1:])].outcome))
    protocol = review(*(one.outcome for one in authors), methods=METHODS)
    protocol = replace(protocol, follow_up=BANDS)
    forms = tuple(_form(protocol, number, draw, some) for number, some in results.items())
    return Case(protocol, forms, tuple(authors), sum(len(form.results) for form in forms))


def _form(protocol: Review, number: int, draw: Random, results: list[dict[str, Any]]) -> Extraction:
    draw.shuffle(results)
    data = {
        "study": f"s{number:02}",
        "label": f"Study {number}",
        "reports": [f"10.5555/{number}"],
        "results": results,
    }
    return checks.from_json(data, protocol, f"study {number}")


@cache
def findings() -> tuple[Finding, ...]:
    known = case()
    return checked.findings(known.review, known.forms)


def differences() -> Iterator[tuple[str, str, object, object]]:
    """(outcome, what, the authors', ours) of each figure and word that is not the same."""
    for authors, found in zip(case().authors, findings(), strict=True):
        for what, theirs, ours in compared(authors, found):
            if theirs != ours:
                yield found.outcome, what, theirs, ours


def compared(authors: Authors, found: Finding) -> Iterator[tuple[str, object, object]]:
    """(what, the authors', ours): studies, people, size, interval, and which way it goes."""
    assert found.estimate is not None
    analysed = log if authors.outcome.measure == "RR" else float
    estimate = found.estimate
    ours = tuple(round(analysed(end), 6) for end in (estimate.value, estimate.low, estimate.high))
    yield "studies", len(authors.chosen), len(found.counted)
    yield "people", sum(people for _, _, people in authors.chosen), found.people
    yield "size and interval", tuple(round(end, 6) for end in authors.pooled), ours
    yield "words", authors.verdict, _says(found)


def _says(found: Finding) -> str:
    """Which way the first sentence goes, read from its text."""
    text = wording.headline(found)
    more, fewer = found.more in text, found.fewer in text
    if more and fewer:
        return "disagree"
    if more:
        return "more"
    return "fewer" if fewer else "unclear"


def test_the_review_has_the_shape_it_says() -> None:
    known = case()
    assert (len(known.forms), known.effects, len(known.authors)) == (STUDIES, EFFECTS, OUTCOMES)


def test_every_outcome_says_what_its_authors_would() -> None:
    assert list(differences()) == []


@pytest.mark.parametrize("level", LEVELS)
def test_the_authors_certainty_stands_and_turns_no_sentence_round(level: str) -> None:
    steps = LEVELS.index(level)
    reasons = (Reason("risk_of_bias", "high risk", -steps),) if steps else ()
    for authors, found in zip(case().authors, findings(), strict=True):
        judged = rated(found, level, *reasons)
        assert judged.certainty is not None and judged.certainty.level == level
        says = _says(judged)
        assert says == authors.verdict or (says == "unclear" and level == "very_low")


def main() -> None:
    """Print how many of how many outcomes agree, and each difference."""
    wrong = list(differences())
    for row in wrong:
        print(*row)
    agree = OUTCOMES - len({outcome for outcome, *_ in wrong})
    print(f"{agree} of {OUTCOMES} outcomes agree in studies, people, size, interval and words")


if __name__ == "__main__":
    main()
