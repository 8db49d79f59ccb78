"""How each study stands in a finding, and how the studies lean."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Any

from livereview.evidence import contributions, measures, sizes
from livereview.evidence.contributions import Contribution
from livereview.evidence.counts import Table
from livereview.evidence.finding import Counts, DomainJudgement, NotUsed, Side, StudyEffect, Votes
from livereview.evidence.orientation import Effect
from livereview.messages import many
from livereview.review import Outcome

SIGN_TEST_FROM = 5
"""Below five studies with a direction a sign test can't fall under 0.06, whatever they found."""


def study(
    outcome: Outcome, one: Contribution, weight: float | None, several: bool, *, counts: bool
) -> StudyEffect:
    """One study as it is shown: by its preferred result, also where several of them count.

    Its figures are in the outcome's own unit where it has one of the same measure: percentage
    points stand beside an answer per 1,000 as people in 1,000.
    """
    figures = _figures(outcome, one.effect) if one.effect is not None else {}
    domains = [
        DomainJudgement(domain=row.domain, label=row.label, judgement=row.judgement)
        for row in one.appraised.domains
    ]
    return StudyEffect(
        study=one.study,
        label=one.label,
        year=one.year,
        people=one.people,
        risk_of_bias=one.appraised.overall,
        high_risk=one.appraised.high,
        tool=one.appraised.tool,
        domains=tuple(domains),
        measured=one.construct,
        months=one.months,
        counts=_counts(one.table),
        leans=_as_side(one.leans),
        as_words=_only_words(one),
        level=_only_words(one) and one.words == "none",
        no_size=None if one.critical else one.no_size,
        half_event=one.half_event,
        weight=weight,
        counted=counts,
        chosen=_chosen(one) if several else one.chosen,
        mixed=one.mixed,
        opposite=one.opposite,
        **figures,
    )


def _figures(outcome: Outcome, effect: Effect) -> dict[str, Any]:
    """A study's size in the outcome's own unit."""
    unit = sizes.unit_of(outcome, effect)
    figures: dict[str, Any] = {
        "measure": unit.measure.id,
        "per": unit.per,
        "value": sizes.shown(unit, effect.value),
        "clear": effect.clear is not None,
    }
    if effect.low is None or effect.high is None:
        return figures
    return figures | {
        "low": sizes.shown(unit, effect.low),
        "high": sizes.shown(unit, effect.high),
    }


def _only_words(one: Contribution) -> bool:
    """Whether it has a direction in words and no figures."""
    return one.effect is None and one.no_size is None


def _counts(table: Table | None) -> Counts | None:
    if table is None:
        return None
    return Counts(
        events_with=table.a,
        others_with=table.b,
        events_without=table.c,
        others_without=table.d,
    )


def _chosen(one: Contribution) -> str:
    if not one.further:
        return one.chosen
    return many(
        "{chosen}; {n} more result counts with it",
        "{chosen}; {n} more results count with it",
        len(one.further),
        chosen=one.chosen,
    )


def _as_side(text: str | None) -> Side | None:
    if text == "more":
        return "more"
    return "fewer" if text == "fewer" else None


def not_used(one: contributions.Unused) -> NotUsed:
    return NotUsed(
        study=one.study,
        label=one.label,
        place=one.place,
        measured=one.construct,
        reason=one.reason,
        asks=one.asks,
    )


def votes(outcome: Outcome, given: Sequence[Contribution]) -> Votes:
    """Counted by the sign of each estimate; words and critical studies apart."""
    counted = [one for one in given if not one.critical]
    effects = [one.effect for one in counted if one.effect is not None]
    more = sum(effect.leans == "more" for effect in effects)
    fewer = sum(effect.leans == "fewer" for effect in effects)
    values = _in_measure(outcome, effects)
    return Votes(
        more=more,
        fewer=fewer,
        level=len(effects) - more - fewer,
        words_only=sum(map(_only_words, counted)),
        critical=len(given) - len(counted),
        least=min(values, default=None),
        most=max(values, default=None),
        sign_p=_sign_test(more, fewer) if more + fewer >= SIGN_TEST_FROM else None,
    )


def _in_measure(outcome: Outcome, effects: Sequence[Effect]) -> list[float]:
    """The sizes that are in the outcome's measure."""
    unit = measures.read(outcome.measure)
    if unit is None:
        return []
    same = [effect for effect in effects if effect.measure.measure.id == unit.measure.id]
    return [sizes.shown(unit, effect.value) for effect in same]


def _sign_test(more: int, fewer: int) -> float:
    """Exact and two-sided: twice the smaller tail of Binomial(n, 1/2), at most 1."""
    n = more + fewer
    tail = sum(comb(n, k) for k in range(min(more, fewer) + 1))
    return float(min(1.0, 2 * tail / 2**n))
