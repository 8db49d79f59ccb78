"""Asks the language model that a review's protocol names, and brings its answers to the owner.

The only code that talks to it: an OpenAI-compatible `POST …/chat/completions`. It runs in a night,
or by `livereview assist`, and never for a page. Whatever the server does, dead, slow, lying or
without end, this comes to its end in time, and what went wrong is kept with the question.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from livereview.commands import FindAssistantQuestions, Runs, TakeAssistantAnswer
from livereview.commands.assistant import AssistantQuestion, AssistantQuestions
from livereview.settings import Price
from livereview.wire import WatchedAdapter, malformed, time_limit

# for one answer; a small model on two busy cores took 49 s for one criterion
QUESTION_SECONDS = 120.0
NIGHT_SECONDS = 600.0  # for all that are asked in one go; the next night goes on
LARGEST_ANSWER = 1_000_000  # bytes; four thousand tokens have some 20,000
PIECE = 16_384
MOST_FAILURES = 3  # in a row: then the server is left alone until the next time
HIDDEN = "[hidden]"


@dataclass(frozen=True, slots=True)
class Server:
    """Where the model is.

    Attributes:
        url: Such as https://host/v1; `settings` has checked it.
        key: Sent with each request and kept nowhere; "": none.
        price: What it costs; None: it is not told.
    """

    url: str
    key: str = ""
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of questions brought.

    Attributes:
        answered, failed: Questions with an answer, and without.
        ended: Why no more were asked, in words.
    """

    answered: int
    failed: int
    ended: str


@dataclass(frozen=True, slots=True)
class Received:
    """What came back for one question: a body, or why there is none."""

    status: int | None
    body: str | None
    problem: str | None
    seconds: float


def ask_all(
    client: Runs,
    server: Server,
    review: str,
    now: datetime,
    *,
    seconds: float = NIGHT_SECONDS,
    most: int | None = None,
    question_seconds: float = QUESTION_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    tick: Callable[[int, int], None] = lambda _answered, _failed: None,
) -> Round:
    """Ask the next questions of a review, one after another, and keep each with what came of it.

    Ends when nothing is due, the budget or the time is over, or the server fails MOST_FAILURES
    times in a row.

    Args:
        seconds: For all of it.
        most: Questions; None: as many as the review's budget allows.
        tick: Told (answered, failed) after each.
    """
    until = clock() + seconds
    answered = failed = in_a_row = 0
    with _session() as session:
        while True:
            due = _due(client, review, now, most, answered + failed)
            if not due.questions:
                return Round(answered, failed, due.why_not or "as many as were wanted")
            for question in due.questions:
                left = until - clock()
                if left <= 0:
                    return Round(answered, failed, f"the {seconds:,.0f} s it may take are over")
                received = ask(session, server, question.sent, min(question_seconds, left))
                if _keep(client, server, review, question, received, now):
                    answered, in_a_row = answered + 1, 0
                else:
                    failed, in_a_row = failed + 1, in_a_row + 1
                tick(answered, failed)
                if in_a_row >= MOST_FAILURES:
                    ended = f"{in_a_row} questions in a row brought no answer"
                    return Round(answered, failed, ended)


def _due(
    client: Runs, review: str, now: datetime, most: int | None, asked: int
) -> AssistantQuestions:
    left = 20 if most is None else most - asked
    if left <= 0:
        return AssistantQuestions(questions=(), why_not=None)
    return client.run(FindAssistantQuestions(review=review, most=left, now=now))


def _keep(
    client: Runs,
    server: Server,
    review: str,
    question: AssistantQuestion,
    received: Received,
    now: datetime,
) -> bool:
    """Whether what came is an answer; kept in any case."""
    name = f"{review}\0{question.record}\0{question.sent}\0{now.isoformat()}\0{received.seconds}"
    sent = TakeAssistantAnswer(
        id=sha256(name.encode("utf-8", "replace")).hexdigest(),
        review=review,
        record=question.record,
        record_version=question.record_version,
        protocol=question.protocol,
        prompt=question.prompt,
        title=question.title,
        abstract=question.abstract,
        sent=question.sent,
        seconds=round(received.seconds, 3),
        status=received.status,
        raw=received.body,
        problem=received.problem,
        price_read=server.price.read if server.price else None,
        price_written=server.price.written if server.price else None,
        currency=server.price.currency if server.price else None,
        now=now,
    )
    return client.run(sent).answered


def ask(session: requests.Session, server: Server, sent: str, seconds: float) -> Received:
    """One question, asked once: no redirect is followed, and nothing is tried again."""
    started = time.monotonic()
    status: int | None = None
    body: str | None = None
    with time_limit(seconds) as watchdog:
        try:
            status, body, problem = _exchange(session, server, sent, seconds)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            problem = f"the answer did not come through ({_kind(error)})"
    if watchdog.expired:
        body, problem = None, f"no whole answer within {seconds:,.0f} s"
    return Received(status, body, problem, time.monotonic() - started)


def _exchange(
    session: requests.Session, server: Server, sent: str, seconds: float
) -> tuple[int, str | None, str | None]:
    """(status, body, what is wrong with it)"""
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    if server.key:
        headers["Authorization"] = f"Bearer {server.key}"
    url = f"{server.url}/chat/completions"
    request = requests.Request("POST", url, data=sent.encode("utf-8", "replace"), headers=headers)
    adapter = session.get_adapter(url)
    with adapter.send(request.prepare(), stream=True, timeout=seconds) as response:
        whole = bytearray()
        while piece := response.raw.read1(PIECE, decode_content=False):
            whole += piece
            if len(whole) > LARGEST_ANSWER:
                return response.status_code, None, f"more than {LARGEST_ANSWER:,} bytes came"
        text = whole.decode("utf-8", "replace").replace("\0", "\ufffd")
        if server.key:
            text = text.replace(server.key, HIDDEN)
        if response.status_code != 200:
            host = urlsplit(server.url).hostname
            return response.status_code, text, f"{host} answered {response.status_code}"
        return response.status_code, text, None


def _session() -> requests.Session:
    """Without proxies and .netrc of the environment: the operator names the server itself."""
    session = requests.Session()
    session.trust_env = False
    adapter = WatchedAdapter()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _kind(error: Exception) -> str:
    """What went wrong on the wire, in words that hold nothing of the request."""
    framing = malformed(error)
    return str(framing) if framing is not None else type(error).__name__
