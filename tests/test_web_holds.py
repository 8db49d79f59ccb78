from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from livereview.store.queues import Next
from livereview.web.holds import LOOKS, Holds
from tests.conftest import NOW

PLACE = ("small-review", "title_abstract")


def first_free(held: Mapping[str, int]) -> Next:
    """The first report that nobody has, of a long queue."""
    return Next(next(f"r{n}" for n in range(100) if f"r{n}" not in held), None, 100, False)


def test_who_was_slower_looks_again() -> None:
    holds, looked = Holds(), []

    def look(held: Mapping[str, int]) -> Next:
        looked.append(dict(held))
        if len(looked) == 1:
            holds.take(PLACE, "ben", NOW, first_free)  # ben takes r0 between ada's look and her note
        return first_free(held)

    assert holds.take(PLACE, "ada", NOW, look).report_id == "r1"
    assert looked == [{}, {"r0": 1}]


def test_one_own_report_and_old_ones_and_other_places_are_free() -> None:
    holds = Holds()
    holds.take(PLACE, "ada", NOW, first_free)
    assert holds.take(PLACE, "ada", NOW, first_free).report_id == "r0"
    assert holds.take(("small-review", "full_text"), "ben", NOW, first_free).report_id == "r0"
    assert holds.take(PLACE, "ben", NOW + timedelta(minutes=11), first_free).report_id == "r0"


def test_an_empty_queue_holds_nothing_and_looking_ends() -> None:
    holds = Holds()
    assert holds.take(PLACE, "ada", NOW, lambda held: Next(None, None, 0, False)).report_id is None
    looks = 0

    def raced(held: Mapping[str, int]) -> Next:
        nonlocal looks
        looks += 1
        holds.take(PLACE, f"other-{looks}", NOW, lambda _: Next("r0", None, 1, False))
        return Next("r0", None, 1, False)

    assert holds.take(PLACE, "ada", NOW, raced).report_id == "r0"
    assert looks == LOOKS


def test_eight_who_come_at_once_are_hardly_shown_the_same() -> None:
    holds, ready = Holds(), Barrier(8)

    def come(person: str) -> str | None:
        ready.wait(10)
        return holds.take(PLACE, person, NOW, first_free).report_id

    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            shown = list(pool.map(come, [f"p{n}" for n in range(8)]))
            assert len(set(shown)) >= 4  # LOOKS bounds how long one goes on looking
