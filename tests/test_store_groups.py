"""Jobs that share a commit: a refusal touches no other job, a mistake is isolated, and the log
stays short.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import duckdb
import pytest

from livereview.errors import Refused, Retry
from livereview.ops import screen, surveil
from livereview.settings import Settings
from livereview.store import standings
from livereview.store.open import Connection, Store
from livereview.store.rows import any_row, one_row
from livereview.store.writer import SOON, WroteBeforeRefusing
from tests.conftest import NOW, REVIEW, article, found

ADD = "INSERT INTO pot VALUES (?)"
MEGABYTE = "INSERT INTO filler SELECT sha256(random()::VARCHAR) FROM range(17000)"
TRANSACTION = "SELECT txid_current()"


@pytest.fixture
def pot(store: Store) -> Store:
    """A table that jobs add to."""
    store.write(lambda con: con.execute("CREATE TABLE pot (name VARCHAR)"))
    return store


def names(store: Store) -> list[str]:
    with store.read() as con:
        return [row[0] for row in con.execute("SELECT name FROM pot ORDER BY name").fetchall()]


@contextmanager
def one_group(store: Store) -> Iterator[Callable[[Callable[[Connection], Any]], Future[Any]]]:
    """What is queued inside shares one commit: the quick writer is busy until the block ends."""
    began, go = threading.Event(), threading.Event()

    def busy(con: Connection) -> None:
        began.set()
        assert go.wait(10)

    writer = store._quick
    first = writer.put(busy, SOON)
    assert began.wait(10)
    try:
        yield lambda job: writer.put(job, SOON)
    finally:
        go.set()
        first.result(10)


def adding(name: str, runs: list[int]) -> Callable[[Connection], str]:
    """A job that adds a name; `runs` gets the transaction of each of its runs."""

    def job(con: Connection) -> str:
        row = one_row(con, TRANSACTION)
        assert row
        runs.append(row[0])
        con.execute(ADD, [name])
        return name

    return job


@pytest.mark.parametrize(
    "error", [Refused("no"), Retry("later"), KeyError("a mistake before the first write")]
)
def test_a_job_that_raises_before_it_writes_touches_no_other(pot: Store, error: Exception) -> None:
    runs: list[int] = []

    def refuses(con: Connection) -> None:
        assert not any_row(con, "SELECT 1 FROM pot WHERE name = 'nobody'")
        runs.extend(one_row(con, TRANSACTION) or ())
        raise error

    with one_group(pot) as queue:
        before, refused, after = queue(adding("a", runs)), queue(refuses), queue(adding("b", runs))
    assert (before.result(10), after.result(10)) == ("a", "b")
    with pytest.raises(type(error)):
        refused.result(10)
    assert names(pot) == ["a", "b"]
    assert len(runs) == 3 and len(set(runs)) == 1  # each ran once, and all in one transaction


def test_a_job_that_fails_after_it_wrote_is_alone_with_it(pot: Store) -> None:
    runs: list[int] = []

    def fails(con: Connection) -> None:
        con.execute(ADD, ["never"])
        raise KeyError("a mistake of ours")

    with one_group(pot) as queue:
        before, failed, after = queue(adding("a", runs)), queue(fails), queue(adding("b", runs))
    assert (before.result(10), after.result(10)) == ("a", "b")
    with pytest.raises(KeyError):
        failed.result(10)
    assert names(pot) == ["a", "b"]


def test_a_statement_that_duckdb_refuses_spoils_no_other_job(pot: Store) -> None:
    runs: list[int] = []
    with one_group(pot) as queue:
        before = queue(adding("a", runs))
        broken = queue(lambda con: con.execute("SELECT 'x'::INTEGER").fetchall())
        after = queue(adding("b", runs))
    assert (before.result(10), after.result(10)) == ("a", "b")
    with pytest.raises(duckdb.ConversionException):
        broken.result(10)
    assert names(pot) == ["a", "b"]


def test_a_refusal_after_a_write_is_told_as_the_mistake_that_it_is(pot: Store) -> None:
    """Warnings are errors here.

    To people the refusal is still told, and nothing of the job is kept.
    """

    def refuses_late(con: Connection) -> None:
        con.execute("WITH given AS (SELECT 'late' AS name) INSERT INTO pot SELECT name FROM given")
        raise Refused("no")

    with pytest.raises(WroteBeforeRefusing, match="no"):
        pot.write(refuses_late, quick=True)
    assert names(pot) == []


def test_a_stale_vote_in_a_group_leaves_the_others_one_commit(reviewed: Store) -> None:
    records = found(reviewed, *(article(number) for number in range(1, 6)))
    asked = {
        "review": REVIEW,
        "stage": "title_abstract",
        "reviewer": "ada",
        "verdict": "include",
        "now": NOW,
    }
    screen.decide(reviewed, id="first", record=records[0], waiting=True, **asked)
    answers: list[Future[Any]] = []
    with ThreadPoolExecutor() as pool:
        with one_group(reviewed):
            for number, record in enumerate(records):
                job = pool.submit(
                    screen.decide, reviewed, id=f"w{number}", record=record, waiting=True, **asked
                )
                answers.append(job)
            while reviewed._quick._jobs.qsize() < len(records):
                threading.Event().wait(0.01)
        with pytest.raises(screen.Stale):
            answers[0].result(10)
        assert all(answer.result(10)["stands"] for answer in answers[1:])
    with reviewed.read() as con:
        assert con.execute("SELECT count(*) FROM decision").fetchall() == [(len(records),)]


def wal_size(store: Store) -> int:
    path = store.database.with_suffix(store.database.suffix + ".wal")
    return path.stat().st_size if path.exists() else 0


def transaction_memory(store: Store) -> int:
    """Bytes that DuckDB keeps for transactions which somebody may still look back into."""
    with store.read() as con:
        row = one_row(
            con, "SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'TRANSACTION'"
        )
    assert row
    return int(row[0])


def roll_back_a_group(store: Store, record: str) -> None:
    """A group in which one job fails after it has written, as only a bug does."""

    def fails(con: Connection) -> None:
        con.execute("UPDATE screening_state SET votes = votes WHERE report_id = ?", [record])
        raise KeyError("a mistake of ours")

    with one_group(store) as queue:
        failed, other = queue(fails), queue(lambda con: one_row(con, "SELECT 1"))
    assert other.result(10) == (1,)
    with pytest.raises(KeyError):
        failed.result(10)


@pytest.mark.parametrize("rolled_back", [False, True])
def test_the_log_is_cut_and_memory_given_back_while_people_decide(
    settings: Settings, protocol: str, rolled_back: bool
) -> None:
    """One open answer on a long-lived connection is enough to let both grow until the process ends."""
    with Store(settings.database, settings.memory, settings.threads) as store:
        surveil.register(store, text=protocol, now=NOW)
        records = found(store, *(article(number) for number in range(1, 301)))
    with Store(settings.database, settings.memory, settings.threads) as store:  # as after a restart
        asked = {"review": REVIEW, "stage": "title_abstract", "reviewer": "ada", "now": NOW}
        for number, record in enumerate(records):
            screen.decide(
                store, id=f"d{number}", record=record, verdict="include", waiting=True, **asked
            )
        if rolled_back:
            roll_back_a_group(store, records[0])
        store.write(lambda con: con.execute("CREATE TABLE filler (text VARCHAR)"))
        for _ in range(20):
            store.write(lambda con: con.execute(MEGABYTE), bulk=True)
        assert transaction_memory(store) < 5_000_000
        store.write(lambda con: con.execute("INSERT INTO filler VALUES ('the last')"))
        assert wal_size(store) < 20_000_000
        with store.read() as con:
            con.execute("CHECKPOINT")
        assert wal_size(store) < 100_000


# A decision and what derives standings again, side by side


class Halfway:
    """A bulk job that derives where every report stands, and waits before or after it has done so."""

    def __init__(self, store: Store, pool: ThreadPoolExecutor, *, waits: str):
        self.began, self.go, self.runs, self.waits = threading.Event(), threading.Event(), 0, waits
        self.done = pool.submit(store.write, self.run, bulk=True)
        assert self.began.wait(10)

    def run(self, con: Connection) -> None:
        self.runs += 1
        # DuckDB's moment is the first question
        assert one_row(con, "SELECT count(*) FROM decision")
        if self.waits == "before":
            self.pause()
        standings.refresh_all(con)
        if self.waits == "after":
            self.pause()

    def pause(self) -> None:
        self.began.set()
        assert self.go.wait(10)


@pytest.mark.parametrize("waits", ["before", "after"])
@pytest.mark.parametrize("again", [False, True])
def test_a_decision_beside_a_new_protocol_is_in_the_standing(
    reviewed: Store, waits: str, again: bool
) -> None:
    """DuckDB loses the update of a row that another transaction deletes: then a vote is counted
    nowhere.

    again   the second word of a person, which leaves the standing as it was
    """
    (record,) = found(reviewed, article(1))
    asked = {
        "review": REVIEW,
        "record": record,
        "stage": "title_abstract",
        "reviewer": "ada",
        "now": NOW,
    }
    if again:
        screen.decide(reviewed, id="d0", verdict="exclude", **asked)
    with ThreadPoolExecutor() as pool:
        night = Halfway(reviewed, pool, waits=waits)
        deciding = pool.submit(screen.decide, reviewed, id="d1", verdict="include", **asked)
        if waits == "before":
            deciding.result(10)  # it is committed while the other reads
        else:
            with pytest.raises(TimeoutError):
                deciding.result(0.3)  # it comes after
        night.go.set()
        night.done.result(10)
        deciding.result(10)
    with reviewed.read() as con:
        assert con.execute("SELECT votes, state FROM screening_state").fetchall() == [(1, "half")]
    assert night.runs == (2 if waits == "before" else 1)


def test_a_protocol_that_moves_no_report_leaves_the_standings_alone(
    reviewed: Store, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(reviewed, article(1))
    derived: list[str] = []
    whole = standings.refresh_all

    def counted(con: Connection) -> None:
        derived.append("all")
        whole(con)

    monkeypatch.setattr(standings, "refresh_all", counted)
    surveil.register(reviewed, text=protocol.replace("A. Lead", "B. Lead"), now=NOW)
    assert derived == []
    surveil.register(reviewed, text=protocol.replace("votes = 2", "votes = 1"), now=NOW)
    assert derived == ["all"]
