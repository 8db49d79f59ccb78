"""The Atom feed of changes (RFC 4287): one entry a version, its category the class of change, its id for ever."""

from __future__ import annotations

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


def atom(summary: dict[str, Any], home: str, conclusions: tuple[str, ...]) -> bytes:
    """The feed for a summary: all its versions, newest first. Dates are the versions' own.

    home         from this file to the review's folder, "../" in `latest/`
    conclusions  the classes of change that also get the category "conclusion-changed"
    """
    review, versions = summary["review"], summary["versions"]
    entries = [_entry(summary, version, home, version["change"] in conclusions) for version in versions]
    authors = (_AUTHOR.format(name=tidy(name)) for name in review["authors"])
    feed = _FEED.format(
        authority=AUTHORITY,
        review=review["id"],
        title=tidy(review["title"]),
        updated=max(version["date"] for version in versions),
        home=home,
        authors=Markup("").join(authors),
        licence=tidy(review["licence"]),
        entries=Markup("").join(entries),
    )
    return feed.encode("utf-8", "replace")


def _entry(summary: dict[str, Any], version: dict[str, Any], home: str, conclusion: bool) -> Markup:
    return _ENTRY.format(
        authority=AUTHORITY,
        review=summary["review"]["id"],
        number=version["number"],
        display=version["change_display"],
        updated=version["date"],
        home=home,
        change=version["change"],
        conclusion=_CONCLUSION if conclusion else "",
        text=tidy(_text(summary, version)),
    )


def _text(summary: dict[str, Any], version: dict[str, Any]) -> str:
    """What made the version; for the newest also what the review now says."""
    cause = f"Cause: {version['trigger']}."
    if version["number"] != summary["version"]["number"]:
        return cause
    added = ", ".join(summary["changed"]["studies_added"])
    new = f" New studies: {added}." if added else ""
    return f"{cause}{new} {summary['answer']['text']} {summary['caveat']}"
