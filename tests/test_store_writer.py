from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from livereview.errors import Retry
from livereview.ops import screen
from livereview.store import past
from livereview.store.open import Connection, Store
from tests.conftest import NOW, REVIEW, article, found

UPDATE = "UPDATE pot SET amount = amount + ?"


@pytest.fixture
def pot(store: Store) -> Store:
    """A table with one row that jobs fight for."""
    store.write(lambda con: con.execute("CREATE TABLE pot AS SELECT 0 AS amount"))
    return store


def amount(store: Store) -> int:
    with store.read() as con:
        return int(con.execute("SELECT amount FROM pot").fetchall()[0][0])


class Slow:
    """A bulk job that changes the pot, or reads it first, and then waits in mid-transaction until
    it is let go.
    """

    def __init__(self, store: Store, pool: ThreadPoolExecutor, *, reads_first: bool = False):
        self.began, self.go, self.runs, self.reads_first = (
            threading.Event(),
            threading.Event(),
            0,
            reads_first,
        )
        self.done: Future[None] = pool.submit(store.write, self.run, bulk=True)
        assert self.began.wait(10)

    def run(self, con: Connection) -> None:
        self.runs += 1
        con.execute(
            "SELECT amount FROM pot" if self.reads_first else UPDATE,
            [] if self.reads_first else [100],
        )
        con.execute("SELECT nextval('event_seq')").fetchall()
        self.began.set()
        assert self.go.wait(10)
        if self.reads_first:
            con.execute(UPDATE, [100])

    def end(self) -> None:
        self.go.set()
        self.done.result(10)


@pytest.fixture
def pool():
    with ThreadPoolExecutor() as made:
        yield made


def test_a_quick_job_does_not_wait_for_a_bulk_job_in_hand(
    pot: Store, pool: ThreadPoolExecutor
) -> None:
    pot.write(lambda con: con.execute("CREATE TABLE other AS SELECT 0 AS n"))
    slow = Slow(pot, pool)
    pool.submit(pot.write, lambda con: con.execute("UPDATE other SET n = 1"), quick=True).result(10)
    assert not slow.done.done()
    with pot.read() as con:
        assert con.execute("SELECT n FROM other").fetchall() == [(1,)]
    slow.end()
    assert amount(pot) == 100 and slow.runs == 1


def test_a_quick_job_that_meets_a_row_in_other_hands_comes_after(
    pot: Store, pool: ThreadPoolExecutor
) -> None:
    slow = Slow(pot, pool)
    quick = pool.submit(pot.write, lambda con: con.execute(UPDATE, [1]) and None, quick=True)
    with pytest.raises(TimeoutError):
        quick.result(0.3)
    slow.end()
    quick.result(10)
    assert amount(pot) == 101 and slow.runs == 1


def test_a_bulk_job_that_a_quick_one_overtook_is_run_again(
    pot: Store, pool: ThreadPoolExecutor
) -> None:
    slow = Slow(pot, pool, reads_first=True)
    pot.write(lambda con: con.execute(UPDATE, [1]), quick=True)
    slow.end()
    assert amount(pot) == 101 and slow.runs == 2


def test_a_failing_quick_job_changes_nothing_and_tells_its_caller(pot: Store) -> None:
    def fail(con: Connection) -> None:
        con.execute(UPDATE, [1])
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        pot.write(fail, quick=True)
    assert amount(pot) == 0


def test_a_still_cursor_waits_for_numbers_in_hand_and_sees_none_that_come_later(
    reviewed: Store, pool: ThreadPoolExecutor
) -> None:
    (record,) = found(reviewed, article(1))
    reviewed.write(lambda con: con.execute("CREATE TABLE pot AS SELECT 0 AS amount"))
    slow = Slow(reviewed, pool)

    def look() -> tuple[int, int, int]:
        with reviewed.still() as con:
            seen, before = past.seen(con), len(con.execute("SELECT * FROM decision").fetchall())
            vote(reviewed, record, "ben")
            return seen, before, len(con.execute("SELECT * FROM decision").fetchall())

    looking = pool.submit(look)
    vote(reviewed, record, "ada")  # its number is higher than those the bulk job has taken
    with pytest.raises(TimeoutError):
        looking.result(0.3)
    slow.end()
    seen, before, after = looking.result(10)
    with reviewed.read() as con:
        (first,) = con.execute("SELECT min(seq) FROM decision").fetchall()[0]
    assert (before, after) == (1, 1) and seen >= first


def vote(store: Store, record: str, who: str) -> None:
    asked = {"record": record, "stage": "title_abstract", "reviewer": who, "verdict": "include"}
    screen.decide(store, id=f"{record}-{who}", review=REVIEW, now=NOW, **asked)


def test_decisions_in_the_middle_of_a_merge_end_where_the_events_say(
    reviewed: Store, pool: ThreadPoolExecutor
) -> None:
    """Both writers fight for the rows.

    The store fixture compares where reports stand with all events at the end.
    """
    records = found(reviewed, *(article(number) for number in range(1, 25)))

    def votes(who: str) -> None:
        for record in records:
            vote(reviewed, record, who)

    def merges() -> None:
        for left, right in zip(records[::2], records[1::2], strict=True):
            screen.judge(
                reviewed,
                id=f"j{left}",
                left=left,
                right=right,
                verdict="same",
                person="lena",
                now=NOW,
            )

    jobs = [pool.submit(votes, "ada"), pool.submit(merges), pool.submit(votes, "ben")]
    for job in jobs:
        job.result(60)
    with reviewed.read() as con:
        assert con.execute(
            "SELECT count(*) FROM decision WHERE verdict = 'include'"
        ).fetchall() == [(48,)]
        assert con.execute("SELECT count(DISTINCT report_id) FROM screening_state").fetchall() == [
            (12,)
        ]


def test_a_question_that_takes_too_long_is_ended_and_others_go_on(store: Store) -> None:
    store.write(
        lambda con: con.execute("CREATE TABLE wide AS SELECT range AS n FROM range(200000)")
    )
    with pytest.raises(Retry, match="took over 1 s"), store.read(seconds=1) as con:
        con.execute("SELECT sum(a.n * b.n % 7) FROM wide a CROSS JOIN wide b").fetchall()
    with store.read() as con:
        assert con.execute("SELECT count(*) FROM wide").fetchall() == [(200000,)]


def test_a_checkpoint_that_meets_another_transaction_is_left_for_later_and_freezes_nobody(
    pot: Store, pool: ThreadPoolExecutor
) -> None:
    other = pot._con.cursor()
    other.begin()
    other.execute(UPDATE, [1])
    try:
        done = pool.submit(pot._checkpoint)
        assert done.result(timeout=20) is False
        quick = pool.submit(pot.write, lambda con: con.execute("SELECT 1").fetchall(), quick=True)
        assert quick.result(timeout=20) == [(1,)]
    finally:
        other.rollback()
        other.close()
    assert pot._checkpoint()
