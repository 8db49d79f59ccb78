"""The order in which a reviewer meets what waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

RankOf = Mapping[str, int]


def order(waiting: Iterable[tuple[str, int]], ranks: RankOf | None = None) -> list[str]:
    """Report ids to screen: those with a vote already come first, then by rank, then as they were found.

    `waiting` holds (report id, votes) in the order found. Half-screened first, or a re-ranked list leaves records with
    a single vote for ever. A report without a rank comes after those with one.
    """
    ranks = ranks or {}
    last = len(ranks) + 1
    found = list(enumerate(waiting))
    return [
        report for _, (report, _) in sorted(found, key=lambda row: (row[1][1] == 0, ranks.get(row[1][0], last), row[0]))
    ]
