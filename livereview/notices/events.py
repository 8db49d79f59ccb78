"""What webhooks are told: event, review, title, version, date, and enough to decide whether to
fetch the rest.
"""

from __future__ import annotations

from typing import Any


def published(summary: dict[str, Any]) -> dict[str, Any]:
    """version.published, of a version's summary.json."""
    version = summary["version"]
    return _event("version.published", summary, version["number"], version["date"]) | {
        "change": version["change"],
        "conclusion_changed": version["conclusion_changed"],
        "content_hash": version["content_hash"],
        "answer": summary["answer"]["text"],
        "caveat": summary["caveat"],
    }


def withdrawn(
    summary: dict[str, Any], date: str, reason: str, read_instead: int | None
) -> dict[str, Any]:
    """version.withdrawn; `read_instead`: the newest version that stands, None where none does."""
    event = _event("version.withdrawn", summary, summary["version"]["number"], date)
    return event | {"reason": reason, "read_instead": read_instead}


def reinstated(summary: dict[str, Any], date: str, reason: str) -> dict[str, Any]:
    """version.reinstated: the withdrawal was taken back."""
    return _event("version.reinstated", summary, summary["version"]["number"], date) | {
        "reason": reason
    }


def decided(summary: dict[str, Any], kind: str, date: str, reason: str) -> dict[str, Any]:
    """review.retired or review.revived, by a vote (`kind`: retire or revive); `summary` is the
    newest version's.
    """
    name = "review.retired" if kind == "retire" else "review.revived"
    return _event(name, summary, summary["version"]["number"], date) | {"reason": reason}


def _event(name: str, summary: dict[str, Any], version: int, date: str) -> dict[str, Any]:
    review = summary["review"]
    return {
        "event": name,
        "review": review["id"],
        "title": review["title"],
        "version": version,
        "date": date,
        **_where(review, version),
    }


def _where(review: dict[str, Any], version: int) -> dict[str, str]:
    """Addresses of the version's page and data; nothing where the protocol has no `site_url`."""
    site = review.get("site_url")
    if not site:
        return {}
    folder = f"{site.rstrip('/')}/v/{version}/"
    return {"url": folder, "data": f"{folder}summary.json"}
