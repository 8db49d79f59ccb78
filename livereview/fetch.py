"""The only code that talks to publishers: polite, patient within bounds, and deaf to what it must not reach."""

from __future__ import annotations

import logging
import random
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import requests
import urllib3

from livereview import address
from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.sources.protocol import Page, Query, Request, Source, Window

log = logging.getLogger("livereview.fetch")

TRIES = 5
PATIENCE = 120.0  # longest Retry-After, in seconds, that is waited for; beyond it the next night tries again
DEADLINE = 300.0  # seconds for one answer, however slowly it drips
LIMIT = 50_000_000  # bytes of one answer after decoding
HOPS = 3
PAGES = 10_000
AGAIN = (429, 500, 502, 503, 504)
AGENT = "livereview/0.1"
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """What a publisher sent: its bytes after decoding, and the request without secrets that they answer.

    `cursor` is the cursor asked with, None for the first page.
    """

    body: bytes
    url: str
    status: int
    content_type: str
    request: Request
    source: str
    cursor: str | None = None


class Fetcher:
    """Asks publishers, one request at a time to each host.

    secrets  keys by name; they are added last and never shown
    via      address of a local server that answers in every publisher's place (a replay); nothing else is then reached
    allowed  whether an IP address and port may be reached; tests let the loopback pass
    """

    def __init__(
        self,
        secrets: Mapping[str, str],
        via: str | None = None,
        *,
        contact: str | None = None,
        allowed: Callable[[str, int], bool] | None = None,
        resolver: address.Resolve = address.resolve,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        dice: Callable[[], float] = random.random,
        limit: int = LIMIT,
        timeout: tuple[float, float] = (10.0, 60.0),
    ):
        self._secrets, self._via, self._limit, self._timeout = secrets, via, limit, timeout
        self._sleep, self._clock, self._dice = sleep, clock, dice
        self._next: dict[str, float] = {}  # when each host may be asked again
        self._guard = threading.Lock()
        self._ports = address.PORTS
        if via:
            home = (urlsplit(via).hostname or "", urlsplit(via).port or 80)
            allowed = partial(_is, home)
        elif allowed:
            self._ports = frozenset(range(1, 65_536))  # whoever says which addresses are fine answers for the ports
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy from the environment would undo the address check
        self._session.headers["User-Agent"] = AGENT + (f" (mailto:{contact})" if contact else "")
        adapter = address.Checked(allowed or (lambda ip, port: address.public(ip)), resolver)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get(self, request: Request, source: Source, cursor: str | None = None) -> Answer:
        """The answer to one request; tries again what may pass, within bounds.

        Raises Retry when the source asks for more patience than PATIENCE or is still failing after TRIES, SourceBroken
        for any other refusal (4xx, too large, empty) and Refused for an address that must not be reached.
        """
        url = shown(request)
        for attempt in range(1, TRIES + 1):
            try:
                answer = self._once(request, source, url, cursor)
            except Retry as error:
                if attempt == TRIES or (error.after or 0) > PATIENCE:
                    raise Retry(error.message, after=error.after, source=source.name, url=url) from None
                self._wait(error.after if error.after is not None else self.jitter(attempt))
            else:
                return answer
        raise AssertionError("unreachable")

    def jitter(self, attempt: int) -> float:
        """Seconds to wait after this many failures: anything up to a bound that doubles."""
        return self._dice() * 2.0**attempt

    def pause(self, attempt: int) -> None:
        """Wait before asking again for an answer that could not be read."""
        self._wait(self.jitter(attempt))

    def _wait(self, seconds: float) -> None:
        if not self._via:  # a replay waits for nobody
            self._sleep(seconds)

    def _once(self, request: Request, source: Source, url: str, cursor: str | None) -> Answer:
        started, problem = self._clock(), ""
        try:
            self._take_turn(urlsplit(url).netloc, source.interval)
            with self._send(request, source) as reply:
                body = self._read(reply, started)
                _raise_for(reply, body)
        except (requests.RequestException, urllib3.exceptions.HTTPError, zlib.error, OSError) as error:
            problem = type(error).__name__  # its text may hold the query string, and with it a key
        except LivereviewError as error:
            error.source, error.url = source.name, url.partition("?")[0]
            raise
        if problem:
            raise Retry(f"the connection broke: {problem}")
        _log(source, url, reply.status_code, len(body), self._clock() - started)
        return Answer(body, url, reply.status_code, reply.headers.get("Content-Type", ""), request, source.name, cursor)

    def _take_turn(self, host: str, interval: float) -> None:
        """Wait until the host may be asked again, and take that moment."""
        with self._guard:
            moment = max(self._clock(), self._next.get(host, 0.0))
            self._next[host] = moment + interval
        if (wait := moment - self._clock()) > 0:
            self._wait(wait)

    def _send(self, request: Request, source: Source) -> requests.Response:
        params, headers, form = self._filled(request)
        url, method = request.url, "POST" if form is not None else "GET"
        for _ in range(HOPS + 1):
            address.check_url(url, self._ports)
            target, extra = self._rerouted(url)
            reply = self._session.request(
                method,
                target,
                params=params,
                data=form,
                headers={**headers, **extra},
                stream=True,
                timeout=self._timeout,
                allow_redirects=False,
            )
            if not reply.is_redirect:
                return reply
            url, params = urljoin(url, reply.headers["Location"]), []
            if urlsplit(url).netloc != urlsplit(request.url).netloc:
                headers = {key: value for key, value in headers.items() if key not in self._secret_headers(request)}
            reply.close()
        raise SourceBroken(f"more than {HOPS} redirects")

    def _filled(self, request: Request) -> tuple[list[tuple[str, str]], dict[str, str], list[tuple[str, str]] | None]:
        """Parameters, headers and form with the secrets that are set."""
        params, headers = list(request.params), dict(request.headers)
        form = list(request.form) if request.form is not None else None
        for where, name in request.secrets:
            if value := self._secrets.get(name):
                if where.startswith("header:"):
                    headers[where.removeprefix("header:")] = value
                else:
                    (params if form is None else form).append((where, value))
        return params, headers, form

    def _secret_headers(self, request: Request) -> set[str]:
        return {where.removeprefix("header:") for where, _ in request.secrets if where.startswith("header:")}

    def _rerouted(self, url: str) -> tuple[str, dict[str, str]]:
        """In a replay, the local server's address, with the true one in a header."""
        if not self._via:
            return url, {}
        parts = urlsplit(url)
        return urljoin(self._via, urlunsplit(("", "", parts.path or "/", parts.query, ""))), {"X-Replay-Url": url}

    def _read(self, reply: requests.Response, started: float) -> bytes:
        parts, size = [], 0
        for chunk in reply.iter_content(_CHUNK):
            parts.append(chunk)
            size += len(chunk)
            if size > self._limit:
                raise SourceBroken(f"the answer is larger than {self._limit:,} bytes")
            if self._clock() - started > DEADLINE:
                raise Retry(f"the answer took longer than {DEADLINE:.0f} s")
        return b"".join(parts)


def _is(home: tuple[str, int], ip: str, port: int) -> bool:
    return (ip, port) == home


def _raise_for(reply: requests.Response, body: bytes) -> None:
    if reply.status_code in AGAIN:
        raise Retry(f"the source answered {reply.status_code}{_said(body)}", after=_after(reply))
    if not 200 <= reply.status_code < 300:
        raise SourceBroken(f"the source answered {reply.status_code}{_said(body)}")
    if not body.strip():
        raise Retry("the source answered with nothing at all")


def _said(body: bytes) -> str:
    words = " ".join(body[:200].decode("utf-8", "replace").split())
    return f": {words}" if words else ""


def _after(reply: requests.Response) -> float | None:
    """Seconds that Retry-After asks for, given as a number or a date; None where it asks for nothing we can read."""
    text = reply.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _log(source: Source, url: str, status: int, size: int, seconds: float) -> None:
    parts = urlsplit(url)
    log.info("%s %s%s %d %d bytes %.0f ms", source.name, parts.netloc, parts.path, status, size, seconds * 1000)


def shown(request: Request) -> str:
    """The address of a request with its parameters, without any secret."""
    query = urlencode([*request.params, *(request.form or ())])
    return request.url + (("&" if "?" in request.url else "?") + query if query else "")


def pages(fetcher: Fetcher, source: Source, query: Query, window: Window, limit: int = PAGES) -> Iterator[Answer]:
    """Each answer of a search, in order, before the next is asked for.

    An answer that can't be parsed is yielded first, so that its bytes are kept, and the error raised after it; one that
    says "come back later" is asked for again, up to TRIES times. A cursor that comes back and a search longer than
    `limit` pages raise SourceBroken: nothing is ever cut off silently.
    """
    if source.request is None:
        raise Refused(f"{source.name} reads files; import them instead")
    cursor: str | None = None
    seen: set[str | None] = {None}
    for _ in range(limit):
        request = source.request(query, window, cursor)
        answer, page = _readable(fetcher, source, request, cursor)
        yield answer
        if page is None:
            source.parse(answer.body, cursor)  # raises what is wrong with it
            raise SourceBroken("the answer can't be read", source=source.name)
        if page.next_cursor is None:
            return
        cursor = page.next_cursor
        if cursor in seen:
            raise SourceBroken("the source gave the same cursor twice; its paging is broken", source=source.name)
        seen.add(cursor)
    raise SourceBroken(f"the search has more than {limit:,} pages; narrow the query or the window", source=source.name)


def _readable(fetcher: Fetcher, source: Source, request: Request, cursor: str | None) -> tuple[Answer, Page | None]:
    """An answer and what it holds; None when even the last try could not be read."""
    for attempt in range(1, TRIES + 1):
        answer = fetcher.get(request, source, cursor)
        try:
            return answer, source.parse(answer.body, cursor)
        except Retry:
            fetcher.pause(attempt)
        except SourceBroken:
            break
    return answer, None
