from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from livereview import logs

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
        told["message"] == f"no title in {HOSTILE}" and told["level"] == "warning" and told["time"].endswith("+00:00")
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
    assert "\x1b" not in stream.getvalue() and "\\x1b[2J" in stream.getvalue() and "\\u202e" in stream.getvalue()
