"""The only code that talks to publishers: politely, patiently, within limits, and without ever telling a secret."""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from random import Random
from types import TracebackType
from typing import NamedTuple, TypeVar
from urllib.parse import parse_qsl, quote, quote_plus, urldefrag, urlencode, urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.fetch.address import Guarded, Resolve, look_up
from livereview.fetch.packing import PIECE, unpacked
from livereview.fetch.politeness import Turns, patiently, stated_pause
from livereview.sources.protocol import Request, Source
from livereview.sources.text import plain

LIMIT = 50_000_000  # bytes of an answer after unpacking
LIMITS: Mapping[str, int] = {
    "feed": 5_000_000,
    "page": 5_000_000,
    "retractionwatch": 200_000_000,
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
T = TypeVar("T")
log = logging.getLogger("livereview.fetch")


def _never(record: logging.LogRecord) -> bool:
    """Its lines carry query strings, and keys travel there; `log` says the same without."""
    return False


logging.getLogger("urllib3.connectionpool").addFilter(_never)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source sent, unpacked, and what it was asked.

    body     as sent, but for this service's own secrets: should the source repeat one, it reads [hidden]
    url      the address asked, with its query but without secrets; `form` likewise, where it was a POST
    headers  those of KEPT_HEADERS that came, in lower case and sorted
    cursor   the one this answers; number: the place of the page in its search, from 1
    quota    the share of the source's allowance that is left, 0 to 1; None where it does not say
    note     what the reader should know of how it was asked, such as another date field than the protocol's
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


class Empty(Retry):
    """Status 200 and nothing else: some sources do so when overloaded."""


class _Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


def address(request: Request) -> str:
    """The request's address, encoded as it is sent, with its query but without its secrets."""
    return urldefrag(str(_prepared("GET", request.url, request.params).url)).url


def _prepared(
    method: str,
    url: str,
    params: Collection[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    form: Collection[tuple[str, str]] | None = None,
) -> requests.PreparedRequest:
    """Raises SourceBroken, without requests' own words, which repeat the query."""
    data = None if form is None else list(form)
    try:
        return requests.Request(method, url, params=list(params), headers=headers, data=data).prepare()
    except (requests.RequestException, ValueError) as error:
        problem = SourceBroken(
            f"not an address that can be asked ({type(error).__name__}); check it", url=url.rpartition("@")[2]
        )
    raise problem


class Fetcher:
    """Asks sources. Use it as a context manager; one may be shared by threads.

    secrets    API keys and the contact address, by the names of their settings
    via        "http://127.0.0.1:PORT" of a replay server: all is asked there, at once and without secrets
    contact    the mail address that publishers see; by default the setting LIVEREVIEW_MAILTO
    timeouts   seconds to connect and between two pieces of an answer;  deadline: seconds for a whole answer
    limits     greatest size of an answer by source, where it is not 50 MB
    permitted  (address, port) pairs that may be asked though they are not public
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
    ):
        self._via = _local(via)
        self._secrets = {} if via else {name: value for name, value in secrets.items() if value}
        self._hidden = _spellings({*self._secrets.values(), contact or ""})
        self._agent = _agent(contact or self._secrets.get("LIVEREVIEW_MAILTO"))
        self._timeouts, self._deadline, self._limits = timeouts, deadline, limits
        self._clock, self._sleep = clock, _at_once if via else sleep
        self._rng = rng or Random()  # noqa: S311
        self._turns = Turns(clock, self._sleep)
        self._adapter = Guarded(resolve, [_endpoint(self._via)] if self._via else permitted, public=not via)

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._adapter.close()

    def get(self, request: Request, source: Source, validators: tuple[str | None, str | None] = (None, None)) -> Answer:
        """The answer to a request, asked up to five times while the source is busy or down.

        `validators` are the ETag and Last-Modified of an earlier answer: where nothing changed since, the answer has
        status 304 and no body. Raises Retry for "not now" and SourceBroken for what asking again would not mend.
        """
        return self.patiently(lambda: self.once(request, source, validators=validators))

    def patiently(self, attempt: Callable[[], T]) -> T:
        """`politeness.patiently` with this fetcher's sleep; an answer that stays empty is SourceBroken in the end."""
        try:
            return patiently(attempt, self._sleep, self._rng)
        except Empty as empty:
            problem = SourceBroken(empty.message, source=empty.source, url=empty.url)
        raise problem

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
            form=request.form,
            status=reply.status,
            headers=tuple((name, self._hide(reply.headers[name])) for name in KEPT_HEADERS if name in reply.headers),
            body=self._hide_in(reply.body),
            cursor=cursor,
            number=number,
            quota=_quota(reply.headers),
        )

    def _followed(self, request: Request, source: Source, validators: tuple[str | None, str | None]) -> _Reply:
        """The first reply that is no redirect. Followed by hand, as each address on the way must be checked."""
        target = request
        for _ in range(REDIRECTS + 1):
            reply = self._ask(target, source, validators)
            to = reply.headers.get("location")
            if to is None or reply.status not in (301, 302, 303, 307, 308):
                return reply
            target = _redirected(target, reply.status, to)
        raise SourceBroken(f"more than {REDIRECTS} redirects; check the address", source=source.name, url=request.url)

    def _ask(self, request: Request, source: Source, validators: tuple[str | None, str | None]) -> _Reply:
        """One request and its reply, in the host's turn and with a line in the log."""
        prepared, place = self._prepare(request, validators), urlsplit(request.url)
        host, what = place.hostname or "", "failed"
        with self._turns.turn(host, source.interval):
            started = self._clock()
            try:
                reply = self._send(prepared, source)
                what = f"{reply.status} {len(reply.body)} bytes"
            finally:
                took = round(1000 * (self._clock() - started))
                log.info("%s %s%s %s %d ms", source.name, host, quote(place.path, safe="/%"), what, took)
            self._turns.heed(host, reply.headers)
        return reply

    def _prepare(self, request: Request, validators: tuple[str | None, str | None]) -> requests.PreparedRequest:
        """The request as it goes out: the secrets come last, in the form of a POST, else in the query."""
        known = [(name, self._secrets[setting]) for name, setting in request.secrets if setting in self._secrets]
        secret = [pair for pair in known if not pair[0].startswith("header:")]
        headers = {"User-Agent": self._agent, "Accept-Encoding": "gzip", "Accept": "*/*", **dict(request.headers)}
        headers |= {name.removeprefix("header:"): value for name, value in known if name.startswith("header:")}
        sent = zip(("If-None-Match", "If-Modified-Since"), validators, strict=True)
        headers |= {name: value for name, value in sent if value}
        url, params = (_by_way_of(self._via, address(request)), ()) if self._via else (request.url, request.params)
        if request.form is not None:
            return _prepared("POST", url, params, headers, [*request.form, *secret])
        return _prepared("GET", url, [*params, *secret], headers)

    def _send(self, prepared: requests.PreparedRequest, source: Source) -> _Reply:
        """Raises Retry for all that can go wrong on the wire, without the libraries' words, which repeat the query."""
        until, problem = self._clock() + self._deadline, LivereviewError("")
        try:
            with self._adapter.send(prepared, stream=True, timeout=self._timeouts) as response:
                pieces = unpacked(response.headers.get("content-encoding", ""), self._pieces(response, until))
                fine = response.ok and response.status_code < 300
                body = self._all(pieces, source) if fine else next(pieces, b"")
                return _Reply(response.status_code, response.headers, body)
        except (requests.RequestException, HTTPError, zlib.error) as error:
            kind = "damaged gzip" if isinstance(error, zlib.error) else type(error).__name__
            problem = Retry(f"the answer did not come through ({kind})", source=source.name, url=prepared.url)
        except LivereviewError as error:
            error.source, problem = source.name, error
        raise problem

    def _pieces(self, response: requests.Response, until: float) -> Iterator[bytes]:
        """The body as it comes over the wire. read1: a trickle of bytes must not put off the look at the clock."""
        while piece := response.raw.read1(PIECE, decode_content=False):
            if self._clock() > until:
                raise Retry(f"the answer was not complete after {self._deadline:g} s")
            yield piece

    def _all(self, pieces: Iterator[bytes], source: Source) -> bytes:
        body, limit = bytearray(), self._limits.get(source.name, LIMIT)
        for piece in pieces:
            body += piece
            if len(body) > limit:
                raise SourceBroken(f"the answer is larger than {limit:,} bytes; ask for less at a time")
        return bytes(body)

    def _check(self, reply: _Reply, source: Source, shown: str, conditional: bool) -> None:
        """Raises for every reply that holds no answer."""
        if (reply.status == 304 and conditional) or (200 <= reply.status < 300 and reply.body.strip()):
            return
        if 200 <= reply.status < 300:
            raise Empty(f"{source.title} sent an empty answer", source=source.name, url=shown)
        text = self._hide(reply.body.decode("utf-8", "replace"))[:4_000]
        said = f"{source.title} answered {reply.status}: {plain(text, 200) or 'no words'!r}"
        if reply.status not in AGAIN:
            hint = HINTS.get(reply.status)
            problem = SourceBroken(f"{said}; {hint}" if hint else said, source=source.name, url=shown)
            problem.status = reply.status
            raise problem
        pause = stated_pause(reply.headers)
        asked = f"; it asks to come back in {pause:,.0f} s" if pause is not None else ""
        raise Retry(said + asked, after=pause, source=source.name, url=shown)

    def _hide(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, HIDDEN)
        return text

    def _hide_in(self, body: bytes) -> bytes:
        for secret in self._hidden:
            body = body.replace(secret.encode(), HIDDEN.encode())
        return body


def _quota(headers: Mapping[str, str]) -> float | None:
    for left, whole in QUOTAS:
        try:
            share = float(headers[left]) / float(headers[whole])
        except (KeyError, ValueError, ZeroDivisionError):
            continue
        return min(max(share, 0.0), 1.0) if share == share else None
    return None


def _redirected(request: Request, status: int, to: str) -> Request:
    """The request that a redirect asks for. Secrets go along to the same host only, and never from https to http."""
    names = {name for name, _ in request.secrets}
    try:
        old, new = urlsplit(request.url), urlsplit(urljoin(request.url, to))
    except ValueError:
        raise SourceBroken("it redirects to what is no address; check the address", url=request.url) from None
    query = parse_qsl(new.query, keep_blank_values=True)
    if any(name in names for name, _ in query):
        new = new._replace(query=urlencode([pair for pair in query if pair[0] not in names]))
    trusted = old.hostname == new.hostname and new.scheme in (old.scheme, "https")
    return replace(
        request,
        url=new.geturl(),
        params=(),
        form=None if status == 303 else request.form,
        secrets=request.secrets if trusted else (),
    )


def _local(via: str | None) -> str | None:
    if via is None:
        return None
    if urlsplit(via).scheme != "http" or urlsplit(via).hostname != "127.0.0.1":
        raise Refused(f"answers can be taken from http://127.0.0.1:PORT only, not from {via}")
    return via.rstrip("/")


def _endpoint(via: str) -> tuple[str, int]:
    return "127.0.0.1", urlsplit(via).port or 80


def _by_way_of(via: str, url: str) -> str:
    """https://host/path?query as VIA/https/host/path?query."""
    return f"{via}/{url.replace('://', '/', 1)}"


def _agent(contact: str | None) -> str:
    return f"livereview/{version('livereview')}" + (f" (mailto:{contact})" if contact else "")


def _at_once(seconds: float) -> None:
    """A replay never waits."""


def _spellings(secrets: set[str]) -> list[str]:
    """Each secret as it may come back, plain or percent-encoded, the longest first; of six characters at least."""
    found = {spell(secret) for secret in secrets if len(secret) >= 6 for spell in (str, quote, quote_plus)}
    return sorted(found, key=len, reverse=True)
