"""Where a build stands on the web, for whoever reads a file of it somewhere else.

Links between a version's files are relative, so that a folder works from any host and from a disk.
A feed, an embed, a citation or a description of the page is read elsewhere: there an address must
be whole, and the protocol's `site_url` says which it is. Without one these stay relative.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from livereview.review import Review

PINNED = "../../"
"""The way from a numbered version's files to the review's folder."""

WITHOUT = "livereview,2026"
"""The authority of tag: URIs (RFC 4151) without an address; published ids hold it for ever."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one build stands.

    Attributes:
        site: Address of the review's folder with `latest/` and `v/`, with a slash at its end; None:
            the protocol gives none.
        home: The way from these files to that folder.
        number: Of the version.
    """

    site: str | None
    home: str
    number: int

    @property
    def pinned(self) -> bool:
        """Whether it is a numbered version, which never changes."""
        return self.home == PINNED

    @property
    def review(self) -> str:
        """The review's folder: whole where it is known, else the way to it."""
        return self.site or self.home

    @property
    def folder(self) -> str:
        """This build's own folder, whole; "" where nobody knows it."""
        if self.site is None:
            return ""
        if self.pinned:
            return f"{self.site}v/{self.number}/"
        return f"{self.site}latest/"

    @property
    def version(self) -> str:
        """The folder in which this version stays, whole; "" where nobody knows it."""
        return f"{self.site}v/{self.number}/" if self.site else ""


def place(review: Review, home: str, number: int) -> Place:
    """Where a build of this review stands."""
    return Place(site(review.site_url), home, number)


def site(address: str | None) -> str | None:
    """The protocol's address with a slash at its end."""
    return None if not address else f"{address.rstrip('/')}/"


def authority(address: str | None) -> str:
    """Who names things in ids: the site's domain, so that no two servers give the same id."""
    host = urlsplit(address).hostname if address else None
    return f"{host},2026" if host else WITHOUT
