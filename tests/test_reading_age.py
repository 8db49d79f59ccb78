"""The sentences of the summary can be read at the age of fourteen, whatever the state of the
evidence.

Measured by the Flesch-Kincaid grade (Kincaid, Fishburne, Rogers and Chissom, Derivation of new
readability formulas, Naval Technical Training Command, Research Branch Report 8-75, 1975): 0.39
words a sentence + 11.8 syllables a word - 15.59, which is a school year of the United States.
Pupils are five years older than the number of their year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from livereview.evidence import grade, wording
from livereview.evidence.certainty import LEVELS, Rating
from livereview.evidence.finding import STATES, Finding
from livereview.evidence.forms import Extraction
from livereview.review import Comparison
from livereview.summary import data
from livereview.summary.snapshot import Snapshot
from tests.published_states import example
from tests.snapshots import CARE, WELL, result, review, snapshot, study

OLDEST = 14.0
YOUNGEST = 12.0
PLAN = Comparison("plan", "A new plan, or the old one", "a new plan", "the old plan")
SAID = replace(
    WELL,
    pool=True,
    label="How children feel",
    more="children feel better",
    fewer="children feel worse",
)
SAID_CARE = replace(
    CARE, pool=True, measure="RR", risk=60, label="Life in care", more="more children go into care",
    fewer="fewer children go into care",
)  # fmt: skip


def syllables(word: str) -> int:
    """The groups of vowels, less those that are not spoken: a last e, and those of -es and -ed
    after most letters.
    """
    small = word.casefold()
    silent = re.search(r"[^aeiouyl]e$|[^aeiouytd]ed$|[^aeiouycgsxz]es$", small) and not re.search(
        r"[cs]hes$", small
    )
    return max(1, len(re.findall(r"[aeiouy]+", small)) - bool(silent))


def age(text: str) -> float:
    """The reading age of a passage; a number is one word of one syllable."""
    words = re.findall(r"[A-Za-z][A-Za-z'’-]*|\d[\d.,]*", text)
    sentences = max(1, len(re.findall(r"[.!?](?=\s|$)", text)))
    spoken = sum(syllables(word) if word[0].isalpha() else 1 for word in words)
    return 0.39 * len(words) / sentences + 11.8 * spoken / len(words) - 15.59 + 5


def sized(*effects: float, half: float = 0.2, outcome: str = "well") -> tuple[Extraction, ...]:
    """One study for each of these standardised mean differences."""
    ends = [
        {"measure": "SMD", "effect": e, "ci_low": e - half, "ci_high": e + half} for e in effects
    ]
    return tuple(
        study(f"s{n}", result(outcome, n=100, **end), year=2019) for n, end in enumerate(ends)
    )


def cases() -> dict[str, tuple[Extraction, ...]]:
    """Studies that bring each state of a finding about."""
    ratio = {"measure": "RR", "effect": 1.4, "ci_low": 1.2, "ci_high": 1.6, "n": 900}
    return {
        "none": (),
        "words": (study("a", result("well", "favours_intervention")),),
        "one": sized(0.5),
        "several": sized(0.4, 0.5, 0.6),
        "worse": sized(-0.5, -0.4),
        "level": sized(0.0, half=0.1),
        "open": sized(0.1, -0.2, half=0.6),
        "disagree": sized(0.9, -0.9),
        "harm": tuple(study(name, result("care", **ratio)) for name in "ab"),
    }


def rated(snap: Snapshot, level: str | None) -> Snapshot:
    """All findings at this level of certainty, where they have studies."""
    if level is None:
        return snap
    ratings = [
        Rating("grade", finding.id, level, (), (), "high", grade.numbers_of(finding))
        for finding in data.weigh(snap).now
        if finding.studies
    ]
    return replace(snap, ratings=tuple(ratings))


@cache
def findings() -> tuple[Finding, ...]:
    """The findings of all cases at all levels of certainty, and of the examples."""
    found: dict[str, Finding] = {}
    for snap in (*_made(), *(example(name) for name in ("youth-homelessness", "signs-of-safety"))):
        for finding in data.weigh(snap).findings:
            found.setdefault(wording.words(finding).text, finding)
    return tuple(found.values())


def _made() -> Iterator[Snapshot]:
    for forms in cases().values():
        for level in (None, *LEVELS):
            yield rated(snapshot(*forms, review=review(outcomes=(CARE, WELL))), level)
            yield rated(
                snapshot(*forms, review=review(outcomes=(SAID, SAID_CARE), comparisons=(PLAN,))),
                level,
            )


def test_every_state_was_measured() -> None:
    assert {finding.state for finding in findings()} == set(STATES) - {"no_studies"}


def test_the_first_sentence_can_be_read_at_twelve() -> None:
    """Of findings whose protocol says in plain words what more and less of the outcome mean."""
    plain = [finding for finding in findings() if finding.more in (SAID.more, SAID_CARE.more)]
    ages = {wording.headline(finding): age(wording.headline(finding)) for finding in plain}
    assert len(ages) > 15
    assert {text: round(value, 1) for text, value in ages.items() if value > YOUNGEST} == {}


def test_the_sentences_of_the_summary_can_be_read_at_fourteen() -> None:
    """Without labels and phrases of protocols, which are their authors' own words, and without
    reasons of ratings.
    """
    own = {
        "label": "care",
        "intervention": "the new plan",
        "comparator": "the old one",
        "more": "more happens",
    }
    ages: dict[str, float] = {}
    for finding in findings():
        plain = finding.model_copy(
            update={"outcome_label": own["label"], "more": own["more"], "fewer": "less happens"}
        )
        ages[wording.words(plain).text] = age(wording.words(plain).text)
    ages[wording.CAVEAT] = age(wording.CAVEAT)
    assert {text: round(value, 1) for text, value in ages.items() if value > OLDEST} == {}
