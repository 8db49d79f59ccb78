"""One night as a process of its own, to be killed: python -m tests.night_process HOME EXAMPLE NIGHT
ISO-TIME.

The flow's own functions without Prefect, whose start would take longer than the night.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from flows.surveil import Options, run_search
from livereview import fetch, review_toml, settings
from livereview.client import Session
from livereview.commands import OpenReview, Publish, ReadStatus, Register
from livereview.replay import ReplayServer


def run(home: Path, example: Path, night: str, now: datetime) -> None:
    """Register, run every search that has not run through at this time yet, publish.

    A search that has would now ask for a later window, which the recording does not hold.
    """
    chosen = settings.read({}, home)
    with (
        ReplayServer(example / "nights" / night) as server,
        Session(chosen, may_make=True) as client,
        fetch.Fetcher(secrets={}, via=server.base) as fetcher,
    ):
        text = (example / "review.toml").read_text(encoding="utf-8")
        client.run(Register(text=text, now=now))
        review = review_toml.parse(text)
        client.run(OpenReview(id="opening", review=review.id, by="lena", now=now))
        health = client.run(ReadStatus(review=review.id, now=now)).reviews[0].searches
        done = {row.name for row in health if row.last_success == now.isoformat()}
        for plan in [plan for plan in review.searches if plan.name not in done]:
            run_search(client, fetcher, review.id, plan, now, Options(replayed=True))
        client.run(Publish(review=review.id, now=now))


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], datetime.fromisoformat(sys.argv[4]))
