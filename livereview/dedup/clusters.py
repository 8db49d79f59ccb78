"""Reports from pairs: the records of one publication, whatever the order in which they came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Edge = tuple[str, str, str, str, float]  # left, right, verdict, author ("rule" or a person), score


def clusters(members: Sequence[str], edges: Iterable[Edge], dois: Mapping[str, str]) -> dict[str, str]:
    """Which report each record is in; a report's id is its first record's, in the order of `members`.

    People's "same" edges are joined first, then the rules' from the strongest down. An edge is left out, so that its
    pair waits in the duplicates queue, where it would put two records together that a person called different, or would
    join two DOIs through a record that has none. `dois` holds the DOI of each record that has one.
    """
    place = {record: n for n, record in enumerate(members)}
    group = {record: {record} for record in members}
    edges = list(edges)
    apart = {frozenset(edge[:2]) for edge in edges if edge[2] != "same"}
    for left, right, _, author, _ in sorted(
        (e for e in edges if e[2] == "same"), key=lambda e: (e[3] == "rule", -e[4], e[:2])
    ):
        a, b = group[left], group[right]
        if a is b or _contradict(a, b, apart) or (author == "rule" and _two_dois(a, b, dois)):
            continue
        a |= b
        for record in b:
            group[record] = a
    return {record: min(found, key=place.__getitem__) for record, found in group.items()}


def _contradict(a: set[str], b: set[str], apart: set[frozenset[str]]) -> bool:
    return bool(apart) and any(frozenset((x, y)) in apart for x in a for y in b)


def _two_dois(a: set[str], b: set[str], dois: Mapping[str, str]) -> bool:
    one, two = ({dois[record] for record in group if record in dois} for group in (a, b))
    return bool(one) and bool(two) and not one & two
