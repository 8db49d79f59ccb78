"""How flows and the command line reach the owner of the database.

If a process serves it, they speak HTTP to that; if none does, this process becomes the owner while
it lasts. Either way the same use cases run, so nothing above can tell the difference. Each way
imports what it needs when it is taken.
"""

from __future__ import annotations

import base64
import json
import logging
import secrets as tokens
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from livereview.errors import Refused, Retry
from livereview.private_files import write_private
from livereview.settings import Settings, told

if TYPE_CHECKING:
    import requests

log = logging.getLogger(__name__)

Answer = dict[str, Any]
PATIENCE = 60.0  # seconds to wait for an owner that restarts
# likewise for flows, which nobody waits for: an upgrade, a machine that starts again
FLOW_PATIENCE = 1800.0
# seconds that a night waits for its owner; then it is a lost night, and told
OWNER_WAIT = 6 * 3600.0
OWNER_PAUSE = 5.0  # seconds between two looks for it
TOLD_EACH = 60.0  # seconds between two lines in the log while it waits
# seconds for one use case; taking in the largest page, or building a review, takes minutes
LONGEST_CALL = 900.0


class Client(Protocol):
    """Call a use case of `livereview.ops.OPS` by name."""

    def call(self, operation: str, /, **arguments: Any) -> Answer: ...

    def close(self) -> None: ...


class OwnerAway(Retry):
    """No process serves the database, and this one may not: wait, or start the owner."""


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
                settings.database, settings.memory, settings.threads, settings.reserve
            )
        self.store.notes = told(settings)
        cleaning.catch_up(self.store, datetime.now(UTC))

    def call(self, operation: str, /, **arguments: Any) -> Answer:
        # brings all the rest, which commands without a database never need
        from livereview import ops

        return ops.run(self.store, self.settings.site, operation, _plain(arguments))

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


class Remote:
    """Another process owns the database and answers at `url`."""

    def __init__(
        self,
        url: str,
        token: str,
        patience: float = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ):
        import requests

        from livereview.wire import WatchedAdapter

        self.url = url.rstrip("/")
        self.patience = patience
        self._sleep = sleep
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://", WatchedAdapter())
        self._session.mount("https://", WatchedAdapter())
        self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, operation: str, /, **arguments: Any) -> Answer:
        """As `Local.call`.

        An owner that is restarting is waited for: every use case can be asked twice.
        """
        import requests

        from livereview.wire import time_limit

        body = json.dumps(_plain(arguments), default=_encode).encode()
        waited = 0.0
        while True:
            try:
                with time_limit(LONGEST_CALL):
                    reply = self._session.post(
                        f"{self.url}/api/ops/{operation}",
                        data=body,
                        headers={"Content-Type": "application/json"},
                        timeout=(5, 600),
                    )
                break
            except (requests.ConnectionError, requests.Timeout) as error:
                if waited >= self.patience:
                    raise OwnerAway(
                        f"the owner at {self.url} does not answer: {type(error).__name__}"
                    ) from None
                if waited and waited % TOLD_EACH == 0:
                    log.warning(
                        "the owner at %s has not answered for %.0f s; waiting", self.url, waited
                    )
                self._sleep(0.5)
                waited += 0.5
        return _answer(reply)

    def answers(self) -> bool:
        """Whether the owner is there now."""
        import requests

        try:
            return self._session.get(f"{self.url}/healthz", timeout=10).ok
        except requests.RequestException:
            return False

    def close(self) -> None:
        self._session.close()


def _answer(reply: requests.Response) -> Answer:
    if reply.status_code == 200:
        answer: Answer = reply.json()
        return answer
    try:
        message = str(reply.json()["error"])
    except (ValueError, KeyError):
        message = f"the owner answered {reply.status_code}"
    if 400 <= reply.status_code < 500:
        raise Refused(message)
    raise Retry(message)


def _plain(arguments: Answer) -> Answer:
    return {
        key: _encode(value) if isinstance(value, bytes | datetime) else value
        for key, value in arguments.items()
    }


def _encode(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} can't be sent")


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
        Refused: The database is not there, or a process holds it that serves nobody.
    """
    from livereview.store.open import describe, owner

    if settings.owner:
        return Remote(settings.owner, _owner_token(settings), patience)
    holder = owner(settings.database)
    if holder is not None and holder.get("url"):
        return Remote(holder["url"], token(settings), patience)
    if not may_own:
        who = f"{describe(holder)} holds it and serves nobody" if holder else "no process serves it"
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

    Says in the log, each minute or so, what it waits for. Raises OwnerAway after `longest` seconds.
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

    Else the one in a data folder that both can read.
    """
    if settings.owner_token:
        return settings.owner_token
    path: Path = settings.home / "owner.token"
    if path.exists():
        return path.read_text()
    raise Refused(
        f"LIVEREVIEW_OWNER is {settings.owner}, and there is no secret for it: set LIVEREVIEW_OWNER_TOKEN to a token"
        f" with the scope flows, or to what {path.name} of its data folder says"
    )


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
