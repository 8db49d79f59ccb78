"""Old extraction forms made ready for today's rules, as far as that can be done without asking
anybody.

Forms of version 1 and 2 took directions as typed and did not say which way a scale runs. Where the
typed direction and the sign of the effect agree under the outcome's own direction, both say the
same and the scale runs with the outcome. Where they disagree either the scale is reversed or one of
the two is wrong: only a person can tell, so the result is left as it is, counts for nothing, and
becomes a question.
"""

from __future__ import annotations

import re
from dataclasses import replace

from livereview.evidence import costs, measures, orientation
from livereview.evidence.forms import FORM_VERSION, Extraction, Result
from livereview.review import Outcome, Review

_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
_TIME = re.compile(r"(?<![\d.])(\d{1,6}(?:\.\d{1,6})?)\s{0,3}(day|week|month|year)s?")


def upgraded(form: Extraction, review: Review) -> Extraction:
    """The form by today's version; one that is up to date is returned as it is."""
    if form.form_version == FORM_VERSION:
        return form
    outcomes = {outcome.id: outcome for outcome in review.outcomes}
    results = tuple(_result(result, outcomes.get(result.outcome)) for result in form.results)
    return replace(form, results=results, form_version=FORM_VERSION)


def questions(form: Extraction, review: Review) -> tuple[tuple[int, str], ...]:
    """(place, what a person must say) of each result that can't be used until then."""
    outcomes = {outcome.id: outcome for outcome in review.outcomes}
    asked: list[tuple[int, str]] = []
    for place, result in enumerate(form.results):
        outcome = outcomes.get(result.outcome)
        if outcome is None:
            continue
        money = costs.why_not_comparable(review, outcome, result)
        oriented = orientation.orient(outcome, result)
        if money is not None:
            asked.append((place, money))
        elif oriented.asks and oriented.reason:
            asked.append((place, oriented.reason))
        elif len(review.comparisons) > 1 and result.comparison is None:
            known = ", ".join(comparison.id for comparison in review.comparisons)
            asked.append((place, f"which comparison is it about: {known}?"))
    return tuple(asked)


def _result(result: Result, outcome: Outcome | None) -> Result:
    timed = _timed(result)
    if outcome is None or timed.effect is None:
        return timed
    unit = measures.read(timed.measure)
    if unit is None:
        return timed
    if not unit.measure.scales:
        with_outcome = timed
    else:
        with_outcome = replace(timed, higher_is_better=outcome.better == "higher")
    if timed.direction not in ("favours_intervention", "favours_comparison"):
        if unit.measure.scales:
            return timed
        return replace(timed, direction=None)
    if orientation.contradiction(outcome, with_outcome) is not None:
        return timed
    return replace(with_outcome, direction=None)


def _timed(result: Result) -> Result:
    """With the time point as a number, where the words hold exactly one number."""
    if result.time is not None or not result.timing:
        return result
    found = _TIME.findall(result.timing.casefold())
    numbers = _NUMBER.findall(result.timing)
    if len(found) != 1 or len(numbers) != 1:  # "6 and 12 months" are two times
        return result
    number, unit = found[0]
    return replace(result, time=float(number), time_unit=f"{unit}s")
