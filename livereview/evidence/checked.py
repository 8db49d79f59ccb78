"""All findings of a review, each with its checks: what pages, files, ratings and sign-off start
from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from livereview import messages
from livereview.evidence import contributions, moderators, sensitivity, small_studies, weigh
from livereview.evidence.contributions import Given
from livereview.evidence.finding import Finding, Sensitivity, SmallStudies
from livereview.evidence.forms import Extraction
from livereview.evidence.weigh import Conclusion
from livereview.review import Comparison, Methods, Outcome, Review

KEPT = 512
"""Answers whose checks are kept: a rebuild asks for those of the same evidence several times."""


@dataclass(frozen=True, slots=True)
class _Checks:
    sensitivity: tuple[Sensitivity, ...]
    small_studies: SmallStudies | None


def findings(
    review: Review,
    forms: Iterable[Extraction],
    waiting: int = 0,
    unread: Mapping[str, int] | None = None,
) -> tuple[Finding, ...]:
    """Every finding of a review: comparison by comparison, outcome by outcome, in the protocol's
    order.

    Args:
        review: the protocol in force.
        forms: the extractions in force, in any order.
        waiting: records that wait to be screened, read or extracted.
        unread: by finding, studies that were extracted before the protocol asked about it.
    """
    known, more = list(forms), unread or {}
    return tuple(
        finding(
            review,
            comparison,
            outcome,
            known,
            waiting + more.get(f"{comparison.id}/{outcome.id}", 0),
        )
        for comparison in weigh.comparisons_of(review)
        for outcome in review.outcomes
    )


def finding(
    review: Review,
    comparison: Comparison,
    outcome: Outcome,
    forms: Sequence[Extraction],
    waiting: int = 0,
) -> Finding:
    """One finding with its checks; what is not pooled has none, and costs nothing more."""
    given = contributions.gather(review, comparison, outcome, forms)
    answer = weigh.conclude(review.methods, comparison, outcome, given, waiting)
    plain = weigh.put_together(comparison, weigh.with_unit(review, outcome), given, answer, waiting)
    pooled = answer.estimate is not None and answer.estimate.studies > 1
    if plain.state == "not_asked" or not pooled:
        return plain
    checks = _checks(review.methods, comparison, outcome, given, messages.in_force())
    return plain.model_copy(
        update={
            "sensitivity": checks.sensitivity,
            "moderators": moderators.moderations(review, comparison, outcome, forms, given, answer),
            "small_studies": checks.small_studies,
        }
    )


@lru_cache(maxsize=KEPT)
def _checks(
    methods: Methods, comparison: Comparison, outcome: Outcome, given: Given, _language: str
) -> _Checks:
    """The checks of one pooled answer; these make words, so each language has its own."""

    def conclude(other: Methods, some: Given) -> Conclusion:
        return weigh.conclude(other, comparison, outcome, some)

    answer = conclude(methods, given)
    return _Checks(
        sensitivity.checked(methods, given, answer, conclude),
        small_studies.tested(answer.estimate, given.counted),
    )
