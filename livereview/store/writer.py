"""The writers of a database: each a thread that runs jobs in transactions, one after another.

There are two. The main one takes everything; the quick one takes single decisions and sessions, so
that a person does not wait for a page of two hundred records that the main one has in hand. Where
both touch the same row DuckDB refuses
the later one: a quick job then queues with the main writer, and a main job is run again while the
quick one rests.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any, cast

import duckdb

from livereview.errors import LivereviewError
from livereview.store.kept import Answers, Changes, Kept, only_reads
from livereview.store.vitals import Waits, WriterLoad
from livereview.store.waiting import Event

Connection = duckdb.DuckDBPyConnection
Job = Callable[[Connection], Any]
GROUP = 64  # most jobs in one commit
SOON, BULK, LAST = 0, 1, 2  # turns of jobs that wait for a writer
Gate = AbstractContextManager[Any]


@dataclass(order=True, slots=True)
class Waiting:
    """A job that waits for a writer; LAST has none."""

    turn: int
    number: int
    job: Job = field(default=lambda _con: None, compare=False)
    future: Future[Any] = field(default_factory=Future, compare=False)
    since: float = field(default_factory=time.monotonic, compare=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job that has left its transaction in order: its answer, or the error that it
    raised.
    """

    answer: Any = None
    error: Exception | None = None

    def hand_over(self, future: Future[Any]) -> None:
        """Give it to whoever waits for the job."""
        if self.error is None:
            future.set_result(self.answer)
        else:
            future.set_exception(self.error)


class JobConnection:
    """The connection as one job sees it; `wrote`: the job has asked for something that may change a
    table.

    Args:
        con: The connection.
        kept: The answers that are kept.
        changes: What its transaction has written, which is noted here.
    """

    def __init__(self, con: Connection, kept: Kept, changes: Changes):
        self._con, self._changes = con, changes
        self.wrote = False
        self.kept = None  # its lists are not as this transaction sees them
        self.answers = Answers(kept, con.execute, changes)

    def execute(self, statement: str, values: object = None) -> Connection:
        """As DuckDB's."""
        if not only_reads(statement):
            self.wrote = True
            self._changes.note(statement)
        return self._con.execute(statement, values)

    def execute_told(self, statement: str, values: object) -> Connection:
        """As `execute`, for what is told by `tell`."""
        self.wrote = True
        self._changes.note(statement, is_told=True)
        return self._con.execute(statement, values)

    def tell(self, event: Event) -> None:
        """What the transaction does to where reports stand, or to votes."""
        self._changes.told.append(event)

    def __getattr__(self, name: str) -> Any:
        """What else a connection has; nobody looks into it, so it counts as a change."""
        self.wrote = True
        self._changes.everything = True
        return getattr(self._con, name)


class WroteBeforeRefusing(RuntimeWarning):
    """A job refused after its first write: a mistake in the job, as refusals must be raised before."""


class Writer:
    """Runs jobs on a connection of its own until it is closed.

    Args:
        gate: Held while a job is in hand (quick), or while one is run again (main).
        instead: The writer that takes a job which met a row in other hands; None: run it again
            here.
        kept: The answers that all who use the database keep; None: nobody else does.
    """

    def __init__(
        self,
        con: Connection,
        name: str,
        gate: Gate,
        instead: Writer | None = None,
        kept: Kept | None = None,
    ):
        self._con, self._gate, self._instead = con, gate, instead
        self._kept = kept or Kept(con)
        self._name, self._waits = name, Waits()
        self._busy_since: float | None = None
        self._jobs: queue.PriorityQueue[Waiting] = queue.PriorityQueue()
        self._order = itertools.count()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, job: Job, turn: int = SOON, future: Future[Any] | None = None) -> Future[Any]:
        """Queue a job; what it answers or raises comes through the future, after the commit."""
        waiting = Waiting(turn, next(self._order), job, future or Future())
        self._jobs.put(waiting)
        return waiting.future

    def load(self) -> WriterLoad:
        """How busy it is. Asking waits for nothing that it has in hand."""
        since = self._busy_since
        in_hand = time.monotonic() - since if since is not None else 0.0
        return self._waits.load(self._name, self._jobs.qsize(), in_hand)

    def close(self) -> None:
        """Finish what waits, then end."""
        self.put(lambda _con: None, LAST)
        self._thread.join()

    def _run(self) -> None:
        usual: Gate = self._gate if self._instead else nullcontext()
        while group := self._next_group():
            self._busy_since = time.monotonic()
            for waiting in group:
                self._waits.note(self._busy_since - waiting.since)
            with usual:
                done = len(group) > 1 and self._together(group)
            for waiting in () if done else group:
                self._alone(waiting, usual)
            self._busy_since = None
        self._con.close()

    def _next_group(self) -> list[Waiting]:
        """What shares the next commit; nothing: the end."""
        group = [self._jobs.get()]
        if group[0].turn == LAST:
            return []
        while group[-1].turn == SOON and len(group) < GROUP:
            try:
                following = self._jobs.get_nowait()
            except queue.Empty:
                break
            if following.turn != SOON:
                self._jobs.put(following)
                break
            group.append(following)
        return group

    def _together(self, group: list[Waiting]) -> bool:
        """Whether the jobs could share a commit; else none of them has changed anything.

        A job that raises before its first write has changed nothing either, and touches no other:
        its error is its answer. One that raises afterwards is a bug, or has met a row in other
        hands: then all are rolled back.
        """
        changes = self._kept.begin()
        try:
            self._con.begin()
            outcomes = [self._outcome(waiting.job, changes) for waiting in group]
            with self._kept.committing(changes):
                self._con.commit()
        except Exception:
            self._roll_back()
            return False
        for waiting, outcome in zip(group, outcomes, strict=True):
            outcome.hand_over(waiting.future)
        return True

    def _outcome(self, job: Job, changes: Changes) -> Outcome:
        """What a job does within a transaction that others share.

        Raises what would spoil it for them.
        """
        seen = JobConnection(self._con, self._kept, changes)
        try:
            return Outcome(job(cast(Connection, seen)))
        except duckdb.Error:  # DuckDB may have ended the transaction
            raise
        except Exception as error:
            if seen.wrote:
                raise
            return Outcome(error=error)

    def _alone(self, waiting: Waiting, gate: Gate) -> None:
        try:
            try:
                with gate:
                    answer = self._commit(waiting.job)
            except duckdb.TransactionException:  # another writer has the row
                if self._instead:
                    self._instead.put(waiting.job, SOON, waiting.future)
                    return
                with self._gate:
                    answer = self._commit(waiting.job)
        except (
            BaseException
        ) as error:  # whatever it is, it belongs to the caller, and the writer lives on
            waiting.future.set_exception(error)
        else:
            waiting.future.set_result(answer)

    def _commit(self, job: Job) -> Any:
        changes = self._kept.begin()
        seen = JobConnection(self._con, self._kept, changes)
        try:
            self._con.begin()
            answer = job(cast(Connection, seen))
            with self._kept.committing(changes):
                self._con.commit()
        except BaseException as error:
            self._roll_back()
            if seen.wrote and isinstance(error, LivereviewError):
                warnings.warn(WroteBeforeRefusing(f"after a write: {error}"), stacklevel=1)
            raise
        return answer

    def _roll_back(self) -> None:
        with suppress(duckdb.TransactionException):  # a failed commit has rolled back already
            self._con.rollback()
