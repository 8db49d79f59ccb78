"""oEmbed 1.0 (https://oembed.com, read November 2026): what another site needs to show a review's
answer in a frame.

The frame is `embed.html`, which never shows the answer without version, search date, certainty and
caveat. They stand beside it as fields too, for sites that draw their own box.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from livereview.messages import say
from livereview.summary.addresses import Place
from livereview.summary.model import Summary

WIDTH, HEIGHT = 640, 320  # pixels, where the other site sets no limit
# seconds it may be kept: `latest` moves, a numbered version does not
FLOATING, PINNED = 300, 31_536_000

# The frame may run nothing, send nothing and read nothing; its link opens a page that is free of
# these limits again.
_FRAME = Markup(
    '<iframe src="{address}" title="{title}" width="{width}" height="{height}" loading="lazy" '
    'referrerpolicy="no-referrer" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>'
)


def certainty(summary: Summary) -> str:
    """ "Attendance: low; Wellbeing: very low", or that nothing is rated."""
    levels = [
        say(
            "{label}: {level}",
            label=finding.outcome_label,
            level=say(finding.certainty.level.replace("_", " ")),
        )
        for finding in summary.findings
        if finding.certainty is not None
    ]
    return "; ".join(levels) or say("not rated")


def describe(summary: Summary, place: Place) -> dict[str, Any]:
    """oembed.json of a build.

    Where nobody knows its address the frame's is relative to this file.
    """
    pinned = place.pinned
    review, version, status = summary.review, summary.version, summary.status
    plain = {
        "type": "rich",
        "version": "1.0",  # of oEmbed, as it demands
        "title": f"{review.title}: version {version.number}",
        "author_name": ", ".join(review.authors),
        "provider_name": "livereview",
        "cache_age": PINNED if pinned else FLOATING,
        "review": review.id,
        "review_version": version.number,
        "review_version_date": version.date_display,
        "pinned": pinned,
        "searched_to": status.searched_to,
        "searched_to_display": status.searched_to_display,
        "certainty": certainty(summary),
        "answer": summary.answer.text,
        "caveat": summary.caveat,
    }
    if place.site is not None:
        plain |= {"provider_url": place.site, "url": place.folder}
    return sized(plain, place.folder, None, None)


def sized(
    told: Mapping[str, Any], folder: str, maxwidth: int | None, maxheight: int | None
) -> dict[str, Any]:
    """The same for a build that stands at address `folder`, which ends with a slash, within limits
    in pixels.
    """
    width, height = min(WIDTH, maxwidth or WIDTH), min(HEIGHT, maxheight or HEIGHT)
    frame = _FRAME.format(
        address=f"{folder}embed.html", title=told["title"], width=width, height=height
    )
    return {**told, "html": str(frame), "width": width, "height": height}
