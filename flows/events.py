"""What Prefect is told of a night beyond its runs: events for automations, and links to pages."""

from __future__ import annotations

from dataclasses import asdict

from prefect.artifacts import create_link_artifact
from prefect.events import emit_event

from livereview.commands.publishing import Published
from livereview.endings import Ending

from .surveil import sentence

SEARCH_FAILED = "livereview.search.failed"
SEARCH_ENDED = "livereview.search.ended"
VERSION_PUBLISHED = "livereview.version.published"


def search_ended(review: str, ending: Ending) -> None:
    """Emit how a search ended, with its counts."""
    name = ending.name
    resource = {
        "prefect.resource.id": f"livereview.search.{review}.{name}",
        "prefect.resource.name": f"{review}: {name}",
        "livereview.review": review,
        "livereview.source": ending.source,
    }
    event = SEARCH_ENDED if ending.ran_through else SEARCH_FAILED
    emit_event(event, resource=resource, payload={**asdict(ending), "words": sentence(ending)})


def published(review: str, answer: Published, address: str, before: int | None = None) -> None:
    """Link the page of a review, and emit its new version where there is one.

    Args:
        answer: What became of it.
        address: Where people reach the server; "": it is not linked.
        before: The version that was the newest until now, as the owner publishes by itself too.
    """
    if answer.version is None:
        return
    if address:
        link = f"{address}/site/{review}/latest/"
        create_link_artifact(link, link_text=review, key=f"page-{review}")
    came_since = before is not None and answer.version > before
    if not answer.new and not came_since:
        return
    resource = {
        "prefect.resource.id": f"livereview.review.{review}",
        "prefect.resource.name": review,
    }
    payload = {"version": answer.version, "change": answer.change}
    emit_event(VERSION_PUBLISHED, resource=resource, payload=payload)
