"""How long a client may take, and how many may be connected: uvicorn leaves both to a proxy, and
not everybody has one.

Whoever sends half a request, a byte a second, or reads no answer, takes a descriptor from the
others. Here each part of
an exchange has its time, and where all places are taken the connection that does least makes way
for a new one: an honest visitor sends a request at once and is answered, however many others sit
and wait.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import h11
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol

log = logging.getLogger(__name__)

# connections that the system keeps until they are accepted; asyncio accepts as many at once
BACKLOG = 64
# a connection that waits costs some 20 kB; a hundred readers take about two hundred
MOST_CONNECTIONS = 1_000
# for the database, the log, files being read and written: 40 threads and some in hand
OWN_DESCRIPTORS = 96
FEWEST_CONNECTIONS = 16
MOST_DESCRIPTORS = 65_536
# an office behind one address: fifty browsers with six connections each, and some more
PER_ADDRESS = 400
# of what there may be: from here on answers end their connection, so that no idle one must make way
CROWDED = 0.75
LOOK_EVERY = 1.0  # seconds between two looks at who takes too long
NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
MAKE_ROOM = 16  # connections that make way when descriptors have run out all the same

TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
FULL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Patience:
    """What a client may take.

    Attributes:
        headers: Seconds from the connection, or a request's first byte, to the end of its headers.
        body: Seconds for a body, and one more for each `body_rate` bytes that came.
        unread: Seconds in which nothing of an answer is read.
        refused: Seconds in which a body that nobody wants may still come; a browser reads the
            refusal after that.
        idle: Seconds for which a connection is kept for the next request.
    """

    headers: float = 15.0
    body: float = 30.0
    body_rate: float = 10_000.0
    unread: float = 60.0
    refused: float = 30.0
    idle: int = 5


class Phase(IntEnum):
    """What a connection is at; where room is needed, the lowest makes way first."""

    REFUSED = 0
    CLOSING = 1
    IDLE = 2
    HEADERS = 3
    BODY = 4
    UNREAD = 5
    ANSWERING = 6


def raise_descriptor_limit() -> int:
    """Allow this process as many descriptors as the system lets it have; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        wanted = MOST_DESCRIPTORS
    else:
        wanted = min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and wanted > soft:
        # not everywhere; what is allowed already will have to do
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    if soft == resource.RLIM_INFINITY:
        return MOST_DESCRIPTORS
    return soft


def room_for(descriptors: int) -> int:
    """How many connections fit beside what the owner itself needs."""
    left = descriptors - OWN_DESCRIPTORS - BACKLOG
    return max(FEWEST_CONNECTIONS, min(MOST_CONNECTIONS, left))


class Connections:
    """All connections of the server: who may come, and who must go.

    Args:
        limit: How many there may be; where another comes, the least busy makes way.
        proxies: Addresses and networks that speak for many visitors: PER_ADDRESS does not count for
            them.
    """

    def __init__(self, limit: int, patience: Patience, proxies: Iterable[str] = ()):
        self.limit = limit
        self.per_address = min(PER_ADDRESS, max(1, limit // 2))
        self.patience = patience
        self._all_trusted = "*" in proxies
        self._proxies = [ip_network(proxy, strict=False) for proxy in proxies if _is_network(proxy)]
        self._open: set[TimedProtocol] = set()
        self._by_place: defaultdict[str, set[TimedProtocol]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: TimedProtocol) -> bool:
        """Whether there is room, made where need be at the cost of the least busy."""
        place = self._place(connection)
        neighbours = self._by_place[place] if place else set()
        if place and len(neighbours) >= self.per_address and not self._evict(neighbours):
            return False
        if len(self._open) >= self.limit and not self._evict(self._open):
            return False
        self._open.add(connection)
        if place:
            self._by_place[place].add(connection)
        return True

    def crowded(self, connection: TimedProtocol) -> bool:
        """Whether so many are open, of all or of where this one is from, that none should be kept
        for later.
        """
        neighbours = self._by_place.get(self._place(connection), ())
        return (
            len(self._open) > CROWDED * self.limit or len(neighbours) > CROWDED * self.per_address
        )

    def leave(self, connection: TimedProtocol) -> None:
        """The connection has ended."""
        self._open.discard(connection)
        place = self._place(connection)
        self._by_place[place].discard(connection)
        if not self._by_place[place]:
            del self._by_place[place]

    def make_room(self, count: int = MAKE_ROOM) -> None:
        """End the least busy connections, whoever they are."""
        for _ in range(count):
            if not self._evict(self._open):
                return

    def look(self, now: float) -> None:
        """End whoever takes too long."""
        for connection in list(self._open):
            connection.look(now)

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                self.look(loop.time())
            except Exception:  # the watch must go on
                log.exception("could not look at the connections")

    def on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """asyncio's handler of errors: where descriptors have run out, some connections make way."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in NO_DESCRIPTORS:
            self.make_room()
            log.error(
                "no descriptor is left for a new connection; raise LimitNOFILE (%s)", error.strerror
            )
            return
        loop.default_exception_handler(context)

    def _evict(self, connections: set[TimedProtocol]) -> bool:
        """End the one that does least, and of these the one that has for longest.

        Whether there was any.
        """
        idle = min(
            connections, key=lambda connection: (connection.phase, connection.since), default=None
        )
        if idle is None or idle.phase == Phase.ANSWERING:
            return False
        idle.drop()
        return True

    def _place(self, connection: TimedProtocol) -> str:
        """Where a connection comes from: an address, or the /64 that one visitor has of IPv6; ""
        for a proxy.
        """
        host = connection.client[0] if connection.client else ""
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return ""
        if self._all_trusted or any(address in network for network in self._proxies):
            return ""
        if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
            return str(ip_network((address, 64), strict=False))
        return str(address)


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


class TimedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 connection, in which each part has its time."""

    def __init__(self, connections: Connections, *values: Any, **settings: Any):
        super().__init__(*values, **settings)
        self.registry = connections
        self.phase = Phase.HEADERS
        self.since = self.loop.time()
        self._came = 0  # bytes of the body under way
        self._begun = False  # whether anything was asked yet
        self._turned_away = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.since = self.loop.time()
        if not self.registry.admit(self):
            self._turned_away = True
            self._say_goodbye(FULL)

    def connection_lost(self, exc: Exception | None) -> None:
        self.registry.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._turned_away:
            return
        self._begun = True
        self._came += len(data)
        super().data_received(data)
        self._end_after_this()
        self._note(self.loop.time())

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._note(self.loop.time())

    def pause_writing(self) -> None:
        super().pause_writing()
        self._note(self.loop.time())

    def resume_writing(self) -> None:
        super().resume_writing()
        self._note(self.loop.time())

    def look(self, now: float) -> None:
        """End this connection if its time is over."""
        self._note(now)
        if self.phase == Phase.BODY and self.flow.read_paused:
            # this side does not read on: not the client's fault
            self.since = min(now, self.since + LOOK_EVERY)
        if now - self.since <= self._allowed():
            return
        if self.phase in (Phase.HEADERS, Phase.BODY) and self._begun:
            self._say_goodbye(TOO_SLOW)
        else:
            self.drop()

    def drop(self) -> None:
        """End the connection at once, whatever it is at."""
        self.registry.leave(self)
        self.transport.abort()

    def _end_after_this(self) -> None:
        """Where it is crowded, have the answer say that the connection ends with it: a client then
        sends no more.

        An idle connection that is ended without a word may have a request on its way already.
        """
        cycle = self.cycle
        if cycle is None or cycle.response_started or CLOSE_HEADER in cycle.default_headers:
            return
        if self.registry.crowded(self):
            cycle.default_headers = [*cycle.default_headers, CLOSE_HEADER]

    def _allowed(self) -> float:
        """Seconds for what the connection is at."""
        patience = self.registry.patience
        match self.phase:
            case Phase.HEADERS:
                return patience.headers
            case Phase.BODY:
                return patience.body + self._came / patience.body_rate
            case Phase.REFUSED:
                return patience.refused
            case Phase.UNREAD | Phase.CLOSING:
                return patience.unread
        # uvicorn ends idle ones after five seconds, and an answer takes what it takes
        return float("inf")

    def _note(self, now: float) -> None:
        """What the connection is at now, and since when."""
        phase = self._look_at_phase()
        if phase != self.phase:
            self.phase = phase
            self.since = now
            self._came = 0

    def _look_at_phase(self) -> Phase:
        theirs, ours = self.conn.their_state, self.conn.our_state
        if self.transport.is_closing() or self._turned_away:
            return Phase.CLOSING
        if theirs is h11.IDLE:
            half_sent = bool(self.conn.trailing_data[0])
            if half_sent or not self._begun:
                return Phase.HEADERS
            return Phase.IDLE
        if theirs is h11.SEND_BODY:
            answered = ours in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)
            return Phase.REFUSED if answered else Phase.BODY
        if self.flow.write_paused:
            return Phase.UNREAD
        return Phase.ANSWERING

    def _say_goodbye(self, answer: bytes) -> None:
        """Say why, unless an answer is under way already, and close; `look` sees to who does not
        read it.
        """
        if not self.transport.is_closing():
            if (
                self.cycle is None
                or self.cycle.response_complete
                or not self.cycle.response_started
            ):
                self.transport.write(answer)
            self.transport.close()
        self._note(self.loop.time())
