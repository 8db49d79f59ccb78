"""The queue of a crowd in memory is the queue that the database gives, whatever was written."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from livereview.errors import Refused
from livereview.ops import pairs, surveil
from livereview.ops.protocols import protocol as in_force
from livereview.ops.team import add_account, close_account
from livereview.screening.order import CROWD
from livereview.store import queues, ranks, standings
from livereview.store.open import Connection, Store
from livereview.store.waiting import (
    First,
    Moved,
    Standing,
    Voted,
    WaitingList,
    WaitingLists,
)
from tests.conftest import NOW, REVIEW, article, found
from tests.test_ops import decide

PEOPLE = [f"p{number:02}" for number in range(CROWD + 2)]
STAGE = "title_abstract"
STAGES = (STAGE, "full_text")
RANKING = ranks.Ranking("k0", "m", "f", 1, 0, 0, NOW, {})


@pytest.fixture
def crowd(reviewed: Store) -> Store:
    for name in PEOPLE:
        secret = f"{name}-has-a-long-secret-word"
        add_account(reviewed, name=name, role="reviewer", secret=secret, now=NOW)
    return reviewed


def heads(con: Connection, names: list[str], wanted: list[str]) -> list[queues.Head]:
    rules = in_force(con, REVIEW)
    return [
        queues.head(con, rules, name, stage, most=8, wanted=wanted)
        for name in names
        for stage in STAGES
    ]


def assert_same(store: Store, names: list[str], wanted: list[str]) -> None:
    """By the lists, and by a connection that has none."""
    with store.read() as con, store.still() as plain:
        by_lists = heads(con, names, wanted)
        by_database = heads(plain, names, wanted)
    for ours, theirs in zip(by_lists, by_database, strict=True):
        assert replace(ours, wanted=()) == replace(theirs, wanted=())
        assert set(ours.wanted) == set(theirs.wanted)


class Act:
    """Things that people and nights do, by chance."""

    def __init__(self, store: Store, dice: random.Random):
        self.store, self.dice = store, dice
        self.records = found(store, *(article(number) for number in range(12)))
        self.done = 0

    def vote(self) -> None:
        verdict = self.dice.choice(["include", "include", "exclude", "maybe", "withdrawn"])
        stage = self.dice.choice([STAGE, STAGE, "full_text"])
        reason = "population" if (verdict, stage) == ("exclude", "full_text") else None
        record, person = self.dice.choice(self.records), self.dice.choice(PEOPLE[:5])
        decide(self.store, record, person, verdict, stage=stage, reason=reason, id=self.id())

    def judge(self) -> None:
        left, right = self.dice.sample(self.records, 2)
        verdict = self.dice.choice(["same", "different", "withdrawn"])
        words = {"left": left, "right": right, "verdict": verdict, "person": "p00"}
        pairs.judge(self.store, id=self.id(), now=NOW, **words)

    def rank(self) -> None:
        order = self.dice.sample(self.records, len(self.records) // 2)
        made = replace(RANKING, id=self.id())
        scores = tuple(0.5 for _ in order)
        self.store.write(lambda con: ranks.save(con, REVIEW, made, tuple(order), scores))

    def search(self) -> None:
        news = [article(100 + self.done + more) for more in range(2)]
        self.records += found(self.store, *news, search=self.id())

    def go_and_come_back(self) -> None:
        name = self.dice.choice(PEOPLE[:5])
        close_account(self.store, name=name, now=NOW)
        secret = f"{name}-is-back-{self.id()}-with-this"
        add_account(self.store, name=name, role="reviewer", secret=secret, now=NOW)

    def change_the_rules(self) -> None:
        with self.store.read() as con:
            text = con.execute("SELECT arg_max(text, seq) FROM protocol").fetchall()[0][0]
        before, after = self.dice.sample(["votes = 2", "votes = 3"], 2)
        surveil.register(self.store, text=text.replace(before, after), now=NOW)

    def meddle(self) -> None:
        """Nobody tells of it."""
        ids = self.dice.sample(self.records, 3)
        self.store.write(lambda con: standings.refresh(con, ids))
        touch = "UPDATE screening_state SET votes = -1 - votes"
        self.store.write(lambda con: [con.execute(touch).fetchall() for _ in range(2)])

    def id(self) -> str:
        self.done += 1
        return f"act{self.done}"


@pytest.mark.parametrize("seed", range(2))
def test_the_lists_say_what_the_database_says(crowd: Store, seed: int) -> None:
    dice = random.Random(seed)
    act = Act(crowd, dice)
    acts: list[Callable[[], None]] = [
        *[act.vote] * 12,
        *[act.judge] * 2,
        act.rank,
        act.search,
        act.go_and_come_back,
        act.change_the_rules,
        act.meddle,
    ]
    refused = 0
    for _ in range(30):
        try:
            dice.choice(acts)()
        except Refused:
            refused += 1
            continue
        assert_same(crowd, [dice.choice(PEOPLE[:5]), PEOPLE[-1]], act.records[:4])
    assert refused < 20


def test_a_crowds_next_record_asks_the_database_nothing(crowd: Store) -> None:
    records = found(crowd, *(article(number) for number in range(3)))
    asked: list[str] = []

    class Listening:
        def __init__(self, con: Connection):
            self._con, self.kept, self.answers = con, con.kept, con.answers  # type: ignore[attr-defined]

        def execute(self, question: str, values: object = None) -> Connection:
            asked.append(question)
            return self._con.execute(question, values)

    with crowd.read() as con:
        listening = Listening(con)
        heads(listening, ["p00"], [])  # type: ignore[arg-type]
        assert len(asked) == 3, "the list, and what was answered at two stages"
        decide(crowd, records[0], "p00", "include")
        decide(crowd, records[1], "p01", "include")
        asked.clear()
        mine, _ = heads(listening, ["p00"], [records[0], records[2]])  # type: ignore[arg-type]
    assert not asked
    assert [candidate.report_id for candidate in mine.reports] == [records[1], records[2]]
    assert [candidate.report_id for candidate in mine.wanted] == [records[2]]
    assert (mine.waiting, mine.done) == (2, 1)


def test_what_is_told_while_a_list_is_read_is_not_lost() -> None:
    """The reader has read before the vote was committed, and comes back after it was told."""
    lists = WaitingLists()
    has_read, may_come_back = threading.Event(), threading.Event()

    def read() -> WaitingList:
        listed = WaitingList([("a", Standing(STAGE, 0, "open", 1))], {}, ())
        has_read.set()
        assert may_come_back.wait(60)
        return listed

    heads_seen = []

    def look() -> None:
        person_at = (REVIEW, STAGE, "p00")
        heads_seen.append(lists.head(person_at, 5, [], ((), ()), read, set))

    looks = threading.Thread(target=look)
    looks.start()
    assert has_read.wait(60)
    lists.apply([Moved(REVIEW, "a", STAGE, 2, "excluded")])
    may_come_back.set()
    looks.join()
    (head,) = heads_seen
    assert head is not None
    assert (head.reports, head.waiting) == ((), 0)


def test_people_who_read_side_by_side_each_learn_what_is_told_meanwhile() -> None:
    """The first begins before the vote and the second after the first; the first comes back last."""
    lists = WaitingLists()
    vote = Moved(REVIEW, "a", STAGE, 2, "excluded")
    rows = [("a", Standing(STAGE, 0, "open", 1))]

    def head(name: str, read_answered: Callable[[], set[str]]) -> object:
        person_at = (REVIEW, STAGE, name)
        listed = WaitingList(rows, {}, ())
        return lists.head(person_at, 5, [], ((), ()), lambda: listed, read_answered)

    def while_another_looks() -> set[str]:
        assert head("p01", set)
        lists.apply([Voted(REVIEW, STAGE, "p00", "a"), vote])
        return set()

    first = head("p00", while_another_looks)
    assert isinstance(first, First)
    assert (first.waiting, first.answered) == (0, 1)


def test_too_many_reports_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livereview.store.waiting.MOST_REPORTS", 2)
    lists = WaitingLists()

    def head(review: str, count: int) -> object:
        rows = [(f"{number}", Standing(STAGE, 0, "open", number)) for number in range(count)]
        listed = WaitingList(rows, {}, ())
        return lists.head((review, STAGE, "p00"), 1, [], ((), ()), lambda: listed, set)

    assert head("small", 2)
    assert head("large", 3) is None, "it is asked of the database"
    assert head("small", 2)
