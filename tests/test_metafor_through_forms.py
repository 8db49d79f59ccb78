"""Reference cases of metafor, taken through the product form by form: what a form gives is what R
gives.

Each study is a form as a person would fill it in, with the figures that its report prints; the
finding's studies, people, estimate, interval, heterogeneity and prediction are compared with
metafor's (version 5.1, kept at full precision). Run as a module it prints how many of how many
agree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp, isclose, sqrt
from typing import Any

import pytest

from livereview.evidence import checks, weigh
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Extraction
from livereview.review import ESTIMATORS, Methods, Outcome
from tests.evidence import CARE, SOS, WELLBEING, review
from tests.test_independent_arithmetic import DATA, needs_data

Z = 1.959963984540054
COUNTS, MEANS, RATES = (
    ("ai", "bi", "ci", "di"),
    ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i"),
    ("x1i", "t1i", "x2i", "t2i"),
)
FIGURES = {"OR": COUNTS, "RR": COUNTS, "SMD": MEANS, "MD": MEANS, "ROM": MEANS, "IRR": RATES}
"""The figures of a form, by measure; what has an effect and a variance only goes in as an SMD."""

RATIOS = ("OR", "RR", "ROM", "IRR")
CASES = (
    *("bangertdrowns2004_smd", "bcg_or", "bcg_rr", "curtis1998_rom"),
    *("edge_dominant", "edge_identical", "edge_k3", "edge_tau2_zero"),
    *("hackshaw1998_logor", "hart1999_irr", "landenberger2005_or", "normand1999_md"),
    *("normand1999_smd", "vanhowe1999_or"),
)
"""Cases whose measure a form can hold, with three studies or more and no group without events."""

QUICK = ("REML/z", "REML/adhoc", "DL/knha", "PM/z", "EE/z")
"""Models that the test compares; as a module all that the case holds are compared."""

FEW = 2
"""So that the test asked for is used with any number of studies."""


@dataclass(frozen=True)
class Case:
    """One reference case: its forms, the people in them, and metafor's models."""

    name: str
    measure: str
    forms: tuple[Extraction, ...]
    people: int | None
    models: dict[str, Any]

    @property
    def outcome(self) -> Outcome:
        base = WELLBEING if self.measure in ("SMD", "MD", "ROM") else CARE
        return replace(base, measure=self.measure, important=None, pool=True, risk=None)


def load(name: str) -> Case:
    content = json.loads((DATA / "synthesis" / f"{name}.json").read_text("utf-8"))
    measure = "SMD" if content["measure"] == "GEN" else content["measure"]
    case = Case(name, measure, (), None, content["models"])
    rows = list(_rows(content))
    forms = tuple(_form(case.outcome, number, row) for number, row in enumerate(rows))
    people = [sum(row["reported"][key] for key in _sizes(row)) for row in rows if _sizes(row)]
    return replace(case, forms=forms, people=round(sum(people)) if people else None)


def _rows(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a person would type of each study."""
    if content["measure"] == "GEN":
        for value, variance in zip(content["yi"], content["vi"], strict=True):
            half = Z * sqrt(variance)
            yield {"effect": value, "ci_low": value - half, "ci_high": value + half}
        return
    names = FIGURES[content["measure"]]
    for figures in zip(*(content["raw"][name] for name in names), strict=True):
        yield {"reported": dict(zip(names, map(float, figures), strict=True))}


def _sizes(row: dict[str, Any]) -> Sequence[str]:
    """The figures that add up to a study's people."""
    reported = row.get("reported", {})
    return COUNTS if "ai" in reported else tuple(set(reported) & {"n1i", "n2i"})


def _form(outcome: Outcome, number: int, typed: dict[str, Any]) -> Extraction:
    result = {
        "outcome": outcome.id,
        "comparison": "sos",
        "construct": "it",
        "measure": outcome.measure,
        "higher_is_better": outcome.better == "higher",
        **typed,
    }
    data = {
        "study": f"s{number:03}",
        "label": f"Study {number}",
        "reports": [f"10.5555/{number}"],
        "results": [result],
    }
    return checks.from_json(data, review(outcome), "a form")


def finding_of(case: Case, model: str) -> Finding:
    """The finding by one of metafor's models: “REML/knha”."""
    estimator, test = model.split("/")
    methods = Methods(estimator=estimator, test=test, few=FEW, sensitivity=(), prediction="matched")
    return weigh.finding(review(case.outcome, methods=methods), SOS, case.outcome, case.forms)


def compared(case: Case, model: str) -> Iterator[tuple[str, bool]]:
    """(what, whether it agrees) of each figure that both give."""
    found = finding_of(case, model)
    reference = {name: _first(value) for name, value in case.models[model].items()}
    estimate = found.estimate
    yield "studies", estimate is not None and estimate.studies == reference["k"]
    yield "people", found.people == case.people
    if estimate is None:
        yield "estimate", False
        return
    shown = exp if case.measure in RATIOS else float
    pairs = {
        "estimate": (estimate.value, shown(reference["b"])),
        "interval, low": (estimate.low, shown(reference["ci_lb"])),
        "interval, high": (estimate.high, shown(reference["ci_ub"])),
    }
    if estimate.tau2 is not None:
        pairs["tau²"] = (estimate.tau2, reference["tau2"])
        pairs["I²"] = (estimate.i2 or 0.0, reference["I2"])
    if estimate.prediction_low is not None and reference.get("pi_lb") is not None:
        pairs["prediction, low"] = (estimate.prediction_low, shown(reference["pi_lb"]))
    for what, (ours, theirs) in pairs.items():
        yield what, isclose(ours, theirs, rel_tol=1e-6, abs_tol=1e-7)
    yield "words", _says_what_the_interval_says(found, reference)


def _first(value: Any) -> Any:
    """R gives some single figures as vectors."""
    return value[0] if isinstance(value, list) and value else value


def _says_what_the_interval_says(found: Finding, reference: dict[str, Any]) -> bool:
    """No side is named that the interval does not lie on; a clear one may still be told as mixed."""
    low, high = reference["ci_lb"], reference["ci_ub"]
    side = "more" if low > 0 else "fewer" if high < 0 else None
    if found.state == "effect":
        return found.side == side
    return found.state == "disagree" or (found.state == "too_little" and side is None)


@needs_data
@pytest.mark.parametrize("name", CASES)
def test_a_form_for_each_study_gives_what_metafor_gives(name: str) -> None:
    case = load(name)
    for model in QUICK:
        wrong = [what for what, agrees in compared(case, model) if not agrees]
        assert wrong == [], model


def main() -> None:
    """Print how many figures agree, case by case."""
    agreed = total = 0
    for name in CASES:
        case = load(name)
        models = [model for model in case.models if model.split("/")[0] in ESTIMATORS]
        rows = [(model, what, ok) for model in models for what, ok in compared(case, model)]
        wrong = [f"{model} {what}" for model, what, ok in rows if not ok]
        agreed, total = agreed + len(rows) - len(wrong), total + len(rows)
        print(f"{name}: {len(rows) - len(wrong)} of {len(rows)} agree; {wrong[:6]}")
    print(f"{agreed:,} of {total:,} figures of {len(CASES)} cases agree")


if __name__ == "__main__":
    main()
