"""The sentences of the summary can be read at the age of fourteen, whatever the state of the evidence.

Measured by the Flesch-Kincaid grade (Kincaid, Fishburne, Rogers and Chissom, Derivation of new readability formulas,
Naval Technical Training Command, Research Branch Report 8-75, 1975): 0.39 words a sentence + 11.8 syllables a word -
15.59, which is a school year of the United States. Pupils are five years older than the number of their year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from livereview.evidence.certainty import LEVELS, Rating
from livereview.evidence.claims import CAVEAT
from livereview.evidence.forms import DIRECTIONS, Extraction
from livereview.evidence.synthesis import STATES
from livereview.review import Outcome
from livereview.summary import data
from livereview.summary.data import Edition
from livereview.summary.snapshot import Snapshot
from tests.published_states import example
from tests.snapshots import CARE, MOMENT, WELL, result, review, snapshot, study

OLDEST = 14.0
FOR, AGAINST, NONE, UNCLEAR = DIRECTIONS
MANY = (CARE, WELL, *(Outcome(f"o{n}", label, "higher", "SMD", 0.2) for n, label in enumerate(
    ("School attendance", "Moves between homes", "Contact with police", "Mental health", "Time with family")
)))  # fmt: skip


def syllables(word: str) -> int:
    """The groups of vowels, less those that are not spoken: a last e, and those of -es and -ed after most letters."""
    small = word.casefold()
    silent = re.search(r"[^aeiouyl]e$|[^aeiouytd]ed$|[^aeiouycgsxz]es$", small) and not re.search(r"[cs]hes$", small)
    return max(1, len(re.findall(r"[aeiouy]+", small)) - bool(silent))


def age(text: str) -> float:
    """The reading age of a passage; a number is one word of one syllable."""
    words = re.findall(r"[A-Za-z][A-Za-z'’-]*|\d[\d.,]*", text)
    sentences = max(1, len(re.findall(r"[.!?](?=\s|$)", text)))
    spoken = sum(syllables(word) if word[0].isalpha() else 1 for word in words)
    return 0.39 * len(words) / sentences + 11.8 * spoken / len(words) - 15.59 + 5


def several(*directions: str, outcome: str = "well") -> tuple[Extraction, ...]:
    return tuple(study(f"s{n}", result(outcome, one, n=100), year=2019) for n, one in enumerate(directions))


def cases() -> dict[str, tuple[Extraction, ...]]:
    """Studies that bring each state of an outcome about, and each thing that one study can say."""
    both = study("s0", result("well", FOR, n=50), result("well", AGAINST, n=50))
    small = [result("well", NONE, n=900, measure="SMD", effect=0.0, ci_low=-0.1, ci_high=0.1) for _ in range(4)]
    spread = [study(f"s{n}", *(result(f"o{m}", FOR, n=90) for m in range(5) if m <= n)) for n in range(4)]
    return {
        "none": (),
        **{f"one {way}": several(way) for way in DIRECTIONS},
        "one both ways": (both,),
        "one rate": several(FOR, outcome="care"),
        "too little": several(UNCLEAR, NONE),
        "unknown numbers": (study("s0", result("well", FOR)), study("s1", result("well", FOR))),
        "mixed": (both, *several(FOR, AGAINST, NONE, UNCLEAR)[1:], *several(FOR, AGAINST)[:1]),
        "for": several(*[FOR] * 8),
        "against": several(*[AGAINST] * 8),
        "rate": several(*[FOR] * 8, outcome="care"),
        "no difference": tuple(study(f"s{n}", one) for n, one in enumerate(small)),
        "many outcomes": tuple(spread),
    }


def rated(snap: Snapshot, level: str | None) -> Snapshot:
    """All outcomes at this level of certainty, where they have studies."""
    names = {
        one.id: tuple(
            sorted({s.study_id for s in snap.studies for r in s.extraction.results if r.outcome == one.id})  # type: ignore[union-attr]
        )
        for one in snap.review.outcomes
    }
    given = [Rating("grade", name, level, (), some, "high") for name, some in names.items() if some and level]
    return replace(snap, ratings=tuple(given))


@cache
def claims() -> dict[str, tuple[str, str | None]]:
    """{sentence: (claim, its state)} of all cases at all levels of certainty, and of the examples."""
    told: dict[str, tuple[str, str | None]] = {CAVEAT: ("caveat", None)}
    for snap in (*_made(), *(_plain(example(name)) for name in ("youth-homelessness", "signs-of-safety"))):
        weighed = data.weigh(snap)
        summary = data.summary(snap, weighed, Edition(1, MOMENT, "x", None, data.compare(snap, weighed)))
        for one in summary["claims"]:  # what works is told twice, as the answer and as the first of five questions
            told.setdefault(one["text"], (one["id"], one["state"]))
    return told


def _plain(snap: Snapshot) -> Snapshot:
    """Without the cautions of extractions, which are their authors' own words."""
    forms = [replace(one, extraction=one.extraction and replace(one.extraction, caution=None)) for one in snap.studies]
    return replace(snap, studies=tuple(forms))


def _made() -> Iterator[Snapshot]:
    for forms in cases().values():
        for level in (None, *LEVELS):
            yield rated(snapshot(*forms, review=review(outcomes=MANY)), level)
            yield rated(snapshot(*forms), level)


def test_every_state_and_every_kind_of_claim_was_measured() -> None:
    assert {state for _, state in claims().values() if state} == set(STATES)
    assert {name.partition(":")[0] for name, _ in claims().values()} == {"answer", "outcome", "emmie", "caveat"}


def test_the_sentences_of_the_summary_can_be_read_at_fourteen() -> None:
    ages = {text: age(text) for text in claims()}
    assert {text: round(value, 1) for text, value in ages.items() if value > OLDEST} == {}


@pytest.mark.parametrize(
    ("word", "spoken"),
    [("study", 2), ("measured", 2), ("wanted", 2), ("intervention", 4), ("the", 1), ("little", 2), ("differences", 4),
     ("comparison", 4), ("likes", 1), ("reaches", 2)],
)  # fmt: skip
def test_syllables_are_counted_as_they_are_spoken(word: str, spoken: int) -> None:
    assert syllables(word) == spoken


def test_the_measure_tells_plain_from_heavy_words() -> None:
    heavy = (
        "Heterogeneous methodological characteristics preclude quantitative estimation of comparative effectiveness."
    )
    assert age("We do not know yet if it works.") < 9 < 20 < age(heavy)
