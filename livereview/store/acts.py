"""Acts that undid others' work, what took them back, and requests for such acts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview.store import standings
from livereview.store.open import Connection
from livereview.store.rows import any_row, one_row


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Who took an act back, when, and what that did."""

    author: str
    effect: Mapping[str, Any]
    made: datetime


@dataclass(frozen=True, slots=True)
class LoggedAct:
    """An act as it stands in the log.

    Attributes:
        reviews: Those it concerns.
        given: What was asked.
        effect: What it did, as `ops.effects` tells it.
        undo: What it takes to take it back.
        taken_back: None while it stands.
    """

    id: str
    kind: str
    reviews: tuple[str, ...]
    given: Mapping[str, str]
    author: str
    reason: str
    effect: Mapping[str, Any]
    undo: Mapping[str, Any]
    made: datetime
    seq: int = 0
    taken_back: TakenBack | None = None


def append(con: Connection, act: LoggedAct) -> None:
    """Write an act into the log."""
    con.execute(
        """INSERT INTO act (id, kind, reviews, given, author, reason, effect, undo, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            act.id,
            act.kind,
            list(act.reviews),
            _text(act.given),
            act.author,
            act.reason,
            _text(act.effect),
            _text(act.undo),
            act.made,
        ],
    )


_LOG = """SELECT a.id, a.kind, a.reviews, a.given, a.author, a.reason, a.effect, a.undo, a.made, a.seq,
        t.author, t.effect, t.made
    FROM act a LEFT JOIN act_taken_back t ON t.act = a.id"""


def log(con: Connection, review: str) -> list[LoggedAct]:
    """The acts that concern a review, newest first."""
    rows = con.execute(
        f"{_LOG} WHERE list_contains(a.reviews, ?) ORDER BY a.seq DESC", [review]
    ).fetchall()
    return [_act(row) for row in rows]


def of(con: Connection, id: str) -> LoggedAct | None:
    """The act of this id; None where there is none."""
    row = one_row(con, f"{_LOG} WHERE a.id = ?", [id])
    return _act(row) if row else None


def _act(row: tuple[Any, ...]) -> LoggedAct:
    (
        id,
        kind,
        reviews,
        given,
        author,
        reason,
        effect,
        undo,
        made,
        seq,
        taker,
        taken_effect,
        taken,
    ) = row
    back = TakenBack(taker, json.loads(taken_effect), taken) if taker else None
    texts = json.loads(given), json.loads(effect), json.loads(undo)
    return LoggedAct(
        id, kind, tuple(reviews), texts[0], author, reason, texts[1], texts[2], made, seq, back
    )


def take_back(
    con: Connection, id: str, act: str, author: str, effect: Mapping[str, Any], now: datetime
) -> None:
    """Write that an act was taken back."""
    con.execute(
        "INSERT INTO act_taken_back (id, act, author, effect, made) VALUES (?, ?, ?, ?, ?)",
        [id, act, author, _text(effect), now],
    )


def cancel(con: Connection, review: str, events: Sequence[str], act: str, now: datetime) -> None:
    """Let these events count no more."""
    con.execute(
        """INSERT INTO cancelled (event, review, act, made) SELECT unnest(?::VARCHAR[]), ?, ?, ?
        ON CONFLICT (event) DO NOTHING""",
        [list(events), review, act, now],
    )


@dataclass(frozen=True, slots=True)
class Reopening:
    """A report is to be decided again at a stage, named by one of its records."""

    id: str
    record_id: str
    stage: str


def reopen(
    con: Connection,
    review: str,
    reopenings: Sequence[Reopening],
    author: str,
    cause: str,
    now: datetime,
) -> None:
    """Let decisions on these reports count no more; the same ids again change nothing."""
    con.execute(
        """INSERT INTO reopening (id, review, record_id, stage, author, cause, made)
        SELECT unnest(?::VARCHAR[]), ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), ?, ?, ? ON CONFLICT (id) DO NOTHING""",
        [
            [reopening.id for reopening in reopenings],
            review,
            [reopening.record_id for reopening in reopenings],
            [reopening.stage for reopening in reopenings],
            author,
            cause,
            now,
        ],
    )
    standings.refresh(con, [reopening.record_id for reopening in reopenings])


def untouched(con: Connection, ids: Sequence[str]) -> list[str]:
    """Those of these reopenings after which nobody has decided on their report at their stage, or
    opened it again.
    """
    rows = con.execute(
        """WITH mine AS (SELECT o.*, coalesce(p.report_id, o.record_id) AS report_id FROM reopening o
            LEFT JOIN report p ON p.record_id = o.record_id WHERE o.id IN (SELECT unnest(?::VARCHAR[]))),
        later AS (
            SELECT m.id FROM mine m JOIN decision d ON d.review = m.review AND d.stage = m.stage AND d.seq > m.seq
            LEFT JOIN report p ON p.record_id = d.record_id WHERE coalesce(p.report_id, d.record_id) = m.report_id
            UNION SELECT m.id FROM mine m JOIN reopening o ON o.review = m.review AND o.stage = m.stage AND o.seq > m.seq
            LEFT JOIN report p ON p.record_id = o.record_id
            WHERE coalesce(p.report_id, o.record_id) = m.report_id AND o.id NOT IN (SELECT id FROM mine)
                AND o.id NOT IN (SELECT event FROM cancelled))
        SELECT id FROM mine WHERE id NOT IN (SELECT id FROM later) ORDER BY seq""",
        [list(ids)],
    ).fetchall()
    return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody asks for an act that they may not do alone.

    `outcome` None: no lead has answered yet.
    """

    id: str
    review: str
    kind: str
    given: Mapping[str, str]
    author: str
    reason: str
    made: datetime
    outcome: str | None = None
    answered_by: str | None = None
    note: str | None = None
    answered: datetime | None = None


def ask(con: Connection, request: Request) -> bool:
    """Write a request; False if this very one is known already."""
    rows = con.execute(
        """INSERT INTO act_request (id, review, kind, given, author, reason, made) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING RETURNING id""",
        [
            request.id,
            request.review,
            request.kind,
            _text(request.given),
            request.author,
            request.reason,
            request.made,
        ],
    ).fetchall()
    return bool(rows)


def answer(
    con: Connection, request: str, outcome: str, author: str, note: str | None, now: datetime
) -> None:
    """Write how a request ended."""
    con.execute(
        "INSERT INTO act_answer (request, outcome, author, note, made) VALUES (?, ?, ?, ?, ?)",
        [request, outcome, author, note, now],
    )


def requests(con: Connection, review: str) -> list[Request]:
    """Every request of a review, newest first."""
    rows = con.execute(
        """SELECT q.id, q.review, q.kind, q.given, q.author, q.reason, q.made, a.outcome, a.author, a.note, a.made
        FROM act_request q LEFT JOIN act_answer a ON a.request = q.id WHERE q.review = ? ORDER BY q.seq DESC""",
        [review],
    ).fetchall()
    return [
        Request(id, where, kind, json.loads(given), *rest) for id, where, kind, given, *rest in rows
    ]


def open_requests(con: Connection, review: str) -> int:
    """How many requests of a review wait for a lead."""
    row = one_row(
        con,
        "SELECT count(*) FROM act_request WHERE review = ? AND id NOT IN (SELECT request FROM act_answer)",
        [review],
    )
    return int(row[0]) if row else 0


def known(con: Connection, id: str) -> bool:
    """Whether an act of this id was ever done."""
    return any_row(con, "SELECT 1 FROM act WHERE id = ?", [id])


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
