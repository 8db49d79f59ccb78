"""What Prefect is told of a night beyond its runs: events for automations, and links to pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.artifacts import create_link_artifact
from prefect.events import emit_event

from .surveil import RAN_THROUGH, Ending, sentence

SEARCH_FAILED = "livereview.search.failed"
SEARCH_ENDED = "livereview.search.ended"
VERSION_PUBLISHED = "livereview.version.published"


def search_ended(review: str, ending: Ending) -> None:
    """Emit how a search ended, with its counts."""
    name = ending["name"]
    resource = {
        "prefect.resource.id": f"livereview.search.{review}.{name}",
        "prefect.resource.name": f"{review}: {name}",
        "livereview.review": review,
        "livereview.source": ending["source"],
    }
    event = SEARCH_ENDED if ending["outcome"] in RAN_THROUGH else SEARCH_FAILED
    emit_event(event, resource=resource, payload={**ending, "words": sentence(ending)})


def published(
    review: str, answer: Mapping[str, Any], address: str, before: int | None = None
) -> None:
    """Link the page of a review, and emit its new version where there is one.

    Args:
        answer: Of the use case `publish`.
        address: Where people reach the server; "": it is not linked.
        before: The version that was the newest until now, as the owner publishes by itself too.
    """
    if "version" not in answer:
        return
    if address:
        link = f"{address}/site/{review}/latest/"
        create_link_artifact(link, link_text=review, key=f"page-{review}")
    came_since = before is not None and answer["version"] > before
    if not answer.get("new") and not came_since:
        return
    resource = {
        "prefect.resource.id": f"livereview.review.{review}",
        "prefect.resource.name": review,
    }
    payload = {"version": answer["version"], "change": answer.get("change")}
    emit_event(VERSION_PUBLISHED, resource=resource, payload=payload)
