"""Settling records into reports: find candidates, judge the pairs, keep the verdicts, derive the
reports again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import uuid4

from livereview.dedup.clusters import clusters
from livereview.dedup.match import RULES_VERSION, Judgement, block_keys, judge_all, unlike
from livereview.dedup.team import NO_TEAM
from livereview.dedup.text import Features, bare_doi, features
from livereview.ops import team_rules
from livereview.records import Record
from livereview.store import candidates, listing, matches, records, standings
from livereview.store.matches import Match
from livereview.store.open import Connection

UNSAID = ("different", None)  # what a pair is of which the rules have said nothing
Prepared = Mapping[str, tuple[Features, tuple[str, ...]]]


def prepare(records: Iterable[Record]) -> Prepared:
    """What matching needs of each record, worked out before the writer is held up by it."""
    found = {record.record_id: features(record) for record in records}
    return {key: (made, block_keys(made)) for key, made in found.items()}


def settle(con: Connection, news: Sequence[Record], now: datetime) -> None:
    """Match new and changed records against everything known, put each into its report, and derive
    again where those reports stand.
    """
    if news:
        prepared = prepare(news)
        refresh(con, match(con, prepared, prepared.keys(), now))


def match(con: Connection, prepared: Prepared, known: Collection[str], now: datetime) -> list[str]:
    """Match records against everything known and put each into its report.

    Args:
        prepared: What matching needs of each of them.
        known: Those of them that may have been matched before.

    Returns:
        All records whose reports were derived, which `refresh` has to be told.
    """
    ready = {key: made for key, (made, _) in prepared.items()}
    keyed = {key: keys for key, (_, keys) in prepared.items()}
    candidates.remove(con, known)
    candidates.add(con, keyed)
    pairs = set(candidates.pairs(con, keyed))
    not_found_again = matches.tied_by_rule(con, list(known)) - pairs
    pairs |= set(candidates.sharing(con, not_found_again))
    moved = judge_pairs(con, sorted(pairs), ready, now)
    moved |= part(con, not_found_again - pairs, now)
    return regroup(con, ready.keys() | moved)


def refresh(con: Connection, record_ids: Collection[str]) -> None:
    """Derive again where the reports of these records stand, and what is listed of them."""
    standings.refresh(con, record_ids)
    listing.refresh(con, record_ids)


def judge_pairs(
    con: Connection, pairs: list[tuple[str, str]], ready: dict[str, Features], now: datetime
) -> set[str]:
    """Judge the pairs, keep each verdict that is news, and give the records whose verdicts moved.

    A pair that a person judged keeps that word, but the rule's new one is kept beside it.
    """
    others = {key for pair in pairs for key in pair} - ready.keys()
    known = {key: features(record) for key, record in records.current(con, others).items()} | ready
    before = matches.rule_words(con, pairs)
    team = team_rules.in_force(con) if pairs else NO_TEAM
    verdicts = judge_all([(known[a], known[b]) for a, b in pairs], team)
    news = [
        rule_match(pair, found)
        for pair, found in zip(pairs, verdicts, strict=True)
        if before.get(pair, UNSAID) != (found.verdict, found.kind)
    ]
    matches.append(con, news, now)
    return {key for match in news for key in (match.left_id, match.right_id)}


def part(con: Connection, pairs: set[tuple[str, str]], now: datetime) -> set[str]:
    """Take back what the rules said of pairs that no longer share a key, as one of the two changed:
    in one batch they would never have been compared.
    """
    matches.append(con, [rule_match(pair, unlike()) for pair in sorted(pairs)], now)
    return {key for pair in pairs for key in pair}


def rebuild(con: Connection) -> int:
    """Make the derived tables again from the events: the blocking keys, the reports, where they
    stand.

    How many records there are.
    """
    known = records.every(con)
    candidates.clear(con)
    candidates.add(con, {key: block_keys(features(record)) for key, record in known.items()})
    derive(con, known)
    listing.refresh_all(con)
    return len(known)


def derive(con: Connection, record_ids: Iterable[str]) -> None:
    """Make the reports of all these records again from the verdicts, and where each report stands."""
    matches.clear_reports(con)
    regroup(con, record_ids)
    standings.refresh_all(con)


def regroup(con: Connection, record_ids: Iterable[str]) -> list[str]:
    """Derive the reports of these records, and of all they are tied to, from the verdicts in force.

    Gives all records whose reports were derived, which `refresh` has to be told.
    """
    members = matches.component(con, record_ids)
    dois = {key: bare_doi(doi) for key, doi in matches.dois(con, members).items()}
    matches.save_reports(con, clusters(members, matches.edges(con, members), dois))
    return members


def rule_match(pair: tuple[str, str], found: Judgement) -> Match:
    """The rules' word on a pair as it is stored, with the version of the rules."""
    return Match(
        id=uuid4().hex,
        left_id=pair[0],
        right_id=pair[1],
        verdict=found.verdict,
        author="rule",
        rule=found.rule,
        rules_version=RULES_VERSION,
        scores=dict(found.scores),
        kind=found.kind,
    )
