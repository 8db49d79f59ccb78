"""A few short reads go on together; nothing else waits for a turn, and nobody waits long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context

from livereview.store.turns import IS_SHORT, Turns

PEOPLE = 6


def together(turns: Turns, short: bool) -> int:
    """How many of PEOPLE threads are in their turn at the same time, if each stays as long as it
    may.
    """
    inside, most, lock = 0, 0, threading.Lock()
    all_in = threading.Barrier(PEOPLE)

    def read() -> None:
        nonlocal inside, most
        IS_SHORT.set(short)
        with turns.turn():
            with lock:
                inside += 1
                most = max(most, inside)
            with suppress(threading.BrokenBarrierError):
                all_in.wait(timeout=0.02)
            with lock:
                inside -= 1

    in_threads(read)
    return most


def in_threads(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=copy_context().run, args=(work,)) for _ in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_so_many_short_reads_go_on_together_and_the_others_follow() -> None:
    assert together(Turns(2, longest=60), short=True) <= 2


def test_what_is_not_short_waits_for_nobody() -> None:
    turns = Turns(1, longest=60)
    IS_SHORT.set(True)
    with turns.turn():
        done: list[bool] = []

        def night() -> None:
            IS_SHORT.set(False)
            with turns.turn():
                done.append(True)

        in_threads(night)
    assert len(done) == PEOPLE


def test_a_read_within_a_read_needs_no_second_turn() -> None:
    turns = Turns(1, longest=60)
    IS_SHORT.set(True)
    with turns.turn(), turns.turn():
        pass
    with turns.turn():
        pass


def test_nobody_waits_longer_than_a_read_that_takes_long() -> None:
    turns = Turns(1, longest=0.01)
    IS_SHORT.set(True)
    done: list[bool] = []

    def read() -> None:
        with turns.turn():
            done.append(True)

    with turns.turn():
        in_threads(read)
    assert len(done) == PEOPLE
