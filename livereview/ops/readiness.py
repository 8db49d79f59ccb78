"""Whether this process can work, as a list of checks. `/healthz` only says that it lives.

To add a check, write a function that takes the `Surroundings` and gives `(ok, words)`, and name it
in CHECKS. The names are public; the words are for the operator, and may name reviews and folders.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from livereview.disk import MB, room
from livereview.ops import service
from livereview.store import placed, versions, vitals
from livereview.store.open import Store

log = logging.getLogger(__name__)

PUBLISHER = "publisher"  # the name that the publishing thread gives its signs of life under
WRITER_SECONDS = 5.0  # an idle writer answers within milliseconds; a page of records takes a second
LARGEST_WAL = 256 * 2**20  # bytes: checkpoints come at 16 MB, so this many means that they fail
PUBLISHER_SECONDS = 900.0  # the largest build known takes two minutes
BEHIND = timedelta(minutes=30)  # a request that no build has answered for so long
SCHEDULE_SILENT = timedelta(minutes=10)  # it gives a sign each minute
# an answer is given again for so long, so that nobody can keep the writer busy by asking
KEPT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What checks look at: the open database, the folder of the published sites, and the time."""

    store: Store
    site: Path
    now: datetime

    @property
    def home(self) -> Path:
        return self.store.database.parent


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the service needs, whether it is there, and that in words for the operator."""

    name: str
    ok: bool
    words: str


Answer = tuple[bool, str]


def writer(here: Surroundings) -> Answer:
    """Both writers take a job and commit it."""
    if here.store.answers(WRITER_SECONDS):
        return True, "decisions and pages can be written"
    return (
        False,
        f"a writer has not answered for {WRITER_SECONDS:.0f} s: nothing can be kept; see the log",
    )


def write_ahead_log(here: Surroundings) -> Answer:
    """The log before the last checkpoint is small, so a restart is quick and a copy is whole."""
    path = here.store.database.with_name(f"{here.store.database.name}.wal")
    size = path.stat().st_size if path.exists() else 0
    words = f"{size / 2**20:,.0f} MB since the last checkpoint"
    if size <= LARGEST_WAL:
        return True, words
    return False, f"{words}: checkpoints fail; restart the owner and report it"


def disk(here: Surroundings) -> Answer:
    """There is room to go on."""
    if problem := service.disk_problem(here.store):
        return False, problem
    return True, f"{room(here.home).free / MB:,.0f} MB free in {here.home}"


def database(here: Surroundings) -> Answer:
    """The database holds all that was acknowledged, as far as can be told, and has not been closed
    by an error.
    """
    if problem := service.database_problem(here.store):
        return False, problem
    return True, "nothing that was acknowledged is known to be missing"


def backup(here: Surroundings) -> Answer:
    """What people did is kept in a second place, or was lately."""
    if problem := service.backup_problem(here.store):
        return False, problem
    shipping = here.store.shipping.state()
    if shipping:
        return True, f"shipped to {shipping[0]} {shipping[1]:.0f} s ago"
    return True, "no whole copy is due"


def publisher(here: Surroundings) -> Answer:
    """The thread that publishes is at work, and no review waits long for its build."""
    age = here.store.heartbeats.age(PUBLISHER)
    if age is not None and age > PUBLISHER_SECONDS:
        return (
            False,
            f"the publisher has given no sign of life for {age / 60:.0f} minutes; restart the owner",
        )
    with here.store.read() as con:
        waiting = versions.asked(con)
    late = [review for review, asked in waiting.items() if here.now - asked.since > BEHIND]
    if late:
        return (
            False,
            f"not published for over {BEHIND.seconds // 60} minutes: {', '.join(late)}; livereview publish",
        )
    if age is None:
        return True, "no process serves, so commands and flows publish"
    return True, "nothing waits long to be published"


def latest(here: Surroundings) -> Answer:
    """Every review that has a version shows a page."""
    with here.store.read() as con:
        reviews = list(placed.published(con))
    missing = [
        review for review in reviews if not (here.site / review / "latest" / "index.html").is_file()
    ]
    if missing:
        return (
            False,
            f"no page at latest of {', '.join(missing)}; livereview publish --review {missing[0]}",
        )
    return True, f"{len(reviews)} published pages are in place"


def schedule(here: Surroundings) -> Answer:
    """The process that serves the cron lines was heard of lately, is content, and is the only one."""
    if problem := service.schedule_problem(here.store):
        return False, problem
    with here.store.read() as con:
        sign = vitals.last_sign(con, vitals.SCHEDULE)
    if sign is None:
        return (
            True,
            "no schedule has ever reported to this owner; start one with: livereview schedule",
        )
    age = here.now - sign.seen
    if age > SCHEDULE_SILENT:
        return (
            False,
            f"the schedule was last heard of at {sign.seen:%Y-%m-%d %H:%M} UTC; start: livereview schedule",
        )
    return sign.ok, sign.words


CHECKS: tuple[tuple[str, Callable[[Surroundings], Answer]], ...] = (
    ("writer", writer),
    ("write-ahead log", write_ahead_log),
    ("disk", disk),
    ("database", database),
    ("backup", backup),
    ("publisher", publisher),
    ("latest", latest),
    ("schedule", schedule),
)


def checks(here: Surroundings) -> list[Check]:
    """Every check, in the order of CHECKS. One that can't be carried out is not ok, and the others
    go on.
    """
    return [_carried_out(name, check, here) for name, check in CHECKS]


def _carried_out(name: str, check: Callable[[Surroundings], Answer], here: Surroundings) -> Check:
    try:
        ok, words = check(here)
    except Exception as error:  # whatever it is, the service can't be sure of this
        log.exception("the check %s could not be carried out", name)
        return Check(name, False, f"could not be looked at: {type(error).__name__}: {error}")
    return Check(name, ok, words)


def readiness(store: Store, *, folder: Path, now: datetime) -> dict[str, Any]:
    """Whether all is well, and each check with its words."""
    found = checks(Surroundings(store, folder, now))
    return {"ready": all(check.ok for check in found), "checks": [asdict(check) for check in found]}


class Door:
    """The checks as anybody may ask for them: often, at once, and told only names and whether each
    is ok.
    """

    def __init__(self, store: Store, site: Path, clock: Callable[[], datetime]):
        self._store, self._site, self._clock = store, site, clock
        self._lock = threading.Lock()
        self._kept: dict[str, Any] | None = None
        self._until = 0.0

    def ask(self) -> dict[str, Any]:
        """{"ready", "checks": [{"name", "ok"}]}.

        At most one look in KEPT_SECONDS, however many ask.
        """
        with self._lock:
            if self._kept is None or time.monotonic() >= self._until:
                found = readiness(self._store, folder=self._site, now=self._clock())
                names = [{"name": check["name"], "ok": check["ok"]} for check in found["checks"]]
                self._kept = {"ready": found["ready"], "checks": names}
                self._until = time.monotonic() + KEPT_SECONDS
            return self._kept
