"""Effect sizes: from what each study reports to an effect and its variance, by metafor's measures
and argument names.

The formulas are those of Viechtbauer's `escalc` 5.1 (J Stat Softw 2010;36(3):1-48); the tests
compare the results. Ratios are on the log scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from operator import and_

from livereview.errors import Refused
from livereview.statistics import effects_counts, effects_means
from livereview.statistics.effects_counts import Impossible

Number = float | None
Formula = Callable[..., tuple[float, float]]
VARIANCES = ("LS", "UB")
CORRECTIONS = ("only0", "all", "if0all", "none")
TWO_BY_TWO, COUNTS, RATES = ("ai", "bi", "ci", "di"), ("xi", "ni"), ("x1i", "t1i", "x2i", "t2i")
TWO_MEANS, CHANGE, CORRELATION = (
    ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i"),
    ("m1i", "m2i", "sd1i", "sd2i", "ni", "ri"),
    ("ri", "ni"),
)


@dataclass(frozen=True, slots=True)
class Measure:
    """`columns` that it needs, in the order of its formula's arguments; `corrected`: whether a
    count of zero is.
    """

    label: str
    columns: tuple[str, ...]
    formula: Formula
    corrected: bool = False


MEASURES: Mapping[str, Measure] = {
    "OR": Measure("log odds ratio", TWO_BY_TWO, effects_counts.odds_ratio, True),
    "RR": Measure("log risk ratio", TWO_BY_TWO, effects_counts.risk_ratio, True),
    "RD": Measure("risk difference", TWO_BY_TWO, effects_counts.risk_difference, True),
    "PETO": Measure("log odds ratio by Peto's method", TWO_BY_TWO, effects_counts.peto, True),
    "OR2D": Measure(
        "odds ratio as a mean difference", TWO_BY_TWO, effects_counts.or_to_d_logistic, True
    ),
    "OR2DL": Measure(
        "odds ratio as a mean difference, logistic",
        TWO_BY_TWO,
        effects_counts.or_to_d_logistic,
        True,
    ),
    "OR2DN": Measure(
        "odds ratio as a mean difference, normal", TWO_BY_TWO, effects_counts.or_to_d_normal, True
    ),
    "PHI": Measure("phi coefficient", TWO_BY_TWO, effects_counts.phi, True),
    "IRR": Measure("log incidence rate ratio", RATES, effects_counts.rate_ratio, True),
    "IRD": Measure("incidence rate difference", RATES, effects_counts.rate_difference, True),
    "PR": Measure("proportion", COUNTS, effects_counts.proportion, True),
    "PLN": Measure("log proportion", COUNTS, effects_counts.log_proportion, True),
    "PLO": Measure("log odds", COUNTS, effects_counts.log_odds, True),
    "PAS": Measure("arcsine of a proportion", COUNTS, effects_counts.arcsine),
    "PFT": Measure("proportion after Freeman and Tukey", COUNTS, effects_counts.freeman_tukey),
    "MD": Measure("mean difference", TWO_MEANS, effects_means.mean_difference),
    "SMD": Measure("standardised mean difference (Hedges' g)", TWO_MEANS, effects_means.hedges_g),
    "SMDH": Measure(
        "standardised mean difference, unequal variances",
        TWO_MEANS,
        effects_means.unequal_variances,
    ),
    "ROM": Measure("log ratio of means, bias-corrected", TWO_MEANS, effects_means.ratio_of_means),
    "RPB": Measure("point-biserial correlation", TWO_MEANS, effects_means.point_biserial),
    "D2ORL": Measure(
        "mean difference as a log odds ratio, logistic", TWO_MEANS, effects_means.d_to_or_logistic
    ),
    "D2ORN": Measure(
        "mean difference as a log odds ratio, normal", TWO_MEANS, effects_means.d_to_or_normal
    ),
    "MC": Measure("mean change", CHANGE, effects_means.mean_change),
    "SMCC": Measure(
        "standardised mean change, by the change's SD", CHANGE, effects_means.change_by_change_sd
    ),
    "SMCR": Measure(
        "standardised mean change, by the first SD", CHANGE, effects_means.change_by_raw_sd
    ),
    "COR": Measure("correlation", CORRELATION, effects_means.correlation),
    "ZCOR": Measure("Fisher's z of a correlation", CORRELATION, effects_means.fisher_z),
}
# metafor also takes the group's size for its second count
SIZES = {"bi": ("ai", "n1i"), "di": ("ci", "n2i"), "ni": ("xi", "mi")}


DROPPED = None, None, "not estimable: no events, or only events, in both groups"


@dataclass(frozen=True, slots=True)
class Effects:
    """One effect and variance for each study, None where it can't be estimated; `notes` says why,
    study by study.
    """

    measure: str
    yi: tuple[Number, ...]
    vi: tuple[Number, ...]
    notes: tuple[str | None, ...]


def escalc(
    measure: str,
    raw: Mapping[str, Sequence[Number]],
    *,
    add: float = 0.5,
    to: str = "only0",
    drop00: bool = False,
    vtype: str = "LS",
) -> Effects:
    """The effects of a measure (a key of MEASURES, or GEN for `yi` and `vi` as they are).

    What is wrong with a study becomes its note.

    Args:
        raw: Columns in metafor's names, one value a study: ai bi ci di (or ai n1i ci n2i), xi ni,
            x1i t1i x2i t2i, m1i sd1i n1i m2i sd2i n2i, m1i m2i sd1i sd2i ni ri, ri ni.
        add: What is added to counts.
        to: Where it is added: only0 to studies with a zero, all, if0all to all if any has one,
            none.
        drop00: True: no effect for studies without events, or with nothing but events, in both
            groups.
        vtype: For SMD: LS, or UB for the unbiased variance.

    Raises:
        Refused: for what is wrong with the table as a whole.
    """
    if measure == "GEN":
        return _given(raw)
    if measure not in MEASURES:
        raise Refused(f"unknown measure {measure!r}; choose one of GEN, {', '.join(MEASURES)}")
    if vtype not in VARIANCES:
        raise Refused(f"vtype must be one of {', '.join(VARIANCES)}; it was {vtype!r}")
    if to not in CORRECTIONS:
        raise Refused(f"`to` must be one of {', '.join(CORRECTIONS)}; it was {to!r}")
    how = MEASURES[measure]
    if (measure, vtype) == ("SMD", "UB"):
        formula = effects_means.hedges_g_unbiased
    else:
        formula = how.formula
    rows = _rows(measure, how.columns, raw)
    dropped = [drop00 and how.columns == TWO_BY_TWO and _no_contrast(row) for row in rows]
    if how.corrected:
        rows = _corrected(how.columns, rows, add, to)
    found = [DROPPED if out else _one(formula, row) for row, out in zip(rows, dropped, strict=True)]
    return _effects(measure, found)


def _given(raw: Mapping[str, Sequence[Number]]) -> Effects:
    def one(y: float, v: float) -> tuple[float, float]:
        if v <= 0:
            raise Impossible("its variance is not above zero")
        return y, v

    return _effects("GEN", [_one(one, row) for row in _rows("GEN", ("yi", "vi"), raw)])


def _effects(measure: str, found: Sequence[tuple[Number, Number, str | None]]) -> Effects:
    yi, vi, notes = zip(*found, strict=True) if found else ((), (), ())
    return Effects(measure, tuple(yi), tuple(vi), tuple(notes))


def _one(formula: Formula, row: Sequence[Number]) -> tuple[Number, Number, str | None]:
    values = [value for value in row if value is not None]
    try:
        if len(values) < len(row):
            raise Impossible("a value is missing")
        y, v = formula(*values)
        if not (isfinite(y) and isfinite(v)):
            raise Impossible("the result is not finite")
        if v <= 0:
            raise Impossible("its variance is not above zero")
    except Impossible as problem:
        return None, None, f"not estimable: {problem}"
    except (ZeroDivisionError, ValueError, OverflowError):
        return (
            None,
            None,
            "not estimable: a zero or a negative number where the measure allows none",
        )
    return y, v, None


def _rows(
    measure: str, columns: Sequence[str], raw: Mapping[str, Sequence[Number]]
) -> list[tuple[Number, ...]]:
    table = [_column(measure, name, raw) for name in columns]
    if len({len(column) for column in table}) > 1:
        told = ", ".join(
            f"{name} has {len(column)}" for name, column in zip(columns, table, strict=True)
        )
        raise Refused(f"{measure}: columns of different length ({told} studies)")
    return [
        tuple(None if x is None or not isfinite(x) else float(x) for x in row)
        for row in zip(*table, strict=True)
    ]


def _column(measure: str, name: str, raw: Mapping[str, Sequence[Number]]) -> Sequence[Number]:
    if name in raw:
        return raw[name]
    part, size = SIZES.get(name, ("", ""))
    if part in raw and size in raw:
        if len(raw[part]) != len(raw[size]):
            raise Refused(
                f"{measure}: {part} has {len(raw[part])} studies and {size} {len(raw[size])}; give one each"
            )
        if name == "ni":  # mi is the number without the event
            return [
                None if x is None or m is None else x + m
                for x, m in zip(raw[part], raw[size], strict=True)
            ]
        return [
            None if x is None or n is None else n - x
            for x, n in zip(raw[part], raw[size], strict=True)
        ]
    needed = MEASURES[measure].columns if measure in MEASURES else ("yi", "vi")
    raise Refused(
        f"{measure} needs the columns {' '.join(needed)}; {name} is missing, there are {' '.join(raw) or 'none'}"
    )


def _corrected(
    columns: Sequence[str], rows: list[tuple[Number, ...]], add: float, to: str
) -> list[tuple[Number, ...]]:
    """Rows with `add` on each count where the rule asks for it.

    A number of people grows by both its counts.
    """
    zeros = [None not in row and _has_zero(columns, row) for row in rows]
    # what can't be must not look as if it could
    sound = [all(x is None or x >= 0 for x in row) for row in rows]
    wanted = {
        "only0": zeros,
        "all": [True] * len(rows),
        "if0all": [any(zeros)] * len(rows),
        "none": [False] * len(rows),
    }
    by = {
        "ai": add,
        "bi": add,
        "ci": add,
        "di": add,
        "xi": add,
        "ni": 2 * add,
        "x1i": add,
        "x2i": add,
    }
    return [
        tuple(
            x if x is None else x + by.get(name, 0.0) for name, x in zip(columns, row, strict=True)
        )
        if do
        else row
        for row, do in zip(rows, map(and_, wanted[to], sound), strict=True)
    ]


def _has_zero(columns: Sequence[str], row: Sequence[Number]) -> bool:
    if tuple(columns) == COUNTS:
        return row[0] == 0 or row[0] == row[1]
    return any(x == 0 for name, x in zip(columns, row, strict=True) if not name.startswith("t"))


def _no_contrast(row: Sequence[Number]) -> bool:
    a, b, c, d = row
    return (a, c) == (0, 0) or (b, d) == (0, 0)
