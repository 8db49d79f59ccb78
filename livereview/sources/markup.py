"""What no page or feed needs in its markup, and what makes parsers take the square of its length."""

from __future__ import annotations

import re

from livereview.errors import SourceBroken

MOST_ATTRIBUTES = 300  # of one element: real ones have fewer than fifty; parsers compare each with all others
MOST_WORDS = 2_000  # without a value: text after a stray "<" may look like attributes
_SHORTEST = 2 * MOST_ATTRIBUTES  # bytes below which a tag can't hold more: a space and a letter each

_LONG_TAG = re.compile(rb"<[A-Za-z!?/:_][^<>]{%d,}" % _SHORTEST)
_QUOTED = re.compile(rb"\"[^\"]*+\"|'[^']*+'")


def refuse_crowded(body: bytes, source: str) -> None:
    """Nothing for usual markup, also where it stands inside a text as &lt;i a="x"&gt;.

    Raises:
        SourceBroken: an element has more than MOST_ATTRIBUTES attributes.
    """
    if len(body) < _SHORTEST:
        return
    plain = body.replace(b"\x00", b"")  # UTF-16 and UTF-32 become readable
    plain = plain.replace(b"&lt;", b"<").replace(b"&gt;", b">").replace(b"&quot;", b'"')
    for tag in _LONG_TAG.finditer(plain):
        count = _too_many(tag.group())
        if count:
            name = re.match(rb"[^\s/]{0,40}", tag.group()).group().decode("utf-8", "replace")  # type: ignore[union-attr]
            raise SourceBroken(
                f"an element {name}> has {count:,} attributes, which none needs and which would take a parser hours; "
                f"at most {MOST_ATTRIBUTES} are read",
                source=source,
            )


def _too_many(tag: bytes) -> int:
    """How many attributes a tag has, if that is too many; else 0."""
    bare = _QUOTED.sub(b"'' ", tag)
    values = bare.count(b"=")
    if values > MOST_ATTRIBUTES:
        return values
    words = len(bare.replace(b"/", b" ").split()) - 1
    return words if words > MOST_WORDS else 0
