"""Publish what the outbox asks for: the net under the rebuild that follows each acceptance."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.states import Completed, Failed, State

from livereview import settings
from livereview.client import Session


@flow(name="publish", validate_parameters=False)
def publish(home: str | None = None) -> State[dict[str, Any]]:
    """Rebuild every review whose published folder is behind; the run fails if a build failed."""
    with Session(settings.read(os.environ, Path(home) if home else None)) as client:
        done = task(client.call, name="settle outbox", persist_result=False)("settle_outbox")
    broken = [f"{review}: {result['problem']}" for review, result in done.items() if "problem" in result]
    if broken:
        return Failed(message="; ".join(broken), data=done)
    return Completed(message=f"{len(done)} reviews brought up to date", data=done)
