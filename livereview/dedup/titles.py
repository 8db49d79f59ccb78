"""What a title says of its item besides its subject: a part, a notice on another item, a standing
column.
"""

from __future__ import annotations

import re

from livereview.dedup.words import unmarked

_REFS = re.compile(
    r"\[(?:review|see comments?|comments?|erratum|corrected|retracted|published erratum|summary for patients|\d+ refs?"
    r"|\d+ references?|letter|abstract|editorial|corrigendum)\b[^\]]{0,300}\]|\(author abstract\)",
    re.IGNORECASE,
)
# A publisher marks the article itself so after the event; the notice that says why is another item.
_MARKED = re.compile(
    r"^\W*(?:retracted(?: article| paper)?|withdrawn)\s*[:.\-–—]\s*", re.IGNORECASE
)
_PARTS = re.compile(
    r"\b(?:part|pt|parte|partie|teil|deel|osa|часть|част|volume|vol|tome|tomo|band|chapter|book|section"
    r"|wave|phase|series|episode|module)\s*+\.?\s*+"
    # "I1", "Il": II, misread
    r"([0-9]{1,3}|[ivx]{1,5}|i1{1,2}|1i|il|one|two|three|four|five|six)\b",
    re.IGNORECASE,
)
_PART_WORDS = (
    "part",
    "pt",
    "teil",
    "deel",
    "osa",
    "tom",
    "band",
    "module",
    "vol",
    "chapter",
    "book",
    "section",
    "wave",
    "phase",
    "series",
    "episode",
)
_VALUES = {
    **{
        roman: str(n)
        for n, roman in enumerate(
            ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"), start=1
        )
    },
    **{
        word: str(n)
        for n, word in enumerate(("one", "two", "three", "four", "five", "six"), start=1)
    },
}
_NOTICE = re.compile(
    r"""^\W*(?:
    (?P<correction>(?:erratum|errata|corrigend\w+|addendum)\b
        |(?:publisher'?s?\ |author'?s?\ )?corrections?\b\s*(?=[:.\-–—]|to\b|$))
    |(?P<retraction>retraction(?:\ note|\ notice)?|withdrawal|expression\ of\ concern)\b\s*(?=[:\-–—.]|of\b|to\b|for\b)
    |(?P<reprint>reprint\ of|republished)\b
    |(?P<summary>(?:executive|plain[ -]language|lay|policy|research|easy[ -]read)\ (?:summary|brief(?:ing)?)
        \s*(?:[:.\-–—]|of\b|on\b))
    |(?P<reply>comments?\s+(?:on|to)\b|commentary(?:\s+on\b|\s*:)|re\s*:|letter\ to\ the\ editor
        |(?:authors?['’]?s?['’]?\s+)?(?:reply|response|rejoinder)\b(?=\s*(?:to\b|:|by\b|$)))
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_NOTICE_AFTER = re.compile(
    r"""(?:\b(?P<correction>correction\ to|addendum)\b
    |(?P<protocol>^\W*protocol\b|\b(?:study|trial|review|research|design)\ protocol\b|[:.\-–—]\s*(?:an?\ )?protocol\b
        |\bprotocol\W*$)
    |[:.\-–—(]\s*(?:an?\ |the\ )?(?P<summary>(?:(?:executive|plain[ -]language|lay|policy|research|evidence)\ )?
        (?:summary|brief(?:ing)?)(?:\ report|\ paper|\ version)?|easy[ -]read(?:\ (?:summary|version))?)\W*$
    |[:.\-–—?(]\s*(?:an?\ |the\ )?(?:authors?['’]?s?['’]?\ )?(?P<reply>reply|response|rejoinder|comment)\W*$)""",
    re.IGNORECASE | re.VERBOSE,
)
_AFTER = (
    *("correction", "addendum", "protocol", "reply", "response", "rejoinder", "comment"),
    *("summary", "brief", "easy"),
)
_SERIAL = re.compile(
    r"""^(?:the\ )?(?:guest\ )?(?:
    editor\w*(?:\ (?:notes?|introduction|comments?|board|preface|statement|note\ to\ readers|foreword))?
    (?:\ volume\ .*)?
    |book\ reviews?|introduction(?:\ to\ (?:the|this)\ .*)?|preface|foreword|contents|table\ of\ contents
    |in\ this\ issue|index|announcements?|news|letters?(?:\ to\ the\ editor)?|masthead
    |front\ matter|back\ matter|cover|reviewers?|call\ for\ papers|abstracts?|obituary|corrections?|conclusions?
    |comments?|reply|response|commentary|remarks\ from\ .*|issues\ (?:and\ )?opinions|discussion
    |errat(?:um|a)(?:\ notes?)?|special\ (?:issue|section)(?:\ on\ .*)?|from\ the\ editors?
    )$""",
    re.VERBOSE,
)
_EDITORS = re.compile(
    r""".*\beditors?\ ?s?\ (?:comments?|notes?|introduction|remarks|preface|page)
    (?:\ research\ article|\ volume\ .*|(?:\ \w+){1,6}\ (?:quarterly|journal|bulletin))?$""",
    re.VERBOSE,
)
# The editor's own column, by itself or before its subject; a guest's, a board, an introduction are
# others.
_COLUMN = re.compile(
    r"""^(?:\w+\ )?(?:editors?\ ?s?\ (?:comments?|notes?|remarks|page)\b|from\ the\ editors?\b
    |remarks\ from\ .*\beditors?\b|editorial\b(?!\ (?:board|introduction|polic)))""",
    re.VERBOSE,
)
# Headings of what a journal prints again and again, without anything that tells one from the next.
_RECURRING = re.compile(
    r"""\b(?:columns?|round\ ?up|digest|news\w*|bulletin|diary|corner|calendar|briefing|in\ brief
    |(?:book|media|film|research|literature|software|journal)\ (?:reviews?|watch|notes|updates?|briefs?)
    |chairs?\ ?s?\ (?:message|letter|report)|presidents?\ ?s?\ (?:message|letter|address|page)
    |message\ from|letters?\ from|notes?\ from|word\ from|report\ from|reminiscences|profiles?|interviews?\ with
    |annual\ (?:report|meeting)|call\ for|in\ memoriam|meetings?\ and|forthcoming|letters|correspondence
    |abstracts\ of)\b""",
    re.VERBOSE,
)
RECURRING_WORDS = 7  # a longer title has a subject of its own
_ORIGINAL = re.compile("<original>", re.IGNORECASE)
_SUBTITLE = re.compile(r"[:.?!–—]\s|\s-\s")


def cleaned(title: str) -> str:
    """The title without markup, databases' remarks in brackets, a second title and a publisher's
    mark of retraction.
    """
    first = (_ORIGINAL.split(title, maxsplit=1)[0] or title) if "<" in title else title
    plain = unmarked(first)
    return _MARKED.sub("", _REFS.sub(" ", plain) if "[" in plain or "(" in plain else plain)


def before_subtitle(title: str) -> str:
    return _SUBTITLE.split(title.lstrip("[ "), maxsplit=1)[0]


def parts(title: str) -> tuple[str, ...]:
    """("2",) for "Part II", "vol. 2" or "second"-like marks, sorted; () where the title names no
    part.
    """
    lower = title.lower()
    if title.isascii() and not any(map(lower.__contains__, _PART_WORDS)):
        return ()
    return tuple(sorted(map(_value, _PARTS.findall(title))))


def _value(found: str) -> str:
    lower = found.lower()
    return _VALUES.get(lower if lower.isdigit() else re.sub("[l1]", "i", lower), lower)


def notice(title: str) -> str:
    """correction, retraction, reprint, reply, protocol or summary, where the title says that the
    item is one; else "".
    """
    match = _NOTICE.match(title)
    lower = title.lower()
    if not match and any(map(lower.__contains__, _AFTER)):
        match = _NOTICE_AFTER.search(title)
    return match.lastgroup or "" if match else ""


def serial(words: str) -> bool:
    """Whether a title, as plain words, is one that every issue of a journal may have."""
    return len(words) < 8 or bool(
        _SERIAL.match(words) or ("editor" in words and _EDITORS.match(words))
    )


def column(words: str) -> bool:
    """Whether a title, as plain words, is or begins with the heading of the editor's own column."""
    return "editor" in words and not words.startswith("guest ") and bool(_COLUMN.match(words))


def recurring(words: str) -> bool:
    """Whether a title, as plain words, is a heading that a journal prints again and again."""
    return words.count(" ") < RECURRING_WORDS and bool(_RECURRING.search(words))
