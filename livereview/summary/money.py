"""Costs as they are published: as studies report them, and in the review's currency and year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from livereview.evidence import costs
from livereview.evidence.costs import Converted
from livereview.evidence.finding import Finding
from livereview.review import Costs as Rules
from livereview.summary.model import Costs, PerOutcome, PerUnit
from livereview.summary.model.protocol import CostRules
from livereview.summary.model.studies import ReportedCost
from livereview.summary.snapshot import Snapshot


def published(snapshot: Snapshot, findings: Sequence[Finding]) -> Costs:
    """What it costs, by the protocol's table; per outcome by the findings that are shown."""
    rules = snapshot.review.costs
    forms = [study.extraction for study in snapshot.studies if study.extraction]
    rows = costs.converted(snapshot.review, forms)
    per_unit = costs.per_unit(rules, rows)
    return Costs(
        protocol=CostRules.model_validate(asdict(rules)) if rules else None,
        unit=costs.unit(rules) if rules else None,
        rows=tuple(_row(rules, row) for row in rows),
        per_unit=PerUnit.model_validate(asdict(per_unit)) if per_unit else None,
        per_outcome=_per_outcome(rules, costs.per_outcome(rules, per_unit, findings)),
        display=costs.sentence(rules, per_unit) if rules and per_unit else "",
        unclear=tuple(costs.unclear(rules, rows)),
    )


def _per_outcome(rules: Rules | None, rows: Sequence[costs.PerOutcome]) -> tuple[PerOutcome, ...]:
    if rules is None:
        return ()
    return tuple(
        PerOutcome(**asdict(row), display=costs.per_outcome_in_words(rules, row)) for row in rows
    )


def _row(rules: Rules | None, row: Converted) -> ReportedCost:
    """One cost; `converted` is unrounded, and None with a reason."""
    display = row.reason
    if rules is not None and row.amount is not None:
        display = costs.in_words(rules, row.amount)
    return ReportedCost(
        **asdict(row.cost),
        study=row.study,
        label=row.label,
        converted=row.amount,
        converted_display=display,
        reason=row.reason,
    )
