"""How flows and the command line reach the owner of the database.

If a process serves it, they speak HTTP to that; if none does, this process becomes the owner while
it lasts. Either way the same use cases run, so nothing above can tell the difference. Each way
imports what it needs when it is taken.
"""

from __future__ import annotations

import logging
import secrets as tokens
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol

from livereview.commands.base import AnswerT, Command
from livereview.errors import Refused
from livereview.private_files import write_private
from livereview.remote import PATIENCE, TOLD_EACH, NoAccess, OwnerAway, Remote
from livereview.settings import Settings, of_this_machine, told

__all__ = [
    "Client",
    "Local",
    "NoAccess",
    "OwnerAway",
    "Remote",
    "Session",
    "connect",
    "must_exist",
    "refuse_to_own",
    "token",
    "wait_for_owner",
]
log = logging.getLogger(__name__)

# likewise for flows, which nobody waits for: an upgrade, a machine that starts again
FLOW_PATIENCE = 1800.0
# seconds that a night waits for its owner; then it is a lost night, and told
OWNER_WAIT = 6 * 3600.0
OWNER_PAUSE = 5.0  # seconds between two looks for it


class Client(Protocol):
    """The owner of the database, in this process or elsewhere."""

    def run(self, command: Command[AnswerT], /) -> AnswerT:
        """Have a command carried out; raises Refused, Retry or a subclass of them."""
        ...

    def close(self) -> None: ...


class Local:
    """This process owns the database."""

    def __init__(self, settings: Settings):
        refuse_to_own(settings)
        from livereview.ops import cleaning
        from livereview.ops.advice import advice
        from livereview.store.open import Store

        self.settings = settings
        with advice(settings.home, settings.backup):
            self.store = Store(
                settings.database,
                settings.memory,
                settings.threads,
                settings.reserve,
                may_migrate=False,
            )
        self.store.notes = told(settings)
        cleaning.catch_up(self.store, datetime.now(UTC))

    def run(self, command: Command[AnswerT], /) -> AnswerT:
        """Carry out a command here."""
        # brings all the rest, which commands without a database never need
        from livereview import ops

        return ops.run(self.store, self.settings.site, command)

    def close(self) -> None:
        self.store.close()


def refuse_to_own(settings: Settings) -> None:
    """Raise Refused where a setting names another owner: there must never be a second database
    beside the real one.
    """
    if settings.owner:
        raise Refused(
            f"LIVEREVIEW_OWNER names the owner at {settings.owner}, so this process opens no database itself;"
            f" unset it to own {settings.database}"
        )


def connect(
    settings: Settings, *, may_own: bool = True, may_make: bool = False, patience: float = PATIENCE
) -> Client:
    """The owner: the one that LIVEREVIEW_OWNER names, else another process that serves this
    database, else this one.

    Args:
        may_own: Whether this process may become the owner where nobody is; flows on a schedule may
        not.
        may_make: Whether a missing database is made, which only a few commands are meant to do.
        patience: Seconds for which an owner that restarts is waited for, at each call.

    Raises:
        OwnerAway: Nobody serves, and this process may not own.
        NoAccess: The settings name an owner and no way in.
        Refused: The database is not there, or a process holds it that serves nobody.
    """
    from livereview.store.open import describe, owner

    if settings.owner:
        secret = _owner_token(settings)
        return Remote(settings.owner, secret, patience, ca=settings.owner_ca, run=settings.run)
    holder = owner(settings.database)
    if holder is not None and holder.get("url"):
        return Remote(holder["url"], token(settings), patience, run=settings.run)
    if not may_own:
        if holder:
            who = f"{describe(holder)} holds it and serves nobody"
        else:
            who = "no process serves it"
        raise OwnerAway(f"{settings.database}: {who}; start the owner with: livereview serve")
    if holder is not None:
        raise Refused(
            f"{settings.database} is owned by {describe(holder)}, which serves nobody; wait until it ends"
        )
    if not may_make:
        must_exist(settings)
    return Local(settings)


def must_exist(settings: Settings) -> None:
    """Raise Refused where no database is, so that a wrong or lost folder never passes for a
    healthy, empty one.
    """
    if settings.database.exists():
        return
    where = "is empty" if settings.home.is_dir() else "does not exist"
    raise Refused(
        f"no database at {settings.database}: the folder {where}. Is LIVEREVIEW_HOME (or --home) right? If it was lost,"
        f" restore a backup. To begin a new one: livereview init my-review, or livereview serve --new"
    )


def wait_for_owner(
    settings: Settings,
    *,
    longest: float = OWNER_WAIT,
    pause: float = OWNER_PAUSE,
    sleep: Callable[[float], None] = time.sleep,
) -> Client:
    """The owner, once it answers. This process never becomes it.

    Says in the log, each minute or so, what it waits for.

    Raises:
        OwnerAway: after `longest` seconds.
        NoAccess: at once, where waiting does not help.
    """
    waited, told_at = 0.0, 0.0
    while True:
        try:
            client = connect(settings, may_own=False, patience=FLOW_PATIENCE)
            if isinstance(client, Remote) and client.answers():
                return client
            client.close()
            problem = (
                f"the owner at {settings.owner or 'the address in the lock file'} does not answer"
            )
        except OwnerAway as away:
            problem = away.message
        if waited >= longest:
            raise OwnerAway(f"{problem}; waited {waited / 3600:.1f} hours")
        if waited == 0 or waited - told_at >= TOLD_EACH:
            log.warning(
                "%s; waiting, %.0f minutes so far, at most %.1f hours",
                problem,
                waited / 60,
                longest / 3600,
            )
            told_at = waited
        sleep(pause)
        waited += pause


def _owner_token(settings: Settings) -> str:
    """The secret for the owner that LIVEREVIEW_OWNER names.

    Else, for an owner on this machine, the one in a data folder that both can read. That one goes
    to no other machine: it would open this machine's own database there.
    """
    if settings.owner_token:
        return settings.owner_token
    if settings.owner_token_file:
        return _secret_in(Path(settings.owner_token_file))
    own: Path = settings.home / "owner.token"
    here = of_this_machine(settings.owner)
    if here and own.exists():
        return own.read_text(encoding="utf-8").strip()
    choice = f", or to what {own.name} of its data folder says" if here else ""
    raise NoAccess(
        f"LIVEREVIEW_OWNER is {settings.owner}, and there is no secret for it: set LIVEREVIEW_OWNER_TOKEN to a token"
        f" with the scope flows{choice}; or LIVEREVIEW_OWNER_TOKEN_FILE to a file that holds it"
    )


def _secret_in(path: Path) -> str:
    """What the file holds, read at each connection, so that a new secret needs no restart."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise NoAccess(
            f"LIVEREVIEW_OWNER_TOKEN_FILE is {path}, which can't be read: {error.strerror}"
        ) from None
    if not secret:
        raise NoAccess(f"LIVEREVIEW_OWNER_TOKEN_FILE is {path}, and the file is empty")
    return secret


def token(settings: Settings) -> str:
    """The secret shared by the owner and its own machine's flows, made at first need, readable by
    this user only.
    """
    path: Path = settings.home / "owner.token"
    present = path.read_text().strip() if path.exists() else ""
    if present:
        return present
    if path.exists():
        log.warning("%s was empty, so another token is made", path)
    write_private(path, tokens.token_urlsafe(32).encode())
    return path.read_text()  # another process may have made one at the same time


class Session:
    """`with Session(settings) as client:` connects and lets go."""

    def __init__(self, settings: Settings, *, may_make: bool = False):
        self.client = connect(settings, may_make=may_make)

    def __enter__(self) -> Client:
        return self.client

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()
