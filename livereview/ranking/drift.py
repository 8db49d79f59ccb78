"""Whether the records of a living stream still look like those that the ranking knows.

A cut or a rule for stopping holds for records like those it was made on. What is new in kind uses
words that were not there before. So each record is told by the share of its words that no other
record found before has, and the new ones are compared with the old by a rank-sum test.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import mannwhitneyu

# of the test, if records came independently of each other: one ranking a night raises one false
# alarm in three years
FALSE_ALARM_RATE = 0.001
# A new record must have more unknown words than an old one in so many pairs: with thousands of
# records the test alone would find every year's new words.
LEAST_SUPERIORITY = 0.65
FEWEST_NEW = 30  # with fewer, one odd journal is a shift
FEWEST_OLD = 200  # with fewer, most words of any new record are unknown
MOST_NEW = 500  # the newest: more tell no more
LEAST_WORDS = 20  # different ones: a title alone is too short for a share
LONGEST = 20_000  # characters read of a record, as in `features`
_WORD = re.compile(r"[^\W\d_]{3,40}")


@dataclass(frozen=True, slots=True)
class Drift:
    """New records beside those found before.

    Attributes:
        new, old: How many were compared.
        unknown_new, unknown_old: Mean share of a record's words that no other old record has.
        superiority: In how many pairs of a new and an old record the new one has the larger share.
        p: Of the rank-sum test, one-sided.
    """

    new: int
    old: int
    unknown_new: float
    unknown_old: float
    superiority: float
    p: float

    @property
    def alarm(self) -> bool:
        return self.p < FALSE_ALARM_RATE and self.superiority >= LEAST_SUPERIORITY


def drift(old: Sequence[str], new: Sequence[str]) -> Drift | None:
    """How far new texts differ in their words from old ones; None where there are too few.

    An old text is compared with all *other* old ones, so that old and new are treated alike
    (Mann and Whitney, Ann Math Stat 1947;18:50-60).

    Args:
        old, new: Titles and abstracts, the newest last.
    """
    told_old = [words for text in old if len(words := _words(text)) >= LEAST_WORDS]
    told_new = [words for text in new if len(words := _words(text)) >= LEAST_WORDS][-MOST_NEW:]
    if len(told_old) < FEWEST_OLD or len(told_new) < FEWEST_NEW:
        return None
    texts_with = Counter(word for words in told_old for word in words)
    shares_old = [_share(words, texts_with, itself=1) for words in told_old]
    shares_new = [_share(words, texts_with, itself=0) for words in told_new]
    test = mannwhitneyu(shares_new, shares_old, alternative="greater")
    pairs = len(shares_new) * len(shares_old)
    return Drift(
        len(shares_new),
        len(shares_old),
        sum(shares_new) / len(shares_new),
        sum(shares_old) / len(shares_old),
        float(test.statistic) / pairs,
        float(test.pvalue),
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text[:LONGEST].casefold()))


def _share(words: frozenset[str], texts_with: Counter[str], itself: int) -> float:
    """Of these words, those that no other text has.

    Args:
        itself: 1 where the text was counted too.
    """
    return sum(texts_with[word] <= itself for word in words) / len(words)
