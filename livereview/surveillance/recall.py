"""How much of the evidence the searches find: by source, and by capture and recapture for all of
them together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

from livereview.messages import mark

LEAST = 5  # included reports below which an estimate would say nothing
CAVEAT = mark(
    "A lower bound: the estimate takes the sources to find reports independently of each other, and they do not. It"
    " says nothing of what no source can find."
)


@dataclass(frozen=True, slots=True)
class SourceYield:
    """Of all included reports, how many one source found, and how many no other source did."""

    source: str
    found: int
    alone: int


@dataclass(frozen=True, slots=True)
class Recall:
    """What the searches found of the included reports.

    Attributes:
        included: Reports in all.
        estimate, low, high: How many there may be, with a 95% interval, None with `reason`.
    """

    included: int
    sources: tuple[SourceYield, ...]
    estimate: float | None
    low: float | None
    high: float | None
    reason: str | None

    @property
    def share(self) -> float | None:
        """The share of the estimated number that was found."""
        if self.estimate:
            return self.included / self.estimate
        return None


def recall(found_by: Iterable[frozenset[str]]) -> Recall:
    """The yields and the estimate from, for each included report, the names of the searches that
    found it.

    Chao's lower bound, bias-corrected: S + f1 (f1 - 1) / (2 (f2 + 1)), f1 and f2 being the reports
    that exactly one and two sources found; log-normal interval. Chao A. Biometrics 1987;43:783-91,
    doi:10.2307/2531532.
    """
    reports = [names for names in found_by if names]
    counts = Counter(name for names in reports for name in names)
    alone = Counter(name for names in reports if len(names) == 1 for name in names)
    sources = tuple(
        SourceYield(name, n, alone[name])
        for name, n in sorted(counts.items(), key=lambda p: (-p[1], p[0]))
    )
    reason = _why_not(len(reports), len(counts))
    if reason:
        estimate, low, high = (None, None, None)
    else:
        estimate, low, high = _chao([len(names) for names in reports])
    return Recall(len(reports), sources, estimate, low, high, reason)


def _why_not(reports: int, sources: int) -> str | None:
    if reports < LEAST:
        return f"fewer than {LEAST} included reports"
    if sources < 2:
        return "only one source found any of them"
    return None


def _chao(times: Sequence[int]) -> tuple[float, float, float]:
    """Estimate and interval from how many sources found each report."""
    n, f1, f2 = len(times), times.count(1), times.count(2)
    unseen = f1 * (f1 - 1) / (2 * (f2 + 1))
    if unseen == 0:
        return float(n), float(n), float(n)
    variance = (
        unseen
        + f1 * (2 * f1 - 1) ** 2 / (4 * (f2 + 1) ** 2)
        + f1**2 * f2 * (f1 - 1) ** 2 / (4 * (f2 + 1) ** 4)
    )
    spread = exp(1.959964 * sqrt(log(1 + variance / unseen**2)))
    return n + unseen, n + unseen / spread, n + unseen * spread
