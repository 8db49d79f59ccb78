"""Words that stand where a database knows nothing: they are nothing, and agree with nothing."""

from __future__ import annotations

from functools import lru_cache

from livereview.dedup.words import words

LONGEST = 60  # letters: a longer text says something
_NOTHING = frozenset(
    line.strip()
    for line in """
    na
    n a
    nan
    nat
    none
    null
    nil
    unknown
    undefined
    unspecified
    missing
    empty
    blank
    tba
    tbd
    tbc
    xx
    xxx
    anon
    anonymous
    anonymus
    anonym
    author unknown
    unknown author
    no author
    no authors
    no author listed
    no authors listed
    no author given
    author not listed
    authors not listed
    not listed
    not known
    not given
    not stated
    not specified
    not available
    not applicable
    not provided
    not reported
    not found
    unavailable
    et al
    and others
    others
    no title
    no title available
    no title provided
    title not available
    title unavailable
    unknown title
    untitled
    sans titre
    ohne titel
    sin titulo
    no abstract
    no abstract available
    no abstract provided
    abstract not available
    abstract unavailable
    abstract available from the publisher
    this article does not have an abstract
    s n
    s l
    n d
    n p
    no date
    no pagination
    no page
    no pages
    online
    online only
    """.splitlines()
    if line.strip()
)


def known_text(text: str | None) -> str:
    """The text, or "" where it only says that nothing is known: "NA", "[No title available]", "."."""
    if not text:
        return ""
    if len(text) > LONGEST or text.isdecimal():
        return text
    return "" if _says_nothing(text) else text


@lru_cache(16_384)  # names, journals and volumes come again and again
def _says_nothing(text: str) -> bool:
    plain = words(text)
    return not plain or plain in _NOTHING
