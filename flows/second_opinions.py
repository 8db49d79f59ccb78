"""A night's questions to the language model that a review's protocol names."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from livereview import second_opinions
from livereview.client import Client
from livereview.errors import LivereviewError
from livereview.second_opinions import Server
from livereview.settings import Settings

Log = logging.Logger | logging.LoggerAdapter[Any]


def ask(client: Client, settings: Settings, review: str, now: datetime, log: Log) -> None:
    """Ask what is due, where the operator named a server; whatever comes of it fails no run."""
    if not settings.assistant:
        return
    server = Server(settings.assistant, settings.assistant_key, settings.price)
    try:
        asked = second_opinions.ask_all(client, server, review, now)
    except LivereviewError as problem:
        log.warning("second opinion: %s", problem.message)
        return
    log.info(
        "second opinion: %d answered, %d without an answer; %s",
        asked.answered,
        asked.failed,
        asked.ended,
    )
