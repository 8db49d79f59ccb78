"""Settling records into reports: find candidates, judge the pairs, keep the verdicts, derive the reports again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from livereview.dedup.clusters import clusters
from livereview.dedup.match import RULES_VERSION, Judgement, block_keys, judge_all
from livereview.dedup.text import Features, features
from livereview.records import Record
from livereview.store import candidates, matches, records
from livereview.store.matches import Match
from livereview.store.open import Connection


def settle(con: Connection, news: Sequence[Record], now: datetime) -> None:
    """Match new and changed records against everything known and put each into its report."""
    if not news:
        return
    ready = {record.record_id: features(record) for record in news}
    candidates.replace(con, [(key, block_keys(f)) for key, f in ready.items()])
    pairs = sorted({_ordered(a, b) for a, b in candidates.pairs(con, list(ready))})
    touched = set(ready) | set(judged(con, pairs, ready, now))
    regroup(con, touched)


def judged(con: Connection, pairs: list[tuple[str, str]], ready: dict[str, Features], now: datetime) -> set[str]:
    """Judge the pairs, keep each verdict that is news, and give the records whose verdicts moved."""
    others = {key for pair in pairs for key in pair} - ready.keys()
    known = {key: features(record) for key, record in records.current(con, others).items()} | ready
    verdicts = judge_all([(known[a], known[b]) for a, b in pairs])
    before = matches.verdicts(con, pairs)
    news = []
    for pair, verdict in zip(pairs, verdicts, strict=True):
        old = before.get(pair)
        if (old[0] if old else "different") != verdict.verdict and not (old and old[1] != "rule"):
            news.append(_match(pair, verdict, known))
    matches.append(con, news, now)
    return {key for match in news for key in (match.left_id, match.right_id)}


def regroup(con: Connection, record_ids: Iterable[str]) -> None:
    """Derive the reports of these records, and of all they are tied to, from the verdicts in force."""
    members = matches.component(con, record_ids)
    found = clusters(members, matches.edges(con, members))
    matches.save_reports(con, found)


def _ordered(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a < b else (b, a)


def _match(pair: tuple[str, str], verdict: Judgement, known: dict[str, Features]) -> Match:
    raise NotImplementedError
