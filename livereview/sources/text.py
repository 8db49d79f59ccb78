"""Plain text from what publishers send: no markup, no control characters, no surprises for the
database or the page.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable

from livereview.sources.protocol import Reject

TITLE_LIMIT = 1_000
ABSTRACT_LIMIT = 20_000
RAW_LIMIT = 2_000
_KEEP = {"\n", "\t", "‌", "‍"}
_BLOCK = re.compile(
    r"</?(?:p|div|br|li|ul|ol|h[1-6]|title|sec|section|jats:[a-z]+)\b[^<>]{0,2000}>", re.IGNORECASE
)
# A "<" that opens no tag: a cleaner of HTML would take "x<y" for one and drop all that follows.
_STRAY = re.compile(r"<(?!/?[A-Za-z][\w:.-]*(?:\s*/?>|[\s/]+[\w:.-]+\s*=)|!|\?)")
# letters that a text may have around its words (formulas in MathML), before any pattern sees it
MARKUP = 20_000
MARKS = 8  # on one letter: more than any script writes


def plain(text: object, limit: int = TITLE_LIMIT) -> str | None:
    """One line of plain text without markup or entities, at most `limit` characters.

    None if nothing is left.
    """
    if text is None:
        return None
    value = str(text)[: limit * 4 + MARKUP]
    if "<" in value or "&" in value:
        import nh3  # commands that read no markup start without it

        value = html.unescape(value) if "&lt;" in value else value
        value = html.unescape(nh3.clean(_STRAY.sub("&lt;", _BLOCK.sub(" ", value)), tags=set()))
    return safe(value, limit)


def safe(text: str, limit: int) -> str | None:
    """`text` in NFC without control, format, private and surrogate characters, spaces folded,
    capped.
    """
    value = unicodedata.normalize("NFC", text[: limit * 4])
    value = "".join(
        c
        if c in _KEEP or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co")
        else " " * (c < " ")
        for c in value
    )
    value = " ".join(_fewer_marks(value).split())
    return value[:limit].strip() or None


def _fewer_marks(text: str) -> str:
    """At most MARKS combining marks in a row, of whatever script."""
    if text.isascii():
        return text
    kept, run = [], 0
    for letter in text:
        run = run + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if run <= MARKS:
            kept.append(letter)
    return "".join(kept)


# The word "Abstract" or "Summary" as a heading: with a sign behind it, in capitals, or before a word
# that begins a sentence. "Abstract reasoning" and "Summary Care Records" are words of the text.
_HEADING = re.compile(
    r"(?:(?i:abstract|summary)\s*(?:[:.;|—–]|-\s)[:.\s]*"
    r"|(?:ABSTRACT|SUMMARY)\s+(?=[A-Z0-9“\"'(])"
    r"|[Aa]bstract\s+(?=[A-Z0-9“\"'(])(?!(?:Reasoning|Thinking|Expression|Art|Algebra|Concept|Data|Word"
    r"|Syntax|Meaning|Information|Screening|Interpretation|Argument|Machine|Pattern|Visual|Verbal))"
    r"|[Ss]ummary\s+(?=[A-Z][\w‐-]*[,:]?\s+[a-z0-9(]|(?:The|In|A|We|This)\b))(?=\S)"
)
_MARKED_HEADING = re.compile(
    r"\s*<([a-z][\w:]*)\b[^<>]{0,300}>\s{0,9}(?:abstract|summary)\s{0,9}[:.]?\s{0,9}</\1\s{0,9}>",
    re.IGNORECASE,
)


def abstract(text: object) -> str | None:
    """An abstract as plain text, without the heading "Abstract" that many publishers put before it."""
    if isinstance(text, str) and (marked := _MARKED_HEADING.match(text[:1_000])):
        text = text[marked.end() :]
    value = plain(text, ABSTRACT_LIMIT)
    if value is None:
        return None
    heading = _HEADING.match(value)
    return value[heading.end() :] if heading else value


def name(family: object, given: object = None, suffix: object = None) -> str | None:
    """ "Family, Given", or whichever there is; with "Jr" or "III" as a third part."""
    parts = [part for part in (plain(family, 200), plain(given, 200), plain(suffix, 20)) if part]
    return ", ".join(parts) or None


def names(values: Iterable[str | None]) -> tuple[str, ...]:
    """The names that are there, in order."""
    return tuple(value for value in values if value)


def link(text: object) -> str | None:
    """An http(s) address with a host, or None: nothing else may become a link on a page."""
    value = re.sub(r"[\x00-\x20\x7f]", "", str(text or "")[: RAW_LIMIT * 4])
    if re.match(r"https?://[^/\s@]+\.[^/\s@]+", value, re.IGNORECASE):
        return value[:2_000]
    return None


def reject(reason: str, where: str, raw: object) -> Reject:
    """A Reject with its raw text cut to size."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    return Reject(reason, where, text[:RAW_LIMIT])
