"""How flows and the command line reach the owner of the database.

If a process serves it, they speak HTTP to that; if none does, this process becomes the owner while it lasts. Either way
the same use cases run, so nothing above can tell the difference. Each way imports what it needs when it is taken.
"""

from __future__ import annotations

import base64
import json
import secrets as tokens
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from livereview.errors import Refused, Retry
from livereview.settings import Settings, told

if TYPE_CHECKING:
    import requests

Answer = dict[str, Any]
PATIENCE = 60.0  # seconds to wait for an owner that restarts
LONGEST_CALL = 900.0  # seconds for one use case; taking in the largest page, or building a review, takes minutes


class Client(Protocol):
    """Call a use case of `livereview.ops.OPS` by name."""

    def call(self, operation: str, /, **arguments: Any) -> Answer: ...

    def close(self) -> None: ...


class Local:
    """This process owns the database."""

    def __init__(self, settings: Settings):
        from livereview.store.open import Store

        self.settings = settings
        self.store = Store(settings.database, settings.memory, settings.threads, settings.reserve)
        self.store.notes = told(settings)

    def call(self, operation: str, /, **arguments: Any) -> Answer:
        from livereview import ops  # brings all the rest, which commands without a database never need

        return ops.run(self.store, self.settings.site, operation, _plain(arguments))

    def close(self) -> None:
        self.store.close()


class Remote:
    """Another process owns the database and answers at `url`."""

    def __init__(self, url: str, token: str, patience: float = PATIENCE, sleep: Callable[[float], None] = time.sleep):
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
        """As `Local.call`. An owner that is restarting is waited for: every use case can be asked twice."""
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
                    raise Retry(f"the owner at {self.url} does not answer: {type(error).__name__}") from None
                self._sleep(0.5)
                waited += 0.5
        return _answer(reply)

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
    return {key: _encode(value) if isinstance(value, bytes | datetime) else value for key, value in arguments.items()}


def _encode(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} can't be sent")


def connect(settings: Settings) -> Client:
    """The owner: another process if one serves this database, else this one."""
    from livereview.store.open import describe, owner

    found = owner(settings.database)
    if found is None:
        return Local(settings)
    if not found.get("url"):
        raise Refused(f"{settings.database} is owned by {describe(found)}, which serves nobody; wait until it ends")
    return Remote(found["url"], token(settings))


def token(settings: Settings) -> str:
    """The secret shared by the owner and its own machine's flows, made at first need, readable by this user only."""
    path: Path = settings.home / "owner.token"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{tokens.token_hex(4)}")
        beside.touch(mode=0o600)
        beside.write_text(tokens.token_urlsafe(32))
        beside.replace(path)
    return path.read_text()


class Session:
    """`with Session(settings) as client:` connects and lets go."""

    def __init__(self, settings: Settings):
        self.client = connect(settings)

    def __enter__(self) -> Client:
        return self.client

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
