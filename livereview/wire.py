"""Connections to others that end in time, and answers whose framing can be believed.

A library's timeout is for one read from a socket: whoever sends a byte a minute is never late. So
each exchange has a
watchdog that shuts its sockets when its seconds are over, whatever is being read at that moment: a
TLS handshake, a status line, headers, the size of a chunk, a trailer or the body.
"""

from __future__ import annotations

import http.client
import os
import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

INTERIM_ANSWERS = 10  # 1xx before the answer itself; an honest server sends one or two
REPLY_LINES = 1_000  # of a mail server at once; an honest one sends some twenty
TRAILERS = 100  # lines after the last chunk; as many as http.client allows of headers


class Watchdog:
    """Shuts the sockets that it was shown when its time is over.

    `expired`: whether that happened.
    """

    def __init__(self) -> None:
        self.expired = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()

    def watch(self, connection: socket.socket) -> None:
        """Shut this connection too, now if the time is over already."""
        # A duplicate: TLS takes the descriptor away from the plain socket, and a closed one may be
        # another's by then.
        duplicate = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            self._sockets.append(duplicate)
            if self.expired:
                self._shut(duplicate)

    def expire(self) -> None:
        """End every exchange that is watched; whoever reads from one finds its end."""
        with self._lock:
            self.expired = True
            for watched_socket in self._sockets:
                self._shut(watched_socket)

    def let_go(self) -> None:
        """Forget the sockets; they stay as they are."""
        with self._lock:
            for watched_socket in self._sockets:
                watched_socket.close()
            self._sockets = []

    @staticmethod
    def _shut(connection: socket.socket) -> None:
        with suppress(OSError):  # the other side was faster
            connection.shutdown(socket.SHUT_RDWR)


_on_duty: ContextVar[Watchdog | None] = ContextVar("watchdog", default=None)


@contextmanager
def time_limit(seconds: float) -> Iterator[Watchdog]:
    """Watch the connections that this thread opens or uses meanwhile, and shut them after so many
    seconds.

    Look at `expired` afterwards whatever came: an answer whose end is the connection's end looks
    whole when it was cut.
    """
    watchdog = Watchdog()
    timer = threading.Timer(max(seconds, 0.0), watchdog.expire)
    timer.daemon = True
    before = _on_duty.set(watchdog)
    timer.start()
    try:
        yield watchdog
    finally:
        timer.cancel()
        _on_duty.reset(before)
        watchdog.let_go()


def show_to_watchdog(connection: socket.socket) -> None:
    """Put a connection under this thread's time limit, where there is one."""
    watchdog = _on_duty.get()
    if watchdog is not None:
        watchdog.watch(connection)


# HTTP


class Malformed(http.client.HTTPException):
    """An answer whose framing is wrong. Its words repeat nothing that came."""


def malformed(error: BaseException) -> Malformed | None:
    """The Malformed answer behind an error of requests or urllib3."""
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, Malformed):
            return cause
        if isinstance(cause, BaseException):
            waiting += [cause.__cause__, cause.__context__, *cause.args]
    return None


class _WholeLines:
    """A stream whose lines must come to their end.

    Http.client takes the connection's end for that of the headers.
    """

    def __init__(self, stream: Any):
        self._stream = stream
        self._begun = False

    def readline(self, limit: int) -> bytes:
        line: bytes = self._stream.readline(limit)
        nothing_came = not line and not self._begun  # http.client has an error of its own for that
        broken = len(line) < limit and not line.endswith(b"\n")
        if broken and not nothing_came:
            raise Malformed("it breaks off before its headers end")
        self._begun = True
        return line

    def close(self) -> None:
        self._stream.close()


class StrictResponse(http.client.HTTPResponse):
    """An answer of HTTP/1.1 that is refused where its parts contradict each other (RFC 9112,
    section 6.3).

    http.client takes a length that is no number for "until the connection ends", the first of two
    lengths for the right one, headers that break off for whole ones and 103 Early Hints for the
    answer; and it reads interim answers and trailers without end.
    """

    def __init__(self, sock: socket.socket, *values: Any, **settings: Any):
        super().__init__(sock, *values, **settings)
        self._connection = sock

    def begin(self) -> None:
        stream: Any = self.fp
        self.fp = _WholeLines(stream)  # type: ignore[assignment]
        try:
            super().begin()
        finally:
            if self.fp is not None:
                self.fp = stream
        codings = [
            coding.strip().lower() for coding in self.headers.get_all("transfer-encoding") or []
        ]
        if codings not in ([], ["chunked"], ["identity"]):
            raise Malformed("it is sent in a way that nobody asked for")
        stated = self.headers.get_all("content-length") or []
        lengths = {part.strip() for value in stated for part in value.split(",")}
        if len(lengths) > 1:
            raise Malformed("it states two different lengths")
        if lengths and not all(length.isascii() and length.isdecimal() for length in lengths):
            raise Malformed("the length it states is no number")
        if lengths and not self.chunked and self.length is None:  # "5, 5": one length, said twice
            self.length = int(lengths.pop())

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(INTERIM_ANSWERS + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200 or status == http.client.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise Malformed(f"more than {INTERIM_ANSWERS} interim answers came before it")

    def _read_and_discard_trailer(self) -> None:
        for _ in range(TRAILERS):
            line = self.fp.readline(http.client._MAXLINE + 1)  # type: ignore[attr-defined]
            if len(line) > http.client._MAXLINE:  # type: ignore[attr-defined]
                raise http.client.LineTooLong("trailer line")
            if line in (b"\r\n", b"\n", b""):
                return
        raise Malformed(f"more than {TRAILERS} trailers came after it")

    def read1(self, n: int = -1) -> bytes:
        piece = super().read1(n)
        came_whole = self.status == http.client.OK and self.length == 0 and not self.chunked
        if came_whole and self._surplus().strip():
            raise Malformed("it is longer than the length it states")
        return piece

    def _surplus(self) -> bytes:
        """What has come already beyond the length that was stated; nothing is waited for."""
        if self.fp is None:
            return b""
        patience = self._connection.gettimeout()
        self._connection.settimeout(0)
        try:
            surplus: bytes = self.fp.peek(1)
        except OSError:  # nothing there (so says TLS), or the connection is broken
            return b""
        finally:
            self._connection.settimeout(patience)
        return surplus


class _WatchedConnection(HTTPConnection):
    response_class = StrictResponse

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        show_to_watchdog(connection)
        return connection

    def request(self, *values: Any, **settings: Any) -> None:
        if self.sock is not None:  # one that was kept from an earlier request
            show_to_watchdog(self.sock)
        super().request(*values, **settings)


class _WatchedSecureConnection(HTTPSConnection, _WatchedConnection):
    """Likewise, behind TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _WatchedSecureConnection


class WatchedAdapter(HTTPAdapter):
    """requests' adapter over connections that keep `time_limit`, with answers that are read
    strictly.
    """

    def init_poolmanager(self, *values: Any, **settings: Any) -> None:
        super().init_poolmanager(*values, **settings)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


# Mail


class _CountedLines:
    """A mail server's words, of which one reply has no more than REPLY_LINES.

    Smtplib keeps them all.
    """

    def __init__(self, stream: Any):
        self._stream = stream
        self.left = REPLY_LINES

    def readline(self, limit: int) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise smtplib.SMTPServerDisconnected(f"a reply of more than {REPLY_LINES} lines")
        line: bytes = self._stream.readline(limit)
        return line

    def close(self) -> None:
        self._stream.close()


class WatchedSMTP(smtplib.SMTP):
    """A talk with a mail server under `time_limit`."""

    def getreply(self) -> tuple[int, bytes]:
        """As smtplib's, for a reply of at most REPLY_LINES lines."""
        if self.sock is not None and not isinstance(self.file, _CountedLines):
            self.file: Any = _CountedLines(self.file or self.sock.makefile("rb"))
        if self.file is not None:
            self.file.left = REPLY_LINES
        return super().getreply()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        show_to_watchdog(connection)
        return connection


class WatchedSecureSMTP(smtplib.SMTP_SSL, WatchedSMTP):
    """Likewise, behind TLS from the first byte."""
