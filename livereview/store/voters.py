"""Who votes in a review: open accounts of leads and reviewers, without leads who said that they do
not screen.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from livereview.review import Review
from livereview.screening.shares import Person
from livereview.store.open import Connection
from livereview.store.rows import kept_by_review, kept_rows

ROLES = ("lead", "reviewer")


@dataclass(frozen=True, slots=True)
class Abstention:
    """A lead's last word on whether they screen in a review, as the event of number `seq`."""

    account: str
    abstains: bool
    made: datetime
    seq: int


def names(con: Connection, review: str) -> set[str]:
    """Everybody who votes in this review."""
    return names_of(con, [review])[review]


def names_of(con: Connection, reviews: Sequence[str]) -> dict[str, set[str]]:
    """Everybody who votes in each of these reviews.

    Every look at a queue asks it, so the answers are kept. Two plain reads take a sixth of the time
    of one question with windows.
    """
    rows = kept_rows(con, "SELECT name, role, active, reviews FROM account ORDER BY seq")
    last = {name: (role, active, reach) for name, role, active, reach in rows}
    able = {
        name: (role, frozenset(reach or ()))
        for name, (role, active, reach) in last.items()
        if active and role in ROLES
    }
    words = kept_by_review(
        con,
        """SELECT review, account, abstains FROM abstention
        WHERE list_contains($reviews::VARCHAR[], review) ORDER BY seq""",
        reviews,
    )
    voting = {}
    for review in reviews:
        abstains: dict[str, bool] = dict(words[review])  # the last word of each
        voting[review] = {
            name
            for name, (role, reach) in able.items()
            if (not reach or review in reach) and not (role == "lead" and abstains.get(name))
        }
    return voting


def people(review: Review, names: Collection[str]) -> tuple[Person, ...]:
    """Those who vote as people of equal shares, with core reviewers marked, by name."""
    core = review.screening.core
    return tuple(Person(name, 1.0, name in core) for name in sorted(names))


def eyes(con: Connection, review: str, account: str) -> str | None:
    """The account, if it votes in this review and so must see nobody's votes first.

    None: it may see all.
    """
    return account if account in names(con, review) else None


def abstention(con: Connection, review: str, account: str) -> Abstention | None:
    """What this account last said of itself; None: nothing."""
    return abstentions(con, [review], account).get(review)


def abstentions(con: Connection, reviews: Sequence[str], account: str) -> dict[str, Abstention]:
    """What this account last said of itself, in those of the reviews in which it said anything."""
    rows = kept_by_review(
        con,
        """SELECT review, account, abstains, made, seq FROM current_abstention
        WHERE list_contains($reviews::VARCHAR[], review) AND account = $account""",
        reviews,
        account=account,
    )
    return {review: Abstention(*found[0]) for review, found in rows.items() if found}


def abstaining(con: Connection, review: str) -> list[Abstention]:
    """Who said that they do not screen, by name."""
    rows = con.execute(
        """SELECT account, abstains, made, seq FROM current_abstention
        WHERE review = ? AND abstains ORDER BY account""",
        [review],
    ).fetchall()
    return [Abstention(*row) for row in rows]


def say(con: Connection, id: str, review: str, account: str, abstains: bool, now: datetime) -> None:
    """Write down what a lead says of themselves; the same id again changes nothing."""
    con.execute(
        """INSERT INTO abstention (id, review, account, abstains, made) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING""",
        [id, review, account, abstains, now],
    )


def seen_before(con: Connection, review: str, account: str, stage: str) -> list[str]:
    """Reports that this lead may not vote on, as they could see votes on them while they did not
    screen.

    These are the reports with a vote from before they came back, however many of those votes still
    count: so nothing that happens later moves the list. A report that is decided afresh is free
    again.
    """
    last = abstention(con, review, account)
    if last is None or last.abstains:
        return []
    rows = con.execute(
        """SELECT DISTINCT coalesce(p.report_id, d.record_id) AS report FROM decision d
        LEFT JOIN report p ON p.record_id = d.record_id
        LEFT JOIN reopened o ON o.review = d.review AND o.stage = d.stage
            AND o.report_id = coalesce(p.report_id, d.record_id)
        WHERE d.review = ? AND d.stage = ? AND d.reviewer <> ? AND d.seq < ? AND coalesce(o.seq, 0) < ?""",
        [review, stage, account, last.seq, last.seq],
    ).fetchall()
    return [row[0] for row in rows]
