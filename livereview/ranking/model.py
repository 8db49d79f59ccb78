"""What the labels so far say of every record: linear models on a few views of the text, their
scores added up.

Labels of former nights are simply more labels, so a model carries over by being fitted again;
before the first label, or with one kind only, the protocol's words take their place.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse, vstack

from livereview.errors import Refused
from livereview.ranking.features import Array, Features, Matrix

Label = tuple[str, bool]  # record id, relevant; several votes on one record may disagree

Floats = NDArray[np.float32]
ROUNDS, STEPS = 30, 100  # Newton's, and those of conjugate gradients within one
ENOUGH = 1e-3  # of the first gradient: the order no longer changes below it
AGAINST = 0.5  # what an irrelevant record takes from the protocol's similarity, by one relevant


@dataclass(frozen=True, slots=True)
class Part:
    """One linear support vector machine: squared hinge loss, cost `c`, the relevant weighing
    `ratio` times the others.

    Attributes:
        weight: Of its standardised score in the sum.
    """

    view: str
    weight: float = 1.0
    c: float = 0.11
    ratio: float = 9.8


U4 = (Part("text"),)  # ASReview's ELAS u4, if the features keep terms of one record only (rare=1)
PARTS = (Part("text"), Part("title", 0.5), Part("latent"), Part("letters"))


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned. version: hash of features, labels, parameters and seed.

    Features: their version.

    Attributes:
        weights: A vector and a constant of each part.
        centre, spread: Of each part's score over the records without a label, so that parts can be
            added.
    """

    parts: tuple[Part, ...]
    weights: tuple[tuple[Array, float], ...]
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    seed: int
    features: str
    version: str


def fit(
    features: Features,
    labels: Sequence[Label],
    seed: int = 0,
    parts: Sequence[Part] = PARTS,
    start: Model | None = None,
) -> Model:
    """A model of these labels; the same arguments give the same numbers.

    A record with several votes counts once, divided among them. `start`, an earlier model, only
    makes it faster: the weights agree to the solver's tolerance. The fit draws nothing; the seed is
    that of folds and audits, kept for the record. Raises Refused for a label of an unknown record.
    """
    rows = _rows(features, [one for one, _ in labels])
    votes = Counter(one for one, _ in labels)
    y = np.array([1.0 if relevant else -1.0 for _, relevant in labels])
    share = np.array([1 / votes[one] for one, _ in labels])
    same = start is not None and (start.parts, start.features) == (tuple(parts), features.version)
    begin = start.weights if start and same else (None,) * len(parts)
    weights = tuple(
        _learn(features, part, rows, y, share, first)
        for part, first in zip(parts, begin, strict=True)
    )
    unread = np.setdiff1d(np.arange(len(features.ids)), rows)
    raw = [_raw(features, part, one) for part, one in zip(parts, weights, strict=True)]
    centre, spread = _standard([one[unread] if len(unread) > 1 else one for one in raw])
    version = _version(features, labels, parts, seed)
    return Model(tuple(parts), weights, centre, spread, seed, features.version, version)


def _standard(raw: Sequence[Array]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    centre = tuple(float(one.mean()) if len(one) else 0.0 for one in raw)
    return centre, tuple(float(one.std()) + 1e-9 if len(one) else 1.0 for one in raw)


def _rows(features: Features, ids: Sequence[str]) -> NDArray[np.int64]:
    row = {one: i for i, one in enumerate(features.ids)}
    if unknown := [one for one in ids if one not in row]:
        raise Refused(
            f"a label is for {unknown[0]!r}, no record here; build features of every labelled record"
        )
    return np.array([row[one] for one in ids], dtype=np.int64)


def _version(features: Features, labels: Sequence[Label], parts: Sequence[Part], seed: int) -> str:
    return hashlib.sha256(
        repr((features.version, tuple(parts), seed, sorted(labels))).encode()
    ).hexdigest()[:16]


def _learn(
    features: Features,
    part: Part,
    rows: NDArray[np.int64],
    y: Array,
    share: Array,
    first: tuple[Array, float] | None,
) -> tuple[Array, float]:
    """Weights of one part; the protocol, where there is one, counts as a relevant record."""
    view, asked = features.views[part.view], features.protocol[part.view]
    x = view[rows]
    if len(set(y)) < 2:
        return _similar(x, y, asked), 0.0
    if abs(asked).sum():
        x = vstack([x, asked], format="csr") if issparse(x) else np.vstack([x, asked])
        y, share = np.append(y, 1.0), np.append(share, 1.0)
    return _svm(x, y, part.c * _balance(y, share, part.ratio), first)


def _similar(x: Matrix, y: Array, asked: Matrix) -> Array:
    """Rocchio's query: the protocol, plus the mean of relevant records, less a share of that of
    irrelevant ones.

    Rocchio JJ, in Salton (ed.), The SMART Retrieval System, 1971, 313-23.
    """
    query = np.asarray(asked.sum(axis=0), dtype=np.float64).ravel()
    for sign, weight in ((1.0, 1.0), (-1.0, -AGAINST)):
        if (y == sign).any():
            query = query + weight * np.asarray(x[y == sign].mean(axis=0), dtype=np.float64).ravel()
    return query


def _balance(y: Array, share: Array, ratio: float) -> Array:
    """Weights that add up to the number of labels, all relevant ones weighing `ratio` times all
    others.
    """
    relevant, others = share[y > 0].sum(), share[y < 0].sum()
    weights = share * np.where(y > 0, 1.0, relevant / (ratio * others))
    balanced: Array = weights * share.sum() / weights.sum()
    return balanced


def _svm(
    x: Matrix, y: Array, cost: Array, first: tuple[Array, float] | None
) -> tuple[Array, float]:
    """Minimum of |w|^2/2 + b^2/2 + sum of cost max(0, 1 - y (xw + b))^2, as LIBLINEAR's L2-loss
    machine has it.

    By Newton's method on the records within the margin (Keerthi and DeCoste, J Mach Learn Res
    2005;6:341-61), from `first` on. Columns that no labelled record uses stay 0.
    """
    if issparse(x):
        used = np.flatnonzero(np.bincount(x.indices))
    else:
        used = np.arange(x.shape[1])
    a = x if len(used) > x.shape[1] // 2 else x[:, used]
    used = np.arange(x.shape[1]) if a is x else used
    if first is None:
        w = np.zeros(len(used) + 1)
    else:
        w = np.append(first[0][used], first[1])
    full = np.zeros(x.shape[1] + 1)
    full[[*used, -1]] = _newton(
        a, y.astype(np.float32), cost.astype(np.float32), w.astype(np.float32)
    )
    return full[:-1], float(full[-1])


def _newton(a: Matrix, y: Floats, cost: Floats, w: Floats) -> Floats:
    goal = ENOUGH * 2 * float(np.linalg.norm(_back(a, cost * y)))
    for _ in range(ROUNDS):
        slack = 1 - y * _ahead(a, w)
        inside = slack > 0
        most = inside.mean() > 0.5  # a copy of most of `a` would cost more than it saves
        part, rows = (a, slice(None)) if most else (a[inside], inside)
        weight = (2 * cost * inside)[rows]
        gradient = w - _back(part, weight * (y * slack)[rows])
        if np.linalg.norm(gradient) <= goal:
            break
        w = w + _descend(part, weight, gradient, goal)
    return w


def _ahead(a: Matrix, w: Floats) -> Floats:
    found: Floats = a @ w[:-1] + w[-1]
    return found


def _back(a: Matrix, v: Floats) -> Floats:
    found: Floats = np.append(a.T @ v, v.sum())
    return found


def _descend(a: Matrix, weight: Floats, gradient: Floats, goal: float) -> Floats:
    """Newton's step by conjugate gradients: (1 + a' weight a) step = -gradient."""
    step, rest = np.zeros_like(gradient), -gradient
    way, size = rest, float(rest @ rest)
    enough = max(goal / 2, 1e-2 * size**0.5)
    for _ in range(STEPS):
        if size**0.5 <= enough:
            break
        bent = way + _back(a, weight * _ahead(a, way))
        length = size / float(way @ bent)
        step, rest = step + length * way, rest - length * bent
        size, before = float(rest @ rest), size
        way = rest + size / before * way
    return step


def _raw(features: Features, part: Part, weights: tuple[Array, float]) -> Array:
    found: Array = (
        np.asarray(features.views[part.view] @ weights[0].astype(np.float32), dtype=np.float64)
        + weights[1]
    )
    return found


def scores(model: Model, features: Features) -> Array:
    """A number per record, higher is read earlier; only comparable within one model."""
    total = np.zeros(len(features.ids))
    for part, weights, centre, spread in zip(
        model.parts, model.weights, model.centre, model.spread, strict=True
    ):
        total += part.weight * (_raw(features, part, weights) - centre) / spread
    return total


def out_of_fold(
    features: Features,
    labels: Sequence[Label],
    seed: int,
    folds: int = 5,
    parts: Sequence[Part] = PARTS,
) -> tuple[tuple[str, ...], Array, NDArray[np.int64], NDArray[np.int64]]:
    """Labelled ids.

    Of each the score by a model that did not see its label, the label of most votes, and its fold.

    Folds hold as many relevant records each as can be; a tie of votes is relevant. Raises Refused
    without two of each kind.
    """
    ids, y = _most_votes(labels)
    if min(y.sum(), len(y) - y.sum()) < 2:
        raise Refused(
            "cross-validation needs two relevant and two irrelevant records; screen more first"
        )
    fold, found = _deal(y, folds, seed), np.zeros(len(ids))
    rows, where = _rows(features, ids), dict(zip(ids, fold, strict=True))
    for k in np.unique(fold):
        fitted = fit(features, [label for label in labels if where[label[0]] != k], seed, parts)
        found[fold == k] = scores(fitted, features)[rows[fold == k]]
    return ids, found, y, fold


def _most_votes(labels: Sequence[Label]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    votes = defaultdict[str, list[bool]](list)
    for one, relevant in labels:
        votes[one].append(relevant)
    ids = tuple(sorted(votes))
    return ids, np.array([2 * sum(votes[one]) >= len(votes[one]) for one in ids], dtype=np.int64)


def _deal(y: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """A fold for each, both kinds dealt out evenly."""
    dice, fold = np.random.default_rng(seed), np.zeros(len(y), dtype=np.int64)
    for kind in (0, 1):
        members = dice.permutation(np.flatnonzero(y == kind))
        fold[members] = np.arange(len(members)) % folds
    return fold
