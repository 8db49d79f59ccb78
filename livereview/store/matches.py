"""What is known of pairs of records, and the reports that follow from it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview.dedup.team import TEAM_SAYS
from livereview.links import LinkKind
from livereview.store import standings
from livereview.store.open import Connection
from livereview.store.rows import by_review, kept_rows, one_row


@dataclass(frozen=True, slots=True)
class Match:
    """A verdict on a pair, left_id < right_id. `author` is "rule" or a person.

    `kind` says what the two are to each other, where they are linked and somebody says so.
    """

    id: str
    left_id: str
    right_id: str
    verdict: str
    author: str
    rule: str
    rules_version: str
    scores: Mapping[str, Any]
    kind: LinkKind | None = None


def append(con: Connection, matches: Sequence[Match], now: datetime) -> None:
    """Write the verdicts; one whose id is known changes nothing."""
    if not matches:
        return
    rows = [
        (
            m.id,
            m.left_id,
            m.right_id,
            m.verdict,
            m.author,
            m.rule,
            m.rules_version,
            json.dumps(m.scores, sort_keys=True),
            m.kind,
        )
        for m in matches
    ]
    con.execute(
        """INSERT INTO match (id, left_id, right_id, verdict, author, rule, rules_version, scores, kind, made)
        SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]),
            unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), ?
        ON CONFLICT (id) DO NOTHING""",
        [*(list(column) for column in zip(*rows, strict=True)), now],
    )


def verdict_of(con: Connection, id: str) -> str | None:
    """What the verdict of this id was, in force or not; None where there is none."""
    row = one_row(con, "SELECT verdict FROM match WHERE id = ?", [id])
    return row[0] if row else None


Said = tuple[str, str | None]  # a verdict, and the kind of the link


def rule_words(con: Connection, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Said]:
    """What the rules last said of each of these pairs, where they have said anything."""
    rows = con.execute(
        """SELECT m.left_id, m.right_id, arg_max(m.verdict, m.seq), arg_max_null(m.kind, m.seq) FROM match m
        JOIN (SELECT unnest(?::VARCHAR[]) AS left_id, unnest(?::VARCHAR[]) AS right_id) p USING (left_id, right_id)
        WHERE m.author = 'rule' GROUP BY m.left_id, m.right_id""",
        [[left for left, _ in pairs], [right for _, right in pairs]],
    ).fetchall()
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def rules_last(con: Connection, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Match]:
    """The rules' last word on each of these pairs, whole, where they have said anything."""
    rows = con.execute(
        """SELECT m.id, m.left_id, m.right_id, m.verdict, m.author, m.rule, m.rules_version, m.scores, m.kind
        FROM match m
        JOIN (SELECT unnest(?::VARCHAR[]) AS left_id, unnest(?::VARCHAR[]) AS right_id) p USING (left_id, right_id)
        WHERE m.author = 'rule'
        QUALIFY row_number() OVER (PARTITION BY m.left_id, m.right_id ORDER BY m.seq DESC) = 1""",
        [[left for left, _ in pairs], [right for _, right in pairs]],
    ).fetchall()
    last = []
    for id, left, right, verdict, author, rule, version, scores, kind in rows:
        told = json.loads(scores or "{}")
        last.append(Match(id, left, right, verdict, author, rule, version, told, kind))
    return {(match.left_id, match.right_id): match for match in last}


def tied_by_rule(con: Connection, record_ids: Sequence[str]) -> set[tuple[str, str]]:
    """The pairs of any of these records of which the rules last said more than "different"."""
    ids = list(record_ids)
    rows = con.execute(
        """SELECT left_id, right_id FROM match WHERE author = 'rule'
        AND (left_id IN (SELECT unnest(?::VARCHAR[])) OR right_id IN (SELECT unnest(?::VARCHAR[])))
        GROUP BY left_id, right_id HAVING arg_max(verdict, seq) <> 'different'""",
        [ids, ids],
    ).fetchall()
    return {(left, right) for left, right in rows}


def judged_pairs(con: Connection) -> list[tuple[str, str]]:
    """Every pair on which the rules have said anything, sorted."""
    return con.execute(
        """SELECT DISTINCT left_id, right_id FROM match WHERE author = 'rule'
        ORDER BY left_id, right_id"""
    ).fetchall()


def decisions_on(con: Connection, record_ids: Sequence[str]) -> list[dict[str, Any]]:
    """What people decided on these records and did not take back, oldest first."""
    rows = con.execute(
        """SELECT d.review, d.record_id, d.stage, d.reviewer, d.verdict FROM decision d
        ANTI JOIN cancelled c ON c.event = d.id
        WHERE d.record_id IN (SELECT unnest(?::VARCHAR[]))
        QUALIFY row_number() OVER (
            PARTITION BY d.review, d.record_id, d.stage, d.reviewer, d.role ORDER BY d.seq DESC
        ) = 1 AND d.verdict <> 'withdrawn' ORDER BY d.seq""",
        [list(record_ids)],
    ).fetchall()
    names = ("review", "record", "stage", "reviewer", "verdict")
    return [dict(zip(names, row, strict=True)) for row in rows]


def in_force(con: Connection, left: str, right: str) -> tuple[str, str] | None:
    """The (verdict, author) that counts for a pair now.

    None where nobody has said anything that stands.
    """
    row = one_row(
        con,
        "SELECT verdict, author FROM current_match WHERE left_id = ? AND right_id = ?",
        [left, right],
    )
    return (row[0], row[1]) if row else None


@dataclass(frozen=True, slots=True)
class PersonsWord:
    """What a person said last of a pair: `kind` of what link, where they said so."""

    id: str
    verdict: str
    kind: str | None


def last_word(con: Connection, left: str, right: str) -> PersonsWord | None:
    """What a person said last of a pair, taken back or not; None: nobody has said anything."""
    row = one_row(
        con,
        """SELECT id, verdict, kind FROM match
        WHERE left_id = ? AND right_id = ? AND author <> 'rule'
        ORDER BY seq DESC LIMIT 1""",
        [left, right],
    )
    return PersonsWord(*row) if row else None


def component(con: Connection, record_ids: Iterable[str]) -> list[str]:
    """Every record that a chain of "same" pairs or a shared report ties to these, in the order they
    came.
    """
    reached = set(record_ids)
    fringe = reached
    while fringe:
        fringe = _tied(con, list(fringe)) - reached
        reached |= fringe
    rows = con.execute(
        "SELECT record_id FROM record WHERE version = 1 AND record_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY seq, record_id",
        [list(reached)],
    ).fetchall()
    return [row[0] for row in rows]


def _tied(con: Connection, record_ids: list[str]) -> set[str]:
    rows = con.execute(
        """WITH fringe AS (SELECT unnest(?::VARCHAR[]) AS record_id)
        SELECT right_id FROM match JOIN fringe ON left_id = record_id WHERE verdict = 'same'
        UNION SELECT left_id FROM match JOIN fringe ON right_id = record_id WHERE verdict = 'same'
        UNION SELECT other.record_id FROM report mine JOIN fringe USING (record_id)
            JOIN report other ON other.report_id = mine.report_id""",
        [record_ids],
    ).fetchall()
    return {row[0] for row in rows}


def edges(con: Connection, record_ids: Sequence[str]) -> list[tuple[str, str, str, str, float]]:
    """(left, right, verdict, author, score) of the pairs within these records that are same or
    linked, that a team never merges, or that a person judged.
    """
    rows = con.execute(
        """SELECT left_id, right_id, verdict, author, scores FROM current_match
        WHERE (verdict IN ('same', 'linked') OR author <> 'rule' OR starts_with(rule, ?))
        AND left_id IN (SELECT unnest(?::VARCHAR[])) AND right_id IN (SELECT unnest(?::VARCHAR[]))
        ORDER BY left_id, right_id""",
        [TEAM_SAYS, list(record_ids), list(record_ids)],
    ).fetchall()
    return [
        (left, right, verdict, author, json.loads(s).get("score", 1.0))
        for left, right, verdict, author, s in rows
    ]


def dois(con: Connection, record_ids: Sequence[str]) -> dict[str, str]:
    """The DOI of each of these records that has one."""
    where, values = standings.chosen(record_ids)
    rows = con.execute(
        f"""SELECT record_id, last.doi FROM (
            SELECT record_id, max_by({{'doi': doi}}, version) AS last FROM record
            WHERE record_id {where} GROUP BY record_id
        ) WHERE last.doi IS NOT NULL""",  # noqa: S608
        values,
    ).fetchall()
    return dict(rows)


def save_reports(con: Connection, membership: Mapping[str, str]) -> None:
    """Put these records into these reports (a derived table: old rows are replaced)."""
    if not membership:
        return
    con.execute(
        """INSERT INTO report (record_id, report_id)
        SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[])
        ON CONFLICT (record_id) DO UPDATE SET report_id = excluded.report_id""",
        [list(membership), list(membership.values())],
    )


def clear_reports(con: Connection) -> None:
    """Forget every report, before they are made again."""
    con.execute("DELETE FROM report")


def doubtful(con: Connection, review: str, limit: int) -> list[dict[str, Any]]:
    """Pairs that wait for a person, oldest first."""
    rows = con.execute(
        "SELECT left_id, right_id, rule, scores FROM doubtful WHERE review = ? ORDER BY seq LIMIT ?",
        [review, limit],
    ).fetchall()
    return [
        {"left": a, "right": b, "rule": rule, "scores": json.loads(scores)}
        for a, b, rule, scores in rows
    ]


def doubtful_count(con: Connection, review: str) -> int:
    """How many pairs wait for a person."""
    return doubtful_counts(con, [review])[review]


def doubtful_counts(con: Connection, reviews: Sequence[str]) -> dict[str, int]:
    """`doubtful_count` of each of these reviews."""
    rows = by_review(
        con,
        """SELECT review, count(*) FROM doubtful
        WHERE review IN (SELECT unnest($reviews::VARCHAR[])) GROUP BY review""",
        reviews,
    )
    return {review: found[0][0] if found else 0 for review, found in rows.items()}


def linked(con: Connection, report_id: str) -> dict[str, LinkKind | None]:
    """The other reports of what seems to be the same study, a preprint and its article, an abstract
    and its paper, and what they are to this one; None where nobody said that.
    """
    members = set(standings.members(con, [report_id]))
    others: dict[str, LinkKind | None] = {}
    for (left, right), word in _words_on(con, members).items():
        if word.verdict == "linked":
            others[right if left in members else left] = word.kind
    reports: dict[str, LinkKind | None] = {}
    for record, report in records_reports(con, others).items():
        if report != report_id:
            reports[report] = reports.get(report) or others[record]
    return dict(sorted(reports.items()))


@dataclass(frozen=True, slots=True)
class Word:
    """What counts of a pair now."""

    verdict: str
    kind: LinkKind | None


def _words_on(con: Connection, record_ids: Collection[str]) -> dict[tuple[str, str], Word]:
    """What counts of each pair of any of these records, as the view `current_match` has it: a
    person's last word unless it was taken back, else the rules' last.

    The view reads all pairs that there are; a page that somebody waits for asks about a few.
    """
    rows = kept_rows(
        con,
        """SELECT left_id, right_id, verdict, kind, author = 'rule' FROM match
        WHERE left_id IN (SELECT unnest(?::VARCHAR[])) OR right_id IN (SELECT unnest(?::VARCHAR[]))
        ORDER BY seq""",
        [list(record_ids), list(record_ids)],
    )
    of_rules: dict[tuple[str, str], Word] = {}
    of_people: dict[tuple[str, str], Word] = {}
    for left, right, verdict, kind, by_rule in rows:
        said = of_rules if by_rule else of_people
        said[left, right] = Word(verdict, LinkKind(kind) if kind else None)
    standing = {pair: word for pair, word in of_people.items() if word.verdict != "withdrawn"}
    return of_rules | standing


def records_reports(con: Connection, record_ids: Collection[str]) -> dict[str, str]:
    """The report of each of these records; one that was never settled is its own."""
    if not record_ids:
        return {}
    rows = con.execute(
        "SELECT record_id, report_id FROM report WHERE record_id IN (SELECT unnest(?::VARCHAR[]))",
        [list(record_ids)],
    ).fetchall()
    known = dict(rows)
    return {record: known.get(record, record) for record in record_ids}
