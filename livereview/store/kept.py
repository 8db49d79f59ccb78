"""Answers of the database that are kept until something is written that could change them.

Most of what a page asks is the same for everybody and changes rarely: the protocol, who votes, whose
session it is. A question costs DuckDB about a millisecond of CPU however few rows it reads, and a
page asked twenty. So an answer is kept together with the versions of the tables that it was read
from, and is good while these are what they were. The writers raise the version of every table that a
transaction wrote, after its commit and before anybody is told of it: whoever asks after an
acknowledgement is answered from what was acknowledged. Nothing is kept by time.

A statement of which it can't be told what it writes counts as one that writes everything.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from livereview.store.waiting import Event, Forgotten, Stamp, WaitingLists

if TYPE_CHECKING:
    from livereview.store.writer import Connection

MOST = 8_192  # answers that are kept; the one that was used longest ago goes first
LARGEST = 500  # rows of an answer that is kept: the many rows of a list are no common knowledge
LONGEST = 16  # values of a question: many ids are hardly ever asked for together again

STANDINGS, DECISIONS = "screening_state", "decision"
TOLD = frozenset([STANDINGS, DECISIONS])  # the tables that `waiting` keeps lists of
ANY = "*"  # stands for all tables, those that are made later among them

Rows = list[tuple[Any, ...]]
Versions = dict[str, int]

_READS = re.compile(r"\s*(?:SELECT|WITH|FROM|VALUES|\()", re.IGNORECASE)
_WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE|MERGE|CREATE|DROP|ALTER)\b", re.IGNORECASE)
_CONFLICT = re.compile(r"\bDO\s+UPDATE\s+SET\b", re.IGNORECASE)
_WRITTEN = re.compile(
    r"\b(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM)\s+(\w+)", re.IGNORECASE
)
_WORD = re.compile(r"\w+")


@lru_cache(maxsize=1_000)
def only_reads(statement: str) -> bool:
    """Whether a statement surely changes nothing.

    One that only names a changing word counts as a change.
    """
    return bool(_READS.match(statement)) and not _WRITES.search(statement)


@lru_cache(maxsize=1_000)
def written(statement: str) -> frozenset[str] | None:
    """The tables that a statement writes, in small letters; None: it may be any."""
    if only_reads(statement):
        return frozenset()
    plain = _CONFLICT.sub("", statement)
    tables = _WRITTEN.findall(plain)
    if not tables or len(tables) != len(_WRITES.findall(plain)):
        return None
    return frozenset(table.lower() for table in tables)


@dataclass(slots=True)
class Changes:
    """What a transaction has written so far.

    Attributes:
        began: The versions of all tables when it began.
        tables: The tables that it wrote.
        everything: It may have written any.
        told: What it did to where reports stand, and to votes (`waiting`).
        untold: Of the tables that `waiting` keeps lists of, those that it wrote without telling.
    """

    began: Versions
    tables: set[str] = field(default_factory=set)
    everything: bool = False
    told: list[Event] = field(default_factory=list)
    untold: set[str] = field(default_factory=set)

    def note(self, statement: str, is_told: bool = False) -> None:
        """A statement is carried out; `is_told`: what it does is told too."""
        tables = written(statement)
        if tables is None:
            self.everything = True
            return
        self.tables |= tables
        if not is_told:
            self.untold |= tables & TOLD

    def events(self) -> list[Event]:
        """What the lists of `waiting` learn of it."""
        standings = self.everything or STANDINGS in self.untold
        answers = self.everything or DECISIONS in self.untold
        if not standings and not answers:
            return self.told
        return [Forgotten(standings, answers), *self.told]


@dataclass(frozen=True, slots=True)
class _Answer:
    rows: Rows
    versions: tuple[int, ...]


class Kept:
    """The answers that are kept of one database. All its methods may be called by many threads.

    Args:
        con: A connection to it, whose views are looked up once.
    """

    def __init__(self, con: Connection):
        self._sources = _sources(con)
        tables = {table for each in self._sources.values() for table in each}
        self._versions: Versions = dict.fromkeys([ANY, *tables], 0)
        self._answers: OrderedDict[Any, _Answer] = OrderedDict()
        self._lock = threading.Lock()
        self._commits = threading.Lock()
        self.lists = WaitingLists()
        self._tables_of = lru_cache(maxsize=2_000)(self._look_up_tables)

    def begin(self) -> Changes:
        """Of a transaction that begins now: what it will write is to be noted in it."""
        return Changes(dict(self._versions))

    @contextmanager
    def committing(self, changes: Changes) -> Iterator[None]:
        """While a transaction commits: afterwards no answer is given that it could have changed.

        One transaction commits after another, so that versions grow in the order of commits.
        """
        with self._commits:
            yield
            is_any = changes.everything or not changes.tables <= self._versions.keys()
            self.changed([ANY] if is_any else changes.tables)
            self.lists.apply(changes.events())

    def stamp(self, *names: str) -> Stamp:
        """The versions now of the tables that these tables and views are read from."""
        tables = {table for name in names for table in self._sources[name]}
        return _of(self._versions, (ANY, *sorted(tables)))

    def changed(self, tables: Iterable[str]) -> None:
        """These tables are not what they were; ANY: none is."""
        with self._lock:
            for table in tables:
                self._versions[table] += 1

    def rows(
        self,
        ask: Callable[[str, object], Connection],
        question: str,
        values: object,
        changes: Changes | None = None,
    ) -> Rows:
        """The rows of the answer: kept ones, else those that `ask` gets.

        Args:
            ask: Puts a question to the database.
            question: SQL that only reads, and asks for nothing that changes by itself, as the time
                does.
            values: What it asks for.
            changes: The transaction that asks. What it wrote itself is always read, and an answer
                that it gets is as old as its beginning.
        """
        tables = self._tables_of(question)
        wrote_them = changes is not None and (
            changes.everything or changes.tables.intersection(tables)
        )
        if wrote_them or _is_long(values):
            return ask(question, values).fetchall()

        key = (question, _hashable(values))
        kept = self._answers.get(key)
        if kept is not None and kept.versions == _of(self._versions, tables):
            with self._lock:
                if key in self._answers:
                    self._answers.move_to_end(key)
            return list(kept.rows)

        before = _of(changes.began if changes else self._versions, tables)
        rows = ask(question, values).fetchall()
        if len(rows) <= LARGEST:
            self._keep(key, _Answer(rows, before))
        return list(rows)

    def _keep(self, key: object, answer: _Answer) -> None:
        with self._lock:
            self._answers[key] = answer
            self._answers.move_to_end(key)
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)

    def _look_up_tables(self, question: str) -> tuple[str, ...]:
        """The tables that a question may read: those that it or a view in it names.

        A column that is called as a table is makes it one too many, never one too few.
        """
        words = {word.lower() for word in _WORD.findall(question)}
        names = words & self._sources.keys()
        tables = {table for name in names for table in self._sources[name]}
        return (ANY, *sorted(tables))


class Answers:
    """The kept answers as a connection asks for them; `changes` of its transaction, if it has one."""

    __slots__ = ("_ask", "_changes", "_kept")

    def __init__(
        self,
        kept: Kept,
        ask: Callable[[str, object], Connection],
        changes: Changes | None = None,
    ):
        self._kept, self._ask, self._changes = kept, ask, changes

    def rows(self, question: str, values: object) -> Rows:
        """The rows of the answer, kept ones where nothing has changed."""
        return self._kept.rows(self._ask, question, values, self._changes)


class Reading:
    """A connection that reads outside of any transaction, and has the kept answers beside it."""

    __slots__ = ("_con", "answers", "kept")

    def __init__(self, con: Connection, kept: Kept):
        self._con, self.kept = con, kept
        self.answers = Answers(kept, con.execute)

    def execute(self, statement: str, values: object = None) -> Connection:
        """As DuckDB's. What is written all the same is noted."""
        if only_reads(statement):
            return self._con.execute(statement, values)
        changes = self.kept.begin()
        changes.note(statement)
        with self.kept.committing(changes):
            return self._con.execute(statement, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)


def _of(versions: Versions, tables: tuple[str, ...]) -> tuple[int, ...]:
    return tuple([versions[table] for table in tables])


def _is_long(values: object) -> bool:
    return isinstance(values, list | tuple) and len(values) > LONGEST


def _hashable(values: object) -> object:
    if isinstance(values, dict):
        return tuple((name, _hashable(value)) for name, value in values.items())
    if isinstance(values, list | tuple | set | frozenset):
        return tuple(_hashable(value) for value in values)
    return values


def _sources(con: Connection) -> dict[str, frozenset[str]]:
    """The tables that each table and view is read from."""
    tables = con.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
    views = con.execute("SELECT view_name, sql FROM duckdb_views() WHERE NOT internal").fetchall()
    words = {name.lower(): set(_WORD.findall(text.lower())) for name, text in views}
    sources = {name.lower(): frozenset([name.lower()]) for (name,) in tables}
    names = sources.keys() | words.keys()
    for view in words:
        reached: set[str] = set()
        fringe = {view}
        while fringe:
            reached |= fringe
            fringe = {name for at in fringe for name in words.get(at, ())} & names - reached
        sources[view] = frozenset(reached & sources.keys() - words.keys())
    return sources
