"""The owner tells its operator itself: by mail, by a webhook, and by the silence of a ping.

None of it needs the schedule or Prefect to be alive. Where the owner, its machine or its network is
gone, the ping stops, and the service that waits for it calls.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests

from livereview.errors import LivereviewError, Retry
from livereview.notices import alarm
from livereview.notices.alarm import Alarm, News, Told
from livereview.notices.message import email, signature
from livereview.notices.send import smtp
from livereview.ops.urgent import urgent
from livereview.private_files import write_private
from livereview.settings import Settings
from livereview.store.open import Store
from livereview.wire import WatchedAdapter, time_limit

log = logging.getLogger(__name__)

LOOK_EACH = 60.0  # seconds between two looks
SECONDS = 15.0  # for one receiver
PING_EACH = 5  # looks between two pings


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who is told: `name` without secrets, and how a message is sent."""

    name: str
    send: Callable[[News, datetime], None]


def receivers(settings: Settings) -> list[Receiver]:
    """Whom the settings name; nobody where they name none."""
    chosen = []
    if settings.alert_webhook:
        chosen.append(Receiver("webhook", lambda news, now: _post(settings, news, now)))
    for address in settings.alert_mail:
        send = _mailer(settings, address)
        chosen.append(Receiver(f"mail to {address}", send))
    return chosen


def _mailer(settings: Settings, address: str) -> Callable[[News, datetime], None]:
    def send(news: News, now: datetime) -> None:
        message = alarm.mail(news, settings.address)
        key = hashlib.sha256(f"{address} {now.isoformat()} {message.text}".encode()).hexdigest()
        domain = settings.sender.rpartition("@")[2].rstrip("> ")
        mail = email(message, settings.sender, address, f"<{key[:32]}@{domain}>", now)
        smtp(mail, settings.smtp)

    return send


def _post(settings: Settings, news: News, now: datetime) -> None:
    body = json.dumps(alarm.event(news, settings.address, now), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    if settings.webhook_secret:
        stamp = str(int(now.timestamp()))
        signed = signature(settings.webhook_secret.encode(), stamp, body)
        headers["Livereview-Signature"] = signed
    _asked("POST", settings.alert_webhook, headers, body)


def _asked(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> None:
    """Raise Retry unless the receiver answers 2xx; never with its address, which may be a secret."""
    try:
        with time_limit(SECONDS), requests.Session() as session:
            session.trust_env = False
            session.mount("https://", WatchedAdapter())
            session.mount("http://", WatchedAdapter())
            asked = session.prepare_request(requests.Request(method, url, headers, data=body))
            # what the answer says is of no use, so none of it is read
            with session.send(asked, timeout=SECONDS, allow_redirects=False, stream=True) as answer:
                status = answer.status_code
    except (requests.RequestException, OSError, ValueError) as error:
        raise Retry(f"no answer came ({type(error).__name__})") from None
    if not 200 <= status < 300:
        raise Retry(f"the receiver answered {status}")


class Teller:
    """Tells each receiver what is news to it, and remembers what it was told through restarts.

    Args:
        settings: Who is told, and how.
        folder: Where what was told is kept.
    """

    def __init__(self, settings: Settings, folder: Path):
        self._receivers = receivers(settings)
        self._settings = settings
        self._path = folder / "alerts.json"
        self._looks = 0

    def look(self, alarms: Sequence[Alarm], now: datetime) -> list[str]:
        """Tell who is to be told, and ping where all is well; what could not be sent, in words.

        What could not be sent is tried again with the next look.
        """
        told = self._read()
        problems = []
        for receiver in self._receivers:
            news = alarm.news(told.get(receiver.name, Told()), alarms, now)
            if news is None:
                continue
            try:
                receiver.send(news, now)
            except LivereviewError as error:
                problems.append(f"{receiver.name}: {error.message}")
                continue
            told[receiver.name] = alarm.after(alarms, now)
            self._write(told)
        if not alarms and self._settings.ping_url and self._looks % PING_EACH == 0:
            problems += self._ping()
        # a look with alarms makes the first good one after it ping at once
        self._looks = 0 if alarms else self._looks + 1
        return problems

    def _ping(self) -> list[str]:
        try:
            _asked("GET", self._settings.ping_url, {})
        except LivereviewError as error:
            return [f"ping: {error.message}"]
        return []

    def _read(self) -> dict[str, Told]:
        """What each receiver was told; nothing where the file is missing or damaged."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            return {
                name: Told(dict(each["alarms"]), datetime.fromisoformat(each["at"]))
                for name, each in kept.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _write(self, told: dict[str, Told]) -> None:
        kept = {
            name: {"alarms": dict(each.alarms), "at": each.at.isoformat() if each.at else None}
            for name, each in told.items()
        }
        write_private(self._path, json.dumps(kept, ensure_ascii=False, indent=1).encode())


def wanted(settings: Settings) -> bool:
    """Whether anybody is to be told."""
    return bool(settings.alert_webhook or settings.alert_mail or settings.ping_url)


def tell_all(
    store: Store, settings: Settings, stop: threading.Event, pause: float = LOOK_EACH
) -> None:
    """Look and tell, with a pause between two looks, until `stop` is set."""
    teller = Teller(settings, settings.home)
    while not stop.wait(pause):
        try:
            now = datetime.now(UTC)
            for problem in teller.look(urgent(store, folder=settings.site, now=now), now):
                log.warning("nobody could be told: %s", problem)
        except Exception:  # the thread must live on: the next look may work
            log.exception("the owner could not look at what is wrong")


def tell_now(settings: Settings, words: str) -> list[str]:
    """Tell every receiver this sentence, whatever it was told before; what failed, in words."""
    now = datetime.now(UTC)
    problems = []
    for receiver in receivers(settings):
        try:
            receiver.send(News((words,), (), ()), now)
        except LivereviewError as error:
            problems.append(f"{receiver.name}: {error.message}")
    return problems
