"""How flows reach the owner: those on a schedule wait for it and never become it.

What it missed is told it later.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from prefect.context import FlowRunContext
from prefect.settings import get_current_settings

from livereview import private_files, processes
from livereview.client import Client, NoAccess, Session, wait_for_owner
from livereview.commands import LoseNight, NoteSignOfLife, Renew
from livereview.commands.wire import decode, encode
from livereview.errors import LivereviewError, Refused
from livereview.settings import Settings

log = logging.getLogger("livereview.flows")

# seconds between two signs of life of a search; the owner waits for ten minutes
RENEWED_EACH = 60.0
UNDELIVERED = "undelivered"  # folder, in the home, of what the owner could not be told


def flow_run_id() -> str | None:
    """The id of the Prefect run that asks, or None outside of one."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return None
    return str(context.flow_run.id)


def is_scheduled() -> bool:
    """Whether a deployment started this run, so that nobody waits for it and it must not own the
    database.
    """
    context = FlowRunContext.get()
    return bool(context and context.flow_run and context.flow_run.deployment_id)


def due_at() -> datetime:
    """When this run was to begin: its slot, or now."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.expected_start_time is None:
        return datetime.now(UTC)
    return context.flow_run.expected_start_time


@contextmanager
def session(settings: Settings, *, new: bool = False) -> Iterator[Client]:
    """The owner.

    By hand this process may be it; on a schedule it is waited for, and told first what it missed.

    Args:
        new: By hand a missing database may be made, as there is a protocol to begin with.
    """
    if not is_scheduled():
        with Session(settings, may_make=new) as client:
            yield client
        return
    # each request that fetch makes, in the run's log
    logging.getLogger("livereview").setLevel(logging.INFO)
    client = wait_for_owner(settings)
    try:
        deliver(settings.home, client)
        yield client
    finally:
        client.close()


@contextmanager
def told_if_lost(settings: Settings, review: str, what: str) -> Iterator[None]:
    """Have the owner write down that this night did not begin, or broke off.

    If it is away, as soon as it is back.

    Args:
        what: The cron line, or the name of what was to run. The error goes on to the caller.
    """
    try:
        yield
    except LivereviewError as error:
        lose(settings, review, what, error.message)
        raise
    except Exception as error:
        lose(settings, review, what, f"a bug: {type(error).__name__}: {error}")
        raise


def lose(settings: Settings, review: str, what: str, reason: str) -> None:
    """Keep that a night did not begin: with the owner, or in the home until it can be told."""
    lost = LoseNight(id=uuid4().hex, review=review, what=what, reason=reason, due=due_at())
    keep(settings.home, lost)
    with suppress(LivereviewError):
        client = wait_for_owner(settings, longest=0)
        try:
            deliver(settings.home, client)
        finally:
            client.close()


def keep(home: Path, lost: LoseNight) -> None:
    """Remember a lost night in the home under its id, whole or not at all."""
    private_files.write_private(home / UNDELIVERED / f"{lost.id}.json", encode(lost))


def deliver(home: Path, client: Client) -> int:
    """Tell the owner what it missed, the oldest first; how many.

    What it refuses is set aside with its reason.
    """
    folder = home / UNDELIVERED
    if not folder.is_dir():
        return 0
    delivered = 0
    for path in sorted(folder.glob("*.json"), key=lambda each: each.stat().st_mtime):
        try:
            client.run(decode(LoseNight, json.loads(path.read_text(encoding="utf-8"))))
        except (ValueError, TypeError) as damaged:
            log.error("%s can't be read and is set aside: %s", path, damaged)
            path.replace(path.with_suffix(".damaged"))
            continue
        except NoAccess:  # nothing is wrong with it: kept until this process is let in
            raise
        # it would be refused each time, and no night after it could begin
        except Refused as refusal:
            log.error("the owner refused %s, which is set aside: %s", path, refusal.message)
            path.replace(path.with_suffix(".refused"))
            continue
        path.unlink(missing_ok=True)
        delivered += 1
    return delivered


@dataclass(frozen=True, slots=True)
class ScheduleIdentity:
    """What tells a schedule from any other.

    Attributes:
        where: Its process and machine, in words.
        every: Seconds between two signs of life.
    """

    id: str
    where: str
    every: float

    def sign(self, words: str, *, ok: bool, reviews: Iterable[str] = ()) -> NoteSignOfLife:
        """Its sign of life, with what it says of itself and the reviews that it serves."""
        return NoteSignOfLife(
            words=words,
            ok=ok,
            id=self.id,
            where=self.where,
            every=self.every,
            reviews=list(reviews),
        )


def schedule_here(every: float) -> ScheduleIdentity:
    """How this process, which serves cron lines itself, is told from any other schedule."""
    host = socket.gethostname()
    return ScheduleIdentity(
        id=uuid4().hex,
        where=f"`livereview schedule` on {host}, process {os.getpid()}",
        every=every,
    )


def schedule_deployed(every: float) -> ScheduleIdentity:
    """How the deployments on a Prefect server are told from any other schedule, whichever worker
    speaks for them: by the id that the server gave the deployment of this run.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    parts = urlsplit(str(get_current_settings().api.url or ""))
    server = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() or "of its own"
    return ScheduleIdentity(
        id=f"deployed {run.deployment_id if run else server}",
        where=f"`livereview deploy` on the Prefect server {server}",
        every=every,
    )


def runner() -> dict[str, Any]:
    """This process, as the owner may look it up."""
    return asdict(processes.this())


@contextmanager
def at_work(client: Client, search: str, each: float = RENEWED_EACH) -> Iterator[None]:
    """Let the owner know that this search's process lives, until the block ends."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(each):
            with suppress(LivereviewError):  # the search itself finds out, and waits
                client.run(Renew(search=search))

    beating = threading.Thread(target=beat, name=f"lease of {search}", daemon=True)
    beating.start()
    try:
        yield
    finally:
        done.set()
