"""Pooling: one mean effect from several studies, or one per subgroup, and where a new study's
effect may lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from math import sqrt

import numpy as np
from scipy.special import chdtrc

from livereview.errors import Refused
from livereview.statistics.metareg import (
    COEFFICIENTS,
    Model,
    Regression,
    fit,
    inconsistency,
    quantile,
    regress,
)
from livereview.statistics.tau2 import Array, Number, check, estimate, one_mean, q_profile, usable

PREDICTIONS = ("matched", "riley", "k-1")

LEAST_FOR_PREDICTION = 3  # studies: an interval for the next one from fewer says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled(Model):
    """A pooled effect, on the scale of the effects given (log scale for ratios).

    Attributes:
        b, se, stat, pval, ci_lb, ci_ub: The mean effect.
        pi_lb, pi_ub, pi_method, pi_df: Where a new study's true effect may lie, and by which
            quantile.
        weights: Per cent, one per study used.
    """

    b: float | None = None
    se: float | None = None
    stat: float | None = None
    pval: float | None = None
    ci_lb: float | None = None
    ci_ub: float | None = None
    pi_lb: float | None = None
    pi_ub: float | None = None
    pi_method: str | None = None
    pi_df: int | None = None
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Tau2Interval:
    """Estimate, lower and upper bound of tau² and of I²; all None with `reason`."""

    tau2: tuple[float | None, float | None, float | None]
    I2: tuple[float | None, float | None, float | None]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Subgroups:
    """Effects by group: one model with a common tau², and one of its own for each level.

    Attributes:
        common: Regression on the levels, the first (in alphabetical order) being the reference.
        separate: (level, model with that level's own tau²).
        q, q_p: Cochran's Q between the separate estimates, z tests; None with `reason`.
    """

    levels: tuple[str, ...]
    common: Regression
    separate: tuple[tuple[str, Pooled], ...]
    q: float | None
    q_p: float | None
    reason: str | None = None


def pool(
    yi: Sequence[Number],
    vi: Sequence[Number],
    *,
    method: str = "REML",
    test: str = "z",
    level: float = 0.95,
    prediction: str = "matched",
) -> Pooled:
    """Pool effects yi with sampling variances vi by one of nine estimators of tau² and one of three
    tests.

    Studies without an effect or with a variance of zero are left out and named. There is no one
    prediction interval: "matched" takes the quantile of the test (normal, or t with k - 1), "riley"
    t with k - 2 (Riley, Higgins and Deeks, BMJ 2011;342:d549), "k-1" t with k - 1.
    """
    check(method, test, level)
    if prediction not in PREDICTIONS:
        raise Refused(f"prediction {prediction!r} must be one of {', '.join(PREDICTIONS)}")
    y, v, left = arrays(yi, vi)
    return replace(pooled(y, v, method, test, level, prediction), left_out=left)


def arrays(
    yi: Sequence[Number], vi: Sequence[Number]
) -> tuple[Array, Array, tuple[tuple[int, str], ...]]:
    """Effects and variances of the usable studies, and (position, reason) of the others."""
    kept, left = usable(yi, vi)
    return (
        np.array([yi[i] for i in kept], dtype=float),
        np.array([vi[i] for i in kept], dtype=float),
        left,
    )


def pooled(
    y: Array, v: Array, method: str, test: str, level: float, prediction: str = "matched"
) -> Pooled:
    """`pool` on checked arrays."""
    model = fit(y, v, np.ones((len(y), 1)), ("intercept",), method, test, level)
    shared = {f.name: getattr(model, f.name) for f in fields(Model)}
    own = {name: getattr(model, name)[0] for name in COEFFICIENTS}
    if model.tau2 is None:
        return Pooled(**shared, **own)
    w = 1 / (v + model.tau2)
    done = Pooled(**shared, **own, weights=tuple((100 * w / w.sum()).tolist()))
    return _predicted(done, model, prediction)


def _predicted(done: Pooled, model: Regression, prediction: str) -> Pooled:
    """With its prediction interval: the mean +- quantile times sqrt(tau² + se²)."""
    reason = None
    df = {"matched": model.dfs, "riley": done.k - 2, "k-1": done.k - 1}[prediction]
    if done.method == "EE":
        reason = "an equal-effects model predicts no new study"
    elif df is not None and df < 1:
        reason = f"{done.k} studies are too few for {prediction!r}"
    if reason or done.b is None or done.se is None or done.tau2 is None:
        return replace(
            done,
            not_estimable=(*done.not_estimable, ("pi_lb", reason or ""), ("pi_ub", reason or "")),
        )
    half = quantile(done.level, df) * sqrt(done.tau2 + done.se**2)
    name = "normal" if df is None else f"t({df})"
    few: tuple[str, ...] = ()
    if done.k < LEAST_FOR_PREDICTION:
        few = ("a prediction interval from fewer than three studies is not to be published",)
    return replace(
        done,
        pi_lb=done.b - half,
        pi_ub=done.b + half,
        pi_method=name,
        pi_df=df,
        cautions=(*done.cautions, *few),
    )


def tau2_interval(
    yi: Sequence[Number], vi: Sequence[Number], *, method: str = "REML", level: float = 0.95
) -> Tau2Interval:
    """tau² and I² with their Q-profile intervals."""
    check(method, "z", level)
    y, v, _ = arrays(yi, vi)
    if len(y) < 2:
        return Tau2Interval((None,) * 3, (None,) * 3, "needs two studies")
    s = one_mean(y, v)
    low, high = q_profile(s, level)
    found = estimate(s, method)[0], low, high
    shares = [inconsistency(s, t)[0] for t in found]
    return Tau2Interval(found, (shares[0], shares[1], shares[2]))


def subgroups(
    yi: Sequence[Number],
    vi: Sequence[Number],
    group: Sequence[str | None],
    *,
    method: str = "REML",
    test: str = "z",
    level: float = 0.95,
) -> Subgroups:
    """Effects by group, with a common tau² and with separate ones.

    A study without a group is left out.
    """
    if len(group) != len(yi) or len(vi) != len(yi):
        raise Refused(
            f"{len(yi)} effects need as many variances and groups: {len(vi)}, {len(group)}"
        )
    levels = tuple(sorted({g for g in group if g is not None}))
    dummies = {at: [None if g is None else float(g == at) for g in group] for at in levels[1:]}
    grouped = [None if g is None else v for g, v in zip(group, vi, strict=True)]
    common = regress(yi, grouped, dummies, method=method, test=test, level=level)
    separate = []
    for at in levels:
        rows = [i for i, g in enumerate(group) if g == at]
        own = pool(
            [yi[i] for i in rows], [vi[i] for i in rows], method=method, test=test, level=level
        )
        separate.append(
            (at, replace(own, left_out=tuple((rows[i], why) for i, why in own.left_out)))
        )
    return Subgroups(levels, common, tuple(separate), *_between([model for _, model in separate]))


def _between(models: Sequence[Pooled]) -> tuple[float | None, float | None, str | None]:
    """Cochran's Q between the models' means."""
    return between([(m.b, m.se) for m in models])


def between(
    pairs: Sequence[tuple[Number, Number]],
) -> tuple[float | None, float | None, str | None]:
    """Cochran's Q between independent estimates with standard errors, and its p.

    Both None with a reason.
    """
    sound = [(b, se) for b, se in pairs if b is not None and se]
    if len(sound) < 2 or len(sound) < len(pairs):
        return None, None, "needs two groups, each with an estimate and a standard error"
    b, se = np.array(sound).T
    w = 1 / se**2
    q = float((w * (b - (w @ b) / w.sum()) ** 2).sum())
    return q, float(chdtrc(len(sound) - 1, q)), None
