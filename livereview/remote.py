"""The owner of the database at an address, on this machine or any other."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from livereview.commands.base import AnswerT, Command
from livereview.commands.wire import decode_answer, encode
from livereview.door_version import (
    DOOR_HEADER,
    DOOR_PATH,
    DOOR_VERSION,
    OTHER_DOOR,
    other_door,
)
from livereview.errors import Refused, Retry

if TYPE_CHECKING:
    import requests

log = logging.getLogger(__name__)

PATIENCE = 60.0  # seconds to wait for an owner that restarts
PAUSE = 0.5  # seconds between two tries meanwhile
TOLD_EACH = 60.0  # seconds between two lines in the log while it waits
# seconds for one use case; taking in the largest page, or building a review, takes minutes
LONGEST_CALL = 900.0
CONNECT_AND_READ = (5, 600)  # seconds to connect, and between two pieces of an answer
HEALTH_SECONDS = 10
# what a proxy answers while the owner behind it restarts
OWNER_RESTARTS = (502, 503, 504)


class OwnerAway(Retry):
    """No process serves the database, and this one may not: wait, or start the owner."""


class NoAccess(Refused):
    """What answers does not let this process in, or is no owner of this version.

    Waiting does not help: somebody must change a setting or an installation.
    """


class Remote:
    """Another process owns the database and answers at `url`.

    Args:
        token: The owner's own secret, or a token with the scope flows.
        patience: Seconds for which an owner that does not answer is waited for, at each call.
        ca: Path of the certificates to trust in place of the usual ones; "": the usual ones.
        run: The run that asks, which the owner's log names; "": a name is made up.
    """

    def __init__(
        self,
        url: str,
        token: str,
        patience: float = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
        ca: str = "",
        run: str = "",
    ):
        import requests

        from livereview.wire import WatchedAdapter

        self.url = url.rstrip("/")
        self.patience = patience
        self._sleep = sleep
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = ca or True
        self._session.mount("http://", WatchedAdapter())
        self._session.mount("https://", WatchedAdapter())
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._session.headers[DOOR_HEADER] = str(DOOR_VERSION)
        self.run_id = run or secrets.token_hex(8)
        self._session.headers["Livereview-Run"] = self.run_id

    def run(self, command: Command[AnswerT], /) -> AnswerT:
        """Have a command carried out there.

        An owner that is restarting is waited for: every use case can be asked twice.

        Raises:
            OwnerAway: It did not answer in time.
            NoAccess: It does not let this process in, or is no owner of this version.
            Refused: It refused what was asked.
            Retry: It could not do it now.
        """
        import requests

        body = encode(command)
        waited = 0.0
        while True:
            try:
                reply = self._post(command.operation, body)
            except requests.exceptions.SSLError as error:
                raise self._not_trusted(error) from None
            except (requests.ConnectionError, requests.Timeout) as error:
                problem = type(error).__name__
            else:
                if not self._restarts(reply):
                    break
                problem = f"its proxy answers {reply.status_code}"
            self._wait(waited, problem)
            waited += PAUSE
        return self._answer(reply, command)

    def _post(self, operation: str, body: bytes) -> requests.Response:
        from livereview.wire import time_limit

        with time_limit(LONGEST_CALL):
            return self._session.post(
                f"{self.url}{DOOR_PATH}{operation}",
                data=body,
                headers={"Content-Type": "application/json"},
                timeout=CONNECT_AND_READ,
                allow_redirects=False,  # the secret goes to the address of the setting only
            )

    def _restarts(self, reply: requests.Response) -> bool:
        """Whether a proxy says that the owner behind it is away. The owner's own 503 is an answer."""
        return reply.status_code in OWNER_RESTARTS and DOOR_HEADER not in reply.headers

    def _wait(self, waited: float, problem: str) -> None:
        if waited >= self.patience:
            raise OwnerAway(f"the owner at {self.url} does not answer: {problem}")
        if waited and waited % TOLD_EACH == 0:
            log.warning(
                "the owner at %s has not answered for %.0f s (%s); waiting",
                self.url,
                waited,
                problem,
            )
        self._sleep(PAUSE)

    def _answer(self, reply: requests.Response, command: Command[AnswerT]) -> AnswerT:
        self._must_be_an_owner(reply)
        if reply.status_code == 200:
            return self._decoded(reply, command)
        message = _words(reply)
        if reply.status_code == 401:
            raise NoAccess(
                f"the owner at {self.url} does not take this token: {message.rstrip('.')}."
                f" Set LIVEREVIEW_OWNER_TOKEN (or the file of LIVEREVIEW_OWNER_TOKEN_FILE) to one of:"
                f" livereview token NAME --for nights --scope flows"
            )
        if reply.status_code == OTHER_DOOR:
            raise NoAccess(f"{message} (the owner at {self.url})")
        if 400 <= reply.status_code < 500:
            raise Refused(message)
        raise Retry(message)

    def _decoded(self, reply: requests.Response, command: Command[AnswerT]) -> AnswerT:
        try:
            return decode_answer(command, reply.json())
        except ValueError as error:  # no JSON, or no such answer (pydantic.ValidationError)
            problem = str(error).splitlines()[0]
            raise NoAccess(
                f"the owner at {self.url} answers {command.operation} in a way that this version of"
                f" livereview does not read ({problem}); install the same version on both"
            ) from None

    def _must_be_an_owner(self, reply: requests.Response) -> None:
        """Raise NoAccess where the answer is not from the door of an owner of this version."""
        if reply.is_redirect:
            to = reply.headers.get("location", "elsewhere").partition("?")[0]
            raise NoAccess(
                f"{self.url} sends programs on to {to}; set LIVEREVIEW_OWNER to the address itself"
            )
        spoken = reply.headers.get(DOOR_HEADER)
        if spoken is None:
            raise NoAccess(
                f"what answers at {self.url} is no livereview owner, or a proxy keeps its door shut"
                f" (it answered {reply.status_code} to {DOOR_PATH}…): look at LIVEREVIEW_OWNER and at"
                f" the proxy"
            )
        if spoken != str(DOOR_VERSION):
            raise NoAccess(other_door(spoken))

    def _not_trusted(self, error: Exception) -> NoAccess:
        stated = re.search(r"\[SSL[^\[\]]*\] ([^()]*)", str(error))
        reason = stated[1].strip() if stated else type(error).__name__
        return NoAccess(
            f"the certificate of {self.url} is not trusted: {reason}. If your centre has a"
            f" certificate authority of its own, name its file in LIVEREVIEW_OWNER_CA"
        )

    def answers(self) -> bool:
        """Whether an owner is there now.

        Raises:
            NoAccess: Something else is there, so waiting does not help.
        """
        import requests

        try:
            reply = self._session.get(
                f"{self.url}/healthz", timeout=HEALTH_SECONDS, allow_redirects=False
            )
        except requests.exceptions.SSLError as error:
            raise self._not_trusted(error) from None
        except requests.RequestException:
            return False
        if reply.ok and not reply.is_redirect:
            return True
        if reply.status_code >= 500:
            return False
        raise NoAccess(
            f"what answers at {self.url} is no livereview owner: it answered {reply.status_code} to"
            f" /healthz; look at LIVEREVIEW_OWNER"
        )

    def close(self) -> None:
        self._session.close()


def _words(reply: requests.Response) -> str:
    """What the owner says is wrong."""
    try:
        return str(reply.json()["error"])
    except (ValueError, KeyError):
        return f"the owner answered {reply.status_code}"
