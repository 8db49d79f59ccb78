"""The writers of a database: each a thread that runs jobs in transactions, one after another.

There are two. The main one takes everything; the quick one takes single decisions and sessions, so that a person does
not wait for a page of two hundred records that the main one has in hand. Where both touch the same row DuckDB refuses
the later one: a quick job then queues with the main writer, and a main job is run again while the quick one rests.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import duckdb

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
    job: Job = field(default=lambda con: None, compare=False)
    future: Future[Any] = field(default_factory=Future, compare=False)


class Writer:
    """Runs jobs on a connection of its own until it is closed.

    gate      held while a job is in hand (quick), or while one is run again (main)
    instead   the writer that takes a job which met a row in other hands; None: run it again here
    """

    def __init__(self, con: Connection, name: str, gate: Gate, instead: Writer | None = None):
        self._con, self._gate, self._instead = con, gate, instead
        self._jobs: queue.PriorityQueue[Waiting] = queue.PriorityQueue()
        self._order = itertools.count()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, job: Job, turn: int = SOON, future: Future[Any] | None = None) -> Future[Any]:
        """Queue a job; what it answers or raises comes through the future, after the commit."""
        waiting = Waiting(turn, next(self._order), job, future or Future())
        self._jobs.put(waiting)
        return waiting.future

    def close(self) -> None:
        """Finish what waits, then end."""
        self.put(lambda con: None, LAST)
        self._thread.join()

    def _run(self) -> None:
        usual: Gate = self._gate if self._instead else nullcontext()
        while group := self._next_group():
            with usual:
                done = len(group) > 1 and self._together(group)
            for waiting in () if done else group:
                self._alone(waiting, usual)
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
        """Whether the jobs could share a commit; else none of them has changed anything."""
        try:
            self._con.begin()
            answers = [waiting.job(self._con) for waiting in group]
            self._con.commit()
        except Exception:
            self._roll_back()
            return False
        for waiting, answer in zip(group, answers, strict=True):
            waiting.future.set_result(answer)
        return True

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
        except BaseException as error:  # whatever it is, it belongs to the caller, and the writer lives on
            waiting.future.set_exception(error)
        else:
            waiting.future.set_result(answer)

    def _commit(self, job: Job) -> Any:
        try:
            self._con.begin()
            answer = job(self._con)
            self._con.commit()
        except BaseException:
            self._roll_back()
            raise
        return answer

    def _roll_back(self) -> None:
        with suppress(duckdb.TransactionException):  # a failed commit has rolled back already
            self._con.rollback()
