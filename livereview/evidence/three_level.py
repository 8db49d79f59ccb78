"""All results of each study in one pool: the three-level model, with an interval that survives
wrong assumptions.

Results of one study resemble each other, so they are no independent studies. The model has a
variance between studies and one between the results of a study (Konstantopoulos, Res Synth Methods
2011;2:61-76); the interval is robust to whatever dependence is left (CR2: Tipton, Psychol Methods
2015;20:375-93). People are counted once, by the result that the protocol prefers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from livereview.evidence.contributions import Contribution
from livereview.evidence.orientation import Effect, Z
from livereview.messages import mark, say
from livereview.review import Methods
from livereview.statistics.dependent import Multilevel, Robust, multilevel_and_robust
from livereview.statistics.metareg import inconsistency, quantile
from livereview.statistics.tau2 import one_mean

TRUSTED_DF = 4.0
"""Below so many degrees of freedom CR2's interval can't be relied on (Tipton 2015)."""


@dataclass(frozen=True, slots=True)
class Together:
    """The mean of all results of all studies.

    Attributes:
        effect: With the variance that its interval stands for.
        weights: Per cent, by study.
        results: How many results it is made from.
        between: Variance between studies; within: between the results of one.
        i2: Share of variation from both, per cent.
        prediction: Interval for a result of a new study, on the scale of analysis.
        test: In words.
    """

    effect: Effect
    weights: dict[str, float]
    results: int
    between: float
    within: float
    i2: float
    prediction: tuple[float, float]
    test: str
    caution: str | None


def average(one: Contribution) -> Effect | None:
    """A study's results as one: their mean, as precise as if they said all the same (a correlation
    of 1).
    """
    if one.effect is None or not one.further:
        return one.effect
    effects = one.effects
    errors = [sqrt(effect.variance) for effect in effects if effect.variance is not None]
    value = sum(effect.value for effect in effects) / len(effects)
    return Effect(one.effect.measure, value, (sum(errors) / len(errors)) ** 2)


def together(methods: Methods, kept: Sequence[Contribution]) -> Together | None:
    """The three-level mean; None where it can't be fitted.

    Args:
        methods: with `test` z the interval is the model's own, as it is below `few` studies; else
        it is CR2's.
        kept: three studies or more, at least one of them with several results.
    """
    pairs = [(one.study, effect) for one in kept for effect in one.effects]
    yi, vi = [effect.value for _, effect in pairs], [effect.variance for _, effect in pairs]
    cluster = [study for study, _ in pairs]
    model, sandwich = multilevel_and_robust(yi, vi, cluster)
    between, within = model.sigma2
    if model.b is None or model.se is None or between is None or within is None:
        return None

    few = len(kept) < methods.few
    own = few or methods.test == "z"
    b, se, low, high, df = _interval(model, None if own else sandwich)
    half = quantile(0.95, _prediction_df(methods, model.m, df)) * sqrt(between + within + se**2)
    total = one_mean(np.array(yi, dtype=float), np.array(vi, dtype=float))
    kept_effect = kept[0].effect
    assert kept_effect is not None
    return Together(
        effect=Effect(kept_effect.measure, b, ((high - low) / (2 * Z)) ** 2),
        weights=dict(zip(dict.fromkeys(cluster), model.weights, strict=True)),
        results=len(pairs),
        between=between,
        within=within,
        i2=inconsistency(total, between + within)[0],
        prediction=(b - half, b + half),
        test="z" if df is None else say(mark("CR2, t with {df:.1f} degrees of freedom"), df=df),
        caution=_caution(methods, few, df),
    )


def _interval(
    model: Multilevel, sandwich: Robust | None
) -> tuple[float, float, float, float, float | None]:
    """Mean, standard error, 95% interval and degrees of freedom of t.

    The model's own z where CR2 can't be told.
    """
    assert (
        model.b is not None
        and model.se is not None
        and model.ci_lb is not None
        and model.ci_ub is not None
    )
    if sandwich is None or sandwich.b is None or sandwich.se is None:
        return model.b, model.se, model.ci_lb, model.ci_ub, None
    assert sandwich.ci_lb is not None and sandwich.ci_ub is not None
    return sandwich.b, sandwich.se, sandwich.ci_lb, sandwich.ci_ub, sandwich.df


def _prediction_df(methods: Methods, studies: int, df: float | None) -> float | None:
    return {"riley": float(studies - 2), "k-1": float(studies - 1), "matched": df}[
        methods.prediction
    ]


def _caution(methods: Methods, few: bool, df: float | None) -> str | None:
    if few:
        return say(
            mark("Fewer than {few} studies: the interval may be too narrow if they differ."),
            few=methods.few,
        )
    if df is not None and df < TRUSTED_DF:
        return say(
            mark("The interval rests on few studies that weigh much, so it can't be relied on.")
        )
    return None
