"""The only code that talks to publishers: politely, patiently, within limits, and without ever
telling a secret.
"""

from __future__ import annotations

import logging
import math
import threading
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import NamedTuple, TypeVar
from urllib.parse import quote, urldefrag, urlsplit

import requests
from urllib3.exceptions import HTTPError

from livereview.errors import LivereviewError, Retry, SourceBroken
from livereview.fetch.address import Guarded, Resolve, look_up
from livereview.fetch.outgoing import (
    agent,
    by_way_of,
    endpoint,
    local,
    prepared,
    redirected,
    spellings,
)
from livereview.fetch.packing import PIECE, unpacked
from livereview.fetch.politeness import Lane, Turns, no_lane, patiently, stated_pause
from livereview.sources.protocol import Request, Source
from livereview.sources.text import plain
from livereview.wire import malformed, time_limit

LIMIT = 50_000_000  # bytes of an answer after unpacking
LIMITS: Mapping[str, int] = {
    "feed": 5_000_000,
    "page": 5_000_000,
    "retractionwatch": 200_000_000,
    "open copy": 20_000_000,
}  # where another fits a source
REDIRECTS = 3
HIDDEN = "[hidden]"
AGAIN = (429, 500, 502, 503, 504)
KEPT_HEADERS = ("content-type", "etag", "last-modified")
QUOTAS = (  # pairs of headers that tell what is left of an allowance, and the allowance
    ("x-ratelimit-remaining-usd", "x-ratelimit-limit-usd"),
    ("x-ratelimit-remaining", "x-ratelimit-limit"),
    ("x-rate-limit-remaining", "x-rate-limit-limit"),
)
HINTS = {
    401: "check the source's key",
    403: "the source turns this service away: check its key and its terms",
    404: "check the address or the query",
    410: "the address was given up: take it out of the protocol",
}
SUCCESSES = {
    202: "which promises an answer and is none",
    203: "so something on the way has changed what the source sent",
    206: "a part of an answer, which nobody asked for",
}
T = TypeVar("T")
log = logging.getLogger("livereview.fetch")


def _never(_record: logging.LogRecord) -> bool:
    """Its lines carry query strings, and keys travel there; `log` says the same without."""
    return False


logging.getLogger("urllib3.connectionpool").addFilter(_never)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source sent, unpacked, and what it was asked.

    Attributes:
        body: As sent, but for this service's own secrets: should the source repeat one, it reads
            [hidden].
        url: The address asked, with its query but without secrets; `form` likewise, where it was a
            POST.
        headers: Those of KEPT_HEADERS that came, in lower case and sorted.
        cursor: The one this answers; number: the place of the page in its search, from 1.
        quota: The share of the source's allowance that is left, 0 to 1; None where it does not say.
        note: What the reader should know of how it was asked, such as another date field than the
            protocol's.
    """

    source: str
    url: str
    form: tuple[tuple[str, str], ...] | None
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cursor: str | None = None
    number: int = 1
    quota: float | None = None
    note: str | None = None

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)


class NotWhole(Retry):
    """A success that holds no whole answer: asked again like other faults, and SourceBroken in the
    end.
    """


class Empty(NotWhole):
    """Status 200 and nothing else: some sources do so when overloaded."""


class OutOfTime(SourceBroken):
    """All that was to be asked together takes longer than it may (see `Fetcher.limited`)."""


class _Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


def address(request: Request) -> str:
    """The request's address, encoded as it is sent, with its query but without its secrets."""
    return urldefrag(str(prepared("GET", request.url, request.params).url)).url


class Fetcher:
    """Asks sources. Use it as a context manager; one may be shared by threads.

    Args:
        secrets: API keys and the contact address, by the names of their settings.
        via: "http://127.0.0.1:PORT" of a replay server: all is asked there, at once and without
            secrets.
        contact: The mail address that publishers see; by default the setting LIVEREVIEW_MAILTO.
        timeouts: Seconds to connect, and between two pieces of an answer.
        deadline: Seconds for a whole answer, from the connection to the last byte, redirects
            included.
        limits: Greatest size of an answer by source, where it is not 50 MB.
        permitted: (address, port) pairs that may be asked though they are not public.
        lane: Keeps hosts' turns among several processes; a replay needs none.
    """

    def __init__(
        self,
        *,
        secrets: Mapping[str, str | None],
        via: str | None = None,
        contact: str | None = None,
        timeouts: tuple[float, float] = (10.0, 60.0),
        deadline: float = 300.0,
        limits: Mapping[str, int] = LIMITS,
        permitted: Collection[tuple[str, int]] = (),
        resolve: Resolve = look_up,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: Random | None = None,
        lane: Lane = no_lane,
    ):
        self._via = local(via)
        self._secrets = {} if via else {name: value for name, value in secrets.items() if value}
        self._hidden = spellings({*self._secrets.values(), contact or ""})
        self._agent = agent(contact or self._secrets.get("LIVEREVIEW_MAILTO"))
        self._timeouts, self._deadline, self._limits = timeouts, deadline, limits
        self._clock, self._sleep = clock, _at_once if via else sleep
        self._rng = rng or Random()  # noqa: S311
        self._turns = Turns(clock, self._sleep, no_lane if via else lane)
        self._of_thread = threading.local()
        self._adapter = Guarded(
            resolve, [endpoint(self._via)] if self._via else permitted, public=not via
        )

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._adapter.close()

    def get(
        self,
        request: Request,
        source: Source,
        validators: tuple[str | None, str | None] = (None, None),
    ) -> Answer:
        """The answer to a request, asked up to five times while the source is busy or down.

        `validators` are the ETag and Last-Modified of an earlier answer: where nothing changed
        since, the answer has status 304 and no body. Raises Retry for "not now" and SourceBroken
        for what asking again would not mend.
        """
        return self.patiently(lambda: self.once(request, source, validators=validators))

    def patiently(self, attempt: Callable[[], T]) -> T:
        """`politeness.patiently` within `limited`.

        What never comes whole is SourceBroken in the end.
        """
        try:
            return patiently(attempt, self._pause, self._rng)
        except NotWhole as fault:
            problem = SourceBroken(fault.message, source=fault.source, url=fault.url)
            problem.status = fault.status
        raise problem

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """All that this thread asks meanwhile ends after so many seconds together, pauses included.

        Raises OutOfTime then, from `get` and its like: whatever a source does, others get their
        turn.
        """
        self._of_thread.limit = seconds
        self._of_thread.until = self._clock() + seconds
        try:
            yield
        finally:
            self._of_thread.until = math.inf

    def _left(self) -> float:
        """The seconds that are left of `limited`, infinite outside it.

        Raises:
            OutOfTime: where there are none.
        """
        left = getattr(self._of_thread, "until", math.inf) - self._clock()
        if left <= 0:
            raise self._out_of_time()
        return left

    def _out_of_time(self) -> OutOfTime:
        allowed = _duration(self._of_thread.limit)
        return OutOfTime(
            f"stopped after {allowed}, the longest it may take; narrow it, or look at its source"
        )

    def _pause(self, seconds: float) -> None:
        """Sleep, unless the time is over by then."""
        if seconds >= self._left():
            raise self._out_of_time()
        self._sleep(seconds)

    def once(
        self,
        request: Request,
        source: Source,
        *,
        cursor: str | None = None,
        number: int = 1,
        validators: tuple[str | None, str | None] = (None, None),
    ) -> Answer:
        """As `get`, but asked once only (redirects are followed, at most three)."""
        shown = address(request)
        reply = self._followed(request, source, validators)
        self._check(reply, source, shown, any(validators))
        return Answer(
            source=source.name,
            url=shown,
            form=request.posted,
            status=reply.status,
            headers=tuple(
                (name, self._hide(reply.headers[name]))
                for name in KEPT_HEADERS
                if name in reply.headers
            ),
            body=self._hide_in(reply.body),
            cursor=cursor,
            number=number,
            quota=_quota(reply.headers),
        )

    def _followed(
        self, request: Request, source: Source, validators: tuple[str | None, str | None]
    ) -> _Reply:
        """The first reply that is no redirect.

        Followed by hand, as each address on the way must be checked.
        """
        target = request
        until = self._clock() + self._deadline
        for _ in range(REDIRECTS + 1):
            reply = self._ask(target, source, validators, until)
            to = reply.headers.get("location")
            if to is None or reply.status not in (301, 302, 303, 307, 308):
                return reply
            target = redirected(target, reply.status, to)
        raise SourceBroken(
            f"more than {REDIRECTS} redirects; check the address",
            source=source.name,
            url=request.url,
        )

    def _ask(
        self,
        request: Request,
        source: Source,
        validators: tuple[str | None, str | None],
        until: float,
    ) -> _Reply:
        """One request and its reply, in the host's turn and with a line in the log."""
        outgoing, place = self._prepare(request, validators), urlsplit(request.url)
        host, what = place.hostname or "", "failed"
        with self._turns.turn(host, source.interval, self._left()):
            started = self._clock()
            try:
                reply = self._send(outgoing, source, until)
                what = f"{reply.status} {len(reply.body)} bytes"
            finally:
                took = round(1000 * (self._clock() - started))
                log.info(
                    "%s %s%s %s %d ms", source.name, host, quote(place.path, safe="/%"), what, took
                )
            self._turns.heed(host, reply.headers)
        return reply

    def _prepare(
        self, request: Request, validators: tuple[str | None, str | None]
    ) -> requests.PreparedRequest:
        """The request as it goes out: the secrets come last, in the form of a POST, else in the
        query.
        """
        known = [
            (name, self._secrets[setting])
            for name, setting in request.secrets
            if setting in self._secrets
        ]
        secret = [pair for pair in known if not pair[0].startswith("header:")]
        headers = {
            "User-Agent": self._agent,
            "Accept-Encoding": "gzip",
            "Accept": "*/*",
            **dict(request.headers),
        }
        headers |= {
            name.removeprefix("header:"): value
            for name, value in known
            if name.startswith("header:")
        }
        sent = zip(("If-None-Match", "If-Modified-Since"), validators, strict=True)
        headers |= {name: value for name, value in sent if value}
        url, params = request.url, request.params
        if self._via:
            url, params = by_way_of(self._via, address(request)), ()
        if request.json is not None:
            return prepared("POST", url, [*params, *secret], headers, json=request.json)
        if request.form is not None:
            return prepared("POST", url, params, headers, [*request.form, *secret])
        return prepared("GET", url, [*params, *secret], headers)

    def _send(self, outgoing: requests.PreparedRequest, source: Source, until: float) -> _Reply:
        """Raises Retry for all that can go wrong on the wire, without the libraries' words, which
        repeat the query.
        """
        left = self._left()
        seconds = max(0.0, min(until - self._clock(), left))
        reply: _Reply | None = None
        problem = LivereviewError("")
        with time_limit(seconds) as watchdog:
            try:
                reply = self._exchange(outgoing, source, until)
            except (requests.RequestException, HTTPError, zlib.error) as error:
                problem = Retry(
                    f"the answer did not come through ({_kind(error)})", url=outgoing.url
                )
            except LivereviewError as error:
                problem = error
        if watchdog.expired and left <= seconds:
            problem = self._out_of_time()
        elif watchdog.expired:
            problem = self._late(outgoing.url)
        elif reply is not None:
            return reply
        problem.source = source.name
        raise problem

    def _exchange(self, outgoing: requests.PreparedRequest, source: Source, until: float) -> _Reply:
        """The request sent and its answer read; of what is no answer only the first words."""
        with self._adapter.send(outgoing, stream=True, timeout=self._timeouts) as response:
            packing = response.headers.get("content-encoding", "")
            pieces = unpacked(packing, self._pieces(response, until))
            if response.status_code == 200:
                body = self._all(pieces, source)
            else:
                body = next(pieces, b"")
            return _Reply(response.status_code, response.headers, body)

    def _late(self, url: str | None = None) -> Retry:
        return Retry(f"the answer was not complete after {self._deadline:g} s", url=url)

    def _pieces(self, response: requests.Response, until: float) -> Iterator[bytes]:
        """The body as it comes over the wire. read1: a trickle of bytes must not put off the look
        at the clock.
        """
        while piece := response.raw.read1(PIECE, decode_content=False):
            if self._clock() > until:
                raise self._late()
            yield piece

    def _all(self, pieces: Iterator[bytes], source: Source) -> bytes:
        body, limit = bytearray(), self._limits.get(source.name, LIMIT)
        for piece in pieces:
            body += piece
            if len(body) > limit:
                raise SourceBroken(
                    f"the answer is larger than {limit:,} bytes; ask for less at a time"
                )
        return bytes(body)

    def _check(self, reply: _Reply, source: Source, shown: str, conditional: bool) -> None:
        """Raises for every reply that holds no answer."""
        if (reply.status == 304 and conditional) or (reply.status == 200 and reply.body.strip()):
            return
        if reply.status in (200, 204, 205):
            raise Empty(f"{source.title} sent an empty answer", source=source.name, url=shown)
        if 200 <= reply.status < 300:
            why = SUCCESSES.get(reply.status, "which is no whole answer")
            fault = NotWhole(
                f"{source.title} answered {reply.status}, {why}", source=source.name, url=shown
            )
            fault.status = reply.status
            raise fault
        text = self._hide(reply.body.decode("utf-8", "replace"))[:4_000]
        said = f"{source.title} answered {reply.status}: {plain(text, 200) or 'no words'!r}"
        if reply.status not in AGAIN:
            hint = HINTS.get(reply.status)
            problem = SourceBroken(
                f"{said}; {hint}" if hint else said, source=source.name, url=shown
            )
            problem.status = reply.status
            raise problem
        pause = stated_pause(reply.headers)
        if pause is not None:
            asked = f"; it asks to come back in {pause:,.0f} s"
        else:
            asked = ""
        raise Retry(said + asked, after=pause, source=source.name, url=shown)

    def _hide(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, HIDDEN)
        return text

    def _hide_in(self, body: bytes) -> bytes:
        for secret in self._hidden:
            body = body.replace(secret.encode(), HIDDEN.encode())
        return body


def _kind(error: Exception) -> str:
    """What went wrong on the wire, in words that hold nothing of the request."""
    framing = malformed(error)
    if framing is not None:
        return str(framing)
    if isinstance(error, zlib.error):
        return "damaged gzip"
    return type(error).__name__


def _duration(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:g} h"
    return f"{seconds:g} s"


def _quota(headers: Mapping[str, str]) -> float | None:
    for left, whole in QUOTAS:
        try:
            share = float(headers[left]) / float(headers[whole])
        except (KeyError, ValueError, ZeroDivisionError):
            continue
        return min(max(share, 0.0), 1.0) if share == share else None
    return None


def _at_once(seconds: float) -> None:
    """A replay never waits."""
