"""What stands beside the front page: search over all reviews, what changed in all of them as a page
and as feeds, a calendar of searches, a map of the site for search engines. Pure, like `front`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from livereview.evidence.finding_changes import CONCLUSION_CHANGED
from livereview.summary import addresses, calendar_file, data, feeds, words
from livereview.summary.past import PastEntry, PastSummary
from livereview.summary.snapshot import Withdrawal
from livereview.summary.templating import template

TEMPLATES = Path(__file__).parent / "templates"
KINDS = ("review", "finding", "study")
MOST = 50_000
"""Addresses that the sitemap protocol lets a file have."""

FEED = "tag:livereview,2026:library"
"""The id of the feed of all reviews, for ever."""

SITEMAP = Markup(
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n'
)
URL = Markup("<url><loc>{address}</loc><lastmod>{date}</lastmod></url>\n")


@dataclass(frozen=True, slots=True)
class Shelved:
    """A review with what its newest version says, and what was withdrawn of it."""

    review: str
    summary: PastSummary
    withdrawals: tuple[Withdrawal, ...] = ()

    @property
    def site(self) -> str | None:
        """The whole address of its folder, with a slash; None: its protocol gives none."""
        return addresses.site(self.summary.review.site_url)

    @property
    def home(self) -> str:
        """Its folder as other sites read it, or from the front page where no address is known."""
        return self.site or f"{self.review}/"


@dataclass(frozen=True, slots=True)
class Found:
    """Something that the search may find.

    Attributes:
        kind: of KINDS.
        text: What is searched beside the title, and shown below it.
        address: From the front page.
    """

    kind: str
    title: str
    text: str
    review: str
    review_title: str
    address: str


def files(shelf: Sequence[Shelved]) -> Mapping[str, bytes]:
    """The files by name; those with nothing to say are not there."""
    changes = _changes(shelf)
    made = {
        "search.html": _search_page(shelf),
        "search.json": data.dump([_plain(one) for one in index(shelf)], indent=1),
        "changes.html": _page("changes.html", changes=changes),
        "changes.atom": _atom(shelf),
        "changes.json": _json_feed(shelf),
        "calendar.ics": calendar_file.calendar(shelf_events(shelf)),
        "robots.txt": _robots(shelf),
        "sitemap.xml": _sitemap(shelf),
    }
    return {name: content for name, content in made.items() if content}


NAMES = (
    *("search.html", "search.json", "changes.html", "changes.atom", "changes.json"),
    *("calendar.ics", "robots.txt", "sitemap.xml"),
)
"""All that `files` may make."""


def _page(name: str, **values: Any) -> bytes:
    return template(name).render(**values).encode("utf-8", "replace")


# Search


def index(shelf: Iterable[Shelved]) -> tuple[Found, ...]:
    """All that can be searched for: reviews, findings, studies, each by its title."""
    found = [one for shelved in shelf for one in _of_review(shelved)]
    return tuple(sorted(found, key=lambda one: (KINDS.index(one.kind), one.title.casefold())))


def _of_review(shelved: Shelved) -> Iterable[Found]:
    summary = shelved.summary
    title = words.tidy(summary.review.title)
    folder = f"{shelved.review}/latest/"

    def found(kind: str, name: str, text: str, address: str) -> Found:
        told = words.tidy(text)
        return Found(kind, words.tidy(name), told, shelved.review, title, f"{folder}{address}")

    yield found("review", title, f"{summary.answer.text} {summary.caveat}".strip(), "")
    several = len({one.comparison_label for one in summary.findings or ()}) > 1
    for finding in summary.findings or ():
        text = f"{finding.state_display}. {finding.headline}"
        if several:
            text = f"{finding.comparison_label}. {text}"
        yield found("finding", finding.outcome_label, text, "#findings")
    for study in summary.studies:
        parts = (study.design, study.country, study.population, study.risk_of_bias_display)
        text = " · ".join(part for part in parts if part)
        yield found("study", study.label or study.id, text, f"study-{study.id}.html")


def _plain(one: Found) -> dict[str, str]:
    return {
        "kind": one.kind,
        "title": one.title,
        "text": one.text,
        "review": one.review,
        "review_title": one.review_title,
        "address": one.address,
    }


@cache
def script() -> str:
    """The search page's script: one ES module."""
    text = (TEMPLATES / "search.mjs").read_text(encoding="utf-8")
    assert "</" not in text  # it would end the script element
    return text


def policy() -> str:
    """The search page's Content-Security-Policy: this script may run, and nothing may be loaded."""
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _search_page(shelf: Sequence[Shelved]) -> bytes:
    found = index(shelf)
    return _page(
        "search.html",
        groups={kind: [one for one in found if one.kind == kind] for kind in KINDS},
        reviews=sorted((words.tidy(one.summary.review.title), one.review) for one in shelf),
        policy=Markup(policy()),  # noqa: S704 - our own constant
        script=Markup(script()),  # noqa: S704 - our own file
    )


# What changed


def _changes(shelf: Iterable[Shelved]) -> list[dict[str, Any]]:
    """Every version of every review, newest first."""
    rows = [
        {
            "title": words.tidy(shelved.summary.review.title),
            "address": f"{shelved.review}/v/{version.number}/",
            "number": version.number,
            "date": version.date,
            "date_display": version.date_display,
            "change": version.change_display,
            "conclusion_changed": version.change in CONCLUSION_CHANGED,
            "withdrawn": version.withdrawn,
        }
        for shelved in shelf
        for version in versions_of(shelved.summary)
    ]
    return sorted(rows, key=lambda row: (row["date"], row["address"]), reverse=True)


def versions_of(summary: PastSummary) -> tuple[PastEntry, ...]:
    """All versions, newest first; of an old summary that lists none, the one that it is."""
    if summary.versions:
        return summary.versions
    version = summary.version
    own = version.model_dump(include=set(PastEntry.model_fields))
    return (PastEntry.model_validate(own),)


def _entries(shelf: Iterable[Shelved]) -> list[feeds.Entry]:
    """The entries of all reviews' own feeds, with the review's title; newest first.

    The newest version says what its own feed says; of an earlier one only what made it is known
    here.
    """
    made: list[feeds.Entry] = []
    for shelved in shelf:
        summary = shelved.summary
        title = words.tidy(summary.review.title)
        own = feeds.entries(summary, [], shelved.home, shelved.withdrawals)
        told = {entry.id for entry in own}
        own += [
            earlier
            for version in versions_of(summary)
            if (earlier := _earlier(shelved, version)).id not in told
        ]
        made += [replace(entry, title=f"{title}: {entry.title}") for entry in own]
    return sorted(made, key=lambda entry: (entry.date, entry.id), reverse=True)


def _earlier(shelved: Shelved, version: PastEntry) -> feeds.Entry:
    changed = (feeds.CONCLUSION,) if version.change in CONCLUSION_CHANGED else ()
    text = words.tidy(f"Cause: {version.trigger}.")
    return feeds.Entry(
        id=f"{feeds.id_of(shelved.summary.review)}/v/{version.number}",
        title=f"Version {version.number}: {version.change_display}",
        date=version.date,
        updated=version.date,
        address=f"{shelved.home}v/{version.number}/",
        tags=((version.change, version.change_display), *changed),
        short=text,
        long=text,
    )


def _atom(shelf: Sequence[Shelved]) -> bytes:
    made = _entries(shelf)
    if not made:
        return b""
    root = root_of(shelf)
    return feeds.written(
        made,
        id=FEED,
        title="Living reviews",
        own=f"{root}changes.atom" if root else None,
        home=root or "./",
        authors=["The teams of the reviews"],
        licence="As each review says",
    )


def _json_feed(shelf: Sequence[Shelved]) -> bytes:
    made = _entries(shelf)
    root = root_of(shelf)
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Living reviews: changes",
        "home_page_url": root or "./",
        **({"feed_url": f"{root}changes.json"} if root else {}),
        "language": "en-GB",
        "items": [feeds.item(one) for one in made],
    }
    return f"{json.dumps(feed, ensure_ascii=False, indent=1)}\n".encode("utf-8", "replace")


# When it is searched next


def shelf_events(shelf: Iterable[Shelved]) -> list[calendar_file.Event]:
    """The days on which each living review is searched, as its protocol plans them."""
    events: list[calendar_file.Event] = []
    for shelved in shelf:
        summary = shelved.summary
        schedule, living = summary.status.search_schedule, summary.review.living
        if living.status != "living" or summary.status.retirement or not schedule:
            continue
        when = calendar_file.recurrence(schedule)
        if when is None:
            continue
        events.append(
            calendar_file.Event(
                uid=f"{shelved.review}-searches@{addresses.authority(summary.review.site_url)}",
                title=f"Searched for new studies: {words.tidy(summary.review.title)}",
                text=f"{summary.status.search_schedule_display or schedule}. What they find waits "
                "to be assessed by people before anything changes.",
                address=f"{shelved.site}latest/" if shelved.site else None,
                known=summary.as_of,
                when=when,
            )
        )
    return events


# For search engines


def root_of(shelf: Iterable[Shelved]) -> str | None:
    """The whole address of the front page: the folder in which reviews with an address lie.

    None where none has one, or they lie in several.
    """
    roots = {
        shelved.site.removesuffix(f"{shelved.review}/")
        for shelved in shelf
        if shelved.site and shelved.site.endswith(f"/{shelved.review}/")
    }
    return roots.pop() if len(roots) == 1 else None


def _sitemap(shelf: Sequence[Shelved]) -> bytes:
    """Pages with a whole address: what the protocol leaves open can't be in a sitemap."""
    root = root_of(shelf)
    newest = max((one.summary.version.date for one in shelf), default="")
    rows = [(f"{root}{name}", newest) for name in ("", "search.html", "changes.html") if root]
    for shelved in shelf:
        if shelved.site is None:
            continue
        names = ["", "studies.html", "methods.html", "analysis.html", "data.html"]
        names += [f"study-{study.id}.html" for study in shelved.summary.studies]
        date = shelved.summary.version.date
        rows += [(f"{shelved.site}latest/{name}", date) for name in names]
    if not rows:
        return b""
    urls = (URL.format(address=address, date=date) for address, date in rows[:MOST])
    return SITEMAP.format(urls=Markup("").join(urls)).encode()


def _robots(shelf: Sequence[Shelved]) -> bytes:
    """What is published may be read by anybody; the team's own pages are no use to a crawler."""
    root = root_of(shelf)
    lines = ["User-agent: *", "Disallow: /r/", "Disallow: /sign-in", "Disallow: /api/", "Allow: /"]
    if root:
        lines += ["", f"Sitemap: {root}sitemap.xml"]
    return "\n".join([*lines, ""]).encode()
