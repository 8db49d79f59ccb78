"""What no page or feed needs in its markup, and what makes parsers take the square of its length."""

from __future__ import annotations

import re

from livereview.errors import SourceBroken

# of one element: real ones have fewer than fifty; parsers compare each with all others
MOST_ATTRIBUTES = 300
MOST_WORDS = 2_000  # without a value: text after a stray "<" may look like attributes
# bytes below which a tag can't hold more: a space and a letter each
_SHORTEST = 2 * MOST_ATTRIBUTES

# A value may hold any character but its quotation mark, ">" and "<" among them, and a quotation
# mark begins one only after "=". What stands in a comment may look like a tag that swallows the
# next one, so every "<" is tried.
_START = re.compile(rb"<(?=[A-Za-z!?/:_])")
_VALUE = rb"=\s*+(?:\"[^\"]*+\"|'[^']*+')"
_TAG = re.compile(rb"<(?:%b|[^<>])*+" % _VALUE)
_MANY_VALUES = re.compile(rb"<(?:[^<>=]*+(?>%b|=)){%d}" % (_VALUE, MOST_ATTRIBUTES + 1))
_MANY_WORDS = re.compile(rb"<(?:(?:%b|[^<>\s/])*+[\s/]++){%d}[^<>\s/]" % (_VALUE, MOST_WORDS + 1))
_ANY_VALUE = re.compile(_VALUE)


def refuse_crowded(body: bytes, source: str) -> None:
    """Nothing for usual markup, also where it stands inside a text as &lt;i a="x"&gt;.

    Raises:
        SourceBroken: an element has more than MOST_ATTRIBUTES attributes.
    """
    if len(body) < _SHORTEST:
        return
    plain = body.replace(b"\x00", b"")  # UTF-16 and UTF-32 become readable
    plain = plain.replace(b"&lt;", b"<").replace(b"&gt;", b">").replace(b"&quot;", b'"')
    for start in _START.finditer(plain):
        place = start.start()
        if _MANY_VALUES.match(plain, place) or _MANY_WORDS.match(plain, place):
            raise _crowded(_TAG.match(plain, place).group(), source)  # type: ignore[union-attr]


def _crowded(tag: bytes, source: str) -> SourceBroken:
    """The error that names the element and how many attributes it has."""
    bare = _ANY_VALUE.sub(b"= ", tag)
    values = bare.count(b"=")
    words = len(bare.replace(b"/", b" ").split()) - 1
    count = values if values > MOST_ATTRIBUTES else words
    name = re.match(rb"[^\s/]{0,40}", tag).group().decode("utf-8", "replace")  # type: ignore[union-attr]
    return SourceBroken(
        f"an element {name}> has {count:,} attributes, which none needs and which would take a parser hours; "
        f"at most {MOST_ATTRIBUTES} are read",
        source=source,
    )
