"""Searches, their pages and rejects: what was asked, what came back, how it ended."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from livereview.review import Review, Search
from livereview.sources.protocol import Query, Reject
from livereview.store import standings
from livereview.store.open import Connection
from livereview.store.rows import by_review, kept_rows, one_row, read_as
from livereview.surveillance.clock import TOLERANCE


@dataclass(frozen=True, slots=True)
class Counts:
    """What a page or a search brought: records found, seen for the first time, seen to have
    changed; and rejects.
    """

    found: int = 0
    fresh: int = 0
    changed: int = 0
    rejected: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.found + other.found,
            self.fresh + other.fresh,
            self.changed + other.changed,
            self.rejected + other.rejected,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """What kind of run a search makes (search, sweep, lookup, import) and the window it covers."""

    kind: str
    start: datetime | None
    end: datetime


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What is kept of a page beside its bytes and counts; `filled` and `quota` as in
    `surveillance.health.Attempt`.
    """

    cursor: str | None = None
    url: str | None = None
    status: int | None = None
    problem: str | None = None
    warnings: Sequence[str] = ()
    filled: Mapping[str, int] | None = None
    quota: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """A page whose bytes are stored and whose records are not taken in.

    Attributes:
        found: How many records it holds.
        made: When it came.
    """

    sha256: str
    cursor: str | None
    found: int
    made: datetime


def save_protocol(con: Connection, review: Review, now: datetime) -> None:
    """Keep this text of the protocol, unless it is the one in force.

    Where reports stand is derived again only if the protocol changes what that rests on: it takes
    long, and decisions wait for it.
    """
    before = one_row(
        con, "SELECT stages, votes FROM current_protocol WHERE review = ?", [review.id]
    )
    con.execute(
        """INSERT INTO protocol (review, hash, text, criteria_version, votes, stages, extractors, core, made)
        SELECT ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE ? NOT IN (SELECT hash FROM current_protocol WHERE review = ?)""",
        [
            review.id,
            review.hash,
            review.text,
            review.criteria_version,
            review.screening.votes,
            list(review.screening.stages),
            review.extractors,
            list(review.screening.core),
            now,
            review.hash,
            review.id,
        ],
    )
    if before != (list(review.screening.stages), review.screening.votes):
        standings.refresh_all(con)


def protocol_text(con: Connection, review: str) -> str | None:
    """The review.toml in force, or None for an unknown review."""
    rows = kept_rows(con, "SELECT arg_max(text, seq) FROM protocol WHERE review = ?", [review])
    return rows[0][0] if rows else None


def protocols_in_force(con: Connection) -> dict[str, str]:
    """The review.toml in force of every review, by the review's id and in its order."""
    return dict(con.execute("SELECT review, text FROM current_protocol ORDER BY review").fetchall())


def criteria_texts(con: Connection, review: str) -> list[tuple[str, str]]:
    """(version of the criteria, the last protocol with it), the newest first."""
    return con.execute(
        """SELECT criteria_version, arg_max(text, seq) FROM protocol WHERE review = ?
        GROUP BY criteria_version ORDER BY max(seq) DESC""",
        [review],
    ).fetchall()


def protocols(con: Connection, reviews: Sequence[str]) -> dict[str, list[tuple[str, datetime]]]:
    """(text, since when it was in force) of each version of each review's protocol, oldest first."""
    rows = by_review(
        con,
        "SELECT review, text, made FROM protocol WHERE review IN (SELECT unnest($reviews::VARCHAR[])) ORDER BY seq",
        reviews,
    )
    return {review: [(text, made) for text, made in versions] for review, versions in rows.items()}


def protocol_texts(con: Connection, review: str, most: int) -> list[str]:
    """The texts that the protocol of a review had, the newest first."""
    rows = con.execute(
        "SELECT text FROM protocol WHERE review = ? ORDER BY seq DESC LIMIT ?", [review, most]
    ).fetchall()
    return [row[0] for row in rows]


def review_ids(con: Connection) -> list[str]:
    return [
        row[0]
        for row in con.execute("SELECT review FROM current_protocol ORDER BY review").fetchall()
    ]


def last_success(con: Connection, review: str, name: str, now: datetime) -> datetime | None:
    """The end of the window of the last search that ran to its end.

    One whose clock was ahead does not count.
    """
    rows = con.execute(
        "SELECT max(window_end) FROM genuine_success WHERE review = ? AND name = ? AND window_end <= ?",
        [review, name, now + TOLERANCE],
    ).fetchall()
    end: datetime | None = rows[0][0]
    return end


def begin(con: Connection, search: str, review: str, what: Search, run: Run, now: datetime) -> None:
    """Write that a search starts; doing so again with the same id changes nothing."""
    con.execute(
        """INSERT INTO search (search, review, name, source, query, filters, grey, kind, window_start, window_end, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (search) DO NOTHING""",
        [
            search,
            review,
            what.name,
            what.source,
            what.query or what.url or "",
            json.dumps(what.filters, ensure_ascii=False),
            what.grey,
            run.kind,
            run.start,
            run.end,
            now,
        ],
    )


def last_complete(con: Connection, review: str, name: str, now: datetime) -> datetime | None:
    """When this search last went through everything from the beginning, to its end.

    Clocks as in `last_success`.
    """
    rows = con.execute(
        """SELECT max(window_end) FROM genuine_success
        WHERE review = ? AND name = ? AND kind = 'sweep' AND window_end <= ?""",
        [review, name, now + TOLERANCE],
    ).fetchall()
    end: datetime | None = rows[0][0]
    return end


def interrupted(con: Connection, review: str, name: str) -> list[str]:
    """Searches that began and never ended: their process died."""
    rows = con.execute(
        "SELECT search FROM attempt WHERE review = ? AND name = ? AND outcome = 'running'",
        [review, name],
    ).fetchall()
    return [row[0] for row in rows]


def end(
    con: Connection,
    search: str,
    outcome: str,
    error: str | None,
    counts: Counts,
    seconds: float | None,
    now: datetime,
) -> None:
    con.execute(
        """INSERT INTO search_end (search, outcome, error, found, fresh, changed, rejected, seconds, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (search) DO NOTHING""",
        [
            search,
            outcome,
            error,
            counts.found,
            counts.fresh,
            counts.changed,
            counts.rejected,
            seconds,
            now,
        ],
    )


def ended(con: Connection, search: str) -> tuple[str, Counts] | None:
    """How a search ended, or None while it runs."""
    row = one_row(
        con,
        "SELECT outcome, found, fresh, changed, rejected FROM search_end WHERE search = ?",
        [search],
    )
    return (row[0], Counts(*row[1:])) if row else None


@dataclass(frozen=True, slots=True)
class BegunSearch:
    """A run of a search.

    Attributes:
        kind: search, sweep, lookup or import.
    """

    review: str
    name: str
    source: str
    kind: str


def of(con: Connection, search: str) -> BegunSearch | None:
    """The run with this id; None: it has not begun."""
    question = """SELECT review, name, source, coalesce(kind, 'search') AS kind FROM search
        WHERE search = ?"""
    begun = read_as(con, BegunSearch, question, [search])
    return begun[0] if begun else None


def asked(con: Connection, search: str) -> Query:
    """What a search asks for, as it was written down when it began."""
    row = one_row(con, "SELECT query, filters FROM search WHERE search = ?", [search])
    text, filters = row or ("", None)
    pairs = tuple((name, value) for name, value in json.loads(filters or "[]"))
    return Query(text, pairs, text if "://" in text else None)


def previous(con: Connection, search: str) -> list[str]:
    """The titles of the records that the last complete run of the same name returned and this one
    did not.
    """
    rows = con.execute(
        """WITH this AS (SELECT review, name, seq FROM search WHERE search = ?),
        last AS (SELECT a.search FROM attempt a JOIN this t ON t.review = a.review AND t.name = a.name AND a.seq < t.seq
            WHERE a.outcome = 'ok' ORDER BY a.seq DESC LIMIT 1)
        SELECT coalesce(c.title, c.source_key) FROM standing_hit h JOIN last USING (search)
        JOIN current_record c ON c.record_id = h.record_id
        WHERE h.record_id NOT IN (SELECT record_id FROM standing_hit WHERE search = ?) ORDER BY h.seq""",
        [search, search],
    ).fetchall()
    return [row[0] for row in rows]


def page_counts(con: Connection, search: str, sha256: str) -> Counts | None:
    """What this page gave when it first came, or None if it is new.

    Nothing of a page that waits to be taken in is new or changed yet.
    """
    row = one_row(
        con,
        """SELECT p.found, coalesce(t.fresh, 0), coalesce(t.changed, 0), p.rejected FROM page p
        LEFT JOIN page_taken t USING (search, sha256) WHERE p.search = ? AND p.sha256 = ?""",
        [search, sha256],
    )
    return Counts(*row) if row else None


def waiting(con: Connection, search: str) -> list[WaitingPage]:
    """The pages of a search that are stored and not taken in, as they came."""
    rows = con.execute(
        """SELECT p.sha256, p.cursor, p.found, p.made FROM page p
        ANTI JOIN page_taken t USING (search, sha256) WHERE p.search = ? ORDER BY p.seq""",
        [search],
    ).fetchall()
    return [WaitingPage(*row) for row in rows]


def save_taken(con: Connection, search: str, page: WaitingPage, fresh: int, changed: int) -> None:
    """Write that a page's records were taken in, as of when it came."""
    con.execute(
        """INSERT INTO page_taken (search, sha256, fresh, changed, made) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (search, sha256) DO NOTHING""",
        [search, page.sha256, fresh, changed, page.made],
    )


def totals(con: Connection, search: str) -> tuple[Counts, tuple[str, ...]]:
    """The sum over a search's pages, and what the source warned of or a page's problem."""
    rows = con.execute(
        """SELECT p.found, coalesce(t.fresh, 0), coalesce(t.changed, 0), p.rejected, p.warnings
        FROM page p LEFT JOIN page_taken t USING (search, sha256)
        WHERE p.search = ? ORDER BY p.seq""",
        [search],
    ).fetchall()
    counts = sum((Counts(*row[:4]) for row in rows), Counts())
    return counts, tuple(warning for row in rows for warning in row[4] or ())


def save_page(
    con: Connection, search: str, body: bytes, counts: Counts, facts: PageFacts, now: datetime
) -> str:
    """Keep the publisher's bytes and what they hold, which waits to be taken in.

    The sha256 of the bytes is the answer.
    """
    sha256 = hashlib.sha256(body).hexdigest()
    con.execute(
        "INSERT INTO body (sha256, packed) VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING",
        [sha256, zlib.compress(body)],
    )
    con.execute(
        """INSERT INTO page (
            search, sha256, cursor, url, status, problem, found, rejected, warnings, bytes, filled,
            quota, note, made
        )
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (search, sha256) DO NOTHING""",
        [
            search,
            sha256,
            facts.cursor,
            facts.url,
            facts.status,
            facts.problem,
            counts.found,
            counts.rejected,
            list(facts.warnings),
            len(body),
            json.dumps(facts.filled or {}),
            facts.quota,
            facts.note,
            now,
        ],
    )
    return sha256


def body(con: Connection, sha256: str) -> bytes | None:
    """The bytes as the publisher sent them."""
    row = one_row(con, "SELECT packed FROM body WHERE sha256 = ?", [sha256])
    return zlib.decompress(row[0]) if row else None


def save_rejects(
    con: Connection, search: str, sha256: str, rejects: Sequence[Reject], now: datetime
) -> None:
    if rejects:
        con.execute(
            """INSERT INTO reject (search, sha256, place, reason, raw, made)
            SELECT ?, ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), ?""",
            [
                search,
                sha256,
                [r.where for r in rejects],
                [r.reason for r in rejects],
                [r.raw for r in rejects],
                now,
            ],
        )


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something on a page that was no record.

    Attributes:
        name: Of the search that it came from.
        place: Where on the page it stood.
        raw: Its beginning, as it came.
        sha256: Of the page.
    """

    name: str
    reason: str
    place: str
    raw: str
    sha256: str
    made: datetime


def rejects(con: Connection, review: str, limit: int) -> list[Rejected]:
    """The latest rejects of a review, newest first."""
    return read_as(
        con,
        Rejected,
        """SELECT s.name, r.reason, r.place, r.raw, r.sha256, r.made
        FROM reject r JOIN search s USING (search)
        WHERE s.review = ? ORDER BY r.seq DESC LIMIT ?""",
        [review, limit],
    )


def records_by_search(con: Connection, review: str) -> dict[str, int]:
    """How many different records each search of a review has brought in all."""
    rows = con.execute(
        """SELECT s.name, count(DISTINCT h.record_id) FROM standing_hit h JOIN search s USING (search) WHERE h.review = ?
        GROUP BY s.name""",
        [review],
    ).fetchall()
    return dict(rows)
