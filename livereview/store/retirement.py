"""Votes on whether a review retires or comes back, and the facts that such a vote rests on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from livereview.evidence.retirement import Count, Trigger, Watch, to_json
from livereview.review import Review
from livereview.store import accounts
from livereview.store.open import Connection
from livereview.store.rows import any_row, by_review, one_row

WHO = ("lead", "reviewer", "adjudicator")  # roles that may vote


@dataclass(frozen=True, slots=True)
class Proposal:
    """Somebody moved that the review retires, or comes back (`kind`), with what the signs said
    then.
    """

    id: str
    review: str
    kind: str
    reason: str
    triggers: tuple[Trigger, ...]
    author: str
    made: datetime


@dataclass(frozen=True, slots=True)
class Ballot:
    """A person's vote on a proposal: yes, no or abstain."""

    id: str
    account: str
    verdict: str
    note: str | None
    made: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a lead closed a vote; `votes` as counted then."""

    id: str
    carried: bool
    votes: Count
    author: str
    made: datetime


def propose(con: Connection, one: Proposal) -> bool:
    """Write the proposal; False if this very one is known already."""
    triggers = json.dumps(
        [to_json(trigger) for trigger in one.triggers], ensure_ascii=False, allow_nan=False
    )
    rows = con.execute(
        """INSERT INTO retirement_proposal (id, review, kind, reason, triggers, author, made) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING RETURNING id""",
        [one.id, one.review, one.kind, one.reason, triggers, one.author, one.made],
    ).fetchall()
    return bool(rows)


def cast(con: Connection, proposal: str, ballot: Ballot) -> bool:
    """Write the vote; False if this very one is known already."""
    rows = con.execute(
        """INSERT INTO retirement_ballot (id, proposal, account, verdict, note, made) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING RETURNING id""",
        [ballot.id, proposal, ballot.account, ballot.verdict, ballot.note, ballot.made],
    ).fetchall()
    return bool(rows)


def close(con: Connection, proposal: str, outcome: Outcome) -> None:
    votes = outcome.votes
    told = json.dumps(
        {"yes": votes.yes, "no": votes.no, "abstain": votes.abstain, "voters": votes.voters}
    )
    con.execute(
        "INSERT INTO retirement_outcome (id, proposal, carried, votes, author, made) VALUES (?, ?, ?, ?, ?, ?)",
        [outcome.id, proposal, outcome.carried, told, outcome.author, outcome.made],
    )


def proposals(con: Connection, review: str) -> list[tuple[Proposal, Outcome | None]]:
    """Every proposal, oldest first, with how it was closed; None: it is open."""
    rows = con.execute(
        """SELECT p.id, p.review, p.kind, p.reason, p.triggers, p.author, p.made, o.id, o.carried, o.votes, o.author, o.made
        FROM retirement_proposal p LEFT JOIN
            (SELECT * FROM retirement_outcome r ANTI JOIN cancelled c ON c.event = r.id) o ON o.proposal = p.id
        WHERE p.review = ? ORDER BY p.seq""",
        [review],
    ).fetchall()
    return [(_proposal(row[:7]), _outcome(row[7:])) for row in rows]


def of_proposal(con: Connection, id: str) -> tuple[Proposal, Outcome | None] | None:
    """The proposal of this id, likewise; None where there is none."""
    row = one_row(con, "SELECT review FROM retirement_proposal WHERE id = ?", [id])
    if row:
        return next((one for one in proposals(con, row[0]) if one[0].id == id), None)
    return None


def known_ballot(con: Connection, id: str) -> bool:
    return any_row(con, "SELECT 1 FROM retirement_ballot WHERE id = ?", [id])


def ballots(con: Connection, proposal: str) -> list[Ballot]:
    """Every vote on a proposal, oldest first; of one person's the last counts."""
    rows = con.execute(
        "SELECT id, account, verdict, note, made FROM retirement_ballot WHERE proposal = ? ORDER BY seq",
        [proposal],
    ).fetchall()
    return [Ballot(*row) for row in rows]


def voters(con: Connection, review: str) -> frozenset[str]:
    """Who may vote now: the open accounts that may enter the review and work on it."""
    return frozenset(
        one.name for one in accounts.names(con) if one.role in WHO and one.enters(review)
    )


def in_force(con: Connection, review: str) -> tuple[Proposal, Outcome] | None:
    """The last vote that was carried, unless the protocol changed after it.

    None: the protocol's word holds.
    """
    row = one_row(con, "SELECT proposal FROM decided_status WHERE review = ?", [review])
    found = of_proposal(con, row[0]) if row else None
    return (found[0], found[1]) if found and found[1] else None


@dataclass(frozen=True, slots=True)
class Decided:
    """What the last carried vote made of a review, and when; the protocol has not changed since."""

    kind: str
    made: datetime


def decided(con: Connection, reviews: Sequence[str]) -> dict[str, Decided]:
    """The votes in force among these reviews; the others have what their protocol says."""
    rows = by_review(
        con,
        """SELECT d.review, d.kind, o.made FROM decided_status d
        JOIN retirement_outcome o ON o.proposal = d.proposal AND o.seq = d.seq
        WHERE d.review IN (SELECT unnest($reviews::VARCHAR[]))""",
        reviews,
    )
    return {review: Decided(*found[0]) for review, found in rows.items() if found}


def effective(con: Connection, review: Review) -> Review:
    """The protocol with the status that holds: a carried vote's, unless the protocol changed after
    it.
    """
    return with_status(review, decided(con, [review.id]))


def with_status(review: Review, votes: Mapping[str, Decided]) -> Review:
    """The protocol with the status that holds by these votes in force."""
    vote = votes.get(review.id)
    if vote is None:
        return review
    status = "retired" if vote.kind == "retire" else "living"
    return replace(review, living=replace(review.living, status=status))


def waits_for(con: Connection, reviews: Sequence[str], person: str) -> set[str]:
    """Those of the reviews in which a proposal is open that this person has not voted on.

    The caller asks only about reviews that the person may enter and work in.
    """
    rows = con.execute(
        """SELECT p.review FROM retirement_proposal p
        WHERE p.review IN (SELECT unnest($reviews::VARCHAR[]))
            AND NOT EXISTS (SELECT 1 FROM retirement_outcome o ANTI JOIN cancelled c ON c.event = o.id
                WHERE o.proposal = p.id)
            AND NOT EXISTS (SELECT 1 FROM retirement_ballot b WHERE b.proposal = p.id AND b.account = $person)""",
        {"reviews": list(reviews), "person": person},
    ).fetchall()
    return {row[0] for row in rows}


def newest_study(con: Connection, review: str) -> datetime | None:
    """When the newest of the included studies was first included.

    A further report of a known one is none.
    """
    row = one_row(
        con,
        """SELECT max(first) FROM (
            SELECT coalesce(s.study, i.report_id) AS study, min(d.made) AS first
            FROM included i JOIN current_protocol p ON p.review = i.review
            JOIN current_decision d ON d.review = i.review AND d.report_id = i.report_id AND d.stage = p.stages[len(p.stages)]
                AND d.verdict IN ('include', 'maybe')
            LEFT JOIN current_study s ON s.review = i.review AND s.report_id = i.report_id
            WHERE i.review = ? GROUP BY 1)""",
        [review],
    )
    return row[0] if row else None


def watched(con: Connection, review: str, names: Iterable[str], since: datetime) -> list[Watch]:
    """How each of these searches fared: first and last success ever, and runs and good runs since a
    moment.
    """
    rows = con.execute(
        """SELECT name, min(window_end) FILTER (WHERE good), max(window_end) FILTER (WHERE good),
            count(*) FILTER (WHERE made >= $since), count(*) FILTER (WHERE made >= $since AND good)
        FROM (SELECT *, search IN (SELECT search FROM genuine_success WHERE review = $review) AS good FROM attempt)
        WHERE review = $review AND coalesce(kind, 'search') IN ('search', 'sweep') GROUP BY name""",
        {"review": review, "since": since},
    ).fetchall()
    known = {row[0]: Watch(*row) for row in rows}
    return [known.get(name, Watch(name, None, None, 0, 0)) for name in names]


def _proposal(row: tuple[Any, ...]) -> Proposal:
    id, review, kind, reason, triggers, author, made = row
    return Proposal(
        id,
        review,
        kind,
        reason,
        tuple(Trigger(**one) for one in json.loads(triggers)),
        author,
        made,
    )


def _outcome(row: tuple[Any, ...]) -> Outcome | None:
    id, carried, votes, author, made = row
    if id:
        return Outcome(id, carried, Count(**json.loads(votes)), author, made)
    return None
