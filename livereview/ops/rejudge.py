"""Judging again, after the rules changed, what older rules judged: first shown, then done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview.dedup.blocks import block_keys, meetings
from livereview.dedup.clusters import Edge, clusters
from livereview.dedup.match import RULES_VERSION, Judgement, judge_all
from livereview.dedup.team import keeps_apart
from livereview.dedup.text import Features, features
from livereview.ops import settle, team_rules
from livereview.records import Record
from livereview.store import matches, records, versions
from livereview.store.open import Connection, Store

CAUSE = "the rules of deduplication changed"
UNJUDGED = "not judged before"
Pair = tuple[str, str]
Group = frozenset[str]


@dataclass(frozen=True, slots=True)
class Move:
    """Reports that would become one (`join`), or one that would become several (`part`).

    Each report is the ids of its records, sorted.
    """

    kind: str
    reports: tuple[tuple[str, ...], ...]

    @property
    def records(self) -> list[str]:
        return [record for report in self.reports for record in report]


@dataclass(frozen=True, slots=True)
class Rejudged:
    """What the rules in force make of every pair: how many were judged, the verdicts that differ
    from the last ones, and the reports that would move.
    """

    pairs: int
    news: tuple[tuple[Pair, Judgement], ...]
    moves: tuple[Move, ...]


def rebuild(store: Store, *, now: datetime, yes: bool = False) -> dict[str, Any]:
    """Judge every pair by the rules in force and make the derived tables again.

    Where reports would join or part and `yes` is not given, nothing is written: the answer lists
    the moves and the decisions on their records, for a person to confirm.
    """
    if not yes:
        with store.read() as con:
            looked = rejudged(con)
            if looked.moves:
                return _answer(con, looked, done=False)
    return store.write(lambda con: _carry_out(con, now, yes), bulk=True)


def rejudged(con: Connection) -> Rejudged:
    """What the rules in force make of all that is stored; nothing is written."""
    known = records.every(con)
    ready = {key: features(record) for key, record in known.items()}
    pairs = sorted({*_meeting(ready), *matches.judged_pairs(con)})
    team = team_rules.in_force(con)
    judged = judge_all([(ready[left], ready[right]) for left, right in pairs], team)
    verdicts = dict(zip(pairs, judged, strict=True))
    before = matches.rule_words(con, pairs)
    news = []
    for pair, judgement in verdicts.items():
        if before.get(pair, settle.UNSAID) != (judgement.verdict, judgement.kind):
            news.append((pair, judgement))
    moves = _moves(con, known, ready, dict(news)) if news else ()
    return Rejudged(len(pairs), tuple(news), moves)


def _carry_out(con: Connection, now: datetime, yes: bool) -> dict[str, Any]:
    looked = rejudged(con)
    answer = _answer(con, looked, done=yes or not looked.moves)
    if not answer["done"]:
        return answer  # records came in between that make reports move
    matches.append(con, [settle.rule_match(pair, found) for pair, found in looked.news], now)
    answer["records"] = settle.rebuild(con)
    moved = [record for move in looked.moves for record in move.records]
    for review in records.reviews_of(con, moved):
        versions.ask(con, review, CAUSE, now)
    return answer


def _meeting(ready: Mapping[str, Features]) -> list[Pair]:
    """The pairs that share a key, each sorted."""
    ids = list(ready)
    keyed = [block_keys(made) for made in ready.values()]
    pairs = []
    for place, others in meetings(keyed):
        for other in others:
            left, right = sorted((ids[place], ids[other]))
            pairs.append((left, right))
    return pairs


def _moves(
    con: Connection,
    known: Mapping[str, Record],
    ready: Mapping[str, Features],
    news: Mapping[Pair, Judgement],
) -> tuple[Move, ...]:
    members = matches.component(con, known)
    dois = {key: made.doi for key, made in ready.items() if made.doi}
    after = clusters(members, _edges(con, members, news), dois)
    was = records.report_of(con, members)
    before = {record: was.get(record, record) for record in members}
    return moves(before, after)


def _edges(con: Connection, members: Sequence[str], news: Mapping[Pair, Judgement]) -> list[Edge]:
    """The edges in force, with the rules' new word in the place of their old one."""
    edges = []
    persons = set()
    for edge in matches.edges(con, members):
        pair = (edge[0], edge[1])
        if edge[3] != "rule":
            persons.add(pair)
        if edge[3] != "rule" or pair not in news:
            edges.append(edge)
    for (left, right), judgement in news.items():
        ties = judgement.verdict in ("same", "linked") or keeps_apart(judgement.rule)
        if ties and (left, right) not in persons:
            score = judgement.scores["score"] or 0.0
            edges.append((left, right, judgement.verdict, "rule", score))
    return edges


def moves(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Move, ...]:
    """Which reports join and which part, between two memberships of the same records."""
    old, new = _groups(before), _groups(after)
    joins = [_move("join", group, old) for group in set(new.values())]
    parts = [_move("part", group, new) for group in set(old.values())]
    moving = [move for move in (*joins, *parts) if len(move.reports) > 1]
    return tuple(sorted(moving, key=lambda move: (move.kind, move.reports)))


def _groups(membership: Mapping[str, str]) -> dict[str, Group]:
    """The records of the report of each record."""
    members: dict[str, set[str]] = {}
    for record, report in membership.items():
        members.setdefault(report, set()).add(record)
    return {record: frozenset(members[report]) for record, report in membership.items()}


def _move(kind: str, group: Group, others: Mapping[str, Group]) -> Move:
    """The group as the other membership divides it."""
    pieces = {tuple(sorted(group & others[record])) for record in group}
    return Move(kind, tuple(sorted(pieces)))


def _answer(con: Connection, looked: Rejudged, *, done: bool) -> dict[str, Any]:
    touched = sorted({record for move in looked.moves for record in move.records})
    current = records.current(con, touched)
    decided = matches.decisions_on(con, touched)
    listed = []
    for move in looked.moves:
        titles = {record: current[record].title or "" for record in move.records}
        decisions = [decision for decision in decided if decision["record"] in move.records]
        listed.append(
            {
                "kind": move.kind,
                "reports": [list(report) for report in move.reports],
                "titles": titles,
                "decisions": decisions,
            }
        )
    return {
        "done": done,
        "rules_version": RULES_VERSION,
        "pairs": looked.pairs,
        "changed": len(looked.news),
        "moves": listed,
        "records": 0,
    }
