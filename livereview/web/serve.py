"""The owner as a process: the database, the web app, and the thread that publishes."""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, cast

import uvicorn
from fastapi import FastAPI

from livereview import alerts, client, ops, parsing, private_files, secret_mails, systemd
from livereview.backups.target import without_secrets
from livereview.errors import LivereviewError, Refused, Retry
from livereview.ops import cleaning
from livereview.ops.advice import advice
from livereview.ops.published import FolderChecker
from livereview.ops.readiness import PUBLISHER
from livereview.settings import Settings, told
from livereview.store import versions
from livereview.store.open import Store, describe, owner
from livereview.web import app, first
from livereview.web.connections import (
    BACKLOG,
    Connections,
    Patience,
    TimedProtocol,
    raise_descriptor_limit,
    room_for,
)

log = logging.getLogger(__name__)
PATIENCE = Patience()
LAST_ANSWERS = 20  # seconds for answers under way when the owner is stopped; systemd kills after 30
EVENT_LOOP = "event loop"  # the name of its signs of life
BEAT_EACH = 5.0  # seconds between two of them
# seconds without one, or with one job in a writer's hands, after which systemd shall start the
# owner again; the largest page that was ever taken in needed less than a minute
HANGS = 600.0
PAUSE = 0.5  # seconds between two looks at the outbox, at least
IDLE_PAUSE = 10.0  # seconds between two looks where nothing was written
BROKEN_PAUSE = 1.0  # seconds between two looks at whether DuckDB has closed the database
LONGEST_WAIT = 20  # looks after which a build starts although events still come
RANKING_PAUSE = 30.0  # seconds between two looks at whether a queue is to be ranked again
# seconds a thread may keep others from Python: its own 5 ms are lost at each question of a request
HAND_OVER = 0.0005
NIGHTS_PAUSE = 30.0  # seconds between two looks at whether running searches have lost their process
LOCK_PAUSE = 0.5  # seconds between two looks at whether the database is free
# seconds in which an owner that is being replaced is gone: systemd and compose give it 30
SERVED_WAIT = 60.0
LOCK_TOLD_EACH = 30.0  # seconds between two lines in the log while it is not
# seconds between two increments: so much work can be lost at most with the disk
SHIPPING_PAUSE = 60.0
TRY_AGAIN = 600  # looks after which a build that failed is tried again


def serve(
    settings: Settings, host: str = "127.0.0.1", port: int = 8000, patience: Patience = PATIENCE
) -> None:
    """Own the database and answer at `host`:`port` until SIGTERM or Ctrl-C.

    Port 0 takes a free one.

    While another process owns the database it waits, and says so. Raises Refused when one goes on
    serving it, and when the port is taken.
    """
    most_connections = room_for(raise_descriptor_limit())
    with _opened(settings) as store:
        store.notes = told(settings)
        cleaning.catch_up(store, datetime.now(UTC))
        made = app.create(store, settings, token=client.token(settings))
        server = Server(made, most_connections, patience, settings.proxies)
        server.on_beat = functools.partial(store.heartbeats.beat, EVENT_LOOP)
        server.config.load()  # first of all: whoever finds the door open is answered at once
        with _listen(host, port) as door, _at_work(store, settings):
            url = _url(host, door.getsockname()[1])
            _announce(store, settings, host, url)
            _offer_first_account(made, settings.address or url)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, _end)
            sys.setswitchinterval(HAND_OVER)
            systemd.notify("READY=1")
            with _ended_if_broken(store, server):
                server.run(sockets=[door])
        broken = store.broken.is_set()
    if broken:
        raise Retry(
            "DuckDB closed the database after an error, so this process ends: what was acknowledged is kept, and the"
            " database opens again with the next start. Where it does not, the start says which backup would do"
        )


@contextmanager
def _ended_if_broken(store: Store, server: uvicorn.Server) -> Iterator[None]:
    """While DuckDB has not closed the database: then the server ends, so that whoever watches it
    starts it again.
    """
    done = threading.Event()

    def watch() -> None:
        while not done.wait(BROKEN_PAUSE):
            if store.broken.is_set():
                log.critical(
                    "DuckDB has closed the database after an error; this process ends, to be started again"
                )
                server.should_exit = True
                return

    watcher = threading.Thread(target=watch, name="watcher of the database", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


class Server(uvicorn.Server):
    """uvicorn, with a time for each part of an exchange and a limit on connections (see
    `connections`).
    """

    def __init__(
        self,
        made: FastAPI,
        most_connections: int,
        patience: Patience,
        proxies: tuple[str, ...] = (),
    ):
        config = uvicorn.Config(
            made,
            log_config=None,
            access_log=False,
            ws="none",
            backlog=BACKLOG,
            # a second net: `Connections` makes room before it is reached
            limit_concurrency=most_connections + BACKLOG,
            timeout_keep_alive=patience.idle,
            timeout_graceful_shutdown=LAST_ANSWERS,
            **trust(proxies),
        )
        self.connections = Connections(
            most_connections, patience, trust(proxies)["forwarded_allow_ips"]
        )
        config.http = cast(
            "type[asyncio.Protocol]", functools.partial(TimedProtocol, self.connections)
        )
        super().__init__(config)
        self.on_beat: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's; from now on connections are watched."""
        asyncio.get_running_loop().set_exception_handler(self.connections.on_loop_error)
        self.watch = asyncio.create_task(self.connections.watch())
        self.beats = asyncio.create_task(self._beat())
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's; the slow are watched to the end."""
        await super().shutdown(sockets)
        self.watch.cancel()
        self.beats.cancel()

    async def _beat(self) -> None:
        """Say again and again that the event loop turns."""
        while True:
            self.on_beat()
            await asyncio.sleep(BEAT_EACH)


def trust(proxies: tuple[str, ...]) -> dict[str, Any]:
    """How uvicorn is told whose X-Forwarded-For and X-Forwarded-Proto are believed: these, and
    nobody else's.

    Said even where there is none, as uvicorn believes 127.0.0.1 by itself, where any local program
    may be.
    """
    networks = [ipaddress.ip_network(proxy) for proxy in proxies]
    mapped = [
        f"::ffff:{net.network_address}/{96 + net.prefixlen}" for net in networks if net.version == 4
    ]
    return {"proxy_headers": bool(proxies), "forwarded_allow_ips": [*map(str, networks), *mapped]}


def _opened(settings: Settings, sleep: Callable[[float], None] = time.sleep) -> Store:
    """The store, once nobody else owns the database: a night by hand ends, or an owner that is
    being replaced.

    Raises:
        Refused: where another owner serves on: two at once are a mistake.
    """
    waited = 0.0
    while True:
        holder = owner(settings.database)
        if holder is None:
            try:
                with advice(settings.home, settings.backup):
                    return Store(
                        settings.database, settings.memory, settings.threads, settings.reserve
                    )
            except Refused:
                holder = owner(settings.database)
                if holder is None:  # it was refused for another reason
                    raise
        if holder.get("url") and waited >= SERVED_WAIT:
            raise Refused(
                f"{settings.database} is owned by {describe(holder)}, which goes on; stop it first"
            )
        if waited % LOCK_TOLD_EACH == 0:
            log.warning(
                "%s is owned by %s; waiting for it, %.0f s so far (Ctrl-C to stop)",
                settings.database,
                describe(holder),
                waited,
            )
        sleep(LOCK_PAUSE)
        waited += LOCK_PAUSE


@contextmanager
def _at_work(store: Store, settings: Settings) -> Iterator[None]:
    """With the threads that publish and rank; they finish what they have in hand."""
    stop = threading.Event()
    parsing.resume()
    store.heartbeats.beat(PUBLISHER)
    publisher = threading.Thread(
        target=publish_all, args=(store, settings.site, stop), name="publisher", daemon=True
    )
    ranker = threading.Thread(target=rank_all, args=(store, stop), name="ranker", daemon=True)
    watcher = threading.Thread(
        target=watch_nights, args=(store, stop), name="watcher of nights", daemon=True
    )
    threads = [publisher, ranker, watcher]
    if settings.backup:
        store.shipping.begin(without_secrets(settings.backup))
        shipper = (store, settings.backup, settings.keep, stop)
        threads.append(threading.Thread(target=ship_all, args=shipper, name="shipper", daemon=True))
    if alerts.wanted(settings):
        teller = (store, settings, stop)
        threads.append(
            threading.Thread(target=alerts.tell_all, args=teller, name="teller", daemon=True)
        )
    if secret_mails.wanted(settings):
        mailer = (store, settings, stop)
        threads.append(
            threading.Thread(
                target=secret_mails.tell_all, args=mailer, name="secret mailer", daemon=True
            )
        )
    if systemd.watchdog_seconds() is not None:
        watchdog = threading.Thread(
            target=keep_watchdog, args=(store, stop), name="watchdog", daemon=True
        )
        threads.append(watchdog)
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        systemd.notify("STOPPING=1")
        stop.set()
        store.news.set()
        parsing.stop()
        for thread in threads:
            thread.join()


def _announce(store: Store, settings: Settings, host: str, url: str) -> None:
    store.lock.announce(url)
    print(f"livereview answers at {url} until Ctrl-C", file=sys.stderr)
    if not _loopback(host):
        log.warning(
            "%s is open to the network without https; put a proxy with a certificate before it", url
        )
    if settings.url.startswith("https:") and not settings.proxies:
        log.warning(
            "LIVEREVIEW_URL is https and LIVEREVIEW_TRUSTED_PROXIES names no proxy: cookies are not Secure,"
            " and all visitors look like one; name the address that your proxy connects from"
        )


def _offer_first_account(made: FastAPI, base: str) -> None:
    """Print the link that makes the first account, where there is none."""
    if link := first.link(made.state.shared, base):
        print(f"Nobody has an account yet. Make the first lead's: {link}", file=sys.stderr)


def _end(_number: int, _frame: FrameType | None) -> None:
    """uvicorn finishes the requests in hand and then raises the signal again: let the database be
    closed too.
    """
    raise SystemExit(0)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        door = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Refused(
            f"can't listen on {host} port {port}: {error.strerror}; choose another with --port"
        ) from None
    # asyncio does so for sockets that name TCP only
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return door


def _url(host: str, port: int) -> str:
    """Where this machine reaches the owner."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    if ":" in name:
        return f"http://[{name}]:{port}"
    return f"http://{name}:{port}"


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Publisher:
    """Publishes what the outbox asks for once it was quiet from one look to the next: a burst makes
    one version.
    """

    def __init__(
        self, store: Store, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ):
        self.store, self.folder, self.clock = store, folder, clock
        self.seen: dict[str, int] = {}
        self.tried: dict[str, int] = {}
        self.looks = 0

    def look(self) -> bool:
        """Look at the outbox once; whether anything was built.

        A failed build waits for news or TRY_AGAIN looks.
        """
        asked = self._asked()
        quiet, self.seen = asked == self.seen, asked
        self.looks += 1
        if self.looks > TRY_AGAIN:
            self.tried = {}
        if not asked or asked == self.tried:
            self.looks = self.looks if asked else 0
            return False
        if not quiet and self.looks < LONGEST_WAIT:
            return False
        self.tried, self.looks = asked, 0
        private_files.public_folder(self.folder)
        ops.publish.settle_outbox(self.store, folder=self.folder, now=self.clock())
        return True

    def _asked(self) -> dict[str, int]:
        """The last request of each review that no build has seen."""
        with self.store.read() as con:
            return {review: asked.last for review, asked in versions.asked(con).items()}


def keep_watchdog(store: Store, stop: threading.Event) -> None:
    """Tell systemd that the owner works, as long as it does, until `stop` is set."""
    allowed = systemd.watchdog_seconds() or HANGS
    while not stop.wait(allowed / 4):
        if works(store):
            systemd.notify("WATCHDOG=1")
        else:
            log.critical("the owner hangs: systemd hears nothing any more and starts it again")


def works(store: Store) -> bool:
    """Whether the event loop turns, and no writer has had one thing in hand for too long.

    Neither is waited for.
    """
    silent = store.heartbeats.age(EVENT_LOOP)
    if silent is not None and silent > HANGS:
        return False
    return all(load.in_hand <= HANGS for load in store.loads())


def watch_nights(store: Store, stop: threading.Event, pause: float = NIGHTS_PAUSE) -> None:
    """End searches whose process is gone, with a pause between two looks, until `stop` is set."""
    while not stop.wait(pause):
        try:
            for name in ops.nights.end_dead(store, datetime.now(UTC)):
                log.warning("%s was ended: its process is gone", name)
        except Exception:  # the next look may work, and `status` looks too
            log.exception("searches whose process is gone could not be ended")


def rank_all(store: Store, stop: threading.Event, pause: float = RANKING_PAUSE) -> None:
    """Rank queues that are out of date, with a pause between two looks, until `stop` is set."""
    while not stop.wait(pause):
        try:
            ops.ranking.rerank_due(store, datetime.now(UTC), stop)
        except Retry as told:
            log.warning("%s", told.message)
        except Exception:  # the old order stands, and screening goes on
            log.exception("a queue could not be ranked")


def ship_all(
    store: Store, place: str, keep: int, stop: threading.Event, pause: float = SHIPPING_PAUSE
) -> None:
    """Ship to `place` each minute what came since the last, until `stop` is set, and then once
    more.
    """
    while True:
        try:
            ops.follow.follow(store, target=place, now=datetime.now(UTC), keep=keep)
        except LivereviewError as error:
            log.warning("not backed up: %s", error.message)
        except Exception:  # it is tried again; `status` and /readyz tell when it lasts
            log.exception("not backed up")
        if stop.is_set():
            return
        stop.wait(pause)


def publish_all(store: Store, folder: Path, stop: threading.Event, pause: float = PAUSE) -> None:
    """Look at the outbox when something was written until `stop` is set, and now and then at what
    is published.

    Two looks are `pause` seconds apart at least, so that a burst makes one version. Who sets `stop`
    sets `store.news` too, so that nobody waits for the next look.
    """
    publisher, checker = Publisher(store, folder), FolderChecker(store, folder)
    while not stop.wait(pause):
        if not publisher.seen:
            store.news.wait(IDLE_PAUSE)
        store.news.clear()
        store.heartbeats.beat(PUBLISHER)
        try:
            for place, result in checker.look().items():
                log.warning("the published folder was not whole: %s: %s", place, result)
        except Exception:
            log.exception("the published folder could not be looked at")
        try:
            publisher.look()
        except Exception:  # the thread must live on; the lead's page shows a build that failed
            log.exception("the publisher could not look at the outbox")
