from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi import FastAPI

from livereview import logs, ops
from livereview import settings as settings_module
from livereview.client import Remote
from livereview.errors import Refused
from livereview.settings import Settings
from livereview.store.open import Store
from livereview.web.app import create
from tests.conftest import TestClient

HOSTILE = 'x\n{"time": "2026", "level": "info", "message": "all is well"}\x1b[2J\u202e\x9b'


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("livereview")
    kept = root.handlers[:], root.level, own.level
    yield
    root.handlers[:], level, own_level = kept
    root.setLevel(level)
    own.setLevel(own_level)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_hostile_text_is_one_json_line_of_plain_letters() -> None:
    stream = io.StringIO()
    logs.start(stream)
    logging.getLogger("livereview.sources").warning("no title in %s", HOSTILE)
    (line,) = stream.getvalue().splitlines()
    assert line.isascii() and line.isprintable()
    told = json.loads(line)
    assert (
        told["message"] == f"no title in {HOSTILE}"
        and told["level"] == "warning"
        and told["time"].endswith("+00:00")
    )


def test_an_error_brings_its_trace_and_others_stay_quiet() -> None:
    stream = io.StringIO()
    logs.start(stream)
    logging.getLogger("urllib3").info("chatter")
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logging.getLogger("livereview").exception("it broke")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError" in json.loads(line)["trace"]


def test_a_terminal_is_not_steered() -> None:
    stream = Terminal()
    logs.start(stream)
    logging.getLogger("livereview").info("found %s", HOSTILE)
    assert (
        "\x1b" not in stream.getvalue()
        and "\\x1b[2J" in stream.getvalue()
        and "\\u202e" in stream.getvalue()
    )


# Nobody fills the disk with it


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def written(clock: Clock) -> Iterator[io.StringIO]:
    """What a rate-limited handler of all loggers has written."""
    stream = io.StringIO()
    handler = logs.RateLimited(stream, clock)
    handler.setFormatter(logs.Lines())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    yield stream


def told(stream: io.StringIO) -> list[str]:
    return [json.loads(line)["message"] for line in stream.getvalue().splitlines()]


def test_a_warning_that_repeats_is_written_once_a_minute_with_a_count(
    written: io.StringIO, clock: Clock
) -> None:
    asyncio_log = logging.getLogger("asyncio")
    for number in range(5_000):
        asyncio_log.error(
            "Exception in callback _start_serving()\nhandle: <TimerHandle when=%s at 0xfe%x>",
            number,
            number,
        )
    assert len(told(written)) == 1
    clock.now = logs.WINDOW
    logging.getLogger("livereview").warning("something else")
    _, count, other = told(written)
    assert count.endswith("(4,999 times more within 60 s)") and other == "something else"
    asyncio_log.error(
        "Exception in callback _start_serving()\nhandle: <TimerHandle when=7 at 0xfe7>"
    )
    assert len(told(written)) == 4, "a new minute, a new line"


def test_a_trace_is_written_with_the_first_of_its_kind(written: io.StringIO) -> None:
    for _ in range(100):
        try:
            raise OSError(24, "Too many open files")
        except OSError:
            logging.getLogger("asyncio").exception("socket.accept() out of system resource")
    (line,) = written.getvalue().splitlines()
    assert "Too many open files" in json.loads(line)["trace"]


def test_texts_that_vary_without_end_are_limited_too(written: io.StringIO, clock: Clock) -> None:
    for number in range(5_000):
        logging.getLogger("livereview.web").warning("refused %s", "x" * number)
    assert len(told(written)) == logs.LINES
    logging.getLogger("livereview.fetch").warning("another logger has its own share")
    assert len(told(written)) == logs.LINES + 1
    clock.now = logs.WINDOW
    logging.getLogger("livereview.fetch").info("next")
    left_out = [message for message in told(written) if "left out" in message]
    assert [message.partition(" more")[0] for message in left_out] == [f"{5_000 - logs.LINES:,}"]


def test_different_warnings_and_notes_are_all_written(written: io.StringIO) -> None:
    for review in ("a", "b", "c"):
        logging.getLogger("livereview").warning("%s could not be published", review)
    for _ in range(500):
        logging.getLogger("livereview.fetch").info("toy 127.0.0.1/a 200 5 bytes 3 ms")
    assert len(told(written)) == 503


def test_the_memory_of_kinds_is_bounded(written: io.StringIO) -> None:
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logs.RateLimited)
    for number in range(3 * logs.KINDS):
        logging.getLogger(f"logger.{number}").warning("once")
    assert len(handler._windows) <= logs.KINDS + 2


# What a line belongs to, and how it is written


def test_the_operator_chooses_form_and_level() -> None:
    stream = io.StringIO()
    logs.start(stream, "plain", "warning")
    logging.getLogger("livereview").info("a note")
    logging.getLogger("livereview").warning("a warning")
    (line,) = stream.getvalue().splitlines()
    assert line.endswith("WARNING a warning")
    terminal = Terminal()
    logs.start(terminal, "json", "debug")
    logging.getLogger("livereview.fetch").debug("a detail")
    assert json.loads(terminal.getvalue())["message"] == "a detail"
    with pytest.raises(Refused, match=r"LIVEREVIEW_LOG_LEVEL must be one of .*; got 'loud'"):
        settings_module.read({"LIVEREVIEW_LOG_LEVEL": "loud"})


@pytest.fixture
def with_access_log(reviewed: Store, settings: Settings) -> FastAPI:
    return create(reviewed, replace(settings, access_log=True), token="owner-token")


def test_the_access_log_has_templates_and_never_an_address(with_access_log: FastAPI) -> None:
    stream = io.StringIO()
    logs.start(stream, "json")
    run = {"Livereview-Run": "night-0001"}
    with TestClient(with_access_log) as visitor:
        number = visitor.get("/comment/small-review/a-secret-link", headers=run).headers[
            "X-Request-ID"
        ]
        visitor.get("/no-such-page", headers={"Livereview-Run": "x" * 200})
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert first["route"] == "/comment/{review}/{token}" and first["run"] == "night-0001"
    assert first["request"] == number and first["method"] == "GET" and first["ms"] >= 0
    assert second["route"] == "other" and second["status"] == 404 and "run" not in second
    assert "a-secret-link" not in stream.getvalue() and "no-such-page" not in stream.getvalue()


def test_who_meets_a_bug_can_name_it(
    with_access_log: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops.readiness.Door, "ask", lambda self: 1 / 0)
    stream = io.StringIO()
    logs.start(stream, "plain")
    with TestClient(with_access_log, raise_server_exceptions=False) as visitor:
        answer = visitor.get("/readyz")
    number = answer.headers["X-Request-ID"]
    assert answer.status_code == 500 and f"number: {number}." in answer.text
    assert f"request={number}" in stream.getvalue()


def test_a_client_says_which_run_it_is(with_access_log: FastAPI) -> None:
    in_run = settings_module.read({"PREFECT__FLOW_RUN_ID": "0c7a3b52-8f2e-4c6a-9d0b-111111111111"})
    remote = Remote("http://127.0.0.1:1", "x", run=in_run.run)
    by_hand = Remote("http://127.0.0.1:1", "x")
    assert remote.run_id == in_run.run
    assert len(by_hand.run_id) == 16
    assert by_hand.run_id != Remote("http://127.0.0.1:1", "x").run_id
