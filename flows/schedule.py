"""The standing schedule: one deployment for each time of day that a review's searches share, and one for publishing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import serve
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron

from flows.notices import digest, notify
from flows.publish import publish
from flows.recheck import recheck
from flows.surveil import surveil
from livereview.review import Review

PUBLISH_EVERY = "*/15 * * * *"
DIGEST_AT = "0 7 * * *"
RECHECK_AT = "30 5 * * *"  # each night; only what is due is asked for


def deployments(reviews: Sequence[Review], home: Path) -> list[RunnerDeployment]:
    """What `run` serves: for each review a "surveil" deployment per cron line, in the review's own time zone."""
    found = [_deployment(review, cron, names, home) for review in reviews for cron, names in slots(review).items()]
    parameters = {"home": str(home)}
    found += [_recheck(review, home) for review in reviews]
    found.append(_made(notify.to_deployment(name="notify", schedule=Cron(PUBLISH_EVERY), parameters=parameters)))
    zone = reviews[0].living.timezone if reviews else "UTC"
    morning = Cron(DIGEST_AT, timezone=zone)
    found.append(_made(digest.to_deployment(name="digest", schedule=morning, parameters=parameters)))
    return [*found, _made(publish.to_deployment(name="publish", schedule=Cron(PUBLISH_EVERY), parameters=parameters))]


def slots(review: Review) -> dict[str, list[str]]:
    """The searches of a review by the cron line that starts them."""
    found: dict[str, list[str]] = defaultdict(list)
    for search in review.searches:
        found[search.schedule or review.living.search_schedule].append(search.name)
    return dict(found)


def _deployment(review: Review, cron: str, names: list[str], home: Path) -> RunnerDeployment:
    return _made(
        surveil.to_deployment(
            name=f"{review.id} at {cron}".replace("/", " of "),
            schedule=Cron(cron, timezone=review.living.timezone),
            parameters={"review": review.id, "only": names, "home": str(home)},
            concurrency_limit=1,  # after downtime every missed slot runs; windows come from watermarks, so that is safe
            tags=["livereview", review.id],
        )
    )


def _recheck(review: Review, home: Path) -> RunnerDeployment:
    return _made(
        recheck.to_deployment(
            name=f"{review.id} recheck",
            schedule=Cron(RECHECK_AT, timezone=review.living.timezone),
            parameters={"review": review.id, "home": str(home)},
            concurrency_limit=1,
            tags=["livereview", review.id],
        )
    )


def _made(deployment: Any) -> RunnerDeployment:
    """Prefect's type allows for a coroutine too; outside an event loop it is always the thing itself."""
    assert isinstance(deployment, RunnerDeployment)
    return deployment


def run(reviews: Sequence[Review], home: Path) -> None:
    """Serve the schedule until stopped; a stop leaves the deployments active, so that a restart goes on."""
    serve(*deployments(reviews, home), pause_on_shutdown=False)
