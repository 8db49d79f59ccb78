"""Notices on a schedule: digests in the morning, events for webhooks whenever there is something to
tell.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from livereview import settings
from livereview.commands import MakeDigests, NoteDigests
from livereview.notices.post import deliver, mail

from . import owner


@flow(name="digest", validate_parameters=False)
def digest(home: str | None = None, now: str | None = None) -> State[Any]:
    """Mail each person what waits for them, and leads how the night went.

    The run fails if a mail could not be sent.
    """
    chosen = settings.read(os.environ, Path(home) if home else None)
    moment = datetime.fromisoformat(now) if now else datetime.now(UTC)
    if not chosen.smtp or not chosen.sender or not chosen.url:
        return Completed(
            message="no mail: LIVEREVIEW_SMTP, LIVEREVIEW_MAIL_FROM and LIVEREVIEW_URL are not all set"
        )
    with owner.session(chosen) as client:
        answer = client.run(MakeDigests(base_url=chosen.url, now=moment))
        reachable = [digest for digest in answer.digests if digest.email]
        done = mail(reachable, chosen.smtp, chosen.sender, moment)
        failed = {name for name, why in done if why}
        informed = [name for name in answer.people if name not in failed]
        client.run(NoteDigests(people=informed, now=moment))
    broken = [f"{name}: {why}" for name, why in done if why]
    if broken:
        return Failed(message="; ".join(broken))
    return Completed(message=f"{len(done)} mails sent")


@flow(name="notify", validate_parameters=False)
def notify(home: str | None = None) -> State[Any]:
    """Post what webhooks have not heard of yet.

    What fails is tried again later, so the run does not fail for it.
    """
    chosen = settings.read(os.environ, Path(home) if home else None)
    if not chosen.webhook_secret:
        return Completed(message="no webhooks: LIVEREVIEW_WEBHOOK_SECRET is not set")
    with owner.session(chosen) as client:
        done = deliver(
            client,
            chosen.webhook_secret,
            datetime.now(UTC),
            permitted=chosen.webhook_hosts,
        )
    return Completed(
        message="; ".join(f"{url}: {error or outcome}" for url, outcome, error in done)
        or "nothing to tell"
    )
