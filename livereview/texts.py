"""Which characters and how many of them a text may have that a person wrote: one rule for
protocols, notes and forms.

What can't be seen can mislead: a right-to-left override turns a title around, a line separator
breaks a feed, a NUL ends a text in other programs. Joiners that scripts and emoji need stay
allowed, and so does every letter.
"""

from __future__ import annotations

import re
import unicodedata

# non-joiner and joiner: Persian, Indic scripts and emoji are wrong without them
JOINERS = "\u200c\u200d"
MARKS_IN_A_ROW = 8  # more than any script writes on one letter; hundreds cover the lines around it

# Format characters (Cf), controls (Cc), halves of characters (Cs), private ones (Co), separators of
# lines (Zl, Zp).
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Letters and signs that are drawn as nothing, and positions that are no characters.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffe\uffff")
_MARK_CATEGORIES = frozenset({"Mn", "Me"})
_USUAL = re.compile(r"[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027]*")


def problem(text: str, longest: int, several_lines: bool = False) -> str | None:
    """What is wrong with a text, in words that follow its name; None where it may stand as it is.

    Args:
        longest: How many characters it may have.
        several_lines: Whether it may hold new lines and tabs.
    """
    if len(text) > longest:
        return f"has {len(text):,} characters; at most {longest:,} are allowed"
    if _USUAL.fullmatch(text):
        return None
    marks = 0
    for place, letter in enumerate(text, start=1):
        if several_lines and letter in "\n\t":
            continue
        if _is_hidden(letter):
            return (
                f"holds {name(letter)} as character {place}, which can't be seen or breaks a line; "
                "delete it or type the words again"
            )
        marks = marks + 1 if unicodedata.category(letter) in _MARK_CATEGORIES else 0
        if marks > MARKS_IN_A_ROW:
            return f"has more than {MARKS_IN_A_ROW} marks on one letter, up to character {place}; type it again"
    return None


def _is_hidden(letter: str) -> bool:
    if letter in JOINERS:
        return False
    if letter in _BLANK or ord(letter) & 0xFFFE == 0xFFFE:
        return True
    return unicodedata.category(letter) in _INVISIBLE


_CONTROLS = {
    "\0": "NUL",
    "\t": "TAB",
    "\n": "NEW LINE",
    "\r": "CARRIAGE RETURN",
    "\x85": "NEXT LINE",
}


def name(letter: str) -> str:
    """A character as "U+202E (RIGHT-TO-LEFT OVERRIDE)"."""
    return (
        f"U+{ord(letter):04X} ({_CONTROLS.get(letter) or unicodedata.name(letter, 'no character')})"
    )


def visible(text: str) -> str:
    r"""A text for a message: what can't be seen is written as \u202e."""
    return "".join(_escaped(letter) if _is_hidden(letter) else letter for letter in text)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")


_LINE_ENDS = re.compile(r"\r\n?|[\u0085\u2028\u2029\x0b\x0c]")


def clean(text: str, several_lines: bool = False) -> str:
    r"""What somebody typed or pasted, without what can't be seen: soft hyphens of a PDF, overrides,
    controls.

    Line ends of every kind become "\n", or a space where the text has one line.
    """
    if _USUAL.fullmatch(text):
        return text
    kept: list[str] = []
    marks = 0
    for letter in _LINE_ENDS.sub("\n", text):
        if letter in "\n\t":
            kept.append(letter if several_lines else " ")
            continue
        marks = marks + 1 if unicodedata.category(letter) in _MARK_CATEGORIES else 0
        if marks <= MARKS_IN_A_ROW and not _is_hidden(letter):
            kept.append(letter)
    return "".join(kept)
