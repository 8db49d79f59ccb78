"""Reports from pairs: the records of one publication, whatever the order in which they came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Edge = tuple[str, str, str, str, float]  # left, right, verdict, author ("rule" or a person), score


def clusters(members: Sequence[str], edges: Iterable[Edge]) -> dict[str, str]:
    """Which report each record is in; a report's id is its first record's, in the order of `members`.

    People's "same" edges are joined first, then the rules' from the strongest down. An edge that would put two records
    together which a person called different is left out, so that pair waits in the duplicates queue.
    """
    place = {record: n for n, record in enumerate(members)}
    group = {record: {record} for record in members}
    edges = list(edges)
    apart = {frozenset(edge[:2]) for edge in edges if edge[2] != "same"}
    for left, right, *_ in sorted((e for e in edges if e[2] == "same"), key=lambda e: (e[3] == "rule", -e[4], e[:2])):
        a, b = group[left], group[right]
        if a is b or any(frozenset((x, y)) in apart for x in a for y in b):
            continue
        a |= b
        for record in b:
            group[record] = a
    return {record: min(found, key=place.__getitem__) for record, found in group.items()}
