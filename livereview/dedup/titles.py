"""What a title says of its item besides its subject: a part, a notice on another item, a standing column."""

from __future__ import annotations

import re

from livereview.dedup.words import unmarked

_REFS = re.compile(
    r"\[(?:review|see comments?|comments?|erratum|corrected|retracted|published erratum|summary for patients|\d+ refs?"
    r"|\d+ references?|letter|abstract|editorial|corrigendum)\b[^\]]*\]|\(author abstract\)",
    re.IGNORECASE,
)
# A publisher marks the article itself so after the event; the notice that says why is another item.
_MARKED = re.compile(r"^\W*(?:retracted(?: article| paper)?|withdrawn)\s*[:.\-–—]\s*", re.IGNORECASE)
_PARTS = re.compile(
    r"\b(?:part|pt|volume|vol|chapter|book|section|wave|phase|series|episode)\s*\.?\s*"
    r"([0-9]{1,3}|[ivx]{1,5}|one|two|three|four|five|six)\b",
    re.IGNORECASE,
)
_VALUES = {
    **{roman: str(n) for n, roman in enumerate(("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"), start=1)},
    **{word: str(n) for n, word in enumerate(("one", "two", "three", "four", "five", "six"), start=1)},
}
_NOTICE = re.compile(
    r"""^\W*(?:
    (?P<correction>(?:erratum|errata|corrigend\w+|addendum)\b
        |(?:publisher'?s?\ |author'?s?\ )?corrections?\b\s*(?=[:.\-–—]|to\b|$))
    |(?P<retraction>retraction(?:\ note|\ notice)?|withdrawal|expression\ of\ concern)\b\s*(?=[:\-–—.]|of\b|to\b|for\b)
    |(?P<reprint>reprint\ of|republished)\b
    |(?P<reply>comments?\s+(?:on|to)\b|commentary(?:\s+on\b|\s*:)|re\s*:|letter\ to\ the\ editor
        |(?:authors?['’]?s?['’]?\s+)?(?:reply|response|rejoinder)\b(?=\s*(?:to\b|:|by\b|$)))
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_NOTICE_AFTER = re.compile(
    r"""(?:\b(?P<correction>correction\ to|addendum)\b
    |(?P<protocol>^\W*protocol\b|\b(?:study|trial|review|research|design)\ protocol\b|[:.\-–—]\s*(?:an?\ )?protocol\b
        |\bprotocol\W*$)
    |[:.\-–—?(]\s*(?:an?\ |the\ )?(?:authors?['’]?s?['’]?\ )?(?P<reply>reply|response|rejoinder|comment)\W*$)""",
    re.IGNORECASE | re.VERBOSE,
)
_AFTER = ("correction", "addendum", "protocol", "reply", "response", "rejoinder", "comment")
_SERIAL = re.compile(
    r"""^(?:the\ )?(?:guest\ )?(?:
    editor\w*(?:\ (?:notes?|introduction|comments?|board|preface|statement|note\ to\ readers|foreword))?
    (?:\ volume\ .*)?
    |book\ reviews?|introduction(?:\ to\ (?:the|this)\ .*)?|preface|foreword|contents|table\ of\ contents
    |in\ this\ issue|index|announcements?|news|letters?(?:\ to\ the\ editor)?|masthead
    |front\ matter|back\ matter|cover|reviewers?|call\ for\ papers|abstracts?|obituary|corrections?|conclusions?
    |comments?|reply|response|commentary|remarks\ from\ .*|issues\ (?:and\ )?opinions|discussion
    |errat(?:um|a)(?:\ notes?)?|special\ (?:issue|section)(?:\ on\ .*)?|from\ the\ editors?
    |.*\beditors?\ ?s?\ (?:comments?|notes?|introduction|remarks|preface|page)(?:\ research\ article|\ volume\ .*)?
    )$""",
    re.VERBOSE,
)


def cleaned(title: str) -> str:
    """The title without markup, databases' remarks in brackets, a second title and a publisher's mark of retraction."""
    first = re.split(r"<original>", title, maxsplit=1, flags=re.IGNORECASE)[0] or title
    return _MARKED.sub("", _REFS.sub(" ", unmarked(first)))


def before_subtitle(title: str) -> str:
    return re.split(r"[:.?!–—]\s|\s-\s", title.lstrip("[ "), maxsplit=1)[0]


def parts(title: str) -> tuple[str, ...]:
    """("2",) for "Part II", "vol. 2" or "second"-like marks, sorted; () where the title names no part."""
    return tuple(sorted(_VALUES.get(found.lower(), found) for found in _PARTS.findall(title)))


def notice(title: str) -> str:
    """correction, retraction or reply, where the title says that the item is one; else ""."""
    match = _NOTICE.match(title)
    if not match and any(mark in title.lower() for mark in _AFTER):
        match = _NOTICE_AFTER.search(title)
    return match.lastgroup or "" if match else ""


def serial(words: str) -> bool:
    """Whether a title, as plain words, is one that every issue of a journal may have."""
    return len(words) < 8 or bool(_SERIAL.match(words))
