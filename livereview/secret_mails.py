"""The owner tells people by mail at once that their secret was replaced: whoever took an account over
has till the next digest else.

The digest tells of it too, so that a mail server that is away hides nothing.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from pathlib import Path

from livereview.commands.service import Mail
from livereview.notices.post import mail
from livereview.ops.notices import SecretMessage, secret_messages
from livereview.private_files import write_private
from livereview.settings import Settings
from livereview.store.open import Store

log = logging.getLogger(__name__)

LOOK_EACH = 60.0  # seconds between two looks
MOST_TRIES = 60  # of one message: for an hour; then the digest tells


def wanted(settings: Settings) -> bool:
    """Whether mail is set."""
    return bool(settings.smtp and settings.sender and settings.address)


class SecretTeller:
    """Mails each person whose secret was replaced, once, and remembers it through restarts.

    Args:
        settings: How mail is sent.
        folder: Where it is kept up to which event people were told.
    """

    def __init__(self, settings: Settings, folder: Path):
        self._settings = settings
        self._path = folder / "secrets-told"
        self._tries = 0
        self._sent: set[tuple[int, str]] = set()  # of the message that is tried again

    def look(self, store: Store, now: datetime) -> list[str]:
        """Tell who is to be told; what could not be sent, in words.

        The first look of all tells nobody: what was before it the digests have told.
        """
        upto = self._read()
        messages, newest = secret_messages(
            store, base_url=self._settings.address, now=now, after=upto
        )
        if upto is None:
            self._write(newest)
            return []
        return self._send(messages, now)

    def _send(self, messages: list[SecretMessage], now: datetime) -> list[str]:
        """Mail in the order of events, up to one that could not be sent, which is tried again."""
        problems = []
        for message in messages:
            failed = self._mail(message, now)
            problems += failed
            self._tries = self._tries + 1 if failed else 0
            if failed and self._tries < MOST_TRIES:
                break
            self._tries = 0
            self._sent.clear()
            self._write(message.seq)
        return problems

    def _mail(self, message: SecretMessage, now: datetime) -> list[str]:
        """What could not be sent of a message; an address that has it gets no second one."""
        problems = []
        for address in message.addresses:
            if (message.seq, address) in self._sent:
                continue
            post = Mail(
                name=message.name,
                email=address,
                subject=message.subject,
                text=message.text,
                html=message.html,
            )
            ((name, problem),) = mail([post], self._settings.smtp, self._settings.sender, now)
            if problem:
                problems.append(f"{name}: {problem}")
            else:
                self._sent.add((message.seq, address))
        return problems

    def _read(self) -> int | None:
        """The number of the last event that was told; None where that is not known."""
        try:
            return int(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def _write(self, seq: int) -> None:
        write_private(self._path, f"{seq}\n".encode())


def tell_all(
    store: Store, settings: Settings, stop: threading.Event, pause: float = LOOK_EACH
) -> None:
    """Look and tell, with a pause between two looks, until `stop` is set."""
    teller = SecretTeller(settings, settings.home)
    while True:
        try:
            for problem in teller.look(store, datetime.now(UTC)):
                log.warning("that a secret was replaced could not be mailed: %s", problem)
        except Exception:  # the thread must live on: the next look may work
            log.exception("nobody could be told that a secret was replaced")
        if stop.wait(pause):
            return
