"""Everything that can be said of a case, as plain lists and numbers under the names of the golden
cases.

A number that can't be had is None, and `not_estimable` says why; `cautions` hold what to know
before publishing one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from livereview.statistics import asymmetry, dependent, diagnostics, rare, swim
from livereview.statistics.metareg import COEFFICIENTS, regress
from livereview.statistics.pool_case import Case
from livereview.statistics.pooling import Pooled, pool, subgroups, tau2_interval
from livereview.statistics.tau2 import METHODS, TESTS, check

EVERY = ("EE/z", *(f"{method}/{test}" for method in METHODS if method != "EE" for test in TESTS))
TABLE = ("ai", "bi", "ci", "di")
INDEPENDENT = (
    "several effects come from one cluster: "
    "models that take them as independent are too sure of themselves"
)
CORRELATED = ("OR", "PETO", "SMD", "OR2DL", "D2ORL")
RATIO = (
    "this measure goes with its own standard error, with or without asymmetry; "
    "for 2x2 tables see peters and harbord"
)
INNER = ("reason", "not_estimable", "cautions", "left_out")


def report(
    case: Case,
    models: Sequence[str] = ("REML/adhoc",),
    *,
    level: float = 0.95,
    prediction: str = "matched",
) -> dict[str, Any]:
    """Models ("METHOD/test") and diagnostics of a case, ready for JSON."""
    if case.votes or case.p_values:
        return _without_pooling(case, level)
    chosen = [_pair(name) for name in models]
    found: dict[str, Any] = {
        "models": {
            f"{method}/{test}": pool(
                case.yi, case.vi, method=method, test=test, level=level, prediction=prediction
            )
            for method, test in chosen
        },
        "tau2_ci_qprofile": tau2_interval(case.yi, case.vi, level=level),
        **_asymmetry(case, level),
        **_sensitivity(case, level),
        **_tables(case, level),
        **_moderated(case, chosen, level),
        **_clustered(case, level),
    }
    return _told(case, found)


def _pair(name: str) -> tuple[str, str]:
    """Method and test of "METHOD/test"."""
    method, _, test = name.partition("/")
    check(method, test or "z", 0.95)
    return method, test or "z"


def _without_pooling(case: Case, level: float) -> dict[str, Any]:
    votes = [swim.sign_test(x, n, level=level) for x, n in case.votes]
    combined = [asdict(swim.combine(p)) | {"p": list(p)} for p in case.p_values]
    return _told(case, {"cases": votes, "fisher": combined})


def _asymmetry(case: Case, level: float) -> dict[str, Any]:
    yi, vi = case.yi, case.vi
    found: dict[str, Any] = {
        "egger_mixed_sei": asymmetry.egger_mixed(yi, vi, level=level),
        "egger_classic_lm": asymmetry.egger_classic(yi, vi),
        "begg_rank": asymmetry.begg(yi, vi),
        "trimfill_DL_L0": asymmetry.trim_and_fill(yi, vi, estimator="L0", level=level),
        "trimfill_DL_R0": asymmetry.trim_and_fill(yi, vi, estimator="R0", level=level),
        "fsn_rosenthal": asymmetry.fail_safe(yi, vi),
    }
    if table := _counts(case):
        found |= {"peters": asymmetry.peters(*table), "harbord": asymmetry.harbord(*table)}
    return found


def _sensitivity(case: Case, level: float) -> dict[str, Any]:
    yi, vi = case.yi, case.vi
    return {
        "leave1out_REML_z": diagnostics.leave_one_out(yi, vi, level=level),
        "leave1out_REML_knha": diagnostics.leave_one_out(yi, vi, test="knha", level=level),
        "cumul_REML_z": diagnostics.cumulative(yi, vi, level=level),
        "cumul_DL_z": diagnostics.cumulative(yi, vi, method="DL", level=level),
        "influence_REML_z": diagnostics.influence(yi, vi, level=level),
    }


def _counts(case: Case) -> list[Any] | None:
    """The four columns of 2x2 tables; the others are filled in from the arms' sizes."""
    raw = dict(case.raw)
    for other, events, size in (("bi", "ai", "n1i"), ("di", "ci", "n2i")):
        if other not in raw and events in raw and size in raw:
            pairs = zip(raw[size], raw[events], strict=True)
            raw[other] = tuple(None if n is None or x is None else n - x for n, x in pairs)
    if all(name in raw for name in TABLE):
        return [raw[name] for name in TABLE]
    return None


def _tables(case: Case, level: float) -> dict[str, Any]:
    counts = _counts(case)
    if counts is None:
        return {}
    return {
        "mantel_haenszel_peto": {m: rare.tables(m, *counts, level=level) for m in rare.MEASURES}
    }


def _moderated(case: Case, chosen: Sequence[tuple[str, str]], level: float) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if case.moderators:
        named = dict(case.moderators)
        models = {
            f"{method}/{test}": regress(
                case.yi, case.vi, named, method=method, test=test, level=level
            )
            for method, test in chosen
        }
        found["metareg"] = {"moderators": named, "models": models}
    if case.group is not None:
        groups = subgroups(case.yi, case.vi, case.group, level=level)
        found["subgroup"] = {
            "group": case.group,
            "levels": groups.levels,
            "common_tau2_mixed_REML": groups.common,
            "separate_tau2_REML": dict(groups.separate),
            "Q_between_separate": groups.q,
            "Q_between_p": groups.q_p,
            "reason": groups.reason,
        }
    return found


def _clustered(case: Case, level: float) -> dict[str, Any]:
    if case.cluster is None:
        return {}
    data = (case.yi, case.vi, case.cluster)
    cr2 = _opened(dependent.robust(*data, kind="CR2", level=level))
    return {
        "multilevel_REML": dependent.multilevel(*data, level=level),
        "robust_CR1": dependent.robust(*data, level=level),
        "robust_CR1_on_rma_REML": dependent.robust(*data, working="independent", level=level),
        "robust_CR2_clubSandwich": cr2 | {"df": [cr2["df"]]},
    }


def _told(case: Case, found: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with the reasons and cautions of its parts gathered at its end."""
    reasons: list[dict[str, str]] = []
    cautions: list[dict[str, str]] = []
    body = {name: _plain(part, name, reasons, cautions) for name, part in found.items()}
    if case.measure in CORRELATED and case.yi:
        cautions.append({"what": "egger_mixed_sei", "caution": RATIO})
    clusters = [c for c in case.cluster or () if c is not None]
    if len(set(clusters)) < len(clusters):
        cautions.insert(0, {"what": "models", "caution": INDEPENDENT})
    head: dict[str, Any] = {"id": case.name, "measure": case.measure}
    if case.yi:
        head |= {"yi": list(case.yi), "vi": list(case.vi), "left_out": _left_out(case)}
    return head | body | {"notes": list(case.notes), "not_estimable": reasons, "cautions": cautions}


def _left_out(case: Case) -> list[dict[str, Any]]:
    left = pool(case.yi, case.vi, method="EE").left_out
    return [{"study": i + 1, "reason": why} for i, why in left]


def _plain(
    part: Any, where: str, reasons: list[dict[str, str]], cautions: list[dict[str, str]]
) -> Any:
    """Lists, dicts and numbers; reasons and cautions move to their lists."""
    node = _opened(part)
    if isinstance(node, Mapping):
        _gather(node, where, reasons, cautions)
        return {
            k: _plain(v, f"{where}.{k}", reasons, cautions)
            for k, v in node.items()
            if k not in INNER
        }
    if isinstance(node, list | tuple):
        return [_plain(item, f"{where}[{i}]", reasons, cautions) for i, item in enumerate(node)]
    return node


def _opened(part: Any) -> Any:
    """A dataclass as a dict.

    What has one coefficient gets lists of one, as models with several have lists.
    """
    if not is_dataclass(part) or isinstance(part, type):
        return part
    node = asdict(part)
    one = isinstance(part, Pooled | dependent.Multilevel | dependent.Robust)
    return node | {name: [node[name]] for name in COEFFICIENTS if one}


def _gather(
    node: Mapping[str, Any],
    where: str,
    reasons: list[dict[str, str]],
    cautions: list[dict[str, str]],
) -> None:
    if node.get("reason"):
        reasons.append({"what": where, "reason": node["reason"]})
    for *place, name, why in node.get("not_estimable", ()):
        row = "".join(f"[{i}]" for i in place)
        reasons.append({"what": f"{where}.{name}{row}", "reason": why})
    cautions.extend({"what": where, "caution": caution} for caution in node.get("cautions", ()))
