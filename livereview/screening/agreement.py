"""How far reviewers agree beyond chance: Cohen's kappa, Krippendorff's alpha and Gwet's AC1, with
their intervals.

Votes are nominal. Where a coefficient has no meaning it is None, and `reason` says why: too few
records, or one answer only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

from numpy.random import default_rng

Z = 1.959963984540054  # of a 95% interval
DRAWS = 1_000
ONE_ANSWER = "everybody gave the same answer throughout"
NOTHING = "no record has two votes"


@dataclass(frozen=True, slots=True)
class Vote:
    """What one person said of one record."""

    item: str
    reviewer: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient with its 95% interval over `items` records with at least two votes; `agreed`:
    the plain share of pairs of votes that agree.
    """

    name: str
    items: int
    agreed: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


def kappas(votes: Iterable[Vote]) -> list[tuple[str, str, Coefficient]]:
    """Cohen's kappa of each two reviewers who share records, by name."""
    seen: dict[str, dict[str, str]] = defaultdict(dict)
    for vote in votes:
        seen[vote.reviewer][vote.item] = vote.verdict
    found = []
    for one, two in combinations(sorted(seen), 2):
        shared = sorted(seen[one].keys() & seen[two].keys())
        if shared:
            found.append((one, two, kappa([(seen[one][item], seen[two][item]) for item in shared])))
    return found


def kappa(pairs: Sequence[tuple[str, str]]) -> Coefficient:
    """Cohen's kappa.

    Interval by the standard error of Fleiss, Cohen and Everitt, Psychol Bull 1969;72:323-7.
    """
    n, name = len(pairs), "Cohen's kappa"
    if not n:
        return Coefficient(name, 0, reason=NOTHING)
    cell = {key: count / n for key, count in Counter(pairs).items()}
    rows, columns = Counter[str](), Counter[str]()
    for (a, b), part in cell.items():
        rows[a] += part  # type: ignore[assignment]
        columns[b] += part  # type: ignore[assignment]
    agreed = sum(part for (a, b), part in cell.items() if a == b)
    chance = sum(rows[key] * columns[key] for key in rows)
    if chance >= 1 - 1e-12:
        return Coefficient(name, n, agreed, reason=ONE_ANSWER)
    value = (agreed - chance) / (1 - chance)
    on = sum(
        part * (1 - (rows[a] + columns[b]) * (1 - value)) ** 2
        for (a, b), part in cell.items()
        if a == b
    )
    off = (
        sum(part * (columns[a] + rows[b]) ** 2 for (a, b), part in cell.items() if a != b)
        * (1 - value) ** 2
    )
    spread = on + off - (value - chance * (1 - value)) ** 2
    return _with_interval(name, n, agreed, value, sqrt(max(0.0, spread) / n) / (1 - chance))


def alpha(votes: Iterable[Vote], seed: int = 1) -> Coefficient:
    """Krippendorff's alpha for nominal data with missing votes (Content Analysis, 2nd ed., 2004,
    ch. 11).

    The interval is that of a bootstrap over records, the same for the same votes and seed.
    """
    units, name = _units(votes), "Krippendorff's alpha"
    if not units:
        return Coefficient(name, 0, reason=NOTHING)
    agreed, value = _agreed(units), _alpha(units)
    if value is None:
        return Coefficient(name, len(units), agreed, reason=ONE_ANSWER)
    chosen = default_rng(seed).integers(len(units), size=(DRAWS, len(units)))
    drawn = (_alpha([units[place] for place in row]) for row in chosen)
    ranked = sorted(1.0 if one is None else one for one in drawn)
    return Coefficient(
        name, len(units), agreed, value, ranked[int(0.025 * DRAWS)], ranked[int(0.975 * DRAWS) - 1]
    )


def _alpha(units: Sequence[Counter[str]]) -> float | None:
    """1 - observed over expected disagreement; None where only one value occurs."""
    totals = Counter[str]()
    observed = 0.0
    for unit in units:
        size = unit.total()
        totals.update(unit)
        observed += sum(count * (size - count) for count in unit.values()) / (size - 1)
    n = totals.total()
    expected = sum(count * (n - count) for count in totals.values()) / (n - 1)
    return None if expected == 0 else 1 - observed / expected


def ac1(votes: Iterable[Vote]) -> Coefficient:
    """Gwet's AC1 for any number of reviewers and missing votes.

    Br J Math Stat Psychol 2008;61:29-48, eqs. 11 and 18.

    Unlike kappa it keeps its meaning where nearly all records are excluded.
    """
    votes = list(votes)
    known = {vote.item: Counter[str]() for vote in votes}
    for vote in votes:
        known[vote.item][vote.verdict] += 1
    units, name = [unit for unit in known.values() if unit.total() > 1], "Gwet's AC1"
    labels = sorted({vote.verdict for vote in votes})
    if not units:
        return Coefficient(name, 0, reason=NOTHING)
    agreed = _agreed(units)
    if len(labels) < 2:
        return Coefficient(name, len(units), agreed, reason=ONE_ANSWER)
    share = {
        key: sum(unit[key] / unit.total() for unit in known.values()) / len(known) for key in labels
    }
    chance = sum(part * (1 - part) for part in share.values()) / (len(labels) - 1)
    value = (agreed - chance) / (1 - chance)
    return _with_interval(
        name, len(units), agreed, value, _ac1_error(list(known.values()), share, agreed, chance)
    )


def _ac1_error(
    units: Sequence[Counter[str]], share: Mapping[str, float], agreed: float, chance: float
) -> float:
    """The standard error of AC1, for records as a sample of many more."""
    n, paired = len(units), sum(unit.total() > 1 for unit in units)
    value = (agreed - chance) / (1 - chance)
    squares = 0.0
    for unit in units:
        size = unit.total()
        own = _pairs_agreed(unit) if size > 1 else 0.0
        mine = (n / paired) * (own - chance) / (1 - chance) if size > 1 else 0.0
        own_chance = sum(unit[key] / size * (1 - part) for key, part in share.items()) / (
            len(share) - 1
        )
        squares += (mine - 2 * (1 - value) * (own_chance - chance) / (1 - chance) - value) ** 2
    return sqrt(squares / (n * (n - 1))) if n > 1 else 0.0


def _units(votes: Iterable[Vote]) -> list[Counter[str]]:
    """The verdicts on each record that has at least two."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for vote in votes:
        found[vote.item][vote.verdict] += 1
    return [found[item] for item in sorted(found) if found[item].total() > 1]


def _pairs_agreed(unit: Counter[str]) -> float:
    size = unit.total()
    return sum(count * (count - 1) for count in unit.values()) / (size * (size - 1))


def _agreed(units: Sequence[Counter[str]]) -> float:
    return sum(map(_pairs_agreed, units)) / len(units)


def _with_interval(name: str, items: int, agreed: float, value: float, error: float) -> Coefficient:
    return Coefficient(
        name, items, agreed, value, max(-1.0, value - Z * error), min(1.0, value + Z * error)
    )
