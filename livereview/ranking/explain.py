"""Why a record ranks where it does, in the words of its own title and abstract, with what words do
not tell.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np

from livereview.errors import Refused
from livereview.ranking.features import LONGEST, Features, Text
from livereview.ranking.model import Model

WORD = re.compile(r"\b\w\w+\b")  # what scikit-learn's vectorisers take for a word
LETTERS = 4  # in a row: the "letters" view of `features`
NUMBER = 10
NOWHERE = ""


@dataclass(frozen=True, slots=True)
class Term:
    """A word or two words in a row, in small letters, and what they added to the score.

    Below 0 they lowered it.
    """

    term: str
    contribution: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """One record's score taken apart, in the score's own units: `score` is `terms` and `remainder`
    together.

    Attributes:
        score: The linear score in double precision; `model.scores` is the same but for its single
            precision.
        terms: Those that moved it most, strongest first.
        others: What all terms that are not listed added.
        letters: Letters in a row that stand in no word, such as a lone digit; in a cold start all
            letters in a row.
        latent: The latent semantic part: it mixes all words, so no single one has a share in it.
        constant: The same for every record: the models' constants, less the mean scores they are
            counted from.
        cold: No label has been learned from: only the protocol's words rank.
    """

    record_id: str
    score: float
    terms: tuple[Term, ...]
    others: float
    letters: float
    latent: float
    constant: float
    cold: bool

    @property
    def remainder(self) -> float:
        """All of the score that the listed terms are not."""
        return fsum((self.others, self.letters, self.latent, self.constant))


def terms(model: Model, features: Features, text: Text, number: int = NUMBER) -> tuple[Term, ...]:
    """The words and pairs of words that moved this record's score most, up or down.

    See `explanation`.
    """
    return explanation(model, features, text, number).terms


def explanation(model: Model, features: Features, text: Text, number: int = NUMBER) -> Explanation:
    """This record's score as a sum over its words, and the rest of it as numbers.

    text: the record as the features were built of it. A score is a weighted sum of linear models;
    in each a term's share is its TF-IDF in the record times its weight, over the spread by which
    that model's scores are divided. A term of title and abstract counts for both. Letters in a row
    count for the words they stand in, evenly over the places where they stand. Left out of the
    terms, and given as numbers, are the latent semantic part and what is the same for every record.
    In a cold start terms are the protocol's that the record has. Terms are ordered by size of
    contribution, then by alphabet; those of no contribution are not listed. It tells what the model
    did, not what made the record relevant. Raises Refused for a record that is none of these, for
    another model's features, and for a number below 1.
    """
    row, cold = _row(model, features, text, number), is_cold(model, features)
    moved = _moved(model, features, row, {} if cold else places(text))
    letters = moved.pop(NOWHERE, 0.0)
    ranked = sorted(
        ((word, by) for word, by in moved.items() if by), key=lambda item: (-abs(item[1]), item[0])
    )
    listed = tuple(Term(word, by) for word, by in ranked[:number])
    others = fsum(by for _, by in ranked[number:])
    latent, constant = _latent(model, features, row), _constant(model)
    score = fsum((*moved.values(), letters, latent, constant))
    return Explanation(text.record_id, score, listed, others, letters, latent, constant, cold)


def is_cold(model: Model, features: Features) -> bool:
    """Whether the protocol's words are all that the model knows."""
    asked = [np.asarray(features.protocol[part.view].sum(axis=0)).ravel() for part in model.parts]
    return all(
        not b and np.array_equal(w, one) for (w, b), one in zip(model.weights, asked, strict=True)
    )


def places(text: Text) -> dict[str, list[str]]:
    """Of each four letters in a row, as the "letters" view has them, the word of each place where
    they stand.

    Two words may be joined, as in "self-harm": the one with more of the letters has them, of two
    with as many the first. Where there is no word it is "".
    """
    found = defaultdict[str, list[str]](list)
    for joined in f"{text.title} {text.abstract}"[:LONGEST].lower().split():
        padded = f" {joined} "
        words = [(match.start(), match.end(), match.group()) for match in WORD.finditer(padded)]
        for at in range(max(1, len(padded) - LETTERS + 1)):
            found[padded[at : at + LETTERS]].append(_home(words, at))
    return dict(found)


def _home(words: Sequence[tuple[int, int, str]], at: int) -> str:
    shared = [(min(at + LETTERS, end) - max(at, start), word) for start, end, word in words]
    most, word = max(shared, key=lambda one: one[0], default=(0, NOWHERE))
    return word if most > 0 else NOWHERE


def _row(model: Model, features: Features, text: Text, number: int) -> int:
    if number < 1:
        raise Refused("an explanation lists at least one term")
    if model.features != features.version:
        raise Refused("this model was fitted to other features; fit it to these first")
    if text.record_id not in features.ids:
        raise Refused(f"{text.record_id!r} is no record of these features; build features with it")
    return features.ids.index(text.record_id)


def _moved(
    model: Model, features: Features, row: int, homes: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """What each term added; letters in a row count for their `homes`, without any for NOWHERE."""
    moved = defaultdict[str, list[float]](list)
    for view, name, value in _columns(model, features, row):
        words = homes.get(name, (NOWHERE,)) if view == "letters" else (name,)
        for word in words:
            moved[word].append(value / len(words))
    return {word: fsum(values) for word, values in moved.items()}


def _columns(model: Model, features: Features, row: int) -> Iterator[tuple[str, str, float]]:
    """View, column's name and its part of the score, of every column the record has."""
    for part, (w, _), spread in zip(model.parts, model.weights, model.spread, strict=True):
        if part.view in features.terms:
            has = features.views[part.view][[row]]
            for column, value in zip(has.indices, has.data, strict=True):
                added = part.weight * float(value) * float(w[column]) / spread
                yield part.view, features.terms[part.view][column], added


def _latent(model: Model, features: Features, row: int) -> float:
    """The views that have no terms."""
    every = zip(model.parts, model.weights, model.spread, strict=True)
    dense = ((part, w, spread) for part, (w, _), spread in every if part.view not in features.terms)
    return fsum(
        part.weight * float(features.views[part.view][row].astype(np.float64) @ w) / spread
        for part, w, spread in dense
    )


def _constant(model: Model) -> float:
    every = zip(model.parts, model.weights, model.centre, model.spread, strict=True)
    return fsum(part.weight * (b - centre) / spread for part, (_, b), centre, spread in every)
