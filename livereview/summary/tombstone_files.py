"""The files that stand where a withdrawn version stood, and in `latest` while the newest version is
withdrawn.

What to show when the newest version is withdrawn: not the version before it, for readers of
`latest` would take an old answer for what the evidence says today; and not what was withdrawn. So
`latest` is a notice with the reason and a link to the last version that stands, until a new version
is published or the withdrawal is taken back. Its feeds go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from livereview.summary import addresses, crate, data, feeds, model, past, tombstone, words
from livereview.summary.addresses import Place
from livereview.summary.crate import SUMS
from livereview.summary.snapshot import Withdrawal
from livereview.summary.templating import template

DATA = "tombstone.json"  # where it is, everything else in the folder is gone


def of_version(
    texts: Sequence[str], acts: Sequence[Withdrawal], number: int, home: str
) -> Mapping[str, bytes]:
    """The folder of withdrawn version `number`: a page, the same as data, and what frames and
    elements elsewhere show.

    Args:
        texts: Summary.json of every version, oldest first.
        home: From this folder to the review's.
    """
    with words.as_dated_in(past.read(texts[-1])):
        return _sealed(_grave(texts, acts, number, home))


def _grave(
    texts: Sequence[str], acts: Sequence[Withdrawal], number: int, home: str
) -> Mapping[str, bytes]:
    told = tombstone.of_version(texts, acts, number, home)
    pages = {
        name: template("tombstone.html")
        .render(t=told, home=home, framed=name == "embed.html")
        .encode("utf-8", "replace")
        for name in ("index.html", "embed.html")
    }
    return {
        **pages,
        DATA: data.dump(model.plain(told), indent=1),
        "embed.js": template("embed.js").render().encode(),
    }


def notice(texts: Sequence[str], acts: Sequence[Withdrawal], home: str) -> Mapping[str, bytes]:
    """`latest` while the newest version is withdrawn: its tombstone, and the feeds, which people
    follow here.
    """
    *earlier, newest = [past.read(text) for text in texts]
    with words.as_dated_in(newest):
        site = addresses.site(newest.review.site_url)
        place = Place(site, home, newest.version.number)
        followed = {
            "changes.atom": feeds.atom(newest, earlier, place, acts),
            "changes.json": feeds.json_feed(newest, earlier, place, acts),
        }
        return _sealed({**_grave(texts, acts, len(texts), home), **followed})


def _sealed(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """The files with their checksums, by which whoever keeps the folder can tell that it is whole."""
    return {**files, SUMS: crate.sums(files)}
