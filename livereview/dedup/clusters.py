"""Reports from pairs: the records of one publication, whatever the order in which they came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Edge = tuple[str, str, str, str, float]  # left, right, verdict, author ("rule" or a person), score
WEAK = 0.7  # the score of a pair that has no titles to compare is at most this, as match reckons it


def clusters(
    members: Sequence[str], edges: Iterable[Edge], dois: Mapping[str, str]
) -> dict[str, str]:
    """Which report each record is in.

    A report's id is its first record's, in the order of `members`.

    People's "same" edges are joined first, then the rules' from the strongest down: the order of
    edges says nothing. An edge is left out, and its pair is for a person to judge (`left_out`),
    where it would put two records together that another edge calls linked or different, or would
    join two DOIs through a record that has none. A person's "same" stands over the rules' "linked".
    A record whose weak edges lead into two reports follows none of them. `dois` holds the DOI of
    each record that has one.
    """
    place = {record: n for n, record in enumerate(members)}
    group = {record: {record} for record in members}
    edges = list(edges)
    apart = {frozenset(edge[:2]): edge[3] for edge in edges if edge[2] != "same"}
    same = sorted(
        (edge for edge in edges if edge[2] == "same"),
        key=lambda edge: (edge[3] == "rule", -edge[4], edge[:2]),
    )
    _join(group, [edge for edge in same if not _weak(edge, dois)], apart, dois)
    weak = [edge for edge in same if _weak(edge, dois)]
    torn = _torn(weak, group)
    _join(group, [edge for edge in weak if torn.isdisjoint(edge[:2])], apart, dois)
    return _named(group, place)


def _join(
    group: dict[str, set[str]],
    same: Sequence[Edge],
    apart: Mapping[frozenset[str], str],
    dois: Mapping[str, str],
) -> None:
    """Join the groups that these edges tie, one edge after the other, where nothing forbids it."""
    wary = {record for pair in apart for record in pair}
    for left, right, _, author, _ in same:
        a, b = group[left], group[right]
        rule = author == "rule"
        if (
            a is b
            or _told_apart(a & wary, b & wary, apart, rule)
            or (rule and _two_dois(a, b, dois))
        ):
            continue
        small, large = sorted((a, b), key=len)
        large |= small
        for record in small:
            group[record] = large


def _weak(edge: Edge, dois: Mapping[str, str]) -> bool:
    """A rule's word that rests on authors and place, for want of like titles: two articles may
    share these.
    """
    left, right, _, author, score = edge
    return (
        author == "rule" and score <= WEAK and (left not in dois or dois[left] != dois.get(right))
    )


def _torn(weak: Sequence[Edge], group: Mapping[str, set[str]]) -> set[str]:
    """The records that weak edges draw into two reports at once."""
    leads: dict[str, set[int]] = {}
    for left, right, *_ in weak:
        leads.setdefault(left, set()).add(id(group[right]))
        leads.setdefault(right, set()).add(id(group[left]))
    return {record for record, to in leads.items() if len(to) > 1}


def left_out(edges: Iterable[Edge], reports: Mapping[str, str]) -> list[Edge]:
    """The "same" edges whose records ended in two reports: what the rules wanted to merge and other
    facts forbade.
    """
    return [edge for edge in edges if edge[2] == "same" and reports[edge[0]] != reports[edge[1]]]


def _named(group: Mapping[str, set[str]], place: Mapping[str, int]) -> dict[str, str]:
    first: dict[int, str] = {}
    for record in sorted(group, key=place.__getitem__):
        first.setdefault(id(group[record]), record)
    return {record: first[id(found)] for record, found in group.items()}


def _told_apart(a: set[str], b: set[str], apart: Mapping[frozenset[str], str], rule: bool) -> bool:
    """A rule's word holds against other rules, a person's against everyone."""
    authors = (apart.get(frozenset((x, y))) for x in a for y in b)
    return any(author is not None and (rule or author != "rule") for author in authors)


def _two_dois(a: set[str], b: set[str], dois: Mapping[str, str]) -> bool:
    one, two = ({dois[record] for record in group if record in dois} for group in (a, b))
    return bool(one) and bool(two) and not one & two
