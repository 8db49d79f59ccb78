"""What the service writes of itself: one JSON object a line, so that no text from outside can pass for another line."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TextIO


class Lines(logging.Formatter):
    """{"time", "level", "logger", "message"} and, of an error, "trace". Control characters are escaped by JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line)


class Words(logging.Formatter):
    """For a terminal: the time and the message; what could steer the terminal is shown as an escape."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return "".join(c if c == "\n" or c.isprintable() else ascii(c)[1:-1] for c in text)


def start(stream: TextIO) -> None:
    """Log warnings and worse of everything, and the service's own notes, to this stream."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Words("%(asctime)s %(levelname)s %(message)s") if stream.isatty() else Lines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("livereview").setLevel(logging.INFO)
