"""Publish what the outbox asks for: the net under the rebuild that follows each acceptance."""

from __future__ import annotations

import os
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from livereview import settings
from livereview.client import Client
from livereview.commands import SettleOutbox
from livereview.commands.publishing import Settled

from . import owner


@task(name="settle outbox", persist_result=False, cache_policy=NO_CACHE)
def settle(client: Client) -> Settled:
    """Publish every review that is behind."""
    return client.run(SettleOutbox())


@flow(name="publish", validate_parameters=False)
def publish(home: str | None = None) -> State[Settled]:
    """Rebuild every review whose published folder is behind; the run fails if a build failed."""
    with owner.session(settings.read(os.environ, Path(home) if home else None)) as client:
        done = settle(client)
    broken = [
        f"{review}: {result.problem}" for review, result in done.reviews.items() if result.problem
    ]
    if broken:
        return Failed(message="; ".join(broken), data=done)
    return Completed(message=f"{len(done.reviews)} reviews brought up to date", data=done)
