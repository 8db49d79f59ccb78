"""The Atom feed of changes (RFC 4287): one entry a version, its category the class of change, its
id for ever.

A version that is withdrawn, or stands again, is an entry of its own. Its category is
"version-withdrawn", for "withdrawn" is the class of a version whose evidence was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from livereview import messages
from livereview.evidence.finding_changes import FORMER_CLASS
from livereview.messages import mark, say
from livereview.summary import addresses, tombstone, words
from livereview.summary.addresses import Place
from livereview.summary.model import Summary
from livereview.summary.model.protocol import Protocol
from livereview.summary.past import PastProtocol, PastSummary
from livereview.summary.snapshot import Withdrawal
from livereview.summary.words import tidy

_FEED = Markup(
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{language}">\n'
    "<id>{id}</id>\n<title>{title}</title>\n<updated>{updated}</updated>\n"
    '{own}<link rel="alternate" type="text/html" href="{home}"/>\n{authors}<rights>{licence}</rights>\n'
    "{entries}</feed>\n"
)
_ENTRY = Markup(
    "<entry>\n<id>{id}</id>\n<title>{title}</title>\n"
    '<updated>{updated}</updated>\n<link rel="alternate" type="text/html" href="{address}"/>\n'
    "{tags}<summary>{text}</summary>\n</entry>\n"
)
_SELF = Markup('<link rel="self" type="application/atom+xml" href="{address}"/>\n')
_TAG = Markup('<category term="{term}" label="{label}"/>\n')
_AUTHOR = Markup("<author><name>{name}</name></author>\n")
Told = Summary | PastSummary
"""This version's summary, or an earlier one's."""

Reviewed = Protocol | PastProtocol
CONCLUSION = ("conclusion-changed", "Conclusion changed")
WITHDRAWN, STANDS = (
    ("version-withdrawn", "Version withdrawn"),
    ("version-reinstated", "Version stands again"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of both feeds.

    `tags` are (term, label); `short` is the text of the JSON feed, `long` that of Atom.

    Attributes:
        date, updated: When it was published; when its words last changed, which only a withdrawal
            does.
    """

    id: str
    title: str
    date: str
    updated: str
    address: str
    tags: tuple[tuple[str, str], ...]
    short: str
    long: str


def entries(
    summary: Told,
    earlier: Sequence[PastSummary],
    home: str,
    acts: Sequence[Withdrawal] = (),
) -> list[Entry]:
    """Newest first.

    A version's entry is made from its own summary, so that it never changes; while it is withdrawn,
    the entry says that instead of what the version said.
    """
    gone = tombstone.in_force(acts)
    rows = [_version(told, home, gone.get(told.version.number)) for told in (*earlier, summary)]
    rows += [_act(summary.review, act, home) for act in acts]
    rows.reverse()  # of one moment, the later first
    return sorted(rows, key=lambda entry: entry.date, reverse=True)


def _version(summary: Told, home: str, act: Withdrawal | None) -> Entry:
    version = summary.version
    changed = (CONCLUSION,) if version.conclusion_changed else ()
    entry = Entry(
        id=f"{id_of(summary.review)}/v/{version.number}",
        title=say(
            "Version {number}: {change}", number=version.number, change=version.change_display
        ),
        date=version.date,
        updated=version.date,
        address=f"{home}v/{version.number}/",
        tags=((version.change, version.change_display), *_former(version.change), *changed),
        short=f"{tidy(summary.answer.text)} {summary.caveat}".strip(),
        long=tidy(_text(summary)),
    )
    return _crossed_out(entry, version.number, act) if act else entry


def id_of(review: Reviewed) -> str:
    """A review's id for ever (RFC 4151), by what the version itself said of its address."""
    return f"tag:{addresses.authority(review.site_url)}:{review.id}"


def _former(change: str) -> tuple[tuple[str, str], ...]:
    """The category that the rules before 2.0 would have given, kept as an alias until December
    2027.
    """
    former = FORMER_CLASS.get(change)
    if former is None or former == change:
        return ()
    return ((former, former.capitalize()),)


def _crossed_out(entry: Entry, number: int, act: Withdrawal) -> Entry:
    why, tags, updated = _why(act), (*entry.tags, WITHDRAWN), words.iso(act.date) or entry.date
    return replace(
        entry,
        title=say("Version {number}, withdrawn", number=number),
        updated=updated,
        tags=tags,
        short=why,
        long=why,
    )


def _act(review: Reviewed, act: Withdrawal, home: str) -> Entry:
    """Its id holds its time: a version may be withdrawn twice."""
    kind, title = "reinstated", mark("Version {number} stands again")
    if act.withdraws:
        kind, title = "withdrawn", mark("Version {number} was withdrawn")
    date = words.iso(act.date) or ""
    return Entry(
        id=f"{id_of(review)}/v/{act.version}/{kind}/{date}",
        title=say(title, number=act.version),
        date=date,
        updated=date,
        address=f"{home}v/{act.version}/",
        tags=(WITHDRAWN if act.withdraws else STANDS,),
        short=_why(act),
        long=_why(act),
    )


def _why(act: Withdrawal) -> str:
    what = mark("The withdrawal was taken back on {date} by {author}. Why: {reason}")
    if act.withdraws:
        what = mark("Withdrawn on {date} by {author}. Why: {reason}")
    return tidy(say(what, date=words.day(act.date), author=say(tombstone.BY), reason=act.reason))


def atom(
    summary: Told,
    earlier: Sequence[PastSummary],
    place: Place,
    acts: Sequence[Withdrawal] = (),
) -> bytes:
    """The feed of a review.

    Args:
        earlier: Summaries of the versions before, oldest first.
        place: Where this build stands.
        acts: What was withdrawn or taken back, oldest first.
    """
    review = summary.review
    return written(
        entries(summary, earlier, place.review, acts),
        id=id_of(review),
        title=say("{title}: changes", title=tidy(review.title)),
        own=f"{place.folder}changes.atom" if place.folder else None,
        home=f"{place.review}latest/",
        authors=[tidy(name) for name in review.authors],
        licence=tidy(review.licence),
    )


def written(
    told: Sequence[Entry],
    *,
    id: str,
    title: str,
    own: str | None,
    home: str,
    authors: Sequence[str],
    licence: str,
) -> bytes:
    """An Atom feed of these entries, of which there is at least one.

    Args:
        own: The feed's own address, whole; None: not known.
        home: Address of the page that it belongs to.
    """
    feed = _FEED.format(
        id=id,
        own=_SELF.format(address=own) if own else "",
        language=messages.in_force(),
        title=title,
        updated=max(one.updated for one in told),
        home=home,
        authors=Markup("").join(_AUTHOR.format(name=name) for name in authors),
        licence=licence,
        entries=Markup("").join(_atom_entry(one) for one in told),
    )
    return feed.encode("utf-8", "replace")


def _atom_entry(one: Entry) -> Markup:
    tags = Markup("").join(_TAG.format(term=term, label=label) for term, label in one.tags)
    return _ENTRY.format(
        id=one.id,
        title=one.title,
        updated=one.updated,
        address=one.address,
        tags=tags,
        text=one.long,
    )


def json_feed(
    summary: Told,
    earlier: Sequence[PastSummary],
    place: Place,
    acts: Sequence[Withdrawal] = (),
) -> bytes:
    """The same as a JSON Feed 1.1; tags are the terms of the categories."""
    review = summary.review
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": say("{title}: changes", title=tidy(review.title)),
        "home_page_url": f"{place.review}latest/",
        **({"feed_url": f"{place.folder}changes.json"} if place.folder else {}),
        "language": messages.in_force(),
        "authors": [{"name": tidy(name)} for name in review.authors],
        "items": [item(one) for one in entries(summary, earlier, place.review, acts)],
    }
    return f"{json.dumps(feed, ensure_ascii=False, indent=1)}\n".encode("utf-8", "replace")


def item(one: Entry) -> dict[str, Any]:
    """An entry as an item of a JSON feed."""
    return {
        "id": one.id,
        "url": one.address,
        "title": one.title,
        "content_text": one.short,
        "date_published": one.date,
        **({"date_modified": one.updated} if one.updated != one.date else {}),
        "tags": [term for term, _ in one.tags],
    }


def _text(summary: Told) -> str:
    """What made the version, and what the review said with it."""
    added = ", ".join(summary.changed.studies_added)
    changed = " ".join(
        f"{change.label}: {change.display} ({change.text})." for change in summary.changed.findings
    )
    parts = (
        say("Cause: {cause}.", cause=summary.version.trigger),
        say("New studies: {studies}.", studies=added) if added else "",
        changed,
        summary.answer.text,
        summary.caveat,
    )
    return " ".join(part for part in parts if part)
