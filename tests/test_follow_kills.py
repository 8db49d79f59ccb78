"""Whoever ships each minute's events may die at every step: a restore then has all events up to
the last increment that was finished, and no half one; and the next step goes on.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from livereview import ops
from livereview.backups.manifest import unsealed
from livereview.ops import restore
from livereview.ops.backup import HEAD
from livereview.ops.follow import Follower
from livereview.settings import Settings
from livereview.store import past
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, article, found
from tests.test_backups import MINUTE, PDF

# what this program does to files; what DuckDB does itself it does in a staging folder only
OPERATIONS = (
    (os, "open"),
    (os, "replace"),
    (os, "rename"),
    (os, "link"),
    (os, "unlink"),
    (os, "mkdir"),
    (os, "rmdir"),
    (os, "chmod"),
    (os, "fsync"),
    (io, "open"),
    (builtins, "open"),
)


A_DAY = 25 * 60  # minutes, after which a whole copy is due


class Killed(BaseException):
    """What stands for a SIGKILL: nothing that cleans up gets anything done after it."""


@contextmanager
def dying_before(step: int) -> Iterator[list[str]]:
    """Whatever is done to files from this step on is not done, as in a process that was killed.

    Gives the names of the steps that were done.
    """
    done: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for module, name in OPERATIONS:
            patch.setattr(module, name, _mortal(getattr(module, name), name, step, done))
        yield done


def _mortal(
    operation: Callable[..., Any], name: str, step: int, done: list[str]
) -> Callable[..., Any]:
    @functools.wraps(operation)
    def tried(*args: Any, **kwargs: Any) -> Any:
        if not _changes(name, args, kwargs):
            return operation(*args, **kwargs)
        if len(done) >= step:
            raise Killed
        done.append(f"{name} {args[0]}")
        return operation(*args, **kwargs)

    return tried


def _changes(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether this call may change what is on the disk."""
    if name != "open":
        return True
    how = args[1] if len(args) > 1 else kwargs.get("mode", "r")
    if isinstance(how, int):
        return bool(how & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return any(letter in how for letter in "wax+")


def content(nas: Path) -> tuple[str, ...]:
    """What a restore goes by: which copies and increments there are, and which the place says."""
    copies = [str(path.relative_to(nas)) for path in nas.glob("copies/*/manifest.json")]
    increments = [path.name.partition(".")[0] for path in nas.glob("copies/*/increments/*.zip")]
    head = unsealed((nas / HEAD).read_bytes(), HEAD)
    return (*sorted(copies), *sorted(increments), head["copy"], str(head["number"]))


class Place:
    """A place that is followed, and how far the home knows to be; put back as often as wanted."""

    def __init__(self, store: Store, folder: Path):
        self.store = store
        self.nas = folder / "nas"
        self._kept = folder / "kept"

    def keep(self) -> None:
        """Remember how it stands."""
        self.nas.mkdir(exist_ok=True)
        shutil.copytree(self.nas, self._kept / "nas")
        shutil.copytree(self.store.backups, self._kept / "backups")

    def put_back(self) -> None:
        """Let it stand as it was kept."""
        for folder, name in ((self.nas, "nas"), (self.store.backups, "backups")):
            shutil.rmtree(folder)
            shutil.copytree(self._kept / name, folder)

    def step(self, minute: int) -> dict[str, Any]:
        """One step of a follower that was just started."""
        return Follower(self.store, str(self.nas)).step(NOW + minute * MINUTE)


def seen(store: Store) -> int:
    with store.read() as con:
        return past.seen(con)


def work(store: Store, settings: Settings, number: int) -> None:
    """Something for every part of an increment: events, a table that is shipped whole, a file."""
    (record,) = found(store, article(number), search=f"s{number}")
    ops.full_text.attach(
        store,
        settings.full_texts,
        id=f"f{number}",
        review=REVIEW,
        record=record,
        name="a.pdf",
        body=PDF + str(number).encode() + b"%%EOF",
        author="ada",
        now=NOW,
    )


@pytest.fixture
def place(reviewed: Store, settings: Settings, tmp_path: Path) -> Place:
    work(reviewed, settings, 1)
    return Place(reviewed, tmp_path / "places")


def killed_at_every_step(place: Place, minute: int) -> Iterator[str]:
    """After which step it died, once for each different content that the place then has.

    The step that nobody kills is the last.
    """
    place.keep()
    known: set[tuple[str, ...]] = set()
    for step in range(10_000):
        place.put_back()
        with dying_before(step) as done, suppress(Killed):
            place.step(minute)
        there = content(place.nas)
        if there not in known:
            known.add(there)
            yield f"killed after step {step}: {done[-1:]}"
        if len(done) < step:
            assert step > 15, "the steps were counted"
            return


def test_killed_at_any_step_of_an_increment_a_restore_has_all_or_nothing_of_it(
    place: Place, settings: Settings
) -> None:
    place.step(0)
    before = seen(place.store)
    work(place.store, settings, 2)
    after = seen(place.store)
    reached = []
    for when in killed_at_every_step(place, 1):
        told = restore.check(str(place.nas))
        assert told.problems == [], when
        reached.append(told.upto)
        place.step(2)
        assert place.step(3)["rows"] == 0, f"{when}: the next step goes on to the end"
    assert reached == [before, after, after], "the increment is not there, is there, and is noted"
    told = restore.check(str(place.nas))
    assert (told.problems, told.upto, told.files) == ([], after, 2)


def test_killed_at_any_step_of_a_whole_copy_the_one_before_it_comes_back(
    place: Place, settings: Settings
) -> None:
    place.step(0)
    before = seen(place.store)
    work(place.store, settings, 2)
    after = seen(place.store)
    reached = []
    for when in killed_at_every_step(place, A_DAY):
        told = restore.check(str(place.nas))
        assert told.problems == [], when
        reached.append(told.upto)
    assert reached == [before, after, after], "the copy is not there, is there, and is noted"
    assert place.step(A_DAY + 1)["rows"] == 0


CHILD = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from livereview.ops.follow import Follower
from livereview.store.open import Store
from tests import test_follow_kills as kills
from tests.conftest import article, found
database, nas, number, step, moment = sys.argv[1:]
store = Store(Path(database), "500MB", 1, 0)
found(store, article(int(number)), search=f"s{number}")
class Killed(BaseException):
    def __init__(self):
        os.kill(os.getpid(), signal.SIGKILL)
kills.Killed = Killed
with kills.dying_before(int(step)):
    Follower(store, nas).step(datetime.fromisoformat(moment))
os._exit(0)
"""


def test_real_kills_lose_nothing_that_was_finished(
    settings: Settings, protocol: str, tmp_path: Path
) -> None:
    nas = tmp_path / "nas"
    with Store(settings.database, "500MB", 1, reserve=0) as store:
        ops.surveil.register(store, text=protocol, now=NOW)
        found(store, article(1), search="s1")
        Follower(store, str(nas)).step(NOW)
    for number, step in ((2, 8), (3, 13)):
        moment = (NOW + number * MINUTE).isoformat()
        told = (settings.database, nas, number, step, moment)
        asked = [sys.executable, "-c", CHILD, *map(str, told)]
        ended = subprocess.run(asked, cwd=Path(__file__).parents[1], check=False).returncode
        assert ended == -signal.SIGKILL
    with Store(settings.database, "500MB", 1, reserve=0) as store:
        found(store, article(4), search="s4")
        Follower(store, str(nas)).step(NOW + 4 * MINUTE)
        events = seen(store)
    checked = restore.check(str(nas))
    assert checked.problems == [] and checked.upto == events
    assert checked.counts["record"] == 4
