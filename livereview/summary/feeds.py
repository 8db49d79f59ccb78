"""The Atom feed of changes (RFC 4287): one entry a version, its category the class of change, its id for ever."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from livereview.summary.words import tidy

AUTHORITY = "livereview,2026"  # of the tag: URIs (RFC 4151); never change it: ids of published entries hold it

_FEED = Markup(
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-GB">\n'
    "<id>tag:{authority}:{review}</id>\n<title>{title}: changes</title>\n<updated>{updated}</updated>\n"
    '<link rel="alternate" type="text/html" href="{home}latest/"/>\n{authors}<rights>{licence}</rights>\n'
    "{entries}</feed>\n"
)
_ENTRY = Markup(
    "<entry>\n<id>tag:{authority}:{review}/v/{number}</id>\n<title>Version {number}: {display}</title>\n"
    '<updated>{updated}</updated>\n<link rel="alternate" type="text/html" href="{home}v/{number}/"/>\n'
    '<category term="{change}" label="{display}"/>\n{conclusion}<summary>{text}</summary>\n</entry>\n'
)
_AUTHOR = Markup("<author><name>{name}</name></author>\n")
_CONCLUSION = Markup('<category term="conclusion-changed" label="Conclusion changed"/>\n')


def atom(summary: dict[str, Any], earlier: Sequence[dict[str, Any]], home: str) -> bytes:
    """The feed of a review. Each entry is made from its own version's summary, so that it never changes.

    earlier  summaries of the versions before, oldest first
    home     from this file to the review's folder, "../" in `latest/`
    """
    review = summary["review"]
    entries = [_entry(one, home) for one in (summary, *reversed(earlier))]
    authors = (_AUTHOR.format(name=tidy(name)) for name in review["authors"])
    feed = _FEED.format(
        authority=AUTHORITY,
        review=review["id"],
        title=tidy(review["title"]),
        updated=max(version["date"] for version in summary["versions"]),
        home=home,
        authors=Markup("").join(authors),
        licence=tidy(review["licence"]),
        entries=Markup("").join(entries),
    )
    return feed.encode("utf-8", "replace")


def json_feed(summary: dict[str, Any], earlier: Sequence[dict[str, Any]], home: str) -> bytes:
    """The same as a JSON Feed 1.1; tags are the class of the change and, where it applies, conclusion-changed."""
    review = summary["review"]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"{tidy(review['title'])}: changes",
        "home_page_url": f"{home}latest/",
        "language": "en-GB",
        "authors": [{"name": tidy(name)} for name in review["authors"]],
        "items": [_item(one, home) for one in (summary, *reversed(earlier))],
    }
    return f"{json.dumps(feed, ensure_ascii=False, indent=1)}\n".encode("utf-8", "replace")


def _item(summary: dict[str, Any], home: str) -> dict[str, Any]:
    version, review = summary["version"], summary["review"]["id"]
    return {
        "id": f"tag:{AUTHORITY}:{review}/v/{version['number']}",
        "url": f"{home}v/{version['number']}/",
        "title": f"Version {version['number']}: {version['change_display']}",
        "content_text": f"{tidy(summary['answer']['text'])} {summary['caveat']}",
        "date_published": version["date"],
        "tags": [version["change"], *(["conclusion-changed"] if version["conclusion_changed"] else [])],
    }


def _entry(summary: dict[str, Any], home: str) -> Markup:
    version = summary["version"]
    return _ENTRY.format(
        authority=AUTHORITY,
        review=summary["review"]["id"],
        number=version["number"],
        display=version["change_display"],
        updated=version["date"],
        home=home,
        change=version["change"],
        conclusion=_CONCLUSION if version["conclusion_changed"] else "",
        text=tidy(_text(summary)),
    )


def _text(summary: dict[str, Any]) -> str:
    """What made the version, and what the review said with it."""
    added = ", ".join(summary["changed"]["studies_added"])
    new = f" New studies: {added}." if added else ""
    return f"Cause: {summary['version']['trigger']}.{new} {summary['answer']['text']} {summary['caveat']}"
